"""A file as a session is shown it again: every line that it has seen, with its present number. Refuses to show more."""

from collections.abc import Iterator, Sequence

from specloom.domain.lines import Line, split_lines
from specloom.tools.seen import Seen
from specloom.tools.view import counted, shortened
from specloom.workspace.ports import TextSnapshot

_TITLE = "{path} as it stands now"
LOST = "What was shown of it no longer counts"
"""In the note on a file that the session knows no text of any more."""
GONE = " is gone, or is no text any more, by "
"""In the note on a file that cannot be read any more."""
_AROUND = 12
"""Characters of a line's number and what stands around it, roughly."""


def shows_whole(path: str, text: str) -> bool:
    """Whether a text block of ours about a file supersedes all that was shown of it before."""
    return text.startswith(_TITLE.format(path=path))


def whole_view(snapshot: TextSnapshot, seen: Seen | None, why: str = "", *, again: bool = True) -> str:
    """The block. `seen`: the lines that the session knows, `None` for all; `why`: said in the first line.

    `again`: the session may have been shown the file before.
    """
    lines = split_lines(snapshot.text)
    state = f"{counted(len(lines), 'line')}{', unsaved changes in the editor' if snapshot.dirty else ''}"
    old = ". Numbers shown of it before no longer count" if again else ""
    title = f"{_TITLE.format(path=snapshot.path)} ({state}){why}{old}:"
    return "\n".join([title, *_rows(lines, seen)]) if lines else f"{title}\n(it is empty)"


def _rows(lines: Sequence[Line], seen: Seen | None) -> Iterator[str]:
    done = 0
    for first, last in _spans(lines, seen):
        if first > done + 1:
            yield f"… lines {done + 1} to {first - 1} not shown"
        yield from (f"{number} | {shortened(lines[number - 1].text)}" for number in range(first, last + 1))
        done = last
    if done < len(lines):
        yield f"… lines {done + 1} to {len(lines)} not shown"


def _spans(lines: Sequence[Line], seen: Seen | None) -> Seen:
    return ((1, len(lines)),) if seen is None else tuple((first, min(last, len(lines))) for first, last in seen)


def view_characters(snapshot: TextSnapshot, seen: Seen | None) -> int:
    """About how long `whole_view` would be."""
    if seen is None:
        return len(snapshot.text) + _AROUND * (snapshot.text.count("\n") + 4)
    lines = split_lines(snapshot.text)
    shown = (lines[number - 1].text for first, last in _spans(lines, seen) for number in range(first, last + 1))
    return sum(len(text) + _AROUND for text in shown) + 4 * _AROUND
