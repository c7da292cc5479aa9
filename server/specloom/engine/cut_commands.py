"""Puts into an attempt's change set what a command had changed when Specloom was killed. Refuses to undo any of it."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specloom.domain.ids import AgentId, AttemptId, SessionId, TaskId
from specloom.domain.project import SessionRecord
from specloom.engine.command_images import CommandImages
from specloom.engine.context import EngineContext
from specloom.engine.history import AttemptHistory
from specloom.engine.image_pack import NAME, ImagePack, Packed, read_pack
from specloom.engine.journal import AttemptJournal


def pack_of(
    engine: EngineContext, session: SessionId, journal: AttemptJournal, protected: tuple[str, ...]
) -> ImagePack:
    """For the commands of an attempt that begins, or goes on, with this session."""
    about = {"attempt": journal.attempt, "agent": journal.agent, "task": journal.task, "protected": protected}
    return ImagePack(engine.outputs(session) / NAME, about)


async def record_cut_commands(engine: EngineContext, *, checked_out: bool = False) -> None:
    """Call when no command of an earlier process runs any more, and before its attempts go on or are given up.

    What a person saved while Specloom was away counts as the command's, as it does while one runs. What git wrote
    (`checked_out`) does not, and cannot be told from what the command did.
    """
    worked = [(session, engine.outputs(session.id) / NAME) for session in engine.state.sessions.values()]
    # A project has many sessions, of which hardly any left something.
    for session, path in await asyncio.to_thread(_present, worked):
        if session.attempt is None:
            continue
        packed = await asyncio.to_thread(read_pack, path)
        if packed is not None and not checked_out and packed.about.get("attempt") == session.attempt:
            await _record(engine, session.attempt, packed)
        await asyncio.to_thread(_forget, path)


async def _record(engine: EngineContext, attempt: AttemptId, packed: Packed) -> None:
    if not any(record.attempt == attempt for record in engine.state.tasks.values()):
        return  # The verdict had been given: nothing is to be added to it.
    history = await AttemptHistory.read(engine.ledger, attempt)
    agent, task = _text(packed.about, "agent"), _text(packed.about, "task")
    journal = AttemptJournal(engine.ledger, engine.ids, attempt, AgentId(agent), TaskId(task))
    journal.made.update(history.made)
    protected = tuple(str(path) for path in packed.about.get("protected", ()))
    aside = AttemptJournal(engine.ledger, engine.ids)
    await CommandImages(engine.workspace, journal, aside, protected, lambda: False).record_cut(packed)


def _text(about: Mapping[str, Any], name: str) -> str:
    return str(about.get(name, ""))


def _present(worked: Sequence[tuple[SessionRecord, Path]]) -> list[tuple[SessionRecord, Path]]:
    return [(session, path) for session, path in worked if os.path.lexists(path)]


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)
