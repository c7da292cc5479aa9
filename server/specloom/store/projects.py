"""Remembers outside all workspaces which projects this machine knows. Refuses to be in the way: it may be lost.

What cannot be read knows nothing; a project is there again when it is opened.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from specloom.domain.ids import ProjectId
from specloom.domain.known_projects import (
    KnownProject,
    ProjectAct,
    ProjectOrder,
    acts_of,
    find_project,
    refused_alias,
)
from specloom.domain.rejection import Rejected
from specloom.store.errors import mapped_errors
from specloom.store.private_file import locked, read_private, replace_private, state_home

LOG = logging.getLogger(__name__)
VERSION = 1
MOST = 200
"""Projects that are kept: those with an alias, then those that were opened last."""
ORDERS = 32
"""Orders that are remembered of a project: whoever repeats one does it within minutes."""
ACTS = 1_000
"""The newest acts, which are kept."""
Known = tuple[KnownProject, ...]


@dataclass(frozen=True, slots=True)
class _Registry:
    """The file: effect and act are one write."""

    known: Known = ()
    acts: tuple[ProjectAct, ...] = ()


def project_registry(environment: Mapping[str, str]) -> "ProjectRegistry":
    """That of the user."""
    return ProjectRegistry(state_home(environment) / "projects")


class ProjectRegistry:
    """One file. All methods block; each change is atomic, also between processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "projects.json"

    def read(self) -> Known:
        """All of them, the one that was opened last first."""
        return self._read().known

    def acts(self, project: ProjectId) -> tuple[ProjectAct, ...]:
        """What was changed about a project, the oldest first; nothing that is older than the newest `ACTS` of all."""
        return tuple(act for act in self._read().acts if act.project == project)

    def _read(self) -> _Registry:
        try:
            data = read_private(self._path)
            document: dict[str, Any] = {} if data is None else json.loads(data)
            found = [_entry(cast("dict[str, Any]", item)) for item in document.get("projects", ())]
            acts = tuple(_act(cast("dict[str, Any]", item)) for item in document.get("acts", ()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            LOG.warning("%s is not read: %s", self._path, error)
            return _Registry()
        return _Registry(tuple(sorted(found, key=lambda item: item.opened_at, reverse=True)), acts)

    def opened(self, project: ProjectId, root: Path, name: str, at: str) -> KnownProject:
        """A root is hosted: it is known from now on, under the name and alias that it had. Raises `StoreError`."""
        place = str(root.resolve())

        def seen(registry: _Registry) -> _Registry:
            known = registry.known
            before = next((item for item in known if item.id == project), None)
            now = before or KnownProject(project, place, name, at)
            # A folder holds one project: what was there before is gone.
            others = (item for item in known if item.id != project and item.root != place)
            kept = sorted(others, key=lambda item: (bool(item.alias), item.opened_at), reverse=True)
            present = replace(now, root=place, opened_at=at, archived=False)
            acts = acts_of(now, present, ProjectOrder(at, opens=True))
            return _Registry((present, *kept[:MOST]), (*registry.acts, *acts)[-ACTS:])

        return self._change(seen).known[0]

    def change(
        self, word: str, change: Callable[[KnownProject], KnownProject], order: ProjectOrder
    ) -> KnownProject | Rejected:
        """Renames, gives an alias, archives; nothing if that order was carried out before. Raises `StoreError`."""
        refused: list[Rejected] = []

        def changed(registry: _Registry) -> _Registry:
            known = registry.known
            if (before := ordered(known, order.id)) is not None:
                return replace(registry, known=(before, *(item for item in known if item.id != before.id)))
            found = find_project(known, word)
            if isinstance(found, Rejected):
                refused.append(found)
                return registry
            fresh = change(found)
            if (refusal := refused_alias(known, found.id, fresh.alias)) is not None:
                refused.append(refusal)
                return registry
            acts = acts_of(found, fresh, order)
            if order.id is not None:
                fresh = replace(fresh, orders=(*fresh.orders, order.id)[-ORDERS:])
            others = (item for item in known if item.id != found.id)
            return _Registry((fresh, *others), (*registry.acts, *acts)[-ACTS:])

        registry = self._change(changed)
        return refused[0] if refused else registry.known[0]

    def _change(self, change: Callable[[_Registry], _Registry]) -> _Registry:
        with mapped_errors(self._path), locked(self.folder, "projects.lock"):
            before = self._read()
            registry = change(before)
            if registry != before:
                values = {
                    "version": VERSION,
                    "projects": [_value(item) for item in registry.known],
                    "acts": [asdict(act) for act in registry.acts],
                }
                replace_private(self._path, json.dumps(values, indent=1))
            return registry


def ordered(known: Known, command_id: str | None) -> KnownProject | None:
    """The project that an order was about which was carried out; `None`: it was not."""
    return None if command_id is None else next((item for item in known if command_id in item.orders), None)


def _value(item: KnownProject) -> dict[str, str | bool | tuple[str, ...]]:
    return {
        "id": item.id,
        "root": item.root,
        "name": item.name,
        "openedAt": item.opened_at,
        "alias": item.alias,
        "archived": item.archived,
        "orders": item.orders,
    }


def _entry(value: Mapping[str, Any]) -> KnownProject:
    return KnownProject(
        ProjectId(str(value["id"])),
        str(value["root"]),
        str(value["name"]),
        str(value["openedAt"]),
        str(value["alias"]),
        bool(value["archived"]),
        tuple(str(order) for order in value.get("orders", ())),
    )


def _act(value: Mapping[str, Any]) -> ProjectAct:
    client = value["client"]
    return ProjectAct(
        ProjectId(str(value["project"])),
        str(value["at"]),
        None if client is None else str(client),
        str(value["act"]),
        str(value["subject"]),
    )
