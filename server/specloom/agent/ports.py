"""What the turn loop needs from above. Refuses to know who implements it: the engine does, tests do."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from specloom.domain.events.agents import AgentEvent
from specloom.domain.ids import SessionId
from specloom.domain.usage import UsageTotal
from specloom.llm.errors import ProviderError
from specloom.llm.messages import Usage, UserMessage
from specloom.llm.model import DeltaSink

if TYPE_CHECKING:
    from specloom.agent.session import SessionSetup


class Recorder(Protocol):
    """Writes down what happens, before it happens and after."""

    def note(self, *events: AgentEvent) -> None:
        """Keeps events for the next `commit`; for what may be asked again after a crash."""
        ...

    async def commit(self, *events: AgentEvent) -> None:
        """Noted events and these are in the log, durably, when this returns."""
        ...


@dataclass(frozen=True, slots=True)
class Halt:
    """No further turn may be asked."""

    kind: Literal["budget", "cancelled", "fault"]
    reason: str


class Gate(Protocol):
    """Asked before each request; waits while the run is paused."""

    async def before_turn(self, session: SessionId) -> Halt | None:
        """`None`: go on. Waits, without a deadline, while the run is paused."""
        ...

    async def stranded(self, session: SessionId, error: ProviderError) -> bool:
        """Whether a turn that stayed without an answer may be asked once more. Waits for what can cure it."""
        ...


class Inbox(Protocol):
    """What people said to an agent while it worked."""

    async def take(self, setup: "SessionSetup", recorder: Recorder) -> tuple[UserMessage, ...]:
        """What it has not heard yet, oldest first; committed as part of the conversation when this returns."""
        ...


class Pricing(Protocol):
    """What an answer cost."""

    def total(self, model: str, usage: Usage) -> UsageTotal:
        """`cost_usd` is `None` where the price is unknown."""
        ...


class Sleeper(Protocol):
    """Waits between tries; a test's does not."""

    async def sleep(self, seconds: float) -> None:
        """Returns after `seconds`, or earlier when the wait has become pointless."""
        ...


class Stream(Protocol):
    """Where the deltas of a session go."""

    def sink(self, session: SessionId, turn: int) -> DeltaSink:
        """The sink of one turn."""
        ...
