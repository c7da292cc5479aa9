"""What a test may look at afterwards. Refuses to hide keys: whether they were sent is one of the questions."""

from collections.abc import Mapping
from dataclasses import dataclass

from specloom.llm.scripted.reading import Json


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as it came in, and what the script made of it."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Json
    client_port: int = 0
    """The same for all requests that share a connection."""
    session: str = ""
    turn: int = 0
    """1-based; 0 where no turn answered."""
    repeat: bool = False
