"""Values of the domain as JSON with camelCase keys. Refuses events: the wire has its own shapes for those."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import cast


def plain(value: object) -> object:
    """Dataclasses as objects, tuples as arrays, enums as their values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(field.name): plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [plain(item) for item in cast("tuple[object, ...]", value)]
    return value


def camel(name: str) -> str:
    """`cost_usd` → `costUsd`."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
