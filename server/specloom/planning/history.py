"""Finds in a log where planning stopped. Refuses to judge whether that is still of use: `dialogue` does."""

from collections.abc import Iterable, Sequence

from specloom.agent.replay import answer_of
from specloom.agent.roles import RoleName
from specloom.domain.events import Event, agents
from specloom.domain.events.planning import (
    OutlineAccepted,
    PlanFinished,
    PlanRefused,
    PlanStarted,
    SpecGenerating,
    SpecWritten,
)
from specloom.llm.messages import StopReason
from specloom.planning.joining import joined
from specloom.planning.ports import Interrupted, Step


def interrupted_in(events: Sequence[Event]) -> Interrupted | None:
    """The newest planner session without a result; `events` reach back to the plan that opened it, in order."""
    start = next((at for at in range(len(events) - 1, -1, -1) if _opens(events[at])), None)
    step = None if start is None else _step_at(events[:start])
    if start is None or step is None:
        return None
    opened, since = events[start], events[start:]
    assert isinstance(opened, agents.SessionStarted)
    if any(_settles(event, step) for event in since):
        return None
    own = tuple(event for event in since if getattr(event, "session", None) == opened.session)
    return Interrupted(step, own, sum(isinstance(event, PlanRefused) for event in since))


def is_whole(events: Iterable[Event]) -> bool:
    """Whether events reach back far enough for `interrupted_in`."""
    told = tuple(events)
    start = next((at for at in range(len(told) - 1, -1, -1) if _opens(told[at])), None)
    return start is not None and _step_at(told[:start]) is not None


def text_so_far(events: Iterable[Event]) -> tuple[str, str]:
    """What came of an answer that was cut off and has no end yet, and the newest answer that has one."""
    cut = whole = ""
    for event in events:
        if not isinstance(event, agents.TurnFinished):
            continue
        answer = answer_of(event)
        if answer.tool_uses:
            continue
        text = joined(cut, answer.text)
        was_cut = event.stop == StopReason.MAX_TOKENS.value or event.dropped_calls > 0
        cut, whole = (text, whole) if was_cut else ("", text)
    return cut, whole


def _opens(event: Event) -> bool:
    return isinstance(event, agents.SessionStarted) and event.role == RoleName.PLANNER.value


def _step_at(before: Sequence[Event]) -> Step | None:
    """What the plan was at when the session began; `None`: its beginning is not among the events."""
    for event in reversed(before):
        if isinstance(event, SpecGenerating):
            return Step(event.spec, event.stage)
        if isinstance(event, PlanStarted):
            return Step()
    return None


def _settles(event: Event, step: Step) -> bool:
    match event:
        case OutlineAccepted():
            return step == Step()
        case SpecWritten():
            return step == Step(event.spec, event.stage)
        case _:
            return isinstance(event, PlanFinished)
