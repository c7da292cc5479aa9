"""Processes that work on a root and are killed at a named moment. Refuses to go on with them: that is what tests do."""

import asyncio
import sys
from pathlib import Path

from specloom.llm.scripted.server import ScriptedServer
from tests.forks import FORKS
from tests.integration import crash_process
from tests.integration.stage import until_file

HERE = Path(__file__).parents[2]
DEADLINE = 60.0
"""Seconds: a new process first imports what it needs, which takes long on a machine that is busy."""


async def working(
    root: Path, url: str, name: str = "Nothing", ordinal: int = 1, delay: float = 0
) -> asyncio.subprocess.Process:
    """A process that works on the root, and is killed at the named moment if that comes; it has begun to work."""
    words = [str(root), url, name, str(ordinal), str(delay)]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", crash_process.__name__, *words, cwd=HERE)
    # All that it imports is behind it then: what it does from there on may be waited for as of any runtime.
    await until_file(root / ".specloom" / "state.db", deadline=DEADLINE)
    return process


async def killed(root: Path, server: ScriptedServer, name: str, ordinal: int, delay: float) -> None:
    """A process works on the root until it is killed at the named moment."""
    if FORKS.take():
        words = [str(root), server.base_url, name, str(ordinal), str(delay)]
        status = (await asyncio.to_thread(FORKS.play, crash_process.__name__, words, HERE, DEADLINE)).returncode
    else:
        process = await working(root, server.base_url, name, ordinal, delay)
        try:
            async with asyncio.timeout(DEADLINE):
                status = await process.wait()
        finally:
            # What came too late must not be told of in another test, by whoever closes its pipes.
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert status in (-9, 0)
