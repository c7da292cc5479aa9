"""Waits until what the agent changed in open buffers is on the disk, where commands read. Refuses to verify before."""

import asyncio
from collections.abc import Iterable

from specloom.agent.ports import Halt
from specloom.domain import commands as c
from specloom.domain.runs import RunState
from specloom.engine.context import EngineContext
from specloom.engine.gate import RunGate

LOOK_AGAIN = 0.5
"""Seconds between two looks at the disk while the run is paused for a save that no editor may tell us of."""


async def saved(engine: EngineContext, gate: RunGate, paths: Iterable[str]) -> Halt | None:
    """Returns when none of these files is dirty; asks for the save, then pauses the run until it has happened."""
    paths = tuple(paths)
    dirty = await unsaved(engine, paths)
    if dirty:
        dirty = await engine.workspace.save(dirty, engine.options.limits.save_timeout_s)
    while dirty:
        await gate.pause(waiting_for(dirty))
        halt = await _until_saved(engine, gate, dirty)
        if halt is not None:
            return halt
        dirty = await unsaved(engine, paths)
    return None


def waiting_for(dirty: tuple[str, ...]) -> str:
    """The reason of the pause."""
    files = "file" if len(dirty) == 1 else "files"
    return f"save {len(dirty)} {files}: {', '.join(dirty)}"


async def _until_saved(engine: EngineContext, gate: RunGate, dirty: tuple[str, ...]) -> Halt | None:
    passing = asyncio.create_task(gate.passed())
    try:
        while not passing.done():
            await asyncio.wait([passing], timeout=LOOK_AGAIN)
            if not await unsaved(engine, dirty) and not _planning(engine) and _waits(engine):
                await engine.mailbox.submit(c.ResumeRun())
        return passing.result()
    finally:
        passing.cancel()


def _waits(engine: EngineContext) -> bool:
    """Whether it is for a save that the run is paused, and for nothing that came meanwhile."""
    run = engine.state.run
    return run is not None and run.state is RunState.PAUSED and run.reason.startswith("save ")


def _planning(engine: EngineContext) -> bool:
    """A plan that was started while the run was paused writes the specs that the run would work from."""
    return engine.state.running_plan is not None


async def unsaved(engine: EngineContext, paths: Iterable[str]) -> tuple[str, ...]:
    """Those that read otherwise in an editor than on the disk."""
    dirty = await engine.workspace.dirty_paths()
    return tuple(path for path in paths if path in dirty)
