"""Puts the tools of an executor into a person's hands, on one root. Refuses to open, and to need, its log."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from specloom.compose.files import read_root
from specloom.compose.given import grant_book
from specloom.compose.options import Loaded, loaded_options
from specloom.compose.toolbox import all_tools
from specloom.domain.permissions.rules import Profile
from specloom.engine.agent_shells import shell_limits
from specloom.engine.hand_tools import BY_HAND, NO_SESSION, HandTools, RuleAsker, Silent
from specloom.engine.hands import NO_CALL
from specloom.engine.permits import Permits
from specloom.tools.ports import ReadMemory, ToolContext
from specloom.workspace.orphans import Orphans
from specloom.workspace.shell.agent_shell import AgentShell
from specloom.workspace.workspace import Workspace

BY_HAND_TOOLS = (
    *("read_file", "list_directory", "search_files", "grep_search", "edit_file", "write_file", "delete_file"),
    *("close_file", "run_command", "command_jobs"),
)
"""Those that need neither a model nor a task."""


@asynccontextmanager
async def open_tools(
    root: Path, *, environment: Mapping[str, str], yes: bool = False, profile: str | None = None
) -> AsyncGenerator[HandTools]:
    """The tools while the context is open; all that they started ends with it.

    `yes`: what asks is allowed; a deny stays. Raises `ConfigurationError` for a root that is no folder.
    """
    files = await asyncio.to_thread(read_root, root)
    book = await grant_book(root, environment)
    loaded = loaded_options(files, environment, None, None, grant_proposals=False, granted=book.proposals)
    workspace = await asyncio.to_thread(Workspace.at, root)
    with tempfile.TemporaryDirectory(prefix="specloom-tool-") as logs:
        orphans = await asyncio.to_thread(Orphans.at, Path(logs))
        permits = Permits(workspace.root, book, book.folder, loaded.options.permissions)
        permits.profile = None if profile is None else Profile(profile)
        context = _context(workspace, loaded, Path(logs), RuleAsker(permits, yes), orphans)
        tools = HandTools(all_tools(loaded.redactor).only(BY_HAND_TOOLS), context)
        try:
            yield tools
        finally:
            await tools.close()
            await orphans.end(BY_HAND)  # What left the shell's session by itself.
            await orphans.close()


def _context(workspace: Workspace, loaded: Loaded, logs: Path, asker: RuleAsker, orphans: Orphans) -> ToolContext:
    options = loaded.options
    return ToolContext(
        files=workspace,
        asker=asker,
        output=Silent(),
        memory=ReadMemory(),
        agent=BY_HAND,
        session=NO_SESSION,
        attempt=None,
        task=None,
        call=NO_CALL,
        environment=options.environment,
        command_timeout=options.limits.command_timeout_s,
        edits_per_call=options.limits.edits_per_call,
        shell=AgentShell(
            workspace.root,
            {**options.environment, **orphans.environment(BY_HAND)},
            logs,
            options.redact,
            shell_limits(options.limits),
            spawned=partial(_watched, orphans),
        ),
    )


async def _watched(orphans: Orphans, leader: int) -> None:
    del leader
    await orphans.watched()
