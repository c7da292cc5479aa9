"""Removes a spec that was never finished. Refuses when a person has put a hand on it: then it is theirs."""

import asyncio
from pathlib import Path

from specloom.domain.events import proof
from specloom.domain.ids import Digest, EditId
from specloom.domain.origin import Origin
from specloom.domain.spec import SpecDefinition, SpecStatus
from specloom.engine.context import EngineContext
from specloom.workspace.ports import WorkspaceError
from specloom.workspace.shielding import to_the_end

NOTHING = Digest("")
"""Digest of no file."""


async def discard(engine: EngineContext, spec: SpecDefinition, by: Origin, command_id: str | None) -> str:
    """Deletes the file, recorded; else the reason why it stays."""
    if spec.status is not SpecStatus.GENERATING:
        return f"Spec {spec.id} is finished; delete {spec.path} yourself if you do not want it"
    if engine.workspace.documents.find(spec.path) is not None:
        return f"{spec.path} is open in an editor; close it and discard again"
    try:
        present = await engine.workspace.read(spec.path)
        file = await asyncio.to_thread(engine.workspace.resolve, spec.path)
    except WorkspaceError as error:
        return str(error)
    if present.digest != await _last_written(engine, spec.path):
        return f"{spec.path} was edited by hand since Specloom wrote it; delete it yourself"
    edit = EditId(engine.ids.new("edit"))
    asked = proof.EditRequested(edit, None, spec.path, present.text, present.digest, NOTHING, f"discard {spec.id}")
    if await engine.mailbox.start(asked, by, command_id) is not None:
        return ""
    return await to_the_end(_removed(engine, asked, file))


async def _removed(engine: EngineContext, asked: proof.EditRequested, file: Path) -> str:
    reason = ""
    try:
        await asyncio.to_thread(file.unlink, missing_ok=True)
    except OSError as error:
        reason = f"{asked.path} cannot be deleted: {error.strerror}; check the folder's modes and discard again"
    present = asked.before_digest if reason else None
    await engine.mailbox.record(proof.EditSettled(asked.edit, asked.path, not reason, False, present, reason))
    return reason


async def _last_written(engine: EngineContext, path: str) -> Digest | None:
    async for page in engine.ledger.pages_back():
        for item in reversed(page):
            event = item.event
            if isinstance(event, proof.EditSettled) and event.path == path and event.applied:
                return event.digest
    return None
