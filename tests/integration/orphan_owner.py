"""A process that owns commands and can be killed: `STATE PIDFILE CLEARS` starts one that leaves its session."""

import asyncio
import sys
from pathlib import Path

from specloom.workspace.orphans import Orphans
from specloom.workspace.process import run


async def main(state: Path, pid_file: Path, clears: str) -> None:
    """Works until it is killed. `clears`: what runs the command, empty or `env -i`."""
    orphans = Orphans.at(state)
    await orphans.watched()
    command = f"setsid {clears} bash -c 'echo $$ > {pid_file}; exec sleep 300' & wait"
    await run(command, state, {"PATH": "/usr/bin:/bin", **orphans.environment("check-1")}, 600.0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
