"""A process that owns an agent's shell and is killed by a test: `python shell_owner.py ROOT`.

Starts commands of every kind, then writes the file `ready` and waits.
"""

import asyncio
import sys
import time
from pathlib import Path

from specloom.workspace.shell.agent_shell import AgentShell

COMMANDS = (
    "sleep 281 & echo $! >>pids",
    "(trap '' TERM HUP; sleep 282 & echo $! >>pids; wait) >/dev/null 2>&1 &",
    "set -m; sleep 283 & set +m; echo $! >>pids",
    "timeout 300 sleep 284 >/dev/null & sleep 0.2; pgrep -P $! >>pids || echo $! >>pids",
)


async def own(root: Path) -> None:
    """Until somebody kills it."""
    shell = AgentShell(root, {"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(root)}, root / "logs", str)
    for command in COMMANDS:
        await shell.run(command, 20)
    await shell.start("trap '' TERM; echo $$ >>pids; while :; do sleep 285; done")
    stalled = asyncio.create_task(shell.run("echo $$ >>pids; sleep 286 & echo $! >>pids; wait", 300))
    await asyncio.to_thread(wait_for, root / "pids", len(COMMANDS) + 3)
    await asyncio.to_thread((root / "ready").touch)
    await stalled


def wait_for(pids: Path, count: int) -> None:
    """Until all have been written down."""
    while len(pids.read_text().split()) < count:
        time.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(own(Path(sys.argv[1])))
