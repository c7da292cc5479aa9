"""What the engine may do with a task: start, prove, fail, block, release. Refuses a verdict without its attempt."""

from typing import assert_never

from specloom.domain import commands as c
from specloom.domain.citations import cited_by, restated
from specloom.domain.decide_tasks import blocked_by, freed_by, unknown_task
from specloom.domain.draft import Draft
from specloom.domain.events import Event, tasks
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunState
from specloom.domain.states import TaskState


def decide_attempt(state: ProjectState, command: c.AttemptCommand) -> tuple[Event, ...] | Rejected:
    """The events of one step of an attempt and their consequences for dependants."""
    match command:
        case c.StartTask():
            return _start(state, command)
        case c.RegressTask() | c.RenewProof() | c.MarkStale():
            return _about_proof(state, command)
        case c.BlockTask():
            return _block(state, command)
        case c.ProveTask() | c.FailAttempt() | c.ReleaseTask():
            return _verdict(state, command)
        case _:
            assert_never(command)


def _start(state: ProjectState, command: c.StartTask) -> tuple[Event, ...] | Rejected:
    unknown = unknown_task(state, command.task)
    if unknown is not None:
        return unknown
    run = state.run
    if run is None or run.state is not RunState.RUNNING:
        return Rejected("run-not-running", f"Task {command.task} cannot start: no run is running")
    now = state.state_of(command.task)
    if now is not TaskState.READY:
        return Rejected("task-not-ready", f"Task {command.task} cannot start: it is {now}")
    number, cited = state.record(command.task).attempts + 1, cited_by(state, command.task)
    started = tasks.TaskStarted(command.task, command.attempt, command.agent, run.id, number, command.verify, cited)
    return (started,)


def _verdict(state: ProjectState, command: c.ProveTask | c.FailAttempt | c.ReleaseTask) -> tuple[Event, ...] | Rejected:
    record = state.record(command.task)
    if record.attempt != command.attempt:
        message = f"Attempt {command.attempt} is not in flight for task {command.task}"
        return Rejected("attempt-over", message)
    match command:
        case c.ProveTask():
            if not command.evidence:
                return Rejected("no-evidence", f"Task {command.task} cannot be done without evidence")
            done = tasks.TaskDone(command.task, command.evidence, command.attempt, record.cited)
            return _freeing(state, done)
        case c.FailAttempt():
            if record.failures + 1 < command.limit:
                return (tasks.AttemptFailed(command.task, command.attempt, command.reason, command.feedback),)
            return _blocking(state, tasks.TaskFailed(command.task, command.reason, feedback=command.feedback))
        case c.ReleaseTask():
            return (tasks.TaskReleased(command.task, command.attempt, command.reason),)
        case _:
            assert_never(command)


def _block(state: ProjectState, command: c.BlockTask) -> tuple[Event, ...] | Rejected:
    record = state.record(command.task)
    if record.attempt != command.attempt:
        return Rejected("attempt-over", f"Attempt {command.attempt} is not in flight for task {command.task}")
    if record.state not in (TaskState.PENDING, TaskState.IN_PROGRESS):
        return Rejected("illegal-transition", f"Task {command.task} is {record.state} and cannot be blocked")
    return _blocking(state, tasks.TaskBlocked(command.task, command.reason, ungranted=command.ungranted))


def _freeing(state: ProjectState, event: tasks.TaskDone) -> tuple[Event, ...]:
    draft = Draft(state).add(event)
    draft.add(*restated(draft.state, (event.task,)))
    return draft.add(*freed_by(draft.state, event.task)).events


def _blocking(state: ProjectState, event: tasks.TaskFailed | tasks.TaskBlocked) -> tuple[Event, ...]:
    draft = Draft(state).add(event)
    return draft.add(*blocked_by(draft.state, event.task)).events


def _about_proof(
    state: ProjectState, command: c.RegressTask | c.RenewProof | c.MarkStale
) -> tuple[Event, ...] | Rejected:
    record = state.record(command.task)
    if record.state is not TaskState.DONE:
        return Rejected("task-not-done", f"Task {command.task} has no proof: it is {record.state}")
    match command:
        case c.RegressTask():
            return _blocking(state, tasks.TaskFailed(command.task, command.reason, command.by))
        case c.RenewProof():
            renewed = Draft(state).add(tasks.ProofRenewed(command.task, command.evidence, command.cited))
            return renewed.add(*restated(renewed.state, (command.task,))).events
        case c.MarkStale():
            stale = tasks.ProofStale(command.task, command.paths, record.outdated)
            return () if record.stale == command.paths else (stale,)
        case _:
            assert_never(command)
