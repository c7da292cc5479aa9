"""Folds one event into the projection of a project. Refuses to judge: what is in the log has happened."""

from __future__ import annotations

from typing import TypeAlias, TypeVar, assert_never

from rpds import HashTrieMap

from specloom.domain.copies import with_changes
from specloom.domain.events import Event, agents, documents, planning, proof, runs, tasks
from specloom.domain.evolve_agents import on_agents
from specloom.domain.evolve_spending import extended, timed
from specloom.domain.evolve_tasks import on_tasks, with_record
from specloom.domain.ids import TaskId
from specloom.domain.project import (
    ChangeSetRecord,
    HeadRecord,
    OpenCheck,
    OpenEdit,
    Plan,
    PlanRecord,
    Progress,
    ProjectState,
    RunRecord,
)
from specloom.domain.requirement_moves import followed
from specloom.domain.runs import PauseCause, RunState

_T = TypeVar("_T")

REFUSED_KEPT = 5
"""Refused edits that a task record keeps; all of them are in the log."""


def evolve(state: ProjectState, event: Event, at: str, seq: int) -> ProjectState:
    """The state after `event`, which has the sequence number `seq` and happened `at`."""
    after = _dispatch(timed(state, event, at), event, at, seq)
    return with_changes(after, seq=seq)


def _dispatch(state: ProjectState, event: Event, at: str, seq: int) -> ProjectState:
    if state.rebuilt and isinstance(event, runs.RunStarted | runs.RunResumed | planning.PlanStarted):
        # Who orders work has looked.
        state = with_changes(state, rebuilt="")
    if isinstance(event, tasks.TaskEvent):
        return on_tasks(state, event, at, seq)
    if isinstance(event, agents.AgentEvent):
        return on_agents(state, event, at)
    if isinstance(event, proof.ProofEvent):
        return _on_proof(state, event, seq)
    if isinstance(event, documents.DocumentEvent):
        return _on_documents(state, event)
    if isinstance(event, runs.BudgetExtended):
        return extended(state, event, at)
    if isinstance(event, runs.RunEvent):
        return with_changes(state, run=_on_run(state.run, event, at))
    planned = with_changes(state, planning=_on_planning(state.planning, event))
    if isinstance(event, planning.OutlineAccepted):
        return with_changes(planned, out_of_scope=tuple(name for name, _ in event.out_of_scope))
    return planned


def _on_documents(state: ProjectState, event: documents.DocumentEvent) -> ProjectState:
    match event:
        case documents.ProjectOpened():
            return with_changes(state, id=event.project, name=event.name)
        case documents.LogRebuilt():
            return with_changes(state, rebuilt=event.told, unread=tuple(state.plan.specs))
        case documents.RequirementsRead():
            state = followed(state, event.path, event.requirements)
            read = with_changes(state, requirements=state.requirements.insert(event.path, event.requirements))
            return with_changes(read, planning=_outdated(state.planning, event.path))
        case documents.RequirementsRemoved():
            return with_changes(state, requirements=state.requirements.discard(event.path))
        case documents.SpecRead():
            unread = tuple(spec for spec in state.unread if spec != event.spec.id)
            plan = Plan(state.plan.specs.insert(event.spec.id, event.spec))
            return with_changes(_with_plan(state, plan, event.renamed), unread=unread)
        case documents.SettingsChanged():
            return state
        case documents.HeadChanged():
            return with_changes(state, head=HeadRecord(event.branch, event.after))
        case documents.SpecRemoved():
            return _with_plan(state, Plan(state.plan.specs.discard(event.spec)), event.renamed)
        case _:
            assert_never(event)


def _with_plan(state: ProjectState, plan: Plan, renamed: tuple[tuple[TaskId, TaskId], ...]) -> ProjectState:
    records, changes = _renamed(state.tasks, renamed), _renamed(state.change_sets, renamed)
    return with_changes(state, plan=plan, tasks=records, change_sets=changes, progress=Progress(plan, records))


def _renamed(records: HashTrieMap[TaskId, _T], renamed: tuple[tuple[TaskId, TaskId], ...]) -> HashTrieMap[TaskId, _T]:
    # All are taken out before any is put back: a swap of two ids must not lose either history.
    moved = [(new, records[old]) for old, new in renamed if old in records]
    for old, _ in renamed:
        records = records.discard(old)
    for new, record in moved:
        records = records.insert(new, record)
    return records


OfRun: TypeAlias = (
    runs.RunStarted | runs.RunPausing | runs.RunPaused | runs.RunResumed | runs.RunCancelling | runs.RunFinished
)


