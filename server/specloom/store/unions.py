"""Teaches a converter unions of dataclasses: the class name goes under `$type`. Refuses all that cattrs knows itself.

The tagged unions of cattrs are registered one by one; these hooks find each by its shape, with or without `None`.
Imported late: it brings in cattrs.
"""

from collections.abc import Callable
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from cattrs import Converter

_TAG = "$type"


def tag_unions(converter: Converter) -> None:
    """Registers the hooks for every union of two or more dataclasses."""

    def structure_hook(union: Any) -> Callable[[Any, Any], Any]:
        hooks = {cls.__name__: (cls, converter.get_structure_hook(cls)) for cls in _members(union)}

        def structure(value: Any, _: Any) -> Any:
            if value is None:
                return None
            cls, hook = hooks[value[_TAG]]
            return hook(value, cls)

        return structure

    def unstructure_hook(union: Any) -> Callable[[Any], Any]:
        hooks = {cls: converter.get_unstructure_hook(cls) for cls in _members(union)}

        def unstructure(value: Any) -> Any:
            if value is None:
                return None
            cls: type[Any] = type(value)
            return {_TAG: cls.__name__, **hooks[cls](value)}

        return unstructure

    converter.register_structure_hook_factory(_is_union_of_classes, structure_hook)
    converter.register_unstructure_hook_factory(_is_union_of_classes, unstructure_hook)


def _is_union_of_classes(type_: Any) -> bool:
    if get_origin(type_) not in (Union, UnionType):
        return False
    members = _members(type_)
    return len(members) > 1 and all(is_dataclass(member) for member in members)


def _members(union: Any) -> tuple[Any, ...]:
    return tuple(member for member in get_args(union) if member is not NoneType)
