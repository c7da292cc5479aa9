"""Work-done progress of plans and runs, with a percentage and a cancel that cancels.

Refuses to create a token for clients that do not announce `window.workDoneProgress`.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

from lsprotocol import types

from specloom.domain.decide_documents import HEAD_CHANGED, changed
from specloom.domain.events import agents, documents, planning, runs, tasks
from specloom.domain.project import PlanRecord, ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunState, Scope, why_paused
from specloom.domain.scope import tasks_in
from specloom.domain.states import SATISFIED, TaskState
from specloom.engine.api import Accepted, OutputChunk, Published
from specloom.engine.waiting import ModelWatch
from specloom.lsp.capabilities import shows_progress
from specloom.lsp.serving import Hosted

Cancel: TypeAlias = Callable[[], Coroutine[Any, Any, Accepted | Rejected]]
_Asking: TypeAlias = agents.ApprovalAsked | agents.ApprovalAnswered
CREATE_DEADLINE = 5.0
MOST_QUEUED = 512 * 1024
"""Bytes waiting for the client beyond which no stand is told: a later one says it all."""
SILENCE_S = 5.0
"""Between looks at whether the model says anything."""
OUTLINE = 10
"""Percent of a plan that its outline is; the rest is shared by the texts that it asks for."""
ALMOST = 99
"""Percent of what is not over, whatever is done of it."""
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Stand:
    """How far something is."""

    percentage: int
    message: str


class Bar:
    """One progress of the client. What comes before the client took the token is told with the first report."""

    def __init__(self, hosted: Hosted, title: str, cancel: Cancel, first: Stand) -> None:
        self._hosted = hosted
        self._token = f"specloom-{hosted.connection.name}-{next(_numbers)}"
        self._title = title
        self._stand = first
        self._state = "creating"
        hosted.connection.cancellable[self._token] = lambda: hosted.connection.start(cancel(), f"cancel {title}")
        hosted.connection.start(self._create(), f"progress of {title}")

    def report(self, stand: Stand) -> None:
        """Tells a new stand; percentages never fall."""
        stand = Stand(max(stand.percentage, self._stand.percentage), stand.message)
        if stand == self._stand:
            return
        self._stand = stand
        if self._state == "shown" and self._hosted.connection.outgoing.waiting < MOST_QUEUED:
            self._send(types.WorkDoneProgressReport(message=stand.message, percentage=stand.percentage))

    def end(self, message: str) -> None:
        """Closes it."""
        self._hosted.connection.cancellable.pop(self._token, None)
        if self._state == "shown":
            self._send(types.WorkDoneProgressEnd(message=message))
        self._state = "ended"

    async def _create(self) -> None:
        outgoing = self._hosted.connection.outgoing
        params = types.WorkDoneProgressCreateParams(self._token)
        accepted = await outgoing.accepts(types.WINDOW_WORK_DONE_PROGRESS_CREATE, params, CREATE_DEADLINE)
        if not accepted or self._state == "ended":
            return
        self._state = "shown"
        stand = self._stand
        self._send(
            types.WorkDoneProgressBegin(
                title=self._title, cancellable=True, message=stand.message, percentage=stand.percentage
            )
        )

    def _send(self, value: object) -> None:
        self._hosted.connection.outgoing.notify(types.PROGRESS, types.ProgressParams(self._token, value))


class ProgressReports:
    """Opens and closes bars as plans and runs come and go."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self.shows = shows_progress(hosted.connection.outgoing.capabilities)
        """Whether there are bars at all; without them nothing that is said need be heard."""
        self._run: Bar | None = None
        self._plan: Bar | None = None
        self._models = ModelWatch(asyncio.get_running_loop().time)
        self._watching: asyncio.Task[None] | None = None
        self._waiting = ""
        """What is told beside the stand."""

    def start(self) -> None:
        """Shows what is going on already."""
        state = self._hosted.state
        if self.shows:
            self._watching = self._hosted.connection.start(self._watch(), "silence of models")
        if state.run is not None and state.run.active:
            self._start_run(state, state.run.scope)
        if state.running_plan is not None:
            self._start_plan(state)

    def stop(self) -> None:
        """The root is closed: what goes on there is not told here any more."""
        if self._watching is not None:
            self._watching.cancel()
        _end(self._run, "")
        _end(self._plan, "")

    def hear_output(self, chunk: OutputChunk) -> None:
        """The model, or a command, says something."""
        self._models.hear_output(chunk)

    def heard(self, published: Published, state: ProjectState) -> None:
        """An event was committed."""
        event = published.event
        if self.shows:
            self._models.hear(published, state)
        if isinstance(event, documents.HeadChanged):
            self._tell_of_head(event, state)
        elif isinstance(event, runs.RunStarted):
            self._start_run(state, event.scope)
        elif isinstance(event, runs.RunFinished):
            _end(self._run, event.reason or event.outcome.value)
        elif isinstance(event, planning.PlanStarted):
            self._start_plan(state)
        elif isinstance(event, planning.PlanFinished | planning.PlanFailed):
            failed = isinstance(event, planning.PlanFailed)
            _end(self._plan, event.reason if failed else "planned")
        elif isinstance(event, runs.RunEvent | tasks.TaskEvent | _Asking):
            self._report_run(state)
        elif isinstance(event, planning.PlanningEvent):
            self._report_plan(state)

    def _tell_of_head(self, event: documents.HeadChanged, state: ProjectState) -> None:
        if event.files and state.run is not None and state.run.active:
            message = f"Specloom: {HEAD_CHANGED} {changed(event)}; the run pauses until you resume it"
            self._hosted.connection.outgoing.show(types.MessageType.Warning, message)

    def _start_run(self, state: ProjectState, scope: Scope) -> None:
        _end(self._run, "")
        runtime, by = self._hosted.runtime, self._hosted.by
        if self.shows:
            self._run = Bar(
                self._hosted, self._title("run", state), lambda: runtime.cancel(by), run_stand(state, scope)
            )

    def _start_plan(self, state: ProjectState) -> None:
        _end(self._plan, "")
        runtime, by = self._hosted.runtime, self._hosted.by
        if self.shows:
            self._plan = Bar(
                self._hosted, self._title("plan", state), lambda: runtime.cancel_plan(by), plan_stand(state)
            )

    def _title(self, what: str, state: ProjectState) -> str:
        """Whose it is stands there where the client has several."""
        name = state.name or self._hosted.places.root.name
        return f"Specloom {what} of {name}" if len(self._hosted.connection.roots) > 1 else f"Specloom {what}"

    def _report_run(self, state: ProjectState) -> None:
        if self._run is not None and state.run is not None:
            self._run.report(self._told(run_stand(state, state.run.scope)))

    def _report_plan(self, state: ProjectState) -> None:
        if self._plan is not None:
            self._plan.report(self._told(plan_stand(state)))

    def _told(self, stand: Stand) -> Stand:
        return Stand(stand.percentage, f"{stand.message}; {self._waiting}") if self._waiting else stand

    async def _watch(self) -> None:
        """An endpoint that says nothing for long must not look like a server that hangs."""
        while True:
            await asyncio.sleep(SILENCE_S)
            silence, before = self._models.silence(), self._waiting
            self._waiting = silence.told(self._hosted.runtime.host_of(silence.role)) if silence is not None else ""
            if self._waiting != before:
                self._report_run(self._hosted.state)
                self._report_plan(self._hosted.state)


