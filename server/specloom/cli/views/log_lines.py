"""One record of the log as text for people. Refuses to leave out why something failed."""

from collections.abc import Mapping
from typing import Any, cast

from specloom.cli.views.formats import clock, one_line, visible_line

_ROOM = 300
"""Characters of a message."""


def log_text(record: Mapping[str, Any]) -> str:
    """`14:03:22 INFO    daemon  01/2.1 run started  scope=project`; an error's trace stands below."""
    about = " ".join(str(record[name])[-12:] for name in ("task", "session") if record.get(name))
    kind, level = str(record.get("process_kind", "")), str(record.get("level", ""))
    head = f"{_at(record)} {level:<7} {kind:<6} {about}".rstrip()
    line = f"{head} {one_line(str(record.get('message', '')), _ROOM)}{_data(record.get('data'))}"
    trace = (visible_line(part) for part in str(record.get("error") or "").splitlines())
    return "\n".join((visible_line(line), *(f"    {part}" for part in trace)))


def _at(record: Mapping[str, Any]) -> str:
    at = str(record.get("at", ""))
    try:
        return f"{at[:10]} {clock(at)}"
    except ValueError:
        return at[:20]


def _data(data: object) -> str:
    if not isinstance(data, Mapping):
        return ""
    shown = cast("Mapping[str, Any]", data).items()
    return "".join(f"  {key}={one_line(str(value), 80)}" for key, value in shown if value not in (None, ""))
