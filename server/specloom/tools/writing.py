"""How the writing tools reach a file that others may change too. Refuses to overwrite what the model has not seen."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ParamSpec, TypeAlias, TypeVar

from specloom.domain.lines import Line, split_lines
from specloom.domain.merge import Conflict, Hunk, Merge, Merged, changes_of, combined, diff, merge_hunks
from specloom.tools.changes import UNCHANGED, since, told
from specloom.tools.ports import Made, ToolContext
from specloom.tools.tool import ToolOutcome
from specloom.workspace.ports import Applied, FileChange, NotApplied, Refusal, TextSnapshot

TRIES = 3
"""How often a change is made again for a file that changes under it."""
LARGE = 200_000
"""Characters of a text from which comparing it would hold up everybody else on the loop."""

P = ParamSpec("P")
T = TypeVar("T")

Hunks: TypeAlias = tuple[Hunk, ...]
Lines: TypeAlias = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """The file now holds the change; `merged` is seen from the base that the model knew."""

    merged: Merged
    applied: Applied
    moved: bool
    """Others had changed the file since the model read it."""


async def worked_out(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of work on texts of `size` characters, which knows nothing but them; of large ones in a thread."""
    return await asyncio.to_thread(work, *args, **kwargs) if size > LARGE else work(*args, **kwargs)


async def read_only(path: str, context: ToolContext) -> ToolOutcome | None:
    """The refusal for a path that this role may not write. Raises `OutsideRootError`."""
    real = await asyncio.to_thread(context.files.resolve, path)
    relative = real.relative_to(context.files.root).as_posix()
    if any(covers(pattern, name) for pattern in context.read_only for name in {relative, path}):
        message = f"{path} is not yours to write; report_blocked if the task cannot be done without a change of it"
        return ToolOutcome(message, is_error=True)
    return None


async def write(
    context: ToolContext, base: TextSnapshot, lines: Lines, ours: Hunks, *, apart: bool = True
) -> Written | ToolOutcome:
    """Merges changes of `base`, which has these lines, onto the present text and applies them; else says why not.

    `apart`: they come beside those of earlier calls of this turn, and are no whole text that may repeat these.
    """
    for _ in range(TRIES):
        present = await context.files.read(base.path)
        made = context.memory.made(base.path) if apart else None
        merged = await worked_out(len(present.text), _merged, made, base, lines, ours, present)
        if isinstance(merged, Conflict):
            return _conflict(context, base, present)
        known = context.memory.bases.get(base.path, base)
        if merged.text == present.text:
            context.memory.show(present)
            return _nothing_changed(context, known, present, merged)
        result = await context.files.apply(FileChange(base.path, merged.text, present, label(context)))
        if isinstance(result, Applied):
            context.memory.show(result.snapshot)
            merged = await worked_out(len(merged.text), _as_read_back, merged, lines, result)
            context.memory.make(base.path, Made(changes_of(merged), merged.text))
            return Written(merged, result, known.digest != present.digest)
        if result.refusal is not Refusal.CHANGED_MEANWHILE:
            return refused(result)
    message = f"not changed: {base.path} kept changing while the change was made; read it again, then repeat"
    return ToolOutcome(message, is_error=True)


def _nothing_changed(context: ToolContext, known: TextSnapshot, present: TextSnapshot, merged: Merged) -> ToolOutcome:
    """The file held the change already; what others made of it beyond that moves numbers that are in sight."""
    said = f"{present.path} {UNCHANGED}"
    if known.digest == present.digest:
        return ToolOutcome(said)
    context.memory.make(present.path, Made(changes_of(merged), merged.text))
    return ToolOutcome(f"{said}; it had changed since you last saw it\n{told(merged)}")


def _merged(made: Made | None, base: TextSnapshot, lines: Lines, ours: Hunks, present: TextSnapshot) -> Merge:
    """Onto what others made of the base, as a comparison tells it, or what this turn made of it, as is known."""
    if made is not None and made.text == present.text:
        together = combined(made.hunks, ours)
        if together is not None:
            return merge_hunks(lines, together, ())
    theirs = () if present.text == base.text else diff(lines, split_lines(present.text))
    return merge_hunks(lines, ours, theirs)


def refused(result: NotApplied) -> ToolOutcome:
    """A change that the workspace did not make."""
    return ToolOutcome(f"not changed: {result.message}", is_error=True)


def label(context: ToolContext) -> str:
    """For the editor's undo history and the change set."""
    return f"Specloom: {context.task or context.agent}"


def where(applied: Applied) -> str:
    """Where the new text stands, if not on disk."""
    return " (in the user's open editor, not saved yet)" if applied.in_buffer else ""


def _as_read_back(merged: Merged, lines: Lines, applied: Applied) -> Merged:
    """An editor may have made more of it (formatting on change): then the numbers come from what it made.

    So they do where a lone CR came to stand before a lone LF: the two are one end of line now.
    """
    text = applied.snapshot.text
    if text == merged.text and ("\r" not in text or split_lines(text) == merged.lines):
        return merged
    actual = merge_hunks(lines, diff(lines, split_lines(applied.snapshot.text)), ())
    assert isinstance(actual, Merged), "one side alone cannot conflict"
    return actual


def _conflict(context: ToolContext, base: TextSnapshot, present: TextSnapshot) -> ToolOutcome:
    earlier = context.memory.made(base.path)
    context.memory.show(present)
    by = "by an earlier call of this turn" if earlier is not None and earlier.text == present.text else "by others"
    message = (
        f"not changed: {base.path} was changed {by} since you read it, at or next to the same lines. "
        f"What differs, with present numbers:\n{since(base.text, present.text)}\nMake the change again for this text"
    )
    return ToolOutcome(message, is_error=True)


def covers(pattern: str, path: str) -> bool:
    """Whether a path of `ToolContext.read_only`, or a folder or pattern there, means this path."""
    folder = pattern.rstrip("/")
    return path == folder or path.startswith(f"{folder}/") or fnmatchcase(path, pattern)
