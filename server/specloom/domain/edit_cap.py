"""How much of a call with too many edits is made. Refuses to make a part that leaves holes in what was meant."""

from collections.abc import Sequence
from dataclasses import dataclass

from specloom.domain.edits import LineEdit, ResolvedBatch


@dataclass(frozen=True, slots=True)
class Capped:
    """The first edits of a call, without the ones beyond the cap."""

    batch: ResolvedBatch
    dropped: tuple[LineEdit, ...]
    """With the numbers that were found, in the order of the call."""


@dataclass(frozen=True, slots=True)
class Torn:
    """Edits beyond the cap stand among the first ones: making these alone would leave the middle undone."""

    indices: tuple[int, ...]
    """0-based, in the order of the call."""


def capped(batch: ResolvedBatch, most: int) -> Capped | Torn:
    """The first `most` edits of a batch that was found as a whole, if none of the others stands between them."""
    kept, dropped = batch.edits[:most], batch.edits[most:]
    if not dropped:
        return Capped(batch, ())
    first, last = min(edit.start_line for edit in kept), max(edit.end_line for edit in kept)
    inside = tuple(at for at, edit in enumerate(dropped, most) if first < edit.start_line < last)
    if inside:
        return Torn(inside)
    return Capped(batch.first(most), dropped)


def spans(edits: Sequence[LineEdit]) -> list[str]:
    """`line 3` or `lines 3-5` of each."""
    return [
        f"line {edit.start_line}" if edit.start_line == edit.end_line else f"lines {edit.start_line}-{edit.end_line}"
        for edit in edits
    ]
