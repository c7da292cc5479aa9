"""Tells how a root is set up and what its documents say, without hosting it. Refuses to write anything."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from specloom.cli.ports import Endpoint, Estimating, Inspection, Preview
from specloom.compose.draft_mailbox import DraftMailbox
from specloom.compose.files import RootFiles, read_root, state_directory
from specloom.compose.given import granted
from specloom.compose.keys import KEYS, with_kept_keys
from specloom.compose.options import Loaded, loaded_options
from specloom.domain.commands import MarkStale
from specloom.domain.evolve import EMPTY
from specloom.domain.project import ProjectState
from specloom.engine.estimating import estimate_run
from specloom.engine.library import READER, Library
from specloom.engine.options import EngineOptions
from specloom.engine.problem_board import ProblemBoard
from specloom.engine.staleness import stale_now
from specloom.llm.anthropic_model import AnthropicModel
from specloom.store.system import SystemClock
from specloom.workspace.workspace import Workspace


async def inspect(root: Path, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> Inspection:
    """How a root is set up, for `specloom doctor`. Raises `ConfigurationError` for a root that is no folder."""
    files, loaded = await _settings(root, environment, overrides)
    return Inspection(
        state_directory(root, environment, loaded.state_dir),
        loaded.options.requirements,
        (*files.problems, *loaded.problems),
        _endpoints(loaded),
    )


async def estimating(
    root: Path, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None
) -> Estimating:
    """What `specloom run --estimate` needs. Raises `ConfigurationError` for a root that is no folder."""
    files, loaded = await _settings(root, environment, overrides)
    return Estimating(
        (*files.problems, *loaded.problems),
        partial(_present, root, loaded.options),
        partial(estimate_run, loaded.options),
    )


async def preview(
    root: Path,
    environment: Mapping[str, str],
    overrides: Mapping[str, Any] | None = None,
    *,
    grant_proposals: bool = False,
    log: ProjectState | None = None,
) -> Preview:
    """What hosting this root would begin with, had it no log. Raises `ConfigurationError` for a root that is no folder.

    A root that has a log already is told so, and its documents are left to that, unless it is refused anyway, or `log`
    is what that log says: then it is what the documents make of it, and what the files behind proofs do.
    """
    files, loaded = await _settings(root, environment, overrides, grant_proposals=grant_proposals)
    directory = state_directory(root, environment, loaded.state_dir)
    refusals = tuple(refusal.message for refusal in loaded.refusals if refusal.code != "no-key")
    keyless = next((refusal.message for refusal in loaded.refusals if refusal.code == "no-key"), "")
    has_log = await asyncio.to_thread((directory / "state.db").exists)
    if has_log and not loaded.refusals and log is None:
        return Preview(EMPTY, {}, (), "", (), has_log=True)
    mailbox = DraftMailbox(SystemClock(), EMPTY if log is None else log)
    workspace = await asyncio.to_thread(Workspace.at, root)
    library = await _read(workspace, mailbox, loaded.options)
    board = ProblemBoard(library)
    board.add((*files.problems, *loaded.problems))
    found = tuple(library.shelf.requirements)
    return Preview(mailbox.state, board.problems(mailbox.state), refusals, keyless, found, has_log=has_log)


async def _settings(
    root: Path, environment: Mapping[str, str], overrides: Mapping[str, Any] | None, *, grant_proposals: bool = False
) -> tuple[RootFiles, Loaded]:
    files = await asyncio.to_thread(read_root, root)
    kept = await asyncio.to_thread(granted, root, environment)

    def load() -> Loaded:
        return loaded_options(
            files, environment, overrides, None, grant_proposals=grant_proposals, granted=kept, held=KEYS.known
        )

    return files, await with_kept_keys(load, environment)


async def _present(root: Path, options: EngineOptions, state: ProjectState) -> ProjectState:
    mailbox = DraftMailbox(SystemClock(), state)
    await _read(await asyncio.to_thread(Workspace.at, root), mailbox, options)
    return mailbox.state


async def _read(workspace: Workspace, mailbox: DraftMailbox, options: EngineOptions) -> Library:
    """`mailbox` then knows what the documents make of its state, and what the files behind proofs do."""
    library = Library(workspace, mailbox, options, SystemClock())
    await library.refresh()
    for task, paths in await stale_now(mailbox.state, workspace):
        await mailbox.submit(MarkStale(task, paths), READER)
    return library


def _endpoints(loaded: Loaded) -> tuple[Endpoint, ...]:
    """One a model and host, with all roles that use it."""
    found: dict[tuple[str, str], Endpoint] = {}
    for role, chosen in loaded.options.roles.items():
        host = chosen.endpoint.host if isinstance(chosen.endpoint, AnthropicModel) else ""
        known = found.get((chosen.model, host))
        roles = (*known.roles, role.value) if known else (role.value,)
        ask = partial(chosen.endpoint.facts, chosen.model)
        found[(chosen.model, host)] = Endpoint(roles, chosen.model, host, chosen.key, chosen.address, ask)
    return tuple(found.values())
