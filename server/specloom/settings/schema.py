"""Reads the settings model: which keys a table has, what a value may be. Refuses to validate: the model does."""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from specloom.settings.model import Allowed, Section, Settings


def fields_at(path: tuple[str, ...]) -> Mapping[str, FieldInfo]:
    """The keys of the table at `path`; empty where keys are free or nothing is known."""
    section: type[Section] | None = Settings
    for part in path:
        if section is None:
            return _entries(path)
        field = section.model_fields.get(part)
        section = _section(field.annotation) if field else None
    return section.model_fields if section else _entries(path)


def field_at(path: tuple[str, ...]) -> FieldInfo | None:
    """The setting at `path`, if there is one."""
    return fields_at(path[:-1]).get(path[-1]) if path else None


def allowed(field: FieldInfo) -> str:
    """What a value of this setting may be, in words."""
    said = [note.text for note in field.metadata if isinstance(note, Allowed)]
    return said[0] if said else _words(field.annotation)


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The texts among which a setting chooses; empty if it is free."""
    return tuple(choice for part in _alternatives(field.annotation) for choice in get_args(part) if _is_choice(part))


def _entries(path: tuple[str, ...]) -> Mapping[str, FieldInfo]:
    """The keys of one entry of a table whose own keys are free, such as `prices."<model>"`."""
    free = Settings.model_fields.get(path[0]) if len(path) == 2 else None
    section = _section(get_args(free.annotation)[1]) if free and get_origin(free.annotation) is dict else None
    return section.model_fields if section else {}


def _section(annotation: Any) -> type[Section] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, `None` left out; else the annotation itself."""
    if get_origin(annotation) in {Union, UnionType}:
        return tuple(part for part in get_args(annotation) if part is not type(None))
    return (annotation,)


def _is_choice(annotation: Any) -> bool:
    return get_origin(annotation) is Literal


def _words(annotation: Any) -> str:
    return " or ".join(_word(part) for part in _alternatives(annotation))


def _word(annotation: Any) -> str:
    """One alternative in words; tables name their keys."""
    if _is_choice(annotation):
        return " or ".join(f'"{choice}"' for choice in get_args(annotation))
    if get_origin(annotation) is Annotated:
        return next(note.text for note in get_args(annotation) if isinstance(note, Allowed))
    if get_origin(annotation) is tuple:
        return f"a list, each {_words(get_args(annotation)[0])}"
    if section := _section(annotation):
        return f"a table with the keys {', '.join(section.model_fields)}"
    return "a table"
