"""How the writing tools reach a file that others may change too. Refuses to overwrite what the model has not seen."""

import asyncio
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from specloom.domain.lines import split_lines
from specloom.domain.merge import Conflict, Hunk, Merged, diff, merge_hunks
from specloom.tools.changes import since
from specloom.tools.ports import ToolContext
from specloom.tools.tool import ToolOutcome
from specloom.workspace.ports import Applied, FileChange, NotApplied, Refusal, TextSnapshot

TRIES = 3
"""How often a change is made again for a file that changes under it."""

Hunks: TypeAlias = tuple[Hunk, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """The file now holds the change; `merged` is seen from the base that the model knew."""

    merged: Merged
    applied: Applied
    moved: bool
    """Others had changed the file since the model read it."""


async def read_only(path: str, context: ToolContext) -> ToolOutcome | None:
    """The refusal for a path that this role may not write. Raises `OutsideRootError`."""
    real = await asyncio.to_thread(context.files.resolve, path)
    relative = real.relative_to(context.files.root).as_posix()
    if any(_covers(pattern, name) for pattern in context.read_only for name in {relative, path}):
        message = f"{path} is not yours to write; report_blocked if the task cannot be done without a change of it"
        return ToolOutcome(message, is_error=True)
    return None


async def write(context: ToolContext, base: TextSnapshot, ours: Hunks) -> Written | ToolOutcome:
    """Merges changes of `base` onto the present text and applies them; the outcome is a refusal."""
    lines = split_lines(base.text)
    for _ in range(TRIES):
        present = await context.files.read(base.path)
        merged = merge_hunks(lines, ours, diff(lines, split_lines(present.text)))
        if isinstance(merged, Conflict):
            return _conflict(context, base, present)
        if merged.text == present.text:
            context.memory.show(present)
            return ToolOutcome(f"{base.path} already reads like this; nothing was changed")
        known = context.memory.bases.get(base.path, base)
        result = await context.files.apply(FileChange(base.path, merged.text, present, label(context)))
        if isinstance(result, Applied):
            context.memory.show(result.snapshot)
            return Written(_as_read_back(merged, base, result), result, known.digest != present.digest)
        if result.refusal is not Refusal.CHANGED_MEANWHILE:
            return refused(result)
    message = f"not changed: {base.path} kept changing while the change was made; read it again, then repeat"
    return ToolOutcome(message, is_error=True)


def refused(result: NotApplied) -> ToolOutcome:
    """A change that the workspace did not make."""
    return ToolOutcome(f"not changed: {result.message}", is_error=True)


def label(context: ToolContext) -> str:
    """For the editor's undo history and the change set."""
    return f"Specloom: {context.task or context.agent}"


def where(applied: Applied) -> str:
    """Where the new text stands, if not on disk."""
    return " (in the user's open editor, not saved yet)" if applied.in_buffer else ""


def _as_read_back(merged: Merged, base: TextSnapshot, applied: Applied) -> Merged:
    """An editor may have made more of it (formatting on change): then the numbers come from what it made."""
    if applied.snapshot.text == merged.text:
        return merged
    lines = split_lines(base.text)
    actual = merge_hunks(lines, diff(lines, split_lines(applied.snapshot.text)), ())
    assert isinstance(actual, Merged), "one side alone cannot conflict"
    return actual


def _conflict(context: ToolContext, base: TextSnapshot, present: TextSnapshot) -> ToolOutcome:
    context.memory.show(present)
    message = (
        f"not changed: {base.path} was changed by others since you read it, at or next to the same lines. "
        f"What differs, with present numbers:\n{since(base.text, present.text)}\nMake the change again for this text"
    )
    return ToolOutcome(message, is_error=True)


def _covers(pattern: str, path: str) -> bool:
    folder = pattern.rstrip("/")
    return path == folder or path.startswith(f"{folder}/") or fnmatchcase(path, pattern)
