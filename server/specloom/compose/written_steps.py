"""Which steps of a plan still stand when it is gone on with. Refuses to take back what people wrote since.

What git checked out over a text of the plan is none of its steps; its spec is judged by what it says.
"""

import asyncio
from pathlib import Path

from specloom.domain.events.documents import HeadChanged
from specloom.domain.events.planning import PlanStage, SpecWritten
from specloom.domain.ids import SpecId
from specloom.engine.context import EngineContext
from specloom.engine.git_objects import find_blob
from specloom.engine.repository import nearest
from specloom.planning.ports import Step
from specloom.workspace.ports import WorkspaceError

LARGEST = 4_000_000
"""Bytes of a spec."""


async def written_steps(engine: EngineContext, look_back: int) -> frozenset[Step]:
    """What the newest plan has brought to its end, looked up in its newest `look_back` events."""
    record = engine.state.planning
    if record is None or not record.written:
        return frozenset()
    texts = await _before_checkouts(engine, {spec for spec, _ in record.written}, look_back)
    replaced = {event.spec for event in texts if await _is_gits(engine, event)}
    return frozenset(Step(spec, PlanStage(stage)) for spec, stage in record.written if spec not in replaced)


async def _before_checkouts(engine: EngineContext, specs: set[SpecId], look_back: int) -> list[SpecWritten]:
    """The newest text of each of `specs` that was written before git wrote files."""
    found: list[SpecWritten] = []
    checked_out, sought, seen = False, set(specs), 0
    async for page in engine.ledger.pages_back():
        for item in reversed(page):
            event = item.event
            checked_out = checked_out or (isinstance(event, HeadChanged) and event.files)
            if isinstance(event, SpecWritten) and event.spec in sought:
                sought.remove(event.spec)
                found += [event] if checked_out else []
        seen += len(page)
        if not sought or seen >= look_back:
            break
    return found


async def _is_gits(engine: EngineContext, written: SpecWritten) -> bool:
    """Whether git has what stands at the path of a spec now, which is not what was written there."""
    try:
        data = await engine.workspace.read_bytes(written.path, LARGEST)
    except WorkspaceError:
        return False
    other = data.decode("utf-8", "replace") != written.text
    return other and await asyncio.to_thread(_is_kept, engine.workspace.root, data)


def _is_kept(root: Path, data: bytes) -> bool:
    try:
        found = nearest(root)
        return found is not None and find_blob(found, data) is not None
    except OSError:
        return False
