"""Events under decision and the state that they lead to, so that each consequence is decided on what precedes it."""

from specloom.domain.events import Event
from specloom.domain.evolve import evolve
from specloom.domain.project import ProjectState


class Draft:
    """Collects events on top of a state; both are thrown away when the order is refused."""

    def __init__(self, state: ProjectState, at: str = "") -> None:
        self.state = state
        self.events: tuple[Event, ...] = ()
        self._at = at

    def add(self, *events: Event) -> "Draft":
        """Decides `events`; raises `IllegalEventError` where the state table does not hold them."""
        for event in events:
            self.state = evolve(self.state, event, self._at, self.state.seq)
        self.events += events
        return self
