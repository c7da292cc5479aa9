"""What an accepted outline says: its specs, and the requirements that it leaves out. Refuses to judge it."""

import json
from typing import Any, cast

from specloom.domain.ids import SpecId
from specloom.domain.project import PlanRecord


def outlined(planning: PlanRecord) -> list[tuple[SpecId, str]]:
    """Id and title of each spec, in order; empty before there is an outline."""
    return [(SpecId(str(spec["id"])), str(spec["title"])) for spec in _part(planning, "specs", {"id", "title"})]


def left_out(planning: PlanRecord | None) -> list[tuple[str, str]]:
    """Each requirement that no spec serves, with the reason."""
    items = _part(planning, "out_of_scope", {"requirement", "reason"}) if planning is not None else []
    return [(str(item["requirement"]), str(item["reason"])) for item in items]


def _part(planning: PlanRecord, name: str, keys: set[str]) -> list[dict[str, Any]]:
    try:
        parts = cast("dict[str, Any]", json.loads(planning.outline))[name]
    except (ValueError, KeyError, TypeError):
        return []
    many = cast("list[object]", parts) if isinstance(parts, list) else []
    found = (cast("dict[str, Any]", part) for part in many if isinstance(part, dict))
    return [part for part in found if keys <= part.keys()]
