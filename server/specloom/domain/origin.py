"""Who caused an event: the part of each record that makes the log an audit trail. Refuses to say why."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from specloom.domain.ids import AgentId

Actor: TypeAlias = Literal["user", "agent", "engine", "watcher"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who acted, and through what."""

    actor: Actor
    client: str | None = None
    """The attached editor, CLI or page that the order came from."""
    agent: AgentId | None = None
    """The agent that acted or is acted on."""
