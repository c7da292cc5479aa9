"""Starts a program in a session of its own. Refuses to lose one: a caller that is cancelled leaves nothing running."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from specloom.workspace import marked
from specloom.workspace.ports import WorkspaceError
from specloom.workspace.process_group import end_group, reaped
from specloom.workspace.shielding import to_the_end


class ProcessStartError(WorkspaceError):
    """The command could not be started at all."""


async def start(
    argv: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    stdin: int = asyncio.subprocess.DEVNULL,
    output: int = asyncio.subprocess.DEVNULL,
    executable: str | None = None,
) -> asyncio.subprocess.Process:
    """The leader of a new session; standard output and error both go to `output`.

    What `env` marks it with (`marked`) it also has as a limit when this returns. `executable`: the file, if not
    `argv[0]`. Raises `ProcessStartError`.
    """
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
            executable=executable,
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        await to_the_end(_abandon(starting))
        raise
    except (OSError, ValueError) as error:
        raise ProcessStartError(
            f"could not start {argv[0].rpartition('/')[2]} in {cwd.name!r}: {error}; check the folder and the command"
        ) from error
    if marked.VARIABLE in env:
        marked.tag(process.pid, env[marked.VARIABLE])
    return process


def shell_code(returncode: int | None) -> int | None:
    """An exit code as a shell tells it: 128 + n after signal n."""
    return 128 - returncode if returncode is not None and returncode < 0 else returncode


async def _abandon(starting: asyncio.Task[asyncio.subprocess.Process]) -> None:
    """The caller was cancelled between fork and exec: nobody else knows the process."""
    try:
        process = await starting
    except (OSError, ValueError):
        return
    await end_group(process.pid, 0.0)
    await reaped(process)
