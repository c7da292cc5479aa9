"""Folds what happened to tasks. Refuses a change that the state table does not hold: such an event is a bug of ours."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from specloom.domain.copies import with_changes
from specloom.domain.events import tasks
from specloom.domain.ids import TaskId
from specloom.domain.project import PastAttempt, ProjectState, TaskRecord
from specloom.domain.states import TaskAction, transition

Verdict: TypeAlias = tasks.TaskDone | tasks.TaskFailed | tasks.TaskBlocked
Order: TypeAlias = tasks.TaskUnblocked | tasks.TaskSkipped | tasks.TaskReset | tasks.TaskRetried


class IllegalEventError(Exception):
    """An event in the log that no state allows: a bug of ours, or a log that was tampered with."""


def on_tasks(state: ProjectState, event: tasks.TaskEvent, at: str, seq: int) -> ProjectState:
    """The state after a task event with the sequence number `seq`."""
    before = state.record(event.task)
    record = _after(before, event, at)
    if isinstance(event, tasks.TaskStarted):
        record = with_changes(record, began=seq)
    elif before.attempt is not None and record.attempt is None and not isinstance(event, tasks.TaskReset):
        record = with_changes(record, past=PastAttempt(before.attempt, before.began, seq, _released(event)))
    return with_record(state, event.task, record)


def _released(event: tasks.TaskEvent) -> str:
    """Why the attempt that `event` ends was not verified; empty: it was."""
    match event:
        case tasks.TaskReleased():
            return event.reason
        case tasks.TaskBlocked():
            return f"blocked: {event.reason}"
        case _:
            return ""


def with_record(state: ProjectState, task: TaskId, record: TaskRecord) -> ProjectState:
    """The state with another record of one task; readiness follows incrementally."""
    records = state.tasks.insert(task, record)
    return with_changes(state, tasks=records, progress=state.progress.after(records, task))


def _act(record: TaskRecord, action: TaskAction, event: tasks.TaskEvent) -> TaskRecord:
    to = transition(record.state, action)
    if to is None:
        raise IllegalEventError(f"{type(event).__name__} for task {event.task!r}, which is {record.state}")
    return with_changes(record, state=to)


def _after(record: TaskRecord, event: tasks.TaskEvent, at: str) -> TaskRecord:
    match event:
        case tasks.TaskStarted():
            return _started(record, event, at)
        case tasks.TaskReleased():
            return _idle(_act(record, TaskAction.RELEASE, event))
        case tasks.AttemptFailed():
            told = event.feedback or event.reason
            idle = _idle(_act(record, TaskAction.RELEASE, event))
            return with_changes(idle, feedback=told, failures=record.failures + 1)
        case tasks.ProofStale():
            return with_changes(record, stale=event.paths, outdated=event.requirements)
        case tasks.ProofRenewed():
            renewed = with_changes(record, stale=(), evidence=event.evidence, ended_at=at)
            return renewed if event.cited is None else with_changes(renewed, cited=event.cited, outdated=(), places=())
        case _:
            return _moved(record, event, at)


def _moved(record: TaskRecord, event: Verdict | Order, at: str) -> TaskRecord:
    match event:
        case tasks.TaskDone():
            by_engine = event.attempt is not None and event.attempt == record.attempt
            done = _act(record, TaskAction.PROVE if by_engine else TaskAction.TICK, event)
            proven = with_changes(_idle(done), evidence=event.evidence, stale=(), cited=event.cited, outdated=())
            proven = proven if by_engine else with_changes(proven, places=())
            return with_changes(proven, feedback="", refused=(), reason="", ended_at=at)
        case tasks.TaskFailed():
            failed = _idle(_act(record, TaskAction.FAIL, event))
            return with_changes(
                failed, reason=event.reason, feedback=event.feedback or event.reason, stale=(), outdated=(), ended_at=at
            )
        case tasks.TaskBlocked():
            blocked = _idle(_act(record, TaskAction.BLOCK, event))
            return with_changes(blocked, reason=event.reason, cause=event.cause, ungranted=event.ungranted)
        case tasks.TaskUnblocked():
            return _act(_clear(record), TaskAction.FREE if event.by_cause else TaskAction.UNBLOCK, event)
        case tasks.TaskSkipped():
            return with_changes(_act(_clear(record), TaskAction.SKIP, event), reason=event.reason)
        case tasks.TaskReset():
            fresh = _act(_clear(record), TaskAction.RESET, event)
            unproven = with_changes(fresh, evidence=(), stale=(), cited=(), outdated=(), places=(), past=None)
            unproven = with_changes(unproven, feedback="", claim="", refused=(), verify=())
            return with_changes(unproven, attempts=0, failures=0, started_at="", ended_at="")
        case tasks.TaskRetried():
            return with_changes(_act(_clear(record), TaskAction.RETRY, event), attempts=0, failures=0)
        case _:
            assert_never(event)


def _started(record: TaskRecord, event: tasks.TaskStarted, at: str) -> TaskRecord:
    return with_changes(
        _act(_clear(record), TaskAction.START, event),
        attempts=event.number,
        attempt=event.attempt,
        agent=event.agent,
        verify=event.verify,
        cited=event.cited,
        places=(),
        started_at=record.started_at if event.number > 1 else at,
        ended_at="",
    )


def _idle(record: TaskRecord) -> TaskRecord:
    return with_changes(record, attempt=None, agent=None)


def _clear(record: TaskRecord) -> TaskRecord:
    return with_changes(record, reason="", cause=None, ungranted=())
