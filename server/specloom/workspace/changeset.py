"""What an attempt did to files: one unified diff, its hunks, the way back. Refuses to revert over changes of others."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from specloom.domain.lines import Line
from specloom.domain.merge import Hunk, Merge, diff, merge_hunks
from specloom.workspace.diff_text import diff_lines, unified
from specloom.workspace.ports import MissingFileError, TextSnapshot, WorkspaceError

if TYPE_CHECKING:
    from unidiff.patch import Hunk as ShownHunk
    from unidiff.patch import PatchedFile


class Reader(Protocol):
    """Where the present texts come from: a `Workspace`."""

    async def read(self, path: str) -> TextSnapshot:
        """Raises `WorkspaceError`."""
        ...


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file before and after; `None` where it did not exist."""

    path: str
    before: str | None
    after: str | None

    @property
    def diff(self) -> str:
        """Its part of the unified diff."""
        return unified(self.path, self.before, self.after)

    @property
    def patch(self) -> "PatchedFile":
        """Its part of the diff, parsed: a list of hunks; a hunk is named by its index in it."""
        from unidiff.patch import PatchSet

        return PatchSet(diff_lines(self.diff))[0]


@dataclass(frozen=True, slots=True)
class Deleted:
    """The file did not exist before: reverting it whole means deleting it."""

    path: str


Reverted: TypeAlias = Merge | Deleted
"""The text to write, or the regions that others changed since."""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All files that an attempt changed, sorted by path."""

    files: tuple[ChangedFile, ...]

    @classmethod
    def of(cls, before: Mapping[str, str | None], after: Mapping[str, str | None]) -> "ChangeSet":
        """From texts by path; what is the same before and after is no part of it."""
        changed = (ChangedFile(path, text, after.get(path)) for path, text in sorted(before.items()))
        return cls(tuple(file for file in changed if file.before != file.after))

    @classmethod
    async def between(cls, before: Mapping[str, TextSnapshot | None], reader: Reader) -> "ChangeSet":
        """From before-images to the present texts; a file that is no readable text now is left out."""
        texts = {path: None if image is None else image.text for path, image in before.items()}
        present: dict[str, str | None] = {}
        for path in before:
            try:
                present[path] = (await reader.read(path)).text
            except MissingFileError:
                present[path] = None
            except WorkspaceError:
                del texts[path]
        return cls.of(texts, present)

    def shown(self, redact: Callable[[str], str]) -> "ChangeSet":
        """The same changes without keys; where nothing but a key is another, nothing is left to show."""
        before = {file.path: None if file.before is None else redact(file.before) for file in self.files}
        after = {file.path: None if file.after is None else redact(file.after) for file in self.files}
        return ChangeSet.of(before, after)

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the changed files."""
        return tuple(file.path for file in self.files)

    @property
    def diff(self) -> str:
        """The unified diff, as `git apply` takes it."""
        return "".join(file.diff for file in self.files)


def reverted(file: ChangedFile, present: str | None, hunks: Iterable[int] | None = None) -> Reverted:
    """The present text without some hunks of a change (`None`: without all); what others did elsewhere stays.

    A created file that is reverted whole is `Deleted`, unless others have written to it since. Raises `IndexError` for
    a hunk that is not there.
    """
    if hunks is None and file.before is None and present in {file.after, None}:
        return Deleted(file.path)
    before, after = _as_lines(file.before), _as_lines(file.after)
    shown = file.patch
    chosen = range(len(shown)) if hunks is None else sorted(set(hunks))
    undone = [change for index in chosen for change in _undone(shown[index], before)]
    return merge_hunks(after, undone, diff(after, _as_lines(present)))


def _undone(hunk: "ShownHunk", before: tuple[Line, ...]) -> Iterator[Hunk]:
    """A hunk backwards, without its context: what stands in `after` gives way to what stood there before."""
    old = hunk.source_start - (1 if hunk.source_length else 0)
    new = hunk.target_start - (1 if hunk.target_length else 0)
    old_from, new_from = old, new
    for line in hunk:
        if line.is_context:
            if (old, new) != (old_from, new_from):
                yield Hunk(new_from, new, before[old_from:old])
            old_from, new_from = old + 1, new + 1
        old += line.is_context or line.is_removed
        new += line.is_context or line.is_added
    if (old, new) != (old_from, new_from):
        yield Hunk(new_from, new, before[old_from:old])


def _as_lines(text: str | None) -> tuple[Line, ...]:
    return tuple(Line(line.removesuffix("\n"), "\n" if line.endswith("\n") else "") for line in diff_lines(text or ""))
