"""What the log holds: events with their place, time and origin. Refuses to know any event of the domain."""

from dataclasses import dataclass, field

from specloom.domain.ids import CommandId
from specloom.domain.origin import Origin


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is not in the log yet."""

    event: object
    """An instance of a class of the registry."""
    by: Origin


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event of a newer Specloom, as a store opened for reading delivers it."""

    type: str
    v: int
    payload: str
    """The JSON as it was written."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One committed event. `seq` counts the whole log from 1 without gaps."""

    seq: int
    at: str
    """ISO-8601 UTC with milliseconds: when it was handed to the store."""
    stream: str
    type: str
    v: int
    command_id: CommandId | None
    by: Origin
    event: object
    repeated: bool = field(default=False, compare=False)
    """True in the answer to an append whose command was in the log already: nothing was written."""
