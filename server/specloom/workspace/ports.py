"""How the floors above read and change files, whoever owns the text. Refuses an edit without its base text."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias

from specloom.domain.ids import Digest, EditId


class WorkspaceError(Exception):
    """A file could not be read or written. The message names the path relative to the root and the next step."""


class OutsideRootError(WorkspaceError):
    """The path leaves the root, or names what no tool may touch (`.git`, `.specloom`, secrets)."""


class TooLargeError(WorkspaceError):
    """The file is there, and too large to be held as one text; parts of it can be shown."""


class MissingFileError(WorkspaceError):
    """There is no such file or folder, neither on disk nor in a buffer."""


class NotTextError(WorkspaceError):
    """The file is there, but is no text that could be shown or edited: it is binary."""

    def __init__(self, message: str, looks: str = "") -> None:
        super().__init__(message)
        self.looks = looks
        """What it seems to be instead, as a clause."""


NOTHING = Digest("")
"""In place of a digest: there is no such file."""


@dataclass(frozen=True, slots=True)
class TextSnapshot:
    """The text of a file as it stands: in the buffer when one is open, else on disk."""

    path: str
    """Relative to the root, forward slashes."""
    text: str
    """Decoded, EOLs as they are; a BOM is not part of it."""
    digest: Digest
    """Of the encoded bytes that a save of this text would write."""
    version: int | None = None
    """The document version of an open buffer; `None` when the text is the disk's."""
    dirty: bool = False
    """An open buffer whose text is not the disk's."""
    encoding: str = "utf-8"
    bom: bool = False


@dataclass(frozen=True, slots=True)
class TextPart:
    """Some lines of a file that is too large to be held whole."""

    path: str
    first: int
    """1-based number of the first of `lines`."""
    lines: tuple[str, ...]
    """Without their ends; each cut when it is very long."""
    size: int
    """Bytes of the whole file."""
    more: bool
    """Lines follow."""


class Refusal(StrEnum):
    """Why a change was not made."""

    CHANGED_MEANWHILE = "changed-meanwhile"
    CLIENT_REFUSED = "client-refused"
    CLIENT_SILENT = "client-silent"
    NOT_WRITABLE = "not-writable"
    NO_SPACE = "no-space"


@dataclass(frozen=True, slots=True)
class Applied:
    """The text was changed and read back."""

    snapshot: TextSnapshot
    in_buffer: bool
    """True: the change is in an editor's buffer, and not on disk before a save."""


@dataclass(frozen=True, slots=True)
class NotApplied:
    """The text is as it was (`CHANGED_MEANWHILE`: as somebody else made it)."""

    refusal: Refusal
    message: str
    present: TextSnapshot | None


EditResult: TypeAlias = Applied | NotApplied


@dataclass(frozen=True, slots=True)
class FileChange:
    """Replace the whole text of a file, computed on `base`. `base=None`: create; the file must not exist."""

    path: str
    new_text: str
    base: TextSnapshot | None
    label: str = ""
    """For the editor's undo history, for example `Specloom: 01/2.1`."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """Files that are gone."""

    paths: tuple[str, ...]
    """Relative to the root, sorted."""
    refused: str = ""
    """Why the next one is not: what went before stays gone, and is written down."""


class EditPort(Protocol):
    """Changes one file, in the buffer of whoever has it open, else on disk (temporary file and replace, mode kept)."""

    async def apply(self, change: FileChange) -> EditResult:
        """All or nothing. Never raises for a refusal; raises `WorkspaceError` for a path outside the root."""
        ...


class BufferOwner(Protocol):
    """An editor that has documents open: the `lsp` floor implements it, one a connection."""

    async def apply(self, change: FileChange) -> EditResult:
        """Asks the editor to change an open document; believes only the text that comes back. Has a deadline."""
        ...

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        """Asks for the documents to be saved; answers those still dirty after `deadline` seconds."""
        ...


class EditJournal(Protocol):
    """Writes down each edit before and after it happens: the engine implements it with events."""

    async def requested(self, path: str, before: TextSnapshot | None, after: Digest, label: str) -> EditId:
        """Before the file changes. `before`: the before-image, `None` for a new file; `after`: the digest to come."""
        ...

    async def settled(self, edit: EditId, result: EditResult) -> None:
        """After it; called exactly once for each `requested`, unless the process dies between the two."""
        ...


EntryKind: TypeAlias = Literal["file", "folder", "link", "other"]


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """One name in a folder."""

    name: str
    kind: EntryKind
    size: int = 0
    """Bytes of a file, else 0."""
    ignored: bool = False
    """An ignore rule hides it from `walk`."""
