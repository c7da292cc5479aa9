"""Rebuilds copies of a damaged log, each killed one step later: `python rebuild_process.py DAMAGED FOLDER`.

Leaves `FOLDER/1`, `FOLDER/2`, …; prints how many there are. Forks, so that it loads its modules once.
"""

import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from store_samples import REGISTRY, CountingClock

from specloom.store.codec import Codec
from specloom.store.rebuild import rebuild

STEPS = {"os.rename", "os.remove", "os.link", "os.mkdir", "open", "sqlite3.connect"}


def die_at(step: int) -> None:
    """Kills this process at its `step`-th change of the disk."""
    left = step

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        del arguments
        nonlocal left
        if event in STEPS:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(heard)


def ends(state: Path, step: int) -> bool:
    """Whether a rebuilding that dies at `step` comes to its end first."""
    pid = os.fork()
    if pid == 0:
        die_at(step)
        rebuild(state, Codec(REGISTRY), ("project-new", CountingClock().now()), "the test", "a test")
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def main(damaged: Path, folder: Path) -> None:
    """Until one comes to its end."""
    Codec(REGISTRY).decode("Noted", 1, '{"text":""}', lambda _: b"")  # Loads what is loaded late.
    steps = next(step for step in count(1) if ends(copied(damaged, folder / str(step)), step))
    sys.stdout.write(str(steps))


def copied(damaged: Path, place: Path) -> Path:
    """A copy of the damaged log."""
    shutil.copytree(damaged, place)
    return place


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
