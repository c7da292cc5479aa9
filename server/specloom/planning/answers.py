"""Takes the part that was asked for out of what a planner answered, whole or still streaming. Refuses to judge it."""

import re

from specloom.domain.documents.lines import Kind, Line, scan
from specloom.domain.documents.task_lines import box_of
from specloom.domain.lines import split_lines

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*(?:markdown|md)?[ \t]*", re.IGNORECASE)
_SECTION = re.compile(r"##[ \t]+\S")
_BULLET = re.compile(r"(?:[-*+]|[0-9]+[.)])[ \t]")
_BOX = re.compile(r"(?:[-*+]|[0-9]+[.)])[ \t]+\[[ xX~-]\]")


def body_of(answer: str) -> str:
    """From the first section heading on, without a fence around it; empty before there is one."""
    lines = [line.whole for line in split_lines(answer)]
    start = next((at for at, line in enumerate(lines) if _SECTION.match(line)), len(lines))
    return "".join(_unfenced(lines, start))


def list_of(answer: str) -> str:
    """From the first task on, without a fence around it and without words after it; empty before there is one."""
    lines = [line.whole for line in split_lines(answer)]
    start = next((at for at, line in enumerate(lines) if _BOX.match(line.lstrip(" \t"))), len(lines))
    headed = start
    while headed and (not lines[headed - 1].strip() or lines[headed - 1].startswith("###")):
        headed -= 1
    kept = _unfenced(lines, headed)
    while kept and not _belongs(kept[-1]):
        kept.pop()
    return "".join(kept).lstrip("\n")


def _unfenced(lines: list[str], start: int) -> list[str]:
    """The lines from `start` on, up to the end of the fence that opened before them, if one did."""
    fences = [match for line in lines[:start] if (match := _FENCE.fullmatch(line.rstrip()))]
    kept = lines[start:]
    if len(fences) % 2 == 0:
        return kept
    closing = (at for at in range(len(kept) - 1, -1, -1) if kept[at].strip() == fences[-1][1])
    return kept[: next(closing, len(kept))]


def _belongs(line: str) -> bool:
    return (line[:1] in {" ", "\t"} and bool(line.strip())) or bool(_BULLET.match(line))


def whole_blocks(text: str) -> str:
    """The part of a streaming text whose blocks are complete: paragraphs, headings, list items, tasks with details."""
    document = scan(text)
    complete = 0
    rows = split_lines(text)
    for number, row in enumerate(rows):
        line = document.lines[number]
        if line.kind not in {Kind.FENCE, Kind.COMMENT} and _starts_block(line):
            complete = number
        if row.eol and line.kind in {Kind.BLANK, Kind.HEADING}:
            complete = number + 1
    return "".join(row.whole for row in rows[:complete])


def _starts_block(line: Line) -> bool:
    if line.kind is not Kind.TEXT:
        return False
    return (not line.indent and bool(_BULLET.match(line.body))) or box_of(line) is not None
