"""Writes the settings into the VS Code extension's `package.json`, from the model. Refuses the extension's own.

The first group of `contributes.configuration` is the extension's own and stays; the others are made here.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from specloom.settings.model import RESERVED, Settings
from specloom.settings.proposals import KINDS
from specloom.settings.schema import allowed, field_at

ROOT = Path(__file__).resolve().parents[3]
MANIFEST = "clients/vscode/package.json"
_SOURCE = "server/specloom/settings/model.py"


def generated() -> Mapping[str, str]:
    """Texts by path from the root of the repository."""
    manifest: dict[str, Any] = json.loads((ROOT / MANIFEST).read_text(encoding="utf-8"))
    contributes = manifest["contributes"]
    contributes["configuration"] = [contributes["configuration"][0], *groups()]
    return {MANIFEST: json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"}


def groups() -> list[dict[str, Any]]:
    """One group for each table of `specloom.toml`, and one for the keys at its top."""
    schema = Settings.model_json_schema()
    found: dict[str, dict[str, Any]] = {}
    for path, prop in _leaves((), schema, schema):
        if path[0] not in RESERVED:
            title = path[0].capitalize() if len(path) > 1 else "Project"
            group = found.setdefault(title, {"title": title, "$comment": f"Generated from {_SOURCE}", "properties": {}})
            properties = group["properties"]
            properties[".".join(("specloom", *path))] = {**_property(path, prop, schema), "order": len(properties)}
    return [found.pop("Project"), *found.values()]


def _leaves(
    path: tuple[str, ...], table: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every key that has a value of its own, with its schema."""
    for name, prop in table["properties"].items():
        inner = _resolved(prop, schema)
        if "properties" in inner:
            yield from _leaves((*path, name), inner, schema)
        else:
            yield (*path, name), prop


def _property(path: tuple[str, ...], prop: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    field = field_at(path)
    said = f"Expects {allowed(field)}." if field else ""
    plain, default = _plain(prop, schema), prop.get("default")
    if plain["type"] == ["string", "null"]:
        # The editor has a field for a text, and none for a text or nothing: empty is nothing there.
        plain["type"], default = "string", default or ""
        plain |= {"enum": ["", *plain["enum"][:-1]]} if "enum" in plain else {"pattern": f"^$|{plain['pattern']}"}
    return {
        **plain,
        "default": default,
        "scope": "machine" if _runs_code(path) else "window",
        "markdownDescription": f"{prop.get('description', '')} {said}".strip(),
    }


def _runs_code(path: tuple[str, ...]) -> bool:
    """Whether it would be a proposal in a file of the repository: the folder's settings are such a file, too."""
    return path[0] in KINDS or path[-1] in KINDS


def _plain(prop: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as the editor's settings understand it: no references, no titles, patterns of JavaScript."""
    found = _resolved(prop, schema)
    if "anyOf" in found:
        return _either([_plain(each, schema) for each in found["anyOf"]])
    plain: dict[str, Any] = {}
    for key, value in found.items():
        if key in ("items", "additionalProperties") and isinstance(value, dict):
            plain[key] = _plain(value, schema)  # pyright: ignore[reportUnknownArgumentType]  # JSON
        elif key == "properties":
            plain[key] = {name: _plain(each, schema) for name, each in value.items()}
        elif key == "pattern":
            plain[key] = value.replace(r"\A", "^").replace(r"\z", "$")
        elif key not in ("title", "description", "default", "$ref"):
            plain[key] = value
    return plain


def _either(alternatives: list[dict[str, Any]]) -> dict[str, Any]:
    """One type or nothing has a field of its own in the editor's settings; more alternatives are edited as text."""
    types = [each["type"] for each in alternatives]
    if len(alternatives) > 2:
        return {"type": list(dict.fromkeys(types)), "anyOf": alternatives}
    merged = {key: value for each in alternatives for key, value in each.items()}
    if "enum" in merged:
        merged["enum"] = [*merged["enum"], None]
    return {**merged, "type": types}


def _resolved(prop: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(prop.get("$ref", "")).rpartition("/")[2]
    return schema["$defs"][name] if name else prop
