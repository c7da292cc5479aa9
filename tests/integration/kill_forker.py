"""Forks the lives of runs and kills them: `python -m …` reads orders, a line of JSON each.

An order: `{"root", "url", "kind", "ordinal", "delay"}`; the answer: `{"status"}` as of `os.waitpid`. The first one is
carried out here, which loads all that a run needs, the others by children. These say through a pipe that their moment
has come, and this process kills them `delay` seconds later, wherever they are by then.
"""

import asyncio
import json
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from specloom.domain.ids import AgentId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, PauseCause, RunState, Scope
from specloom.engine.api import Published, Question
from specloom.engine.runtime import ProjectRuntime
from specloom.store.presence import Presence
from tests.integration.kill_story import ANSWER, WORDS
from tests.integration.people import Person, agrees
from tests.integration.projects import USER, opened

HEARD = "heard"
"""Beside the root: what was published, one line each, of all lives."""
LONGEST = 60.0
THINKS = 0.02
"""Seconds that the person takes for an answer."""


class Thinker(Person):
    """Answers everything, not at once."""

    async def ask(self, question: Question) -> str | None:
        """As `Person`."""
        await asyncio.sleep(THINKS)
        return await super().ask(question)


def answered(question: Question) -> str:
    """Metres; more of every budget; yes to all else."""
    if question.kind == "question":
        return ANSWER
    return next((choice for choice in question.choices if choice.startswith("Continue")), agrees(question))


def watched(kind: str, ordinal: int, come: Callable[[], None]) -> Callable[[str], None]:
    """A function to be told of kinds of moments, which calls `come` at the one that is meant."""
    seen: Counter[str] = Counter()

    def tell(what: str) -> None:
        seen[what] += 1
        if what == kind and seen[what] == ordinal:
            come()

    return tell


def listen_to_system(root: str, tell: Callable[[str], None]) -> None:
    """Tells of files that are opened or put in place below `root`, of processes, and of each commit before it."""

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith(root):
            tell("open")
        elif event == "os.rename":
            tell("rename")
        elif event == "subprocess.Popen":
            tell("spawn")

    sys.addaudithook(heard)
    check = Presence.check

    def checked(self: Presence) -> None:
        check(self)
        tell("commit")

    Presence.check = checked


async def live(root: Path, url: str, tell: Callable[[str], None]) -> None:
    """Begins the run or goes on with it, to its end."""
    kept = os.open(root.with_name(HEARD), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    over = asyncio.Event()
    said: list[asyncio.Task[Any]] = []
    runtime = await opened(root, url)

    def heard(published: Published, state: ProjectState) -> None:
        name = type(published.event).__name__
        os.write(kept, f"{published.seq} {name}\n".encode())
        tell(name)
        if name == "TurnRequested" and not said:
            # The same command in each life: the words are queued once.
            said.append(asyncio.create_task(runtime.prompt(AgentId("agent-1"), WORDS, USER, "words")))
        if state.run is not None and state.run.state is RunState.FINISHED:
            over.set()

    with runtime.listen(heard), runtime.attach(Thinker(answered)):
        if await under_way(runtime):
            await over.wait()
        await asyncio.gather(*said)
    await runtime.close()


async def under_way(runtime: ProjectRuntime) -> bool:
    """Whether there is anything to be done, which is begun."""
    run = runtime.state.run
    if run is None:
        answer = await runtime.start_run(Scope(), Budget(turns=7), USER)
    elif run.state is RunState.PAUSED and run.cause is not PauseCause.BUDGET:
        answer = await runtime.resume(USER)
    else:
        return run.state is not RunState.FINISHED
    assert not isinstance(answer, Rejected), answer
    return True


def life(order: dict[str, Any], pipe: int) -> None:
    """The child's part."""

    def come() -> None:
        os.write(pipe, b".")

    tell = watched(order["kind"], order["ordinal"], come)
    listen_to_system(order["root"], tell)
    tell("start")
    asyncio.run(live(Path(order["root"]), order["url"], tell))


def carry_out(order: dict[str, Any]) -> int:
    """Forks a life, kills it at its moment; the status with which it ended."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        status = 1
        try:
            life(order, writing)
            status = 0
        except Exception:  # noqa: BLE001 - the child tells it, and must not become a second forker
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    killed_after(pid, reading, order["delay"])
    os.close(reading)
    return os.waitpid(pid, 0)[1]


def killed_after(pid: int, reading: int, delay: float) -> None:
    """Waits for the moment, or for the end; a life that goes on for ever is ended too."""
    ready, _, _ = select.select([reading], [], [], LONGEST)
    if ready and os.read(reading, 1) == b"":
        return  # It has ended by itself.
    until = time.monotonic() + delay
    while time.monotonic() < until:
        ready, _, _ = select.select([reading], [], [], max(until - time.monotonic(), 0))
        if ready and os.read(reading, 1) == b"":
            return
    os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Follows orders until there are no more."""
    first = json.loads(sys.stdin.readline())
    asyncio.run(live(Path(first["root"]), first["url"], lambda _: None))
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(LONGEST)
    assert threading.active_count() == 1, f"a thread would be missing in the children: {threading.enumerate()}"
    say(0)
    for line in sys.stdin:
        say(carry_out(json.loads(line)))


def say(status: int) -> None:
    """The answer to an order."""
    sys.stdout.write(json.dumps({"status": status}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
