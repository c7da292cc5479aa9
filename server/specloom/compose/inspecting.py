"""Tells how a root is set up and what its documents say, without hosting it. Refuses to write anything."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from specloom.cli.ports import Endpoint, Inspection, Preview
from specloom.compose.files import read_root, state_directory
from specloom.compose.options import Loaded, is_loopback, loaded_options
from specloom.domain.commands import Command
from specloom.domain.decide import decide
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.origin import Origin
from specloom.domain.ports import Clock
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.engine.api import Accepted
from specloom.engine.library import Library
from specloom.engine.mailbox import ENGINE, Mailbox
from specloom.engine.options import EngineOptions
from specloom.engine.problem_board import ProblemBoard
from specloom.llm.anthropic_model import AnthropicModel
from specloom.settings.credentials import KEYS
from specloom.store.system import SystemClock
from specloom.workspace.workspace import Workspace


async def inspect(root: Path, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> Inspection:
    """How a root is set up, for `specloom doctor`. Raises `ConfigurationError` for a root that is no folder."""
    files = await asyncio.to_thread(read_root, root)
    loaded = loaded_options(files, environment, overrides, None, grant_proposals=False)
    return Inspection(
        state_directory(root, environment, loaded.state_dir),
        loaded.options.requirements,
        (*files.problems, *loaded.problems),
        _endpoints(loaded, environment, files.keys),
    )


async def preview(
    root: Path,
    environment: Mapping[str, str],
    overrides: Mapping[str, Any] | None = None,
    *,
    grant_proposals: bool = False,
) -> Preview:
    """What hosting this root would begin with, had it no log. Raises `ConfigurationError` for a root that is no folder.

    A root that has a log already is told so, and its documents are left to that.
    """
    files = await asyncio.to_thread(read_root, root)
    loaded = loaded_options(files, environment, overrides, None, grant_proposals=grant_proposals)
    directory = state_directory(root, environment, loaded.state_dir)
    refusal = loaded.options.refusal.message if loaded.options.refusal is not None else ""
    if await asyncio.to_thread((directory / "state.db").exists):
        return Preview(EMPTY, {}, refusal, (), has_log=True)
    mailbox = DraftMailbox(SystemClock())
    library = await _read(root, mailbox, loaded.options)
    board = ProblemBoard(library)
    board.extra = (*files.problems, *loaded.problems)
    return Preview(mailbox.state, board.problems(mailbox.state), refusal, tuple(library.shelf.requirements))


async def _read(root: Path, mailbox: Mailbox, options: EngineOptions) -> Library:
    workspace = await asyncio.to_thread(Workspace.at, root)
    library = Library(workspace, mailbox, options, SystemClock())
    await library.refresh()
    return library


class DraftMailbox(Mailbox):
    """A mailbox whose facts are folded and kept nowhere: what the documents alone amount to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._draft = EMPTY

    @property
    def state(self) -> ProjectState:
        """The newest projection."""
        return self._draft

    async def submit(self, command: Command, by: Origin = ENGINE, command_id: str | None = None) -> Accepted | Rejected:
        """Decides an order and folds what follows; `by` and `command_id` are for a log."""
        del by, command_id
        decided = decide(self._draft, command)
        if isinstance(decided, Rejected):
            return decided
        for event in decided:
            self._draft = evolve(self._draft, event, self._clock.now(), self._draft.seq + 1)
        return Accepted(self._draft.seq)


def _endpoints(loaded: Loaded, environment: Mapping[str, str], keys: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """One a model and host, with all roles that use it."""
    source, refusal = _key_source(environment, keys), loaded.options.refusal
    if refusal is not None and refusal.code == "no-key":
        source = ""
    found: dict[tuple[str, str], Endpoint] = {}
    for role, chosen in loaded.options.roles.items():
        host = chosen.endpoint.host if isinstance(chosen.endpoint, AnthropicModel) else ""
        key = "not needed" if is_loopback(f"http://{host}") else source
        known = found.get((chosen.model, host))
        roles = (*known.roles, role.value) if known else (role.value,)
        ask = partial(chosen.endpoint.facts, chosen.model)
        found[(chosen.model, host)] = Endpoint(roles, chosen.model, host, key, ask)
    return tuple(found.values())


def _key_source(environment: Mapping[str, str], keys: Mapping[str, str]) -> str:
    places = (("environment", environment), (".env", keys))
    return next((name for name, held in places if any(held.get(key) for key in KEYS)), "")
