"""Any event as one line for people who look into the log. Refuses to drop one: unlike `event_lines`, all are shown."""

from collections.abc import Mapping
from typing import cast

from specloom.cli.views.formats import clock, one_line
from specloom.cli.views.plain_json import plain
from specloom.engine.api import Published

_ROOM = 60
"""Characters of one value."""


def event_text(published: Published) -> str:
    """`   12 14:03:22 agent   ToolRequested session=s-1 name=edit_file …`."""
    body = cast("Mapping[str, object]", plain(published.event))
    name = type(published.event).__name__
    values = " ".join(f"{key}={_shown(value)}" for key, value in body.items() if _says(value))
    return f"{published.seq:>6} {clock(published.at)} {published.by.actor:<7} {name} {values}".rstrip()


def _says(value: object) -> bool:
    return value not in (None, "", [], False)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        named = cast("Mapping[str, object]", value)
        known = named.get("id") or named.get("path")
        return one_line(str(known), _ROOM) if known else f"{{{len(named)}}}"
    if isinstance(value, list):
        many = cast("list[object]", value)
        return f"[{', '.join(_shown(item) for item in many[:3])}{', …' if len(many) > 3 else ''}]"
    return one_line(str(value), _ROOM)
