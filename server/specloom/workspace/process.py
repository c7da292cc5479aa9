"""Runs one shell command to its end, for tools and for verification alike.

Refuses to hang and to leave anything running: each command has a deadline and a session of its own, no terminal, no
standard input, and its whole group ends with it, also when the caller is cancelled.
"""

import asyncio
import codecs
import contextlib
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from specloom.domain.ids import Digest
from specloom.workspace.excerpt import Excerpt
from specloom.workspace.process_group import end_group, reaped, stuck
from specloom.workspace.process_start import shell_code, start
from specloom.workspace.shielding import to_the_end

OUTPUT_LIMIT = 30_000
GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""
DRAIN = 0.5
"""Seconds that output may still arrive in after the shell ended, for `> >(tee log)` and the like."""

GATE = 'IFS= read -r && exec bash -c "$0" </dev/null'
"""Keeps a command from starting others before it is marked and written down."""

UNATTENDED: Mapping[str, str] = {
    "CI": "1",
    "DEBIAN_FRONTEND": "noninteractive",
    "EDITOR": "true",
    "GCM_INTERACTIVE": "never",
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "safe.bareRepository",
    "GIT_CONFIG_VALUE_1": "explicit",
    "GIT_ASKPASS": "true",
    "GIT_EDITOR": "true",
    "GIT_PAGER": "cat",
    "GIT_SEQUENCE_EDITOR": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "MANPAGER": "cat",
    "PAGER": "cat",
    "PIP_NO_INPUT": "1",
    "SSH_ASKPASS": "true",
    "SSH_ASKPASS_REQUIRE": "never",
    "SYSTEMD_PAGER": "cat",
    "TERM": "dumb",
    "VISUAL": "true",
}
"""Set for every command: no pager, editor or password prompt may wait for somebody who is not there.

And git runs no program that a repository names for looking at its files, nor takes a folder in it for a repository.
"""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a command ended."""

    exit_code: int | None
    """128 + n after signal n, as the shell tells it; `None` when the deadline ended it."""
    output: str
    """Standard output and error as they came, undecodable bytes replaced, at most the limit."""
    truncated: bool
    duration_s: float
    timed_out: bool
    digest: Digest
    """Of all bytes that the command wrote, also those left out of `output`."""
    left_behind: bool = False
    """The command had started background processes, which were ended with it."""


@dataclass(slots=True)
class _Sink:
    """Decodes, hands on, keeps and digests what a command writes."""

    on_output: Callable[[str], None] | None
    kept: Excerpt
    decoder: codecs.IncrementalDecoder = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)  # pyright: ignore[reportPrivateUsage] # the type has no public name in 3.11

    def write(self, data: bytes, final: bool = False) -> None:
        self.digest.update(data)
        text = self.decoder.decode(data, final)
        if not text:
            return
        self.kept.add(text)
        if self.on_output is not None:
            self.on_output(text)


async def run(
    command: str,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    *,
    on_output: Callable[[str], None] | None = None,
    on_start: Callable[[int], Awaitable[None]] | None = None,
    limit: int = OUTPUT_LIMIT,
) -> ProcessResult:
    """Runs `command` with `bash -c` in `cwd`; `env` is the whole environment, save for `UNATTENDED`.

    `timeout` in seconds, `limit` in characters of output; `on_start` is told the leader of the command's session.
    Raises `ProcessStartError`.
    `CancelledError` ends the group before it is raised.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    sink = _Sink(on_output, Excerpt(limit))
    process, reader, pipe = await _started(command, cwd, {**env, **UNATTENDED})
    pump = asyncio.create_task(_pump(reader, sink))
    timed_out = False
    try:
        try:
            async with asyncio.timeout(timeout):
                if on_start is not None:
                    await on_start(process.pid)
                _go(process)
                await process.wait()
        except TimeoutError:
            timed_out = True
        if not timed_out:
            await asyncio.wait((pump,), timeout=DRAIN)
    finally:
        left_behind = await to_the_end(_close(process, pump, pipe, sink))
    sink.write(b"", final=True)
    return ProcessResult(
        exit_code=None if timed_out else shell_code(process.returncode),
        output=sink.kept.text(),
        truncated=sink.kept.left_out > 0,
        duration_s=loop.time() - started,
        timed_out=timed_out,
        digest=Digest(sink.digest.hexdigest()),
        left_behind=left_behind and not timed_out,
    )


async def _started(
    command: str, cwd: Path, env: Mapping[str, str]
) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader, asyncio.ReadTransport]:
    """Output comes through a pipe of ours, so that waiting for the shell never waits for who else holds the pipe."""
    loop = asyncio.get_running_loop()
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0))
    try:
        process = await start(("bash", "-c", GATE, command), cwd, env, stdin=asyncio.subprocess.PIPE, output=write_end)
    except BaseException:
        pipe.close()
        raise
    finally:
        os.close(write_end)
    return process, reader, pipe


def _go(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.close()


async def _pump(reader: asyncio.StreamReader, sink: _Sink) -> None:
    while data := await reader.read(65_536):
        sink.write(data)


async def _close(
    process: asyncio.subprocess.Process, pump: asyncio.Task[None], pipe: asyncio.ReadTransport, sink: _Sink
) -> bool:
    """Whether it had left others behind."""
    left_behind = await end_group(process.pid, GRACE)
    if not await reaped(process):
        sink.kept.add(f"\n({stuck(process.pid)})\n")
    await asyncio.wait((pump,), timeout=DRAIN)
    pump.cancel()
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await pump
    finally:
        pipe.close()
    return left_behind
