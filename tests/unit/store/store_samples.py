"""Events of no meaning for the tests of the store. Refuses to be the domain's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any, ClassVar, TypeAlias

from specloom.domain.ids import AgentId, TaskId
from specloom.domain.origin import Origin
from specloom.store.record import NewEvent

BY = Origin("agent", "neovim", AgentId("agent-1"))


@dataclass(frozen=True, slots=True)
class Noted:
    text: str


@dataclass(frozen=True, slots=True)
class Counted:
    number: int


class Shade(StrEnum):
    DARK = "dark"
    PALE = "pale"


@dataclass(frozen=True, slots=True)
class Circle:
    radius: float


@dataclass(frozen=True, slots=True)
class Square:
    side: int
    shades: tuple[Shade, ...] = ()


Shape: TypeAlias = Circle | Square


@dataclass(frozen=True, slots=True)
class Drawn:
    """Every kind of field that an event of the domain may have."""

    V: ClassVar[int] = 3

    task: TaskId
    shape: Shape
    other: Circle | Square | None
    shade: Shade | None
    sizes: tuple[int, ...]
    names: tuple[tuple[str, TaskId], ...]
    shapes: tuple[Shape, ...]
    ratio: float
    on: bool
    limit: int | str | None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


REGISTRY: Mapping[str, type[Any]] = {"Noted": Noted, "Counted": Counted}


class CountingClock:
    """Implements `Clock`: each look is a millisecond later."""

    def __init__(self) -> None:
        self._looks = count()

    def now(self) -> str:
        look = next(self._looks)
        return f"2026-01-01T00:{look // 60_000:02}:{look // 1000 % 60:02}.{look % 1000:03}Z"

    def monotonic(self) -> float:
        return next(self._looks) / 1000


def noted(*texts: str) -> list[NewEvent]:
    """One event a text."""
    return [NewEvent(Noted(text), BY) for text in texts]
