"""What a person types in `specloom attach`: orders that begin with a slash, and words for the agent at work.

Refuses to take a mistyped order for words.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches

from specloom.cli.failures import CommandError, begun_small
from specloom.cli.remote import RemoteRuntime
from specloom.domain.ids import AgentId
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.engine.api import Accepted

USER = Origin("user")
LEAVE = ("/detach", "q")
HELP = (
    "what you type goes to the agent, word for word, with its next turn; /pause lets the turn end, `/pause task` the "
    "task, `/pause now` nothing; /resume goes on; /cancel ends the run; /detach (q, Ctrl-C) leaves and stops nothing"
)
NOBODY = "no run is going on whose agent could hear that; `specloom run` starts one"


class Steering:
    """Carries out one line after the other."""

    def __init__(self, runtime: RemoteRuntime, note: Callable[[str], None]) -> None:
        self.left = asyncio.Event()
        """Set when the person wants to leave."""
        self._runtime = runtime
        self._note = note
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._orders: Mapping[str, Callable[[], Awaitable[Accepted | Rejected]]] = {
            "/pause": lambda: runtime.pause(USER),
            "/pause now": lambda: runtime.pause(USER, at_once=True),
            "/pause task": lambda: runtime.pause(USER, after_task=True),
            "/resume": lambda: runtime.resume(USER),
            "/cancel": lambda: runtime.cancel(USER),
        }

    def take(self, line: str | None) -> None:
        """A line that was typed; `None`: no more can come."""
        if line is None or line in LEAVE:
            self.left.set()
        else:
            self._lines.put_nowait(line)

    async def serve(self) -> None:
        """Carries out what was typed, until it is cancelled."""
        while True:
            line = await self._lines.get()
            try:
                answer = await self._carried_out(line)
            except CommandError as error:
                answer = Rejected("not-taken", str(error))
            if isinstance(answer, Rejected):
                self._note(begun_small(answer.message))

    async def _carried_out(self, line: str) -> Accepted | Rejected | None:
        if not line.startswith("/"):
            return await self._say(line)
        if line in self._orders:
            return await self._orders[line]()
        known = (*self._orders, LEAVE[0], "/help")
        near = get_close_matches(line, known, n=1)
        unknown = f"there is no {line[:40]!r}" + (f"; did you mean {near[0]}?" if near else f"; {HELP}")
        self._note(HELP if line == "/help" else unknown)
        return None

    async def _say(self, words: str) -> Accepted | Rejected:
        run = self._runtime.state.run
        if run is None or not run.active:
            return Rejected("no-run", NOBODY)
        return await self._runtime.prompt(_agent(self._runtime.state), words, USER)


def _agent(state: ProjectState) -> AgentId:
    """The executor that works, else the one that worked last, else the first there will be."""
    executors = [item for item in state.sessions.values() if item.role == "executor" and item.parent is None]
    at_work = [item for item in executors if not item.outcome] or executors
    if at_work:
        return max(at_work, key=lambda item: item.started_at).agent
    from specloom.engine.inbox import EXECUTOR

    return EXECUTOR
