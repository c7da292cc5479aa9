"""What a session is given that goes on where another ended: recorded facts first, and last the words of a model.

Refuses to shorten anything without saying by how much; the briefing in it, with a person's words, stays whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specloom.agent.briefing import Ran, fenced, told
from specloom.domain.ids import SessionId

TITLE = "# Hand-over"
NOT_SHOWN = "… {count} {what} not shown here"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of what is not a person's words is shown."""

    lines: int = 60
    """Of each list."""
    output: int = 2_000
    """Characters of the newest command's output."""
    prose: int = 6_000
    """Characters of a model's words."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Everything that goes over."""

    task: str
    """Its id, and which attempt at it this is."""
    number: int
    """Of the session to come."""
    previous: SessionId
    because: str
    turns: int
    """Used up by all sessions of the attempt."""
    most_turns: int
    briefing: str
    """Task, requirements, spec, stop condition and the user's words, as a first session is told them."""
    before: tuple[str, ...] = ()
    """What the verify commands said before the attempt."""
    changed: tuple[str, ...] = ()
    """Files that the attempt has changed so far, and how."""
    shown: tuple[str, ...] = ()
    """Open files that follow as they stand now."""
    not_shown: tuple[str, ...] = ()
    """Files that the session before had open and that do not follow."""
    ran: tuple[Ran, ...] = ()
    """Oldest first."""
    refused: tuple[str, ...] = ()
    """Other calls for which there was no leave, and why."""
    problems: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """Questions that nobody has answered yet."""
    jobs: tuple[str, ...] = ()
    prose: str = ""
    author: str = "the model of the session before"


def render(given: HandOver, bounds: Bounds | None = None) -> str:
    """The hand-over as Markdown: state, data, and last the prose, marked as what it is."""
    known = bounds or Bounds()
    parts = (
        f"{TITLE}: {given.task}, session {given.number}",
        _section("Where the work stands", _state(given)),
        given.briefing,
        _section("Verify commands before the attempt began", _listed(given.before, known, "commands")),
        _section("Files changed by this attempt so far, which stand as they were left", _changed(given, known)),
        _section("Open files", _open(given, known)),
        _section("Commands of this attempt, and how each ended when it ran last", _ran(given.ran, known)),
        _section("Other calls for which there was no leave", _listed(given.refused, known, "calls")),
        _section("Problems known", _listed(given.problems, known, "problems")),
        _section("Questions that wait for an answer", _listed(given.waiting, known, "questions")),
        _section("Your shell and its jobs, which go on", _listed(given.jobs, known, "jobs")),
        _section(f"What remains, in the words of {given.author}", _prose(given.prose, known)),
    )
    return "\n\n".join(part for part in parts if part)


def shortened(text: str, characters: int) -> str:
    """The text, or its end, with a line that says how much is left out before it."""
    if len(text) <= characters:
        return text
    kept = text[-characters:] if characters else ""
    return f"[{len(text) - len(kept)} characters left out]\n{kept}"


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _state(given: HandOver) -> str:
    return (
        f"This is session {given.number} of the attempt. It continues session {given.number - 1} "
        f"(`{given.previous}`), which ended: {given.because}. Its conversation is gone; what follows is recorded fact, "
        f"but for the last section. {given.turns} of {given.most_turns} turns of the attempt are used up."
    )


def _changed(given: HandOver, bounds: Bounds) -> str:
    return _listed(given.changed, bounds, "files") or "None."


def _open(given: HandOver, bounds: Bounds) -> str:
    shown = f"These follow as they stand now:\n\n{_plain(given.shown)}" if given.shown else ""
    others = _listed(given.not_shown, bounds, "files")
    return "\n\n".join(
        part for part in (shown, f"To be read again where needed:\n\n{others}" if others else "") if part
    )


def _ran(ran: Sequence[Ran], bounds: Bounds) -> str:
    if not ran:
        return ""
    listed = _listed([told(item) for item in ran], bounds, "earlier commands")
    output = next((item.output for item in reversed(ran) if item.output), "")
    return f"{listed}\n\nThe last of them printed:\n\n{fenced(shortened(output, bounds.output))}" if output else listed


def _prose(prose: str, bounds: Bounds) -> str:
    if not prose:
        return ""
    unsaid = max(len(prose) - bounds.prose, 0)
    cut = f"\n[{unsaid} characters left out]" if unsaid else ""
    warning = "Nobody has verified this. Where it differs from what is recorded above, what is recorded counts."
    return f"{warning}\n\n{fenced(prose[: bounds.prose] + cut)}"


def _listed(items: Sequence[str], bounds: Bounds, what: str) -> str:
    """The newest items, which stand last."""
    kept = items[-bounds.lines :] if bounds.lines else ()
    left_out = len(items) - len(kept)
    first = [NOT_SHOWN.format(count=left_out, what=what)] if left_out else []
    return _plain([*first, *kept])


def _plain(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
