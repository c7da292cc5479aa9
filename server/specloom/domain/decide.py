"""Turns an order into facts, or refuses it with a reason. Refuses side effects: same state and order, same answer."""

from difflib import get_close_matches
from typing import assert_never

from specloom.domain import commands as c
from specloom.domain.decide_attempts import decide_attempt
from specloom.domain.decide_documents import decide_document
from specloom.domain.decide_prompts import decide_prompt
from specloom.domain.decide_tasks import decide_user_task
from specloom.domain.events import Event, runs, tasks
from specloom.domain.ids import SpecId, TaskId
from specloom.domain.project import ProjectState, RunRecord
from specloom.domain.rejection import Rejected
from specloom.domain.runs import PauseCause, RunState, Scope
from specloom.domain.scope import tasks_in
from specloom.domain.states import TaskState


def decide(state: ProjectState, command: c.Command) -> tuple[Event, ...] | Rejected:
    """The events that carry out `command` in `state`; an empty tuple when it is already so."""
    if isinstance(command, c.RunCommand):
        return _decide_run(state, command)
    if isinstance(command, c.AttemptCommand):
        return decide_attempt(state, command)
    if isinstance(command, c.PromptCommand):
        return decide_prompt(state, command)
    if isinstance(command, c.UserTaskCommand):
        return decide_user_task(state, command)
    return decide_document(state, command)


def _decide_run(state: ProjectState, command: c.RunCommand) -> tuple[Event, ...] | Rejected:
    if isinstance(command, c.StartRun):
        return _start(state, command)
    run = state.run
    if run is None or not run.active:
        return Rejected("no-active-run", "There is no active run; start one with `specloom run`")
    match command:
        case c.PauseRun():
            return _pause(run, command)
        case c.SettlePause():
            return _settle_pause(run, command)
        case c.ExtendBudget():
            return _extend(state, run, command)
        case c.ResumeRun():
            return _resume(run, command)
        case c.CancelRun():
            return () if run.state is RunState.CANCELLING else (runs.RunCancelling(run.id),)
        case c.FinishRun() if command.run not in (None, run.id):
            return ()
        case c.FinishRun():
            return (runs.RunFinished(run.id, command.outcome, command.reason),)
        case _:
            assert_never(command)


def _pause(run: RunRecord, command: c.PauseRun) -> tuple[Event, ...]:
    if run.state is RunState.PAUSED and run.cause in (PauseCause.OFFLINE, PauseCause.KEY):
        # Now it shall not go on by itself.
        return (runs.RunPaused(run.id, command.reason),)
    # Who wants it sooner than it was wanted before is heard, who wants it later is not.
    sooner = run.state is RunState.PAUSING and (run.pause_after, command.after) == ("task", "turn")
    wanted = run.state is RunState.RUNNING or sooner
    return (runs.RunPausing(run.id, command.reason, command.after),) if wanted else ()


def _settle_pause(run: RunRecord, command: c.SettlePause) -> tuple[Event, ...]:
    # Without a reason it only answers a wish to pause, which a resume may have taken back meanwhile.
    settles = run.state is RunState.PAUSING or (run.state is RunState.RUNNING and command.reason != "")
    if not settles:
        return ()
    return (runs.RunPaused(run.id, command.reason or run.reason, command.cause),)


def _extend(state: ProjectState, run: RunRecord, command: c.ExtendBudget) -> tuple[Event, ...]:
    task = None if command.task is None else state.renumbered(command.task)
    extended = runs.BudgetExtended(command.part, command.more, run.id, task, command.rule)
    if run.state is not RunState.PAUSED or run.cause is not PauseCause.BUDGET:
        return (extended,)
    return (extended, *_resumed(run))


def _resumed(run: RunRecord) -> tuple[Event, ...]:
    """Of what was paused for a lack of something: who wanted a pause after the task still wants it."""
    wanted = (runs.RunPausing(run.id, c.PauseRun().reason, "task"),) if run.pause_after == "task" else ()
    return (runs.RunResumed(run.id), *wanted)


def _resume(run: RunRecord, command: c.ResumeRun) -> tuple[Event, ...] | Rejected:
    other = command.cause is not None and (run.state is not RunState.PAUSED or run.cause is not command.cause)
    if run.state is RunState.RUNNING or other:
        return ()
    if run.state is RunState.CANCELLING:
        return Rejected("run-cancelling", f"Run {run.id} is being cancelled; start a new one when it has ended")
    return (runs.RunResumed(run.id),) if command.cause is None else _resumed(run)


def _start(state: ProjectState, command: c.StartRun) -> tuple[Event, ...] | Rejected:
    if state.run is not None and state.run.active:
        return Rejected("run-active", f"Run {state.run.id} is {state.run.state}; resume or cancel it first")
    fault = check_scope(state, command.scope)
    if fault is not None:
        return fault
    started = runs.RunStarted(command.run, command.scope, command.budget, command.unattended)
    return (started, *_named_again(state, command.scope))


def _named_again(state: ProjectState, scope: Scope) -> tuple[Event, ...]:
    # Who names a failed task wants it tried again; a project or spec scope leaves verdicts alone.
    if scope.kind != "task":
        return ()
    chosen = tasks_in(state.graph, scope)
    failed = (task for task in chosen if state.record(task).state is TaskState.FAILED)
    return tuple(tasks.TaskRetried(task) for task in failed)


def check_scope(state: ProjectState, scope: Scope) -> Rejected | None:
    """Whether the scope names something that exists."""
    specs, graph = state.plan.specs, state.graph
    if not graph.tasks:
        return Rejected("no-tasks", "There are no tasks; plan first with `specloom plan`")
    if scope.kind == "project":
        return None
    if scope.kind == "spec" and SpecId(scope.id) in specs:
        return None
    if scope.kind == "task" and TaskId(scope.id) in graph.tasks:
        return None
    known = [*specs, *graph.tasks]
    near = tuple(get_close_matches(scope.id, known, n=3, cutoff=0.5))
    hint = f"; did you mean {' or '.join(near)}?" if near else "; `specloom tasks` lists them"
    return Rejected(f"unknown-{scope.kind}", f"There is no {scope.kind} {scope.id!r}{hint}", near)
