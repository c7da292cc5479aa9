"""What happens in a project, as records for whoever looks after the machine. Refuses what somebody wrote.

The log of events is the truth; this tells of it beside what else the process does.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from specloom.domain.events import agents, documents, planning, proof, runs, tasks
from specloom.domain.ids import CallId, CheckId, SessionId
from specloom.domain.project import ProjectState
from specloom.engine.api import Published

log = logging.getLogger("specloom.engine")

LOOK = 1.0
"""Seconds between two looks at the loop."""
SLOW = 0.5
"""Seconds by which a look comes late when something has held up the loop."""


@dataclass(slots=True)
class Diary:
    """An event listener; remembers when what is under way began."""

    root: Path
    began: dict[str, str] = field(default_factory=dict[str, str])
    _kept: ExitStack = field(default_factory=ExitStack)
    _watching: asyncio.Task[None] | None = None

    def begin(self, listening: AbstractContextManager[int]) -> None:
        """Listens from now on, and watches the loop."""
        self._kept.enter_context(listening)
        self._watching = asyncio.create_task(watch_loop(self.root))
        self._say("root opened", {})

    async def end(self) -> None:
        """Nothing is told any more."""
        watching, self._watching = self._watching, None
        if watching is not None:
            self._kept.close()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            self._say("root closed", {})

    def heard(self, published: Published, state: ProjectState) -> None:
        """Makes a record of the event, if one is worth it."""
        event, at = published.event, published.at
        match event:
            case agents.TurnRequested():
                self.began[_turn(event.session)] = at
            case agents.ToolRequested():
                self.began[_call(event.session, event.call)] = at
            case agents.MessageAdded():
                self._say("message added", _of(event.session, state), logging.DEBUG, content=event.content)
            case proof.CheckRequested():
                self.began[_check(event.check)] = at
            case agents.TurnFinished() | agents.TurnFailed() | agents.SessionStarted() | agents.SessionEnded():
                self._session(event, at, state)
            case agents.ToolSettled():
                ms = self._ms(_call(event.session, event.call), at)
                outcome = "failed" if event.is_error else "done"
                self._say(
                    f"tool {event.name} {outcome}",
                    _of(event.session, state),
                    content=event.content,
                    tool=event.name,
                    ms=ms,
                )
            case proof.CheckSettled():
                ms = self._ms(_check(event.check), at)
                self._say("verify command ended", {"task": event.task}, exit_code=event.exit_code, ms=ms)
            case _:
                self._rest(event)

    def _session(
        self,
        event: agents.TurnFinished | agents.TurnFailed | agents.SessionStarted | agents.SessionEnded,
        at: str,
        state: ProjectState,
    ) -> None:
        about = _of(event.session, state)
        match event:
            case agents.TurnFinished():
                ms = self._ms(_turn(event.session), at)
                tokens = {"input": event.usage.input, "output": event.usage.output}
                cached = {"cache_read": event.usage.cache_read, "cache_write": event.usage.cache_write}
                self._say(
                    f"turn {event.turn} answered",
                    about,
                    content=event.content,
                    model=event.model,
                    ms=ms,
                    tokens=tokens | cached,
                )
            case agents.TurnFailed():
                ms = self._ms(_turn(event.session), at)
                again = "" if event.retry_in_s is None else f"; again in {event.retry_in_s:g} s"
                level = logging.INFO if event.fault == agents.INTERRUPTED else logging.WARNING
                self._say(f"turn {event.turn} failed: {event.fault}{again}", about, level, ms=ms)
            case agents.SessionStarted():
                self._say(f"session of {event.role} started", about, model=event.model)
            case agents.SessionEnded():
                self._say(f"session ended: {event.outcome}", about)

    def _rest(self, event: object) -> None:
        name = type(event).__name__
        match event:
            case runs.RunStarted() | runs.RunPaused() | runs.RunResumed() | runs.RunFinished():
                self._run(event)
            case tasks.TaskStarted():
                self._say(f"attempt {event.number} started", {"task": event.task}, agent=event.agent)
            case tasks.TaskDone() | tasks.TaskFailed() | tasks.TaskBlocked() | tasks.TaskReleased():
                self._say(f"task {name.removeprefix('Task').lower()}", {"task": event.task})
            case tasks.AttemptFailed():
                self._say("attempt failed", {"task": event.task})
            case agents.ApprovalAsked():
                self._say(f"approval asked: {event.kind}", {"task": event.task or ""}, approval=event.approval)
            case agents.ApprovalAnswered():
                self._say(
                    f"approval {'given' if event.allowed else 'denied'}: {event.rule}", {}, approval=event.approval
                )
            case planning.PlanStarted() | planning.PlanFinished() | planning.PlanFailed():
                self._say(f"plan {name.removeprefix('Plan').lower()}", {}, plan=event.plan)
            case documents.LogRebuilt():
                self._say(name, {}, logging.WARNING, kept=event.kept, lost=event.lost, aside=event.aside)
            case documents.SettingsChanged() | documents.HeadChanged() | runs.BudgetExtended():
                self._say(name, {})
            case _:
                self._say(name, {}, logging.DEBUG)

    def _run(self, event: runs.RunStarted | runs.RunPaused | runs.RunResumed | runs.RunFinished) -> None:
        match event:
            case runs.RunStarted():
                scope = f"{event.scope.kind} {event.scope.id}".strip()
                self._say("run started", {}, run=event.run, scope=scope, unattended=event.unattended)
            case runs.RunPaused():
                self._say(f"run paused: {event.cause}", {}, run=event.run)
            case runs.RunResumed():
                self._say("run resumed", {}, run=event.run)
            case runs.RunFinished():
                self._say(f"run ended: {event.outcome}", {}, run=event.run)

    def _say(
        self, message: str, about: Mapping[str, str], level: int = logging.INFO, content: str = "", **data: Any
    ) -> None:
        """`content`: what somebody wrote; it is in the record only where its user asked for that."""
        known = {"workspace": str(self.root), **about, **data}
        log.log(level, "%s", message, extra={"data": known, "content": content})

    def _ms(self, what: str, at: str) -> int | None:
        began = self.began.pop(what, None)
        if began is None:
            return None
        return round((datetime.fromisoformat(at) - datetime.fromisoformat(began)).total_seconds() * 1000)


def _of(session: SessionId, state: ProjectState) -> dict[str, str]:
    record = state.sessions.get(session)
    return {"session": session, "task": (record.task or "") if record is not None else ""}


def _turn(session: SessionId) -> str:
    return f"turn {session}"


def _call(session: SessionId, call: CallId) -> str:
    return f"call {session} {call}"


def _check(check: CheckId) -> str:
    return f"check {check}"


async def watch_loop(root: Path) -> None:
    """Tells when something has held up the loop; until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(LOOK)
        late = loop.time() - before - LOOK
        if late > SLOW:
            log.warning("the loop stood still for %d ms", late * 1000, extra={"data": {"workspace": str(root)}})
