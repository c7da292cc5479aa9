"""One value of any dataclass of the domain, made from its types. Refuses types that no event has."""

import dataclasses
import types as python_types
from enum import Enum
from functools import cache
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints


def sample(kind: Any) -> Any:
    """A value of this type; texts name their type, unions give their first member."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{field.name: sample(hints[field.name]) for field in dataclasses.fields(kind) if field.init})
    origin = get_origin(kind)
    if origin in (Union, python_types.UnionType):
        return sample(get_args(kind)[0])
    if origin is Literal:
        return get_args(kind)[0]
    if origin is tuple:
        members = get_args(kind)
        return (sample(members[0]),) if members[-1] is Ellipsis else tuple(sample(member) for member in members)
    return _plain(kind)


def _plain(kind: Any) -> Any:
    kind = getattr(kind, "__supertype__", kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if isinstance(kind, type) and issubclass(kind, tuple):
        named = cast("Any", kind)
        return named(*(sample(hint) for hint in _hints(named).values()))
    return {str: "text", int: 3, float: 1.5, bool: True, type(None): None}[kind]


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
