"""The projection of a project to bytes and back. Refuses bytes of another shape: the log is folded again then.

What follows from the rest (the graph, which tasks are ready) is not kept. Imported late: it brings in cattrs.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from rpds import HashTrieMap

from specloom.domain.project import Plan, Progress, ProjectState
from specloom.domain.spec import SpecDefinition
from specloom.store.hooks import event_converter

if TYPE_CHECKING:
    from cattrs import Converter

SPECS = tuple[SpecDefinition, ...]


def pack_state(state: ProjectState) -> bytes:
    """The whole state."""
    converter, hints = _converter(), _hints()
    kept = {name: converter.unstructure(_plain(getattr(state, name)), hint) for name, hint in hints.items()}
    kept["plan"] = converter.unstructure(tuple(state.plan.specs.values()), SPECS)
    return json.dumps({"shape": shape(), "state": kept}, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def unpack_state(data: bytes) -> ProjectState | None:
    """The state; `None` for one of another shape, which an older or newer Specloom kept."""
    kept = json.loads(data.decode("utf-8", "surrogatepass"))
    if kept["shape"] != shape():
        return None
    converter, raw = _converter(), kept["state"]
    specs: tuple[SpecDefinition, ...] = converter.structure(raw["plan"], SPECS)
    values = {name: _persistent(converter.structure(raw[name], hint)) for name, hint in _hints().items()}
    plan = Plan(HashTrieMap({spec.id: spec for spec in specs}))
    return ProjectState(**values, plan=plan, progress=Progress(plan, values["tasks"]))


@cache
def shape() -> str:
    """A digest of the names and types of every field that is kept."""
    lines = [f"{name}: {hint}" for name, hint in _hints().items()]
    lines += sorted(line for hint in (*_hints().values(), SPECS) for line in _lines(hint, set()))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _lines(hint: Any, seen: set[Any]) -> Iterator[str]:
    if is_dataclass(hint) and hint not in seen:
        seen.add(hint)
        known = get_type_hints(hint)
        for field in fields(hint):
            yield f"{getattr(hint, '__name__', '')}.{field.name}: {known[field.name]}"
            yield from _lines(known[field.name], seen)
    for argument in get_args(hint):
        yield from _lines(argument, seen)


@cache
def _hints() -> dict[str, Any]:
    """The fields that are kept as they are; persistent maps read as plain ones, since they know no type arguments."""
    hints = get_type_hints(ProjectState, localns={"HashTrieMap": dict})
    return {field.name: hints[field.name] for field in fields(ProjectState) if field.name not in ("plan", "progress")}


@cache
def _converter() -> "Converter":
    return event_converter()


def _plain(value: Any) -> Any:
    return dict(value.items()) if isinstance(value, HashTrieMap) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType, reportUnknownVariableType] - typed by the field


def _persistent(value: Any) -> Any:
    return HashTrieMap(value) if isinstance(value, dict) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - typed by the field
