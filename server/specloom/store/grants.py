"""Keeps grants outside the workspace, one file a root, readable for their owner alone.

Refuses to take a grant from the workspace or its log, and to guess: a file that cannot be read grants nothing.
"""

import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from specloom.domain.ids import Digest, TaskId, digest_of
from specloom.domain.permissions.grants import Grant, GrantKind
from specloom.store.errors import mapped_errors
from specloom.store.private_file import locked, read_private, replace_private, state_home

LOG = logging.getLogger(__name__)
VERSION = 1


def grants_folder(environment: Mapping[str, str]) -> Path:
    """Below the user's own state."""
    return state_home(environment) / "grants"


class GrantFile:
    """The grants of one root. All methods block; each change is atomic, also between processes."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = Path(os.path.realpath(folder))
        self._root = os.path.realpath(root)
        self._path = self.folder / f"{digest_of(self._root)[:32]}.json"

    def stamp(self) -> tuple[int, int, int]:
        """Changes with the file."""
        try:
            found = self._path.stat(follow_symlinks=False)
        except OSError:
            return (0, 0, 0)
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def read(self) -> tuple[Grant, ...]:
        """All grants, oldest first. What cannot be read is logged and grants nothing."""
        return self._read() or ()

    def _read(self) -> tuple[Grant, ...] | None:
        """`None`: something stands there that is no file of ours."""
        try:
            data = read_private(self._path)
        except OSError as error:
            LOG.warning("grants in %s are not read: %s", self._path, error.strerror or error)
            return None
        return () if data is None else self._decoded(data)

    def add(self, *grants: Grant) -> None:
        """Keeps grants; one that is there already stays as it is. Raises `StoreError`."""

        def added(kept: tuple[Grant, ...]) -> tuple[Grant, ...]:
            by_id = {grant.id: grant for grant in (*grants, *kept)}
            return tuple({grant.id: by_id[grant.id] for grant in (*kept, *grants)}.values())

        self._change(added)

    def remove(self, grant: str) -> Grant | None:
        """Forgets a grant by its id; `None`: there is none. Raises `StoreError`."""
        found = next((item for item in self.read() if item.id == grant), None)
        if found is not None:
            self._change(lambda kept: tuple(item for item in kept if item.id != grant))
        return found

    def _change(self, change: Callable[[tuple[Grant, ...]], tuple[Grant, ...]]) -> None:
        with mapped_errors(self._path), locked(self.folder, "grants.lock"):
            known = self._read()
            if known is None:
                self._path.replace(self._path.with_suffix(".damaged"))
            values = [_value(item) for item in change(known or ())]
            text = json.dumps({"version": VERSION, "root": self._root, "grants": values}, ensure_ascii=False, indent=1)
            replace_private(self._path, text)

    def _decoded(self, data: bytes) -> tuple[Grant, ...] | None:
        try:
            document: dict[str, Any] = json.loads(data)
            if document["root"] == self._root and document["version"] == VERSION:
                return tuple(_grant(cast("dict[str, Any]", item)) for item in document["grants"])
            why: object = "it is about another folder, or of another version"
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = error
        LOG.warning("grants in %s are not read: %s", self._path, why)
        return None


def _value(grant: Grant) -> dict[str, str | None]:
    return {
        "kind": grant.kind.value,
        "text": grant.text,
        "at": grant.at,
        "task": grant.task,
        "about": grant.about,
        "hash": digest_of(grant.text),
    }


def _grant(value: Mapping[str, Any]) -> Grant:
    task = None if value["task"] is None else TaskId(str(value["task"]))
    grant = Grant(GrantKind(value["kind"]), str(value["text"]), str(value["at"]), task, Digest(str(value["about"])))
    if digest_of(grant.text) != value["hash"]:
        raise ValueError("a text does not match its hash")
    return grant
