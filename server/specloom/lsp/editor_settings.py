"""What the editor sets: `initializationOptions`, and over them the client's configuration. Refuses to judge values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

SECTION = "specloom"
PLACE = "editor settings"
"""The path of problems with them, in place of a document's."""


@dataclass(slots=True)
class EditorSettings:
    """Both sources, each with the nested keys of `specloom.toml`."""

    given: Mapping[str, object] = field(default_factory=dict[str, object])
    """With `initialize`."""
    configured: Mapping[str, object] = field(default_factory=dict[str, object])
    """As the client's configuration has it now."""
    ordered: Mapping[str, object] = field(default_factory=dict[str, object])
    """What the client's last order set for itself; beats everything else as long as that order is carried out."""

    @property
    def whole(self) -> dict[str, object]:
        """What counts. A `null` is a key that is not set: so editors show those that have no default."""
        return _over(_over({}, self.given), self.configured)


def section_of(told: object) -> dict[str, object]:
    """Our section of what a client sends: its member `specloom`, else the whole of it; empty for what is no object."""
    if not isinstance(told, dict):
        return {}
    whole = cast("dict[str, object]", told)
    ours = whole.get(SECTION, whole)
    return cast("dict[str, object]", ours) if isinstance(ours, dict) else {}


def _over(lower: Mapping[str, object], upper: Mapping[str, object]) -> dict[str, object]:
    """Tables are merged key by key, other values replaced."""
    whole = dict(lower)
    for key, value in upper.items():
        if isinstance(value, dict):
            below = whole.get(key)
            table = cast("dict[str, object]", below) if isinstance(below, dict) else {}
            whole[key] = _over(table, cast("dict[str, object]", value))
        elif value is not None:
            whole[key] = value
    return whole
