"""What a model reads when its edits were not made. Refuses length: a refusal is paid for in every later request."""

from collections.abc import Sequence

from specloom.domain.edit_cap import Torn, spans
from specloom.domain.edits import EditRefusal, LineEdit
from specloom.domain.lines import Line
from specloom.tools.view import shortened

AROUND = 2
"""Lines shown before and after the place that a refused edit meant."""
WIDTH = 160
"""Characters of a line that are shown."""


def refused_batch(path: str, refusal: EditRefusal, count: int) -> str:
    """The faults of a batch of `count` edits, and the lines around them as the model last saw them."""
    none = "nothing was changed" if count == 1 else f"none of the {count} edits was made"
    told = [fault for fault in refusal.faults if fault.message]
    faults = [f"edit {fault.index + 1}: {fault.message}" if count > 1 else fault.message for fault in told]
    untold = [str(fault.index + 1) for fault in refusal.faults if not fault.message]
    if untold:
        faults.append(f"not found either: edit {', '.join(untold)}")
    shown = _surroundings(refusal.lines, sorted({fault.around for fault in told}))
    return "\n".join(
        [
            f"{path}: {none}",
            *faults,
            *(["As you last saw it; state numbers and texts like this:", *shown] if shown else []),
        ]
    )


def torn_call(path: str, torn: Torn, edits: Sequence[LineEdit], most: int) -> str:
    """Too many edits in an order that does not let the first ones stand alone."""
    left = spans([edits[at] for at in torn.indices])
    named = [f"edit {at + 1} ({span})" for at, span in zip(torn.indices, left, strict=True)]
    return (
        f"{path}: none of the {len(edits)} edits was made: a call takes {most}, and {', '.join(named)} stands "
        f"between the first ones. Send at most {most} a call, from the last line to the first"
    )


def _surroundings(lines: Sequence[Line], places: Sequence[int]) -> list[str]:
    """Overlapping places are shown once."""
    shown: list[str] = []
    done = 0
    for place in places:
        first, last = max(place - AROUND, done + 1, 1), min(place + AROUND, len(lines))
        shown += [f"{number} | {shortened(lines[number - 1].text, WIDTH)}" for number in range(first, last + 1)]
        done = max(done, last)
    return shown
