"""What a session is told of its files between its own calls. Refuses to leave a number that has moved unsaid."""

from specloom.agent.context.view import GONE, LOST, view_characters, whole_view
from specloom.domain.lines import split_lines
from specloom.domain.merge import diff
from specloom.tools.changes import PLACES, SHOWN, since
from specloom.tools.seen import Seen
from specloom.tools.view import MAX_CHARACTERS, counted
from specloom.workspace.ports import TextSnapshot


def change_note(before: str, present: TextSnapshot, by: str, seen: Seen | None, *, sure: bool) -> str | None:
    """What others changed: the changed lines, or the whole view where those are many; `None`: too much to show.

    `sure`: the session's numbers are known to be those of `before`; else it is shown the whole view. `by`: empty where
    nobody changed anything, and only what the session knows is in doubt.
    """
    if sure and _fits(before, present.text):
        note = f"{present.path} was changed by {by}.\n{since(before, present.text)}"
        if len(note) < view_characters(present, seen):
            return note
    if view_characters(present, seen) > MAX_CHARACTERS:
        return None
    return whole_view(present, seen, f"; it was changed by {by}" if by else "")


def _fits(before: str, present: str) -> bool:
    hunks = diff(split_lines(before), split_lines(present))
    return len(hunks) < PLACES and all(len(hunk.lines) <= SHOWN for hunk in hunks)


def gone_note(path: str, by: str) -> str:
    """For a file that cannot be read any more."""
    return f"{path}{GONE}{by}. {LOST}"


def too_long_note(path: str, by: str) -> str:
    """For a file that changed in more places than are worth showing."""
    why = f"was changed by {by} in many places and" if by else "may have other line numbers than it was shown with, and"
    return f"{path} {why} is too long to be shown again. {LOST}: read what you need"


def crowd_note(files: int, characters: int) -> str:
    """For a session that carries too much."""
    size = f"{counted(files, 'file')}, {characters:,} characters"
    return (
        f"Each request carries the files that you have open ({size}). Close with close_file those that you need no more"
    )
