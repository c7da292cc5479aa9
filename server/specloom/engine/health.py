"""How a hosted project does, told from its state and from what its parts notice. Refuses to mend anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from specloom.domain.events import agents, runs
from specloom.domain.ids import SessionId
from specloom.domain.project import ProjectState
from specloom.domain.runs import PauseCause, RunState
from specloom.engine.api import Health, HealthStatus, Published
from specloom.engine.working import at_work

LAG = 1.0
"""Seconds by which the event loop is late from which it is told."""
STUCK = 10.0
"""Seconds that one turn may take while others wait for theirs."""
_BROKEN = (PauseCause.OFFLINE, PauseCause.PROVIDER, PauseCause.KEY, PauseCause.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Signs:
    """What the parts notice; texts are empty and times 0 where nothing is wrong."""

    fault: str = ""
    """Why the log could not be written the last time."""
    refusal: str = ""
    """Why nothing is planned or run."""
    retrying: str = ""
    """What an endpoint answered to a request that is tried again."""
    stuck_s: float = 0.0
    """How long one turn has taken while others wait."""
    unwatched: str = ""
    """Why changed files are not noticed as they should be."""
    lag_s: float = 0.0
    """By how much the event loop is late."""


def health_of(state: ProjectState, signs: Signs, queues: Mapping[str, int]) -> Health:
    """The worst that there is to tell."""
    status, message = _worst(state, signs)
    prompts, approvals = len(state.prompts), len(state.approvals)
    idle = not at_work(state) and not prompts and not approvals and not any(queues.values())
    run = None if state.run is None else state.run.state
    return Health(status, message, idle, queues, prompts, approvals, run)


def _worst(state: ProjectState, signs: Signs) -> tuple[HealthStatus, str]:
    if signs.fault:
        return "error", signs.fault
    if signs.stuck_s >= STUCK:
        return "error", f"orders have waited {signs.stuck_s:.0f} s for one that does not end"
    if signs.refusal:
        return "error", signs.refusal
    if state.rebuilt:
        return "warning", state.rebuilt
    run = state.run
    if run is not None and run.state is RunState.PAUSED and run.cause in _BROKEN:
        return "warning", f"the run is paused: {run.reason}"
    if signs.retrying:
        return "warning", f"a request is tried again: {signs.retrying}"
    if signs.unwatched:
        return "warning", signs.unwatched
    if signs.lag_s >= LAG:
        return "warning", f"this machine is busy: answers are {signs.lag_s:.1f} s late"
    return "ok", ""


class Retries:
    """The sessions whose request is tried again, and why."""

    def __init__(self) -> None:
        self._failed: dict[SessionId, str] = {}

    @property
    def told(self) -> str:
        """The newest of the reasons."""
        return next(reversed(self._failed.values()), "")

    def hear(self, published: Published, state: ProjectState) -> None:
        """Takes in a committed event."""
        del state
        event = published.event
        if isinstance(event, agents.TurnFailed):
            self._failed.pop(event.session, None)
            if event.retry_in_s is not None:
                self._failed[event.session] = event.message
        elif isinstance(event, agents.TurnFinished | agents.SessionEnded):
            self._failed.pop(event.session, None)
        elif isinstance(event, runs.RunPaused | runs.RunFinished):
            self._failed.clear()
