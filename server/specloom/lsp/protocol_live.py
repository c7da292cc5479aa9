"""How clients are kept up to date, as it goes over the wire. Refuses events themselves: see `protocol_events`."""

from typing import Literal

from specloom.lsp.protocol import Count, Params, Wire


class OutputParams(Wire):
    """A piece of the lossy stream, coalesced by block."""

    project_id: str
    session_id: str
    block: str
    """Within the session; of `command` the call, of `spec` the spec."""
    kind: Literal["text", "thinking", "tool_input", "command", "spec"]
    name: str
    """Of the tool, or the path of the spec."""
    text: str
    dropped: Count
    """Characters left out before `text` since the client or the line was too slow."""
    from_start: bool
    """All that the block said so far, behind `dropped` characters: it takes the place of what the client has of it."""


class GapParams(Wire):
    """The client read too slowly. Its queue is bounded: what is named here was not put into it."""

    project_id: str
    from_seq: int | None
    """The first event that comes late; `null`: none does. They are read from the log, complete and in order."""
    to_seq: int | None
    """The last one of them as of now; more may follow in the same way."""
    output: Count
    """Characters of output that do not come any more, beside those that `dropped` tells of."""


class HealthGetParams(Params):
    """How the project does."""


class Queues(Wire):
    """How much waits for its turn."""

    orders: Count
    """Of people."""
    work: Count
    """What the engine does by itself."""
    readings: Count
    """Of the log."""


class WireHealth(Wire):
    """How the project does; also a sign of life."""

    project_id: str
    """Empty where there is no log yet."""
    status: Literal["ok", "warning", "error"]
    message: str
    """What is wrong and what to do, for people; empty: nothing."""
    quiescent: bool
    """Nothing goes on, and nothing waits for anybody."""
    queues: Queues
    pending_prompts: Count
    pending_approvals: Count
    run_state: Literal["running", "pausing", "paused", "cancelling", "finished"] | None
    """Of the newest run."""
    seq: int
    """The end of the log."""
