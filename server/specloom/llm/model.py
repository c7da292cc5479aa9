"""The port to a model and what it may raise. Refuses to retry: each retry is the engine's decision and an event."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from specloom.llm.messages import ModelAnswer, ModelRequest, Usage

DeltaKind: TypeAlias = Literal["text", "thinking", "tool_input"]


class DeltaSink(Protocol):
    """Hears a stream while it comes in; lossy by contract, must return at once."""

    def delta(self, block: int, kind: DeltaKind, text: str, name: str = "") -> None:
        """Part of block `block` (0-based in the answer). `name`: of the tool, for `tool_input`."""
        ...


CutOff: TypeAlias = Callable[[Usage], None]
"""Hears of an answer that was cut off what it had cost; must return at once."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the Models API says. `None` where the endpoint does not tell."""

    id: str
    context_tokens: int | None
    max_output_tokens: int | None


class Model(Protocol):
    """A model behind an endpoint."""

    async def facts(self, model: str) -> ModelFacts:
        """Asks once a model, then remembers. Raises `ProviderError`."""
        ...

    async def ask(self, request: ModelRequest, sink: DeltaSink | None = None, cut: CutOff | None = None) -> ModelAnswer:
        """One request, one answer, no retry. Raises `ProviderError`; `CancelledError` closes the connection.

        `cut` hears what an answer that is cancelled had cost by then, if any of it had come.
        """
        ...

    async def count_tokens(self, request: ModelRequest) -> int:
        """The size of a request in input tokens. Raises `ProviderError`."""
        ...

    async def reachable(self) -> bool:
        """Whether an API answers there, found out without a request that is billed."""
        ...

    async def close(self) -> None:
        """Closes connections; the object is of no use afterwards."""
        ...
