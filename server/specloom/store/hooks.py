"""What the codec's converter does beyond cattrs, or faster. Refuses to check types of texts: the log was written by us.

The tagged unions of cattrs are registered one by one; these hooks find each by its shape, with or without `None`.
Imported late: it brings in cattrs.
"""

from collections.abc import Callable
from dataclasses import is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, NewType, TypeAlias, Union, get_args, get_origin

from cattrs import Converter
from cattrs.preconf.json import make_converter

Structure: TypeAlias = Callable[[Any, Any], Any]

_TAG = "$type"


def event_converter() -> Converter:
    """For dataclasses of JSON values; the class name of a union's member goes under `$type`."""
    converter = make_converter(detailed_validation=False)
    converter.register_structure_hook_factory(_is_text, _text_hook)
    converter.register_structure_hook_factory(_is_texts, _texts_hook)
    converter.register_structure_hook_factory(_is_str_enum, _structure_enum)
    _tag_unions(converter)
    return converter


def _tag_unions(converter: Converter) -> None:
    def structure_hook(union: Any) -> Structure:
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
            cls = value.__class__
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


def _is_text(type_: Any) -> bool:
    return type_ is str or (isinstance(type_, NewType) and type_.__supertype__ is str)


def _is_texts(type_: Any) -> bool:
    arguments = get_args(type_)
    return get_origin(type_) is tuple and len(arguments) == 2 and arguments[1] is ... and _is_text(arguments[0])


def _is_str_enum(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, StrEnum)


def _text_hook(_: Any) -> Structure:
    return lambda value, _: value


def _texts_hook(_: Any) -> Structure:
    return lambda value, _: tuple(value)


def _structure_enum(cls: type[StrEnum]) -> Structure:
    members = {member.value: member for member in cls}
    return lambda value, _: members[value]
