"""The wire types as plain data: what the renderers of all languages read. Refuses to render.

Shapes come from the JSON schema of the models, field descriptions from the docstrings below the fields.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from specloom.lsp import (
    protocol,
    protocol_estimate,
    protocol_event_base,
    protocol_events,
    protocol_live,
    protocol_machine,
    protocol_project,
    protocol_session_events,
)
from specloom.lsp.methods import METHODS, Method
from specloom.lsp.protocol import FieldError, InvalidParamsData, RequestFailedData, Wire, schema_of, wire_name
from specloom.lsp.protocol_events import EventsListResult

MODULES: tuple[ModuleType, ...] = (
    protocol,
    protocol_estimate,
    protocol_live,
    protocol_project,
    protocol_machine,
    protocol_event_base,
    protocol_session_events,
    protocol_events,
)
EVENT = "WireEvent"
SCOPE = "Scope"
_ERRORS = (FieldError, InvalidParamsData, RequestFailedData)


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a shape."""

    name: str
    """As on the wire."""
    schema: Mapping[str, Any]
    required: bool
    doc: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One object type."""

    name: str
    doc: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Wires:
    """Everything that is generated from."""

    schema: Mapping[str, Any]
    shapes: tuple[Shape, ...]
    """In alphabetical order."""
    unions: Mapping[str, tuple[str, ...]]
    """Unions with a name of their own, by name."""
    methods: tuple[Method, ...]


@cache
def wires() -> Wires:
    """All shapes, unions and methods."""
    schema = schema_of(list(_models()))
    definitions: dict[str, dict[str, Any]] = schema["$defs"]
    described = _field_docs()
    shapes = tuple(_shape(name, definitions[name], described) for name in sorted(definitions))
    events = definitions[EventsListResult.__name__]["properties"]["events"]["items"]
    scopes = definitions["RunStartParams"]["properties"]["scope"]
    return Wires(schema, shapes, {EVENT: _members(events), SCOPE: _members(scopes)}, tuple(METHODS.values()))


def name_of(schema: Mapping[str, Any]) -> str:
    """The name that a reference refers to."""
    return str(schema["$ref"]).rpartition("/")[2]


def members_of(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a union of references; empty for any other schema."""
    return _members(schema) if "oneOf" in schema else ()


def _members(schema: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name_of(member) for member in schema["oneOf"])


def _models() -> Iterator[type[Wire]]:
    for method in METHODS.values():
        for model in (method.params, method.result):
            if isinstance(model, type) and issubclass(model, Wire):
                yield model
    yield from _ERRORS


def _shape(name: str, definition: Mapping[str, Any], described: Mapping[str, Mapping[str, str]]) -> Shape:
    required = set(definition.get("required", ()))
    properties: Mapping[str, Mapping[str, Any]] = definition.get("properties", {})
    fields = tuple(
        Field(field, schema, field in required or "const" in schema, described.get(name, {}).get(field, ""))
        for field, schema in properties.items()
    )
    return Shape(name, str(definition.get("description", "")), fields)


def _field_docs() -> dict[str, dict[str, str]]:
    """Docstrings below fields, by class and wire name; inherited ones too."""
    own: dict[str, dict[str, str]] = {}
    for module in MODULES:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                bases = (own.get(base.id, {}) for base in node.bases if isinstance(base, ast.Name))
                inherited = {name: doc for base in bases for name, doc in base.items()}
                own[node.name] = inherited | dict(_docs_in(node))
    return own


def _docs_in(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, doc in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and isinstance(doc.value.value, str):
            yield wire_name(field.target.id), doc.value.value
