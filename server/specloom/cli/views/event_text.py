"""Any event as one line for people who look into the log. Refuses to drop one: unlike `event_lines`, all are shown."""

import re
from collections.abc import Mapping
from typing import cast

from specloom.cli.views.formats import clock, one_line
from specloom.cli.views.plain_json import plain
from specloom.engine.api import Published

_ROOM = 80
"""Characters of one value."""
_HEX = re.compile(r"\b[0-9a-f]{32,64}\b")
"""Our ids and digests: their end tells them apart."""


def event_text(published: Published) -> str:
    """`   12 14:03:22 agent   ToolRequested session=s-1 name=edit_file …`."""
    body = cast("Mapping[str, object]", plain(published.event))
    name = type(published.event).__name__
    values = " ".join(f"{key}={_shown(value)}" for key, value in body.items() if _says(value))
    return f"{published.seq:>6} {clock(published.at)} {published.by.actor:<7} {name} {values}".rstrip()


def _says(value: object) -> bool:
    return value is not None and value is not False and value not in ("", [])


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return _named(cast("Mapping[str, object]", value))
    if isinstance(value, list):
        many = cast("list[object]", value)
        return f"[{', '.join(_shown(item) for item in many[:3])}{', …' if len(many) > 3 else ''}]"
    return _HEX.sub(lambda found: f"…{found[0][-6:]}", one_line(str(value), _ROOM))


def _named(value: Mapping[str, object]) -> str:
    """By its name if it has one, else its plain values."""
    known = next((value[key] for key in ("id", "path", "kind", "message") if value.get(key)), None)
    if known is not None:
        return _shown(known)
    return " ".join(
        f"{key}:{_shown(item)}" for key, item in value.items() if _says(item) and not isinstance(item, list)
    )
