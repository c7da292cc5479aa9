"""The grants of a root for who lists, gives and takes them without hosting it. Refuses to start anything."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from specloom.compose.files import SETTINGS, read_root
from specloom.compose.given import grant_book
from specloom.domain.ids import digest_of
from specloom.domain.permissions.grants import Grant, GrantKind
from specloom.engine.grants import GrantBook
from specloom.settings.load import load_settings


@dataclass(frozen=True, slots=True)
class Granting:
    """Implements `cli.ports.Granting`."""

    book: GrantBook
    keys: tuple[str, ...]
    """What `specloom.toml` proposes besides verify commands, granted or not."""
    verify: tuple[str, ...]
    """Its verify commands."""

    @property
    def grants(self) -> tuple[Grant, ...]:
        """All of them, oldest first."""
        return self.book.kept

    def waiting(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the texts that were not granted, each once."""
        known = self.book.proposals
        return tuple(dict.fromkeys(text for text in texts if digest_of(text) not in known))

    async def allow(self, texts: tuple[str, ...]) -> None:
        """Grants proposals for the project. Raises `StoreError`."""
        await self.book.allow(GrantKind.PROPOSAL, texts)

    async def revoke(self, grant: str) -> Grant | None:
        """Takes a grant back; `None`: there is none of this id. Raises `StoreError`."""
        return await self.book.revoke(grant)


async def open_grants(root: Path, environment: Mapping[str, str]) -> Granting:
    """The grants of `root` as they are now. Raises `ConfigurationError` for a root that is no folder."""
    files = await asyncio.to_thread(read_root, root)
    book = await grant_book(root, environment)
    proposed = load_settings(files.settings, SETTINGS).proposals
    # A verify command is granted as a command, wherever it stands.
    commands = load_settings(
        files.settings, SETTINGS, granted={item.hash for item in proposed if item.kind == "verify"}
    )
    keys = tuple(item.text for item in proposed if item.kind != "verify")
    return Granting(book, keys, commands.settings.verify)
