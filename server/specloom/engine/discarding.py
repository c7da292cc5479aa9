"""Removes a spec that was never finished. Refuses when a person has put a hand on it: then it is theirs."""

import asyncio

from specloom.domain.events import proof
from specloom.domain.ids import Digest, EditId
from specloom.domain.spec import SpecDefinition, SpecStatus
from specloom.engine.context import EngineContext
from specloom.workspace.ports import WorkspaceError

NOTHING = Digest("")
"""Digest of no file."""


async def discard(engine: EngineContext, spec: SpecDefinition) -> str:
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
    await engine.mailbox.record(asked)
    await asyncio.to_thread(file.unlink, missing_ok=True)
    await engine.mailbox.record(proof.EditSettled(edit, spec.path, True, False, None))
    return ""


async def _last_written(engine: EngineContext, path: str) -> Digest | None:
    events = [item.event for item in await engine.ledger.read(0)]
    settled = (event for event in events if isinstance(event, proof.EditSettled) and event.path == path)
    return next((event.digest for event in reversed(list(settled)) if event.applied), None)