def run_stand(state: ProjectState, scope: Scope) -> Stand:
    """Done and skipped leaves of the scope, and what is being worked on."""
    leaves = tasks_in(state.graph, scope)
    done = sum(state.record(leaf).state in SATISFIED for leaf in leaves)
    working = [leaf for leaf in leaves if state.record(leaf).state is TaskState.IN_PROGRESS]
    run = state.run
    now = ", ".join(working)
    if state.approvals:
        now = f"{now} waits for your answer".lstrip()
    elif run is not None and (run.state is not RunState.RUNNING or (run.reason and not working)):
        after = f" after this {run.pause_after}" if run.state is RunState.PAUSING else ""
        why = f": {run.reason}" if why_paused(run.reason) else ""
        now = f"{now} {run.state.value}{after}{why}".lstrip()
    message = f"{done}/{len(leaves)}" + (f" {now}" if now else "")
    return Stand(100 * done // len(leaves) if leaves else 0, message)


def plan_stand(state: ProjectState) -> Stand:
    """The outline, then the texts and task lists that it asks for."""
    plan = state.planning
    if plan is None or not (plan.outline or plan.steps):
        return Stand(0, "asking for the outline")
    share = plan.steps_done / plan.steps if plan.steps else 0.0
    percentage = OUTLINE + round((ALMOST - OUTLINE) * share)
    return Stand(percentage, f"{plan.steps_done}/{plan.steps} {_writing(plan)}".rstrip())


def _writing(plan: PlanRecord) -> str:
    """The texts that stream in."""
    bodies = {spec for spec, stage in plan.written if stage == planning.PlanStage.SPECS}
    lists = {spec for spec, _ in plan.writing if spec in bodies or plan.stage == planning.PlanStage.TASKS}
    named = (f"the tasks of {path}" if spec in lists else path for spec, path in plan.writing)
    return f"writing {', '.join(named)}" if plan.writing else ""


def _end(bar: Bar | None, message: str) -> None:
    if bar is not None:
        bar.end(message)
