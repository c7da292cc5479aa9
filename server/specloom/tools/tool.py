"""What a tool is. Refuses to know the loop or the provider: a tool gets its input and a context, and answers text."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from specloom.domain.ids import Digest
from specloom.tools.ports import ToolContext


class Effect(StrEnum):
    """What a tool touches, which decides what may run beside it."""

    READ = "read"
    """Runs in parallel with other reads."""
    WRITE = "write"
    """Changes files: serial, and a barrier for reads."""
    COMMAND = "command"
    """Runs a process: serial, and a barrier; asks for permission."""
    CONTROL = "control"
    """Ends or steers the session or the attempt (`report_blocked`): serial."""


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What the model gets to see."""

    text: str
    is_error: bool = False
    image: tuple[str, str] | None = None
    """Media type and base64 data of an image beside the text."""
    blocked: str = ""
    """Non-empty: the agent reports that it cannot go on, and why; ends the session."""
    continues: str = ""
    """Non-empty: the session ends, and one that goes on is given these words."""
    shown: tuple[tuple[str, Digest], ...] = ()
    """Files whose text the model knows after this call, with the digest of what it was shown."""
    ends: bool = False
    """The session has what it was for (an accepted outline or review); no further turn."""
    rule: str = ""
    """The permission that the call was made or refused by, for the log."""
    watched: Literal["", "running", "ended"] = ""
    """How the job stands whose output the call did nothing but look at; empty: it did something else."""
    corrected: Mapping[str, Any] | None = None
    """The input as it was understood, where that differs from what the model sent: the call is stored like this."""


class Tool(Protocol):
    """One tool."""

    name: str
    description: str
    """For the model: when to use it, what it answers, what it refuses."""
    input_schema: Mapping[str, Any]
    """JSON Schema of an object; unknown keys are refused by name."""
    effect: Effect

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """`values` have been checked against `input_schema`. Never raises but `CancelledError`."""
        ...
