"""Folds what budgets count: money, tokens, turns and the time of work, by run, task and quarter of an hour.

Refuses to count pauses, the time in which nothing ran, and clocks that go back.
"""

from typing import TypeAlias

from specloom.domain import budgets
from specloom.domain.budgets import BudgetPart, Spent
from specloom.domain.copies import with_changes
from specloom.domain.events import Event, agents, proof, runs, tasks
from specloom.domain.evolve_tasks import with_record
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.domain.runs import PauseCause

Timed: TypeAlias = (
    runs.RunEvent
    | tasks.TaskEvent
    | agents.TurnFinished
    | agents.TurnFailed
    | agents.ToolSettled
    | agents.SessionEnded
    | agents.ApprovalAnswered
    | proof.CheckSettled
)
"""What takes time ends with one of these."""


def timed(state: ProjectState, event: Event, at: str) -> ProjectState:
    """The state with the time of work counted up to `at`; to be called before the event is folded."""
    if not isinstance(event, Timed):
        return state
    run = state.run
    working = run is not None and run.works
    # Of a run that was cut off nobody knows how long it went on after its last fact.
    cut_off = isinstance(event, runs.RunPaused) and event.cause is PauseCause.INTERRUPTED
    passed = budgets.seconds_between(state.clocked_at, at) if working and not cut_off and state.clocked_at else 0.0
    if run is not None and passed:
        time = Spent(seconds=passed)
        state = with_changes(
            state,
            worked_s=state.worked_s + passed,
            run=with_changes(run, spent=run.spent + time),
            quarters=budgets.charged(state.quarters, at, time),
        )
    return _timed_task(with_changes(state, clocked_at=at), event)


def _timed_task(state: ProjectState, event: Timed) -> ProjectState:
    task = _task_of(state, event)
    if task is None:
        return state
    record = state.record(task)
    if isinstance(event, tasks.TaskStarted):
        return with_record(state, task, with_changes(record, clocked_s=state.worked_s, more_turns=0))
    passed = state.worked_s - record.clocked_s
    if record.attempt is None or passed <= 0:
        return state
    spent = record.spent + Spent(seconds=passed)
    return with_record(state, task, with_changes(record, spent=spent, clocked_s=state.worked_s))


def _task_of(state: ProjectState, event: Timed) -> TaskId | None:
    if isinstance(event, tasks.TaskEvent | proof.CheckSettled):
        return event.task
    if isinstance(event, runs.RunEvent | agents.ApprovalAnswered):
        return None
    session = state.sessions.get(event.session)
    return None if session is None else state.task_of(session)


def spent(state: ProjectState, task: TaskId | None, cost: Spent, at: str) -> ProjectState:
    """The state after a turn that cost so much."""
    state = with_changes(state, quarters=budgets.charged(state.quarters, at, cost))
    if task is not None:
        record = state.record(task)
        state = with_record(state, task, with_changes(record, spent=record.spent + cost))
    run = state.run
    if run is not None and run.active:
        state = with_changes(state, run=with_changes(run, spent=run.spent + cost))
    return state


def extended(state: ProjectState, event: runs.BudgetExtended, at: str) -> ProjectState:
    """The state after a limit was raised."""
    if event.part is BudgetPart.DAY:
        return with_changes(state, quarters=budgets.charged(state.quarters, at, Spent(), event.more))
    run, task = state.run, event.task
    if event.part is BudgetPart.RUN and run is not None and run.id == event.run:
        return with_changes(state, run=with_changes(run, more=budgets.granted(run.more, event.more)))
    if task is None:
        return state
    record = state.record(task)
    if event.part is BudgetPart.TASK:
        return with_record(state, task, with_changes(record, more=budgets.granted(record.more, event.more)))
    return with_record(state, task, with_changes(record, more_turns=record.more_turns + (event.more.turns or 0)))
