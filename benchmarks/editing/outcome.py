"""Makes damaged calls and says what became of each. Refuses to call a change right that is not the one meant."""

import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from random import Random

from editing.damage import DAMAGES, Call
from editing.languages import LANGUAGES, written
from editing.meant import meant
from specloom.domain.edits import EditRefusal, resolve
from specloom.domain.lines import split_lines
from specloom.domain.merge import Conflict, diff, merge_hunks


class Ending(StrEnum):
    """What became of a call."""

    RIGHT = "right"
    REFUSED = "refused"
    WRONG = "wrong"
    WRONG_ON_TWIN = "wrong, stated line a twin"
    """The stated lines read like those that were meant, so that nothing in the call tells them apart."""


@dataclass(frozen=True, slots=True)
class Case:
    """One call with its outcome."""

    damage: str
    language: str
    call: Call
    ending: Ending

    @property
    def size(self) -> int:
        """Edits of the call."""
        return len(self.call.edits)

    @property
    def lines_off(self) -> int:
        """How far the first number is from the line meant."""
        return abs(self.call.edits[0].start_line - 1 - self.call.meant[0].start)


def cases(seed: int, rounds: int) -> Iterator[Case]:
    """For each language and damage `rounds` calls of one to three edits; the same seed gives the same cases."""
    for language in LANGUAGES:
        for damage, make in DAMAGES.items():
            for number in range(rounds):
                random = Random(f"{seed} {language} {damage} {number}")
                lines = _file(language, number % 8, seed)
                call = make(lines, meant(lines, random, random.randint(1, 3)), random)
                yield Case(damage, language, call, ending(call))


def ending(call: Call) -> Ending:
    """Compares the text that comes out with the one that was meant."""
    text = outcome(call)
    if text is None:
        return Ending.REFUSED
    if text == call.wanted and not call.conflicting:
        return Ending.RIGHT
    return Ending.WRONG_ON_TWIN if _names_a_twin(call) else Ending.WRONG


def outcome(call: Call) -> str | None:
    """The text after the call, as the tool makes it; `None` for a refusal."""
    batch = resolve(call.shown, call.edits)
    if isinstance(batch, EditRefusal):
        return None
    merged = merge_hunks(batch.base, batch.hunks, diff(batch.base, split_lines(call.present)))
    return None if isinstance(merged, Conflict) else merged.text


def _names_a_twin(call: Call) -> bool:
    """Whether an edit names another line than the one meant, which reads the same but for white space.

    The gaps before the first and after the last line read like an empty one: with empty texts they are where to insert.
    """
    lines = ["".join(line.text.split()) for line in split_lines(call.shown)]
    ends = [
        pair
        for edit, meant in zip(call.edits, call.meant, strict=True)
        for pair in ((edit.start_line - 1, meant.start), (edit.end_line - 1, meant.end - 1))
    ]
    reads = {-1: "", len(lines): "", **dict(enumerate(lines))}
    return any(told != at and reads.get(told) == lines[at] for told, at in ends)


@cache
def _file(language: str, number: int, seed: int) -> tuple[str, ...]:
    """A written file; for Python every second one is from the standard library that runs this."""
    if language == "python" and number % 2:
        names = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-z]*.py"))
        long = (lines for lines in map(_lines, Random(f"{seed} {number}").sample(names, len(names))) if len(lines) > 80)
        return next(long)[:2000]
    return tuple(written(language, Random(f"{seed} {language} {number}")))


def _lines(path: Path) -> tuple[str, ...]:
    return tuple(line.text for line in split_lines(path.read_text(encoding="utf-8")))


VERSION = sys.version.split()[0]
"""Whose standard library it was."""