def _on_run(run: RunRecord | None, event: OfRun, at: str) -> RunRecord | None:
    if isinstance(event, runs.RunStarted):
        return RunRecord(event.run, event.scope, event.budget, event.unattended, RunState.RUNNING, at)
    if run is None or run.id != event.run:
        return run
    match event:
        case runs.RunPausing():
            return with_changes(run, state=RunState.PAUSING, reason=event.reason, pause_after=event.after)
        case runs.RunPaused():
            return with_changes(run, state=RunState.PAUSED, reason=event.reason, cause=event.cause)
        case runs.RunResumed():
            return with_changes(run, state=RunState.RUNNING, reason="", cause=PauseCause.OTHER, pause_after="turn")
        case runs.RunCancelling():
            return with_changes(run, state=RunState.CANCELLING)
        case runs.RunFinished():
            return with_changes(run, state=RunState.FINISHED, outcome=event.outcome, reason=event.reason, ended_at=at)
        case _:
            assert_never(event)


def _on_proof(state: ProjectState, event: proof.ProofEvent, seq: int) -> ProjectState:
    match event:
        case proof.CheckRequested():
            opened = OpenCheck(event.task, event.attempt, event.command)
            return with_changes(state, checks=state.checks.insert(event.check, opened))
        case proof.CheckSettled():
            return with_changes(state, checks=state.checks.discard(event.check))
        case proof.EditRequested():
            pending = OpenEdit(event.attempt, event.task, event.path, event.before_digest, event.after_digest)
            return with_changes(state, edits=state.edits.insert(event.edit, pending))
        case proof.EditSettled():
            return _edited(state, event)
        case proof.ChangeSetRecorded():
            known = state.change_sets.get(event.task) or ()
            kept = (*known, ChangeSetRecord(event.attempt, seq, event.paths))
            return with_changes(state, change_sets=state.change_sets.insert(event.task, kept))
        case _:
            assert_never(event)


def _edited(state: ProjectState, event: proof.EditSettled) -> ProjectState:
    opened = state.edits.get(event.edit)
    after = with_changes(state, edits=state.edits.discard(event.edit))
    if event.applied or opened is None or opened.task is None:
        return after
    record = state.record(opened.task)
    refused = (*record.refused, f"{event.path}: {event.reason}")[-REFUSED_KEPT:]
    return with_record(after, opened.task, with_changes(record, refused=refused))


def _on_planning(plan: PlanRecord | None, event: planning.PlanningEvent) -> PlanRecord | None:
    if isinstance(event, planning.PlanStarted):
        return _started(plan, event)
    if plan is None or plan.id != event.plan:
        return plan
    if plan.state != "running" and isinstance(event, planning.PlanFinished | planning.PlanFailed):
        # A plan ends once: one that was given up may still come to its end.
        return plan
    match event:
        case planning.OutlineAccepted():
            return with_changes(plan, outline=event.outline, steps=plan.steps_done + event.steps)
        case planning.SpecGenerating():
            return with_changes(plan, writing=(*plan.writing, (event.spec, event.path)))
        case planning.SpecWritten():
            return _written(plan, event)
        case planning.PlanRefused():
            return with_changes(plan, problems=event.problems)
        case planning.PlanFinished():
            return with_changes(plan, state="finished", problems=())
        case planning.PlanFailed():
            return with_changes(plan, state="failed", reason=event.reason, problems=event.problems)
        case _:
            assert_never(event)


def _started(before: PlanRecord | None, event: planning.PlanStarted) -> PlanRecord:
    """A plan goes on with the outline of one that did not finish, or that one spec's tasks belong to."""
    record = PlanRecord(event.plan, event.path, event.stage.value, "running")
    if event.stage is planning.PlanStage.TASKS:
        return with_changes(record, outline="" if before is None else before.outline, steps=1)
    if before is None or before.state == "finished" or event.feedback:
        return record
    return with_changes(
        record,
        outline=before.outline,
        written=before.written,
        steps_done=len(before.written),
        turns=before.turns,
        usage=before.usage,
    )


def _written(plan: PlanRecord, event: planning.SpecWritten) -> PlanRecord:
    step = (event.spec, event.stage.value)
    kept = () if event.offered or step in plan.written else (step,)
    writing = tuple(item for item in plan.writing if item[0] != event.spec)
    return with_changes(plan, writing=writing, written=(*plan.written, *kept), steps_done=plan.steps_done + 1)


def _outdated(plan: PlanRecord | None, path: str) -> PlanRecord | None:
    return with_changes(plan, outline="", written=()) if plan is not None and plan.path == path else plan


EMPTY = ProjectState()
"""The state before the first event."""
