"""Writes down the edits of one attempt (or of the engine itself) before and after they happen."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from specloom.domain.events import proof
from specloom.domain.ids import AgentId, AttemptId, Digest, EditId, TaskId
from specloom.domain.origin import Origin
from specloom.domain.ports import Ids
from specloom.domain.shown_edit import shown_edit
from specloom.engine.ledger import PROJECT, Ledger
from specloom.workspace.ports import Applied, EditResult, TextSnapshot

MOST_COMPARED = 2_000_000
"""Characters of the texts before and after beyond which nobody is shown what changed."""


@dataclass(slots=True)
class AttemptJournal:
    """A `workspace.ports.EditJournal`; keeps what the change set of its attempt is made of."""

    ledger: Ledger
    ids: Ids
    attempt: AttemptId | None = None
    agent: AgentId | None = None
    task: TaskId | None = None
    before: dict[str, TextSnapshot | None] = field(default_factory=dict[str, TextSnapshot | None])
    """What each changed file was before the first change; `None`: it did not exist."""
    made: dict[str, Digest] = field(default_factory=dict[str, Digest])
    """What each file became by the newest change; as long as it is that, nobody else has changed it."""
    _open: dict[EditId, tuple[str, TextSnapshot | None]] = field(
        default_factory=dict[EditId, tuple[str, TextSnapshot | None]]
    )

    def restore(self, edited: Mapping[str, tuple[str | None, Digest | None]]) -> None:
        """Takes over what an earlier process of the attempt changed: text and digest before, by path."""
        for path, (text, digest) in edited.items():
            self.before[path] = None if text is None or digest is None else TextSnapshot(path, text, digest)

    async def requested(self, path: str, before: TextSnapshot | None, after: Digest, label: str) -> EditId:
        """Commits that a file is about to change."""
        edit = EditId(self.ids.new("edit"))
        text = None if before is None else before.text
        digest = None if before is None else before.digest
        event = proof.EditRequested(edit, self.attempt, path, text, digest, after, label, self.task)
        await self.ledger.append(PROJECT, [event], self._by)
        self._open[edit] = (path, before)
        return edit

    async def settled(self, edit: EditId, result: EditResult) -> None:
        """Commits what came of it."""
        path, before = self._open.pop(edit)
        if isinstance(result, Applied):
            self.before.setdefault(path, before)
            self.made[path] = result.snapshot.digest
            diff = await asyncio.to_thread(self._shown, before, result.snapshot)
            event = proof.EditSettled(edit, path, True, result.in_buffer, result.snapshot.digest, diff=diff)
        else:
            present = None if result.present is None else result.present.digest
            event = proof.EditSettled(edit, path, False, False, present, f"{result.refusal}: {result.message}")
        await self.ledger.append(PROJECT, [event], self._by)

    def _shown(self, before: TextSnapshot | None, after: TextSnapshot) -> str:
        """For people. Keys go before the comparison, which parts those of several lines."""
        if before is None or not after.text or len(before.text) + len(after.text) > MOST_COMPARED:
            return ""
        return shown_edit(self.ledger.redacted(before.text), self.ledger.redacted(after.text))

    @property
    def _by(self) -> Origin:
        return Origin("engine" if self.agent is None else "agent", agent=self.agent)
