"""Events as lines that a person cares about. Refuses detail: what is left out is in `specloom events`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from specloom.cli.views.formats import WHOLE, count, duration, one_line, visible_line
from specloom.cli.views.marks import MARKS
from specloom.cli.views.session_lines import SessionLines
from specloom.cli.views.task_lines import Line, task_line, task_name
from specloom.domain.budgets import amount
from specloom.domain.decide_documents import HEAD_CHANGED, changed
from specloom.domain.events import agents, documents, planning, proof, runs, tasks
from specloom.domain.ids import CheckId
from specloom.domain.project import ProjectState
from specloom.domain.runs import PauseCause, RunOutcome, Scope, why_paused
from specloom.domain.states import TaskState
from specloom.engine.api import Published

WAITS = (PauseCause.OFFLINE, PauseCause.KEY)
"""Pauses that end by themselves."""


@dataclass(slots=True)
class EventLines:
    """Turns events into lines; remembers what a later event only names by id."""

    checks: dict[CheckId, proof.CheckRequested] = field(default_factory=dict[CheckId, proof.CheckRequested])
    sessions: SessionLines = field(default_factory=SessionLines)

    def of(self, published: Published, state: ProjectState) -> tuple[Line, ...]:
        """The lines of an event, none if nobody needs one; `state` is the one after it."""
        return tuple(replace(line, text=visible_line(line.text)) for line in self._of(published, state))

    def _of(self, published: Published, state: ProjectState) -> Iterable[Line]:
        event = published.event
        if isinstance(event, tasks.TaskEvent):
            if isinstance(event, tasks.TaskStarted):
                self.sessions.begin(event)
            if isinstance(event, tasks.TaskReleased) and event.reason == self.sessions.ended_by:
                event = replace(event, reason="")
            return (task_line(event, state),)
        if isinstance(event, runs.RunEvent):
            return _run(event, state)
        if isinstance(event, planning.PlanningEvent):
            return _plan(event, state)
        if isinstance(event, proof.ProofEvent):
            return self._proof(event)
        if isinstance(event, documents.SettingsChanged):
            return (Line(f"other settings from the next turn on: {one_line(', '.join(event.keys), 160)}", "dim"),)
        if isinstance(event, documents.LogRebuilt):
            return (Line(one_line(event.told, WHOLE), "yellow"),)
        if isinstance(event, documents.HeadChanged):
            # A commit changes nothing that anybody works on.
            told = event.files and event.before
            return (Line(f"{HEAD_CHANGED} {one_line(changed(event), 160)}", "yellow"),) if told else ()
        return self.sessions.of(event, state) if isinstance(event, agents.AgentEvent) else ()

    def _proof(self, event: proof.ProofEvent) -> Iterator[Line]:
        match event:
            case proof.CheckRequested():
                self.checks[event.check] = event
            case proof.CheckSettled():
                yield from _check(event, self.checks.pop(event.check, None))
            case proof.EditRequested() | proof.EditSettled():
                yield from self.sessions.edit(event)
            case proof.ChangeSetRecorded():
                return
            case _:
                assert_never(event)


def scope_name(scope: Scope) -> str:
    """`the whole project`, `spec 01`, `task 01/2.1`."""
    return "the whole project" if scope.kind == "project" else f"{scope.kind} {scope.id}"


def run_end(outcome: RunOutcome, reason: str) -> str:
    """`run completed`, `run stopped: …`; the reason whole, since it ends with what to do."""
    told = f"run {outcome_name(outcome)}"
    return f"{told}: {one_line(reason, WHOLE)}" if reason else told


def outcome_name(outcome: RunOutcome) -> str:
    """What people call it."""
    return {RunOutcome.FAULT: "stopped", RunOutcome.BUDGET: "out of budget"}.get(outcome, outcome.value)


def _run(event: runs.RunEvent, state: ProjectState) -> Iterator[Line]:
    match event:
        case runs.RunStarted():
            yield Line(f"run started: {scope_name(event.scope)}", "bold")
        case runs.RunPausing():
            # Who paused here has been told so already.
            if event.after == "task":
                yield Line("pausing after the task in flight", "yellow")
            elif why_paused(event.reason) and not event.reason.startswith(HEAD_CHANGED):
                yield Line(f"pausing: {one_line(event.reason)}", "yellow")
        case runs.RunPaused():
            why = f": {one_line(event.reason, WHOLE)}" if why_paused(event.reason) else ""
            # A terminal that asks nothing then would only stand still.
            yield Line(f"paused{why}", "yellow", 2 if event.cause in WAITS else 0)
        case runs.RunResumed():
            yield Line("run goes on", "bold")
            mark = MARKS[TaskState.IN_PROGRESS]
            working = (task for task in state.graph.order if state.record(task).state is TaskState.IN_PROGRESS)
            yield from (Line(f"{mark.symbol} {task_name(state, task)} (resumed)", mark.style) for task in working)
        case runs.RunCancelling():
            yield Line("cancelling", "yellow")
        case runs.BudgetExtended():
            who = "you" if event.rule == agents.PERSON else event.rule
            about = f"task {event.task}" if event.task is not None else f"the {event.part.value}"
            yield Line(f"{amount(event.more)} more for {about} (allowed by {who})", "dim")
        case runs.RunFinished():
            good = event.outcome is RunOutcome.COMPLETED
            yield Line(run_end(event.outcome, event.reason), "bold green" if good else "bold yellow")
        case _:
            assert_never(event)


def _plan(event: planning.PlanningEvent, state: ProjectState) -> Iterator[Line]:
    match event:
        case planning.PlanStarted():
            what = "tasks" if event.stage is planning.PlanStage.TASKS else "specs"
            yield Line(f"planning {what} from {event.path}", "bold")
        case planning.OutlineAccepted():
            yield Line("outline accepted")
            for name, reason in event.out_of_scope:
                yield Line(f"out of scope: {name}: {one_line(reason, 400)}", "yellow", 1, 1)
        case planning.SpecGenerating():
            # The line that it is written comes soon enough; a terminal shows the words as they come.
            return
        case planning.SpecWritten():
            what = "the tasks of " if event.stage is planning.PlanStage.TASKS else ""
            offered = " (offered: you edited the file meanwhile)" if event.offered else ""
            yield Line(f"wrote {what}{event.path}{offered}")
        case planning.PlanRefused():
            yield Line(f"sent back to the planner, to be mended ({count(len(event.problems), 'fault')}):", "yellow", 2)
            for problem in event.problems:
                yield Line(f"- {one_line(problem.message, 400)}", "yellow", 2, 1)
        case planning.PlanFinished():
            leaves = sum(not task.optional and task.is_leaf for task in state.graph.tasks.values())
            yield Line(f"plan finished: {count(len(event.specs), 'spec')}, {count(leaves, 'task')}", "bold green")
        case planning.PlanFailed():
            yield Line(f"plan failed: {one_line(event.reason, WHOLE)}", "bold red", 2)
        case _:
            assert_never(event)


def _check(event: proof.CheckSettled, asked: proof.CheckRequested | None) -> Iterator[Line]:
    if asked is not None and asked.phase is proof.CheckPhase.BEFORE:
        return
    command = one_line(asked.command, 160) if asked else "verify command"
    took = duration(event.duration_s)
    if event.exit_code == 0:
        yield Line(f"verified: `{command}` passed ({took})", "green", 0, 1)
        return
    end = "ran out of time" if event.timed_out else f"ended with {event.exit_code}"
    if event.exit_code is None and not event.timed_out:
        end = one_line(event.note) or "did not end"
    # What it means for the task is told next, and in a terminal that is enough.
    yield Line(f"verification failed: `{command}` {end} ({took})", "red", 1, 1)
