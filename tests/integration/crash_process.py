"""A process that works on a root and is killed at a named moment: `ROOT URL EVENT ORDINAL DELAY`.

`EVENT ORDINAL`: the so-many-th event of that class is committed; `DELAY`: seconds after that.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, Scope
from specloom.engine.api import Published, Question
from tests.integration.people import Person
from tests.integration.projects import USER, opened

ANSWER = "Metres, always."


def die() -> None:
    """At once, as by the hand of the operating system."""
    os.kill(os.getpid(), signal.SIGKILL)


def answered(question: Question) -> str | None:
    """Of the person who watches: to what an agent asks, and to nothing else."""
    return ANSWER if question.kind == "question" else None


async def main(root: Path, url: str, name: str, ordinal: int, delay: float) -> None:
    """Runs to the end, or until it is killed."""
    seen = 0

    def heard(published: Published, state: ProjectState) -> None:
        nonlocal seen
        del state
        seen += type(published.event).__name__ == name
        if seen < ordinal:
            return
        if delay:
            threading.Timer(delay, die).start()
        else:
            die()

    runtime = await opened(root, url)
    with runtime.listen(heard), runtime.attach(Person(answered)):
        answer = await runtime.start_run(Scope(), Budget(), USER, unattended=True)
        assert not isinstance(answer, Rejected), answer
        await runtime.wait_idle()
    await runtime.close()


def run(words: Sequence[str]) -> int:
    """Of its arguments."""
    root, url, name, ordinal, delay = words
    asyncio.run(main(Path(root), url, name, int(ordinal), float(delay)))
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
