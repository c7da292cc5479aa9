"""Type expressions of JSON schemas: the same walk for every language. Refuses schemas that no wire type has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specloom.lsp.render.shapes import Wires, members_of, name_of


@dataclass(frozen=True, slots=True)
class Language:
    """How a language writes types."""

    plain: Mapping[str, str]
    """JSON type → name."""
    either: str
    """Between alternatives."""
    prefix: str = ""
    """Before the name of one of our types."""


def expression(schema: Mapping[str, Any], wires: Wires, language: Language) -> str:
    """The type of one field."""
    if "$ref" in schema:
        return language.prefix + name_of(schema)
    if members := members_of(schema):
        return language.prefix + next(name for name, union in wires.unions.items() if union == members)
    if "anyOf" in schema:
        return language.either.join(expression(member, wires, language) for member in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return language.either.join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if "prefixItems" in schema:
        return f"[{', '.join(expression(member, wires, language) for member in schema['prefixItems'])}]"
    if schema["type"] == "array":
        inner = expression(schema["items"], wires, language)
        return f"({inner})[]" if language.either in inner else f"{inner}[]"
    return language.plain[schema["type"]]
