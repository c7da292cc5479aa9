"""Checks a tool's input against its JSON Schema. Refuses to guess a key.

A value of the wrong kind is mended only where there is one way to read it.

The subset: object, array, string, integer, number, boolean; properties, required, additionalProperties=false, items,
enum, minimum, maximum, minLength, minItems, maxItems.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, cast

INTEGER = re.compile(r"\s*[+-]?\d{1,18}\s*")


@dataclass(slots=True)
class Check:
    """Collects what is wrong with one input."""

    faults: list[str] = field(default_factory=list[str])

    def value(self, schema: Mapping[str, Any], value: Any, where: str) -> Any:
        """The value as the tool gets it; what is wrong goes to `faults`."""
        value = mended(schema["type"], value)
        if not _KINDS[schema["type"]](value):
            self.faults.append(f"{where!r} must be {_article(schema['type'])}, not {_kind(value)}")
        elif schema["type"] == "object":
            return self.object(schema, value, where)
        elif schema["type"] == "array":
            return self.array(schema, value, where)
        else:
            self.scalar(schema, value, where)
        return value

    def object(self, schema: Mapping[str, Any], value: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Keys first: a wrong key explains a missing one."""
        keys: Mapping[str, Any] = schema.get("properties", {})
        required: list[str] = schema.get("required", [])
        missing = [key for key in required if value.get(key) is None]
        for key in value:
            if key not in keys:
                self.faults.append(_unknown(key, list(keys), missing, where))
        self.faults += [f"{_at(where, key)!r} is missing" for key in missing]
        known = {key: item for key, item in value.items() if key in keys and item is not None}
        return {key: self.value(keys[key], item, _at(where, key)) for key, item in known.items()}

    def array(self, schema: Mapping[str, Any], value: list[Any], where: str) -> list[Any]:
        """Each item by itself."""
        if len(value) < schema.get("minItems", 0):
            self.faults.append(f"{where!r} must hold at least {schema['minItems']} item(s)")
        if len(value) > schema.get("maxItems", len(value)):
            self.faults.append(f"{where!r} may hold at most {schema['maxItems']} items, not {len(value)}")
        return [self.value(schema["items"], item, f"{where}[{number}]") for number, item in enumerate(value)]

    def scalar(self, schema: Mapping[str, Any], value: Any, where: str) -> None:
        """Limits of one value."""
        if "enum" in schema and value not in schema["enum"]:
            allowed = ", ".join(map(repr, schema["enum"]))
            self.faults.append(f"{where!r} must be one of {allowed}, not {value!r}")
        if "minimum" in schema and value < schema["minimum"]:
            self.faults.append(f"{where!r} must be at least {schema['minimum']}, not {value}")
        if "maximum" in schema and value > schema["maximum"]:
            self.faults.append(f"{where!r} may be at most {schema['maximum']}, not {value}")
        if isinstance(value, str) and len(value) < schema.get("minLength", 0):
            self.faults.append(f"{where!r} must not be empty")


@dataclass(frozen=True, slots=True)
class Checked:
    """The input as the tool gets it, or what the model has to mend."""

    values: Mapping[str, Any]
    refusal: str = ""


def checked(tool: str, schema: Mapping[str, Any], values: Mapping[str, Any]) -> Checked:
    """Validates one input; all faults are told at once."""
    check = Check()
    kept = check.object(schema, values, "")
    if not check.faults:
        return Checked(kept)
    keys = ", ".join(
        f"{key} ({'required' if key in schema.get('required', []) else 'optional'})" for key in schema["properties"]
    )
    return Checked({}, f"{tool} was not run: {'; '.join(check.faults)}. Its keys are: {keys or 'none'}")


def mended(kind: str, value: Any) -> Any:
    """The value in the kind that the schema asks for, where it is plainly meant."""
    if kind in {"array", "object"} and isinstance(value, str):
        value = _from_json(value)
    if kind == "array" and isinstance(value, Mapping):
        return [cast("Mapping[str, Any]", value)]
    if kind == "integer" and isinstance(value, str) and INTEGER.fullmatch(value):
        return int(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "number" and isinstance(value, str):
        return _number(value)
    if kind == "boolean" and isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    return value


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "object": _is(dict),
    "array": _is(list),
    "string": _is(str),
    "integer": _is_integer,
    "number": _is_number,
    "boolean": _is(bool),
}


def _kind(value: Any) -> str:
    return next((_article(kind) for kind, test in _KINDS.items() if test(value)), "null")


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _unknown(key: str, keys: list[str], missing: list[str], where: str) -> str:
    near = (
        [known for known in (*missing, *keys) if known in key or key in known]
        or get_close_matches(key, keys, 1, cutoff=0.75)
        or missing[:1]
        or get_close_matches(key, keys, 1)
    )
    hint = f", use {near[0]!r}" if near else ""
    return f"{_at(where, key)!r} is no key{hint}"
