"""Files on disk: read whole, replaced whole.

Refuses to write over a text that is not the one the change was computed on.
"""

import asyncio
import errno
import os
import stat
from contextlib import suppress
from pathlib import PurePosixPath

from specloom.domain.ids import digest_of
from specloom.workspace.drafts import draft_name
from specloom.workspace.encoding import BinaryError, decode, encode
from specloom.workspace.jail import Jail, explained, parent_of
from specloom.workspace.large_text import part_of
from specloom.workspace.ports import (
    Applied,
    EditResult,
    FileChange,
    MissingFileError,
    NotApplied,
    NotTextError,
    Refusal,
    TextPart,
    TextSnapshot,
    TooLargeError,
    WorkspaceError,
)
from specloom.workspace.shielding import to_the_end

TEXT_LIMIT = 32 * 1024 * 1024
"""Bytes of the largest file that is read as text."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DiskEdits:
    """The `EditPort` of files that nobody has open."""

    def __init__(self, jail: Jail) -> None:
        self.jail = jail

    def read(self, path: str) -> TextSnapshot:
        """The text on disk. Blocking. Raises `WorkspaceError`."""
        relative = self.jail.locate(path)
        data = self._bytes(relative, TEXT_LIMIT + 1)
        if len(data) > TEXT_LIMIT:
            message = f"{relative!r} is larger than {TEXT_LIMIT:,} bytes; it can be shown in parts, not edited"
            raise TooLargeError(message)
        return snapshot_of(relative, data)

    def read_bytes(self, path: str, limit: int) -> bytes:
        """At most the first `limit` bytes. Blocking. Raises `WorkspaceError`."""
        return self._bytes(self.jail.locate(path), limit)

    def read_part(self, path: str, first: int, count: int) -> TextPart:
        """`count` lines from `first` on, of a file of any size. Blocking. Raises `WorkspaceError`."""
        relative = self.jail.locate(path)
        with os.fdopen(self.jail.open_file(relative), "rb") as file:
            return part_of(file, relative, first, count)

    async def apply(self, change: FileChange) -> EditResult:
        """Replaces the file as a whole, keeping mode, owner and encoding. Raises `OutsideRootError`."""
        return await to_the_end(asyncio.to_thread(self.apply_now, change))

    def apply_now(self, change: FileChange) -> EditResult:
        """As `apply`, blocking."""
        relative = self.jail.locate(change.path)
        data = encoded(change)
        if isinstance(data, NotApplied):
            return data
        try:
            return self._replace(relative, data, change.base)
        except OSError as error:
            return _refused(error, relative, change.base)

    def _bytes(self, relative: str, limit: int) -> bytes:
        with os.fdopen(self.jail.open_file(relative), "rb") as file:
            try:
                return file.read(limit)
            except OSError as error:
                raise explained(error, relative) from error

    def _replace(self, relative: str, data: bytes, base: TextSnapshot | None) -> EditResult:
        name = PurePosixPath(relative).name
        try:
            with self.jail.folder(parent_of(relative), create=base is None) as folder:
                return _Replacement(self.jail, folder, name, relative).make(data, base)
        except MissingFileError as error:
            return NotApplied(Refusal.CHANGED_MEANWHILE, str(error), None)
        except WorkspaceError as error:
            return NotApplied(Refusal.NOT_WRITABLE, str(error), None)


class _Replacement:
    """One file in one open folder: everything goes through the folder's descriptor, so no link can redirect it."""

    def __init__(self, jail: Jail, folder: int, name: str, relative: str) -> None:
        self.jail = jail
        self.folder = folder
        self.name = name
        self.relative = relative

    def make(self, data: bytes, base: TextSnapshot | None) -> EditResult:
        mode = self._mode()
        if mode is not None and not mode.st_mode & 0o222:
            message = f"{self.relative!r} is read-only; make it writable first if it is meant to change"
            return NotApplied(Refusal.NOT_WRITABLE, message, base)
        temporary = draft_name()
        try:
            self._write(temporary, data, mode)
            refusal = self._put_in_place(temporary, base)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=self.folder)
        if refusal is not None:
            return refusal
        os.fsync(self.folder)
        return Applied(snapshot_of(self.relative, data), in_buffer=False)

    def _mode(self) -> os.stat_result | None:
        try:
            return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _write(self, temporary: str, data: bytes, old: os.stat_result | None) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o666, dir_fd=self.folder), "wb") as file:
            file.write(data)
            file.flush()
            if old is not None:
                # The owner first: changing it clears the set-id bits of the mode.
                with suppress(PermissionError):
                    os.fchown(file.fileno(), old.st_uid, old.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
            os.fsync(file.fileno())

    def _put_in_place(self, temporary: str, base: TextSnapshot | None) -> NotApplied | None:
        if base is None:
            return self._put_new(temporary)
        present = self._present()
        if present is None or present.digest != base.digest:
            return changed_meanwhile(self.relative, present)
        os.replace(temporary, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        return None

    def _put_new(self, temporary: str) -> NotApplied | None:
        """A link is refused when the name exists, which a rename is not."""
        try:
            os.link(temporary, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder, follow_symlinks=False)
        except FileExistsError:
            return changed_meanwhile(self.relative, self._present())
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}:
                raise
            if self._mode() is not None:
                return changed_meanwhile(self.relative, self._present())
            os.replace(temporary, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        return None

    def _present(self) -> TextSnapshot | None:
        try:
            with os.fdopen(self.jail.open_in(self.folder, self.name, self.relative), "rb") as file:
                return snapshot_of(self.relative, file.read())
        except WorkspaceError:
            return None


def snapshot_of(relative: str, data: bytes) -> TextSnapshot:
    """What the bytes of a file say. Raises `NotTextError`."""
    try:
        decoded = decode(data)
    except BinaryError as error:
        message = f"{relative!r} is a binary file ({error}); tools read and edit text only"
        raise NotTextError(message, str(error)) from error
    return TextSnapshot(relative, decoded.text, digest_of(data), encoding=decoded.encoding, bom=decoded.bom)


def encoded(change: FileChange) -> bytes | NotApplied:
    """The bytes that a change will write, in the encoding of its base."""
    encoding, bom = ("utf-8", False) if change.base is None else (change.base.encoding, change.base.bom)
    try:
        return encode(change.new_text, encoding, bom)
    except UnicodeEncodeError as error:
        missing = change.new_text[error.start]
        message = f"{change.path!r} is {encoding}, which has no {missing!r}; write it without that character"
        return NotApplied(Refusal.NOT_WRITABLE, message, change.base)


def changed_meanwhile(relative: str, present: TextSnapshot | None) -> NotApplied:
    """Somebody else was faster."""
    now = "is gone" if present is None else "has another text than the change was made for"
    message = f"{relative!r} {now}; look at it again before the next change"
    return NotApplied(Refusal.CHANGED_MEANWHILE, message, present)


def _refused(error: OSError, relative: str, base: TextSnapshot | None) -> NotApplied:
    if error.errno in FULL:
        message = f"{relative!r} was not written: {error.strerror}; it is as it was, free some space first"
        return NotApplied(Refusal.NO_SPACE, message, base)
    return NotApplied(Refusal.NOT_WRITABLE, f"{relative!r} was not written: {error.strerror}; check its folder", base)
