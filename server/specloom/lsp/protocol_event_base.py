"""What every event says on the wire. Refuses anything that only some of them say."""

from specloom.lsp.protocol import Actor, Wire


class EventBase(Wire):
    """What every event says."""

    seq: int
    at: str
    project_id: str
    actor: Actor
    client_id: str | None
    agent_id: str | None
    command_id: str | None
