"""Edits that somebody means, in the terms of the lines that he means. Refuses to know how they will be stated."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from specloom.domain.edits import LineEdit


@dataclass(frozen=True, slots=True)
class Meant:
    """The lines `start` to `end` (0-based, end exclusive) become `lines`."""

    start: int
    end: int
    lines: tuple[str, ...]


def meant(lines: Sequence[str], random: Random, count: int) -> list[Meant]:
    """`count` edits of a file, in the order of lines, with at least one line between two of them."""
    edits: list[Meant] = []
    for first, last in _stretches(len(lines), random, count):
        start = random.randint(first, last)
        end = min(last, start + random.choice((0, 0, 0, 1, 1, 2, 3, 5))) + 1
        edits.append(Meant(start, end, tuple(_new(lines[start:end], random))))
    return edits


def done(lines: Sequence[str], edits: Sequence[Meant]) -> list[str]:
    """The lines after edits that do not overlap."""
    result = list(lines)
    for edit in sorted(edits, key=lambda edit: -edit.start):
        result[edit.start : edit.end] = edit.lines
    return result


def stated(lines: Sequence[str], edit: Meant) -> LineEdit:
    """As somebody states it who makes no mistake."""
    return LineEdit(
        edit.start + 1, lines[edit.start], edit.end, lines[edit.end - 1], "".join(f"{line}\n" for line in edit.lines)
    )


def _stretches(count: int, random: Random, parts: int) -> list[tuple[int, int]]:
    """Parts of a stretch of the file, so that edits of one call are near each other, as they are."""
    span = min(count, random.choice((12, 40, count)) * parts)
    at = random.randint(0, count - span)
    size = span // parts
    return [(at + part * size, at + (part + 1) * size - 2) for part in range(parts)]


def _new(old: Sequence[str], random: Random) -> list[str]:
    kind = random.choice(("change", "change", "add", "before", "delete", "shorten"))
    fresh = f"fresh_{random.randrange(10**6)} = new"
    front = old[0][: len(old[0]) - len(old[0].lstrip())]
    if kind == "delete":
        return []
    if kind == "shorten":
        return [front + fresh]
    if kind == "add":
        return [*old, front + fresh, f"{front}  {fresh}"][: len(old) + random.randint(1, 2)]
    if kind == "before":
        deeper = f"{front}\t" if front.startswith("\t") else f"{front}    "
        return [deeper + fresh, *old] if old[0].strip() in {"}", "end", ");", "});"} else [front + fresh, *old]
    return [line.rstrip() + f" {fresh}" if line.strip() else line for line in old]
