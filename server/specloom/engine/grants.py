"""The grants of one root as the engine sees them. Refuses to hold back a revocation: it looks at the file each time."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from specloom.domain.ids import NO_DIGEST, Digest, TaskId, digest_of
from specloom.domain.permissions.grants import Grant, GrantKind, granted_hashes, granted_rules
from specloom.domain.permissions.rules import Rule
from specloom.domain.ports import Clock


class GrantStore(Protocol):
    """Keeps grants outside the workspace; `store.grants.GrantFile` is one. Blocking."""

    folder: Path
    """Without links."""

    def stamp(self) -> tuple[int, int, int]:
        """Changes whenever the grants may have."""
        ...

    def read(self) -> tuple[Grant, ...]:
        """All grants, oldest first."""
        ...

    def add(self, *grants: Grant) -> None:
        """Keeps grants. Raises `StoreError`."""
        ...

    def remove(self, grant: str) -> Grant | None:
        """Forgets one by its id; `None`: there is none. Raises `StoreError`."""
        ...


@dataclass(slots=True)
class GrantBook:
    """Kept grants, also those that another process gives or takes back, and what was allowed for this order alone."""

    store: GrantStore
    clock: Clock
    kept: tuple[Grant, ...] = ()
    """As of the last `refresh`."""
    once: set[Digest] = field(default_factory=set[Digest])
    """Hashes of proposals that were allowed for the present order; never written anywhere."""
    _stamp: tuple[int, int, int] | None = None

    @property
    def folder(self) -> Path:
        """Where grants are kept."""
        return self.store.folder

    async def refresh(self) -> tuple[Grant, ...]:
        """The grants as they are now."""
        return await asyncio.to_thread(self._refresh)

    def _refresh(self) -> tuple[Grant, ...]:
        stamp = self.store.stamp()
        if stamp != self._stamp:
            self.kept, self._stamp = self.store.read(), stamp
        return self.kept

    async def allow(
        self, kind: GrantKind, texts: tuple[str, ...], task: TaskId | None = None, about: Digest | None = None
    ) -> None:
        """Keeps each text as a grant. Raises `StoreError`."""
        at = self.clock.now()
        grants = (Grant(kind, text, at, task, about or NO_DIGEST) for text in texts)
        await asyncio.to_thread(self.store.add, *grants)
        await self.refresh()

    async def revoke(self, grant: str) -> Grant | None:
        """Forgets a grant by its id; `None`: there is none. Raises `StoreError`."""
        found = await asyncio.to_thread(self.store.remove, grant)
        await self.refresh()
        return found

    def rules(self, task: TaskId | None, title: str) -> tuple[Rule, ...]:
        """Granted rules that count for a task."""
        return granted_rules(self.kept, task, title)

    def source(self, text: str) -> str:
        """Why a proposal counts, for the log; empty: it does not."""
        digest = digest_of(text)
        if digest in granted_hashes(self.kept):
            return "granted for project"
        return "allowed for this order" if digest in self.once else ""

    @property
    def proposals(self) -> frozenset[Digest]:
        """Hashes of the repository's proposals that count now."""
        return granted_hashes(self.kept) | self.once
