"""What a repository's file may only propose. Refuses to apply a value that its user has not granted word for word.

A checkout is somebody else's text: keys that run code, choose who gets the key, move files or hide costs count only
after a grant. The grant is a hash, kept outside the workspace by whoever asks.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from specloom.domain.ids import Digest, digest_of

KINDS = ("verify", "permissions", "base_url", "mcp", "env", "state_dir", "prices")
"""Why each: runs commands; widens rights; receives the key; runs servers; changes what commands do; writes outside
the root; makes a budget in dollars worthless."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One value that waits for a grant."""

    kind: str
    """One of `KINDS`."""
    text: str
    """Key and value as JSON: what the user is shown and what the hash is of."""
    hash: Digest
    path: tuple[str | int, ...]
    """Where the value stands in the file's tables."""


def proposals(raw: Mapping[str, Any]) -> tuple[Proposal, ...]:
    """The proposals in the tables of a repository's settings file, in the order of `KINDS`."""
    found = [_proposal(kind, path, value) for kind, path, value in _places(raw)]
    return tuple(sorted(found, key=lambda proposal: KINDS.index(proposal.kind)))


def without_ungranted(raw: Mapping[str, Any], granted: Collection[str]) -> dict[str, Any]:
    """A copy of the tables in which every proposal that was not granted is absent."""
    refused = {proposal.path for proposal in proposals(raw) if proposal.hash not in granted}
    kept: dict[str, Any] = _pruned(raw, refused, ())
    return kept


def _places(raw: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...], Any]]:
    """Kind, path and value of whatever is a proposal. A value of the wrong type is one, too: it is refused later."""
    for kind in KINDS:
        value = raw.get(kind)
        if kind == "base_url" or value is None:
            continue
        if kind == "permissions":
            yield from _widening(value)
        elif isinstance(value, list):
            yield from ((kind, (kind, index), item) for index, item in enumerate(value))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # JSON
        elif isinstance(value, Mapping):
            yield from ((kind, (kind, key), item) for key, item in value.items())  # pyright: ignore[reportUnknownVariableType]  # JSON
        else:
            yield kind, (kind,), value
    models = raw.get("models")
    for role, values in models.items() if isinstance(models, Mapping) else ():  # pyright: ignore[reportUnknownVariableType]  # JSON
        if isinstance(values, Mapping) and "base_url" in values:
            yield "base_url", ("models", role, "base_url"), values["base_url"]


NARROWING = ("ask", "deny")
CAREFUL = ("read-only", "ask")


def _widening(permissions: Any) -> Iterator[tuple[str, tuple[str | int, ...], Any]]:
    """What of `[permissions]` gives more rights than nothing at all; who takes rights away needs no grant."""
    if not isinstance(permissions, Mapping):
        yield "permissions", ("permissions",), permissions
        return
    items: list[tuple[str, Any]] = list(permissions.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # JSON
    for key, value in items:
        inner: list[tuple[str, Any]] = list(value.items()) if isinstance(value, Mapping) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # JSON
        for name, item in inner:
            if not _narrows(name, item):
                yield "permissions", ("permissions", key, name), item
        if not isinstance(value, Mapping) and not _narrows(key, value):
            yield "permissions", ("permissions", key), value


def _narrows(key: str, value: Any) -> bool:
    return key in NARROWING or (key == "profile" and value in CAREFUL)


def _proposal(kind: str, path: tuple[str | int, ...], value: Any) -> Proposal:
    """A list's index is no part of the text: moving a command needs no new grant."""
    name = ".".join(part for part in path if isinstance(part, str))
    text = f"{name} = {json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)}"
    return Proposal(kind, text, digest_of(text), path)


def _pruned(value: Any, refused: Collection[tuple[str | int, ...]], path: tuple[str | int, ...]) -> Any:
    if isinstance(value, Mapping):
        items: list[tuple[str, Any]] = list(value.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # JSON
        return {key: _pruned(item, refused, (*path, key)) for key, item in items if (*path, key) not in refused}
    if isinstance(value, list):
        parts: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]  # JSON
        return [_pruned(item, refused, (*path, n)) for n, item in enumerate(parts) if (*path, n) not in refused]
    return value
