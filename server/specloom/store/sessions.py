"""Raw API messages, readable transcripts and hand-overs, a file of each a session. Refuses to be the truth: the log is.

Nothing here is synced to the disk, and nothing here is read back by Specloom.
"""

import asyncio
import json
import os
import re
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVarTuple

from specloom.domain.ids import SessionId, digest_of
from specloom.store.database import SESSIONS, prepare_directory, refuse_link
from specloom.store.errors import StoreClosedError, mapped_errors

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_NAME = 100
Arguments = TypeVarTuple("Arguments")


class SessionFiles:
    """`sessions/` below a state directory. Appends in the order of the calls, on a thread of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / SESSIONS
        self._thread: ThreadPoolExecutor | None = ThreadPoolExecutor(1, thread_name_prefix="specloom-sessions")

    async def append_raw(self, session: SessionId, message: Mapping[str, Any]) -> None:
        """Adds one line of JSON to `<session>.jsonl`. Raises `StoreFullError`, `StoreReadOnlyError`.

        `message` must not change any more. Give what is new since the last call, or the file grows with the square of
        the session.
        """
        await self._run(self.path(session, ".jsonl"), lambda: _line(message), own_line=True)

    async def append_transcript(self, session: SessionId, markdown: str) -> None:
        """Adds text as it is to `<session>.md`. Raises as `append_raw`."""
        await self._run(self.path(session, ".md"), lambda: markdown.encode("utf-8", "replace"), own_line=False)

    async def write_hand_over(self, session: SessionId, markdown: str) -> None:
        """Puts the text into `<session>.hand-over.md`, whole or not at all. Raises as `append_raw`."""
        await self._do(_write, self.path(session, ".hand-over.md"), markdown.encode("utf-8", "replace"))

    def path(self, session: SessionId, suffix: str) -> Path:
        """The file of a session; a name that a file cannot bear is cut and gets a digest, so that no two share one."""
        name = _UNSAFE.sub("_", session)[:_LONGEST_NAME]
        if name != session or not name or name.startswith("."):
            name = f"{name.lstrip('.')}~{digest_of(session)[:12]}"
        return self._directory / f"{name}{suffix}"

    def outputs(self, session: SessionId) -> Path:
        """The folder for what the commands of a session print; made by whoever writes there, with mode 0700."""
        return self.path(session, "") / "outputs"

    async def close(self) -> None:
        """Writes what was asked for before. Harmless when repeated."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.shutdown)

    async def _run(self, path: Path, data: Callable[[], bytes], *, own_line: bool) -> None:
        await self._do(_append, path, data, own_line)

    async def _do(self, work: Callable[[Path, *Arguments], None], path: Path, *arguments: *Arguments) -> None:
        if self._thread is None:
            raise StoreClosedError(f"{path} was closed; nothing was written")
        await asyncio.get_running_loop().run_in_executor(self._thread, work, path, *arguments)


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


@contextmanager
def _inside(folder: Path) -> Generator[int]:
    """The folder as a descriptor, made where it is missing: what takes its place while it is used gets nothing."""
    with mapped_errors(folder):
        if not os.path.lexists(folder):
            prepare_directory(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
        refuse_link(folder)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write(path: Path, data: bytes) -> None:
    with mapped_errors(path), _inside(path.parent) as folder:
        draft = f"{path.name}.new"
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(draft, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)
        os.replace(draft, path.name, src_dir_fd=folder, dst_dir_fd=folder)


def _append(path: Path, data: Callable[[], bytes], own_line: bool) -> None:
    with mapped_errors(path), _inside(path.parent) as folder:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(path.name, flags, 0o600, dir_fd=folder), "r+b", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            # A crash may have left half a line, which must not swallow the next one.
            broken = own_line and size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
            rest = memoryview(b"\n" + data() if broken else data())
            while rest:
                rest = rest[file.write(rest) :]
