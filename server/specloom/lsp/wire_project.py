"""The projection and its parts as wire shapes. Refuses events: `wire_events` has those."""

from collections.abc import Mapping
from typing import Literal, cast

from specloom.domain.budgets import Account, Spent, added
from specloom.domain.evidence import is_proven, is_verifiable
from specloom.domain.ids import SpecId, TaskId
from specloom.domain.problem import Problem, Severity
from specloom.domain.project import (
    ApprovalRecord,
    PlanRecord,
    ProjectState,
    RunRecord,
    SessionRecord,
)
from specloom.domain.requirement import Requirement
from specloom.domain.runs import Budget, RunState, why_paused
from specloom.domain.spec import SpecDefinition, TaskDefinition
from specloom.domain.states import TaskState
from specloom.lsp import protocol as p
from specloom.lsp import protocol_project as shapes
from specloom.lsp.task_view import counts_of, leaves_of, served, state_of
from specloom.lsp.uris import Places
from specloom.lsp.wire_dependencies import WireDependencies
from specloom.lsp.wire_events import wire_budget, wire_scope, wire_usage
from specloom.lsp.wire_orders import TASK_ORDERS


def wire_project(
    state: ProjectState,
    problems: Mapping[str, tuple[Problem, ...]],
    places: Places,
    *,
    read_only: bool,
    today: Account | None = None,
) -> shapes.ProjectGetResult:
    """Everything that is true at `state.seq`."""
    specs = sorted(state.plan.specs.values(), key=lambda spec: spec.id)
    served_by = served(state)
    waits = WireDependencies(state.graph)
    tasks = [_task(state, spec, task, waits) for spec in specs for task in spec.tasks]
    return shapes.ProjectGetResult(
        id=state.id,
        name=state.name or places.root.name,
        root_uri=places.uri_of("."),
        seq=state.seq,
        read_only=read_only,
        requirements=[
            _requirement(item, path, places, [spec.id for spec in served_by.get(item.id, ())])
            for path, items in sorted(state.requirements.items())
            for item in items
        ],
        specs=[_spec(state, spec, places) for spec in specs],
        tasks=tasks,
        task_orders=list(TASK_ORDERS),
        dependency_groups=waits.groups(),
        agents=_agents(state),
        sessions=[_session(session) for session in _in_order(state)],
        approvals=wire_approvals(state),
        prompts=wire_prompts(state),
        run=None if state.run is None else _run(state.run, state.worked_s),
        work=_work(state),
        planning=None if state.planning is None else _planning(state.planning),
        budget=wire_budget(Budget() if state.run is None else added(state.run.budget, state.run.more)),
        today=None if today is None else _today(today),
        usage=wire_usage(state.usage),
        counts=_counts(state, tuple(leaf for spec in specs for leaf in leaves_of(state, spec))),
        problems=_problem_counts(problems),
    )


def wire_approvals(state: ProjectState) -> list[p.Approval]:
    """Questions that wait, oldest first."""
    return [_approval(record) for record in sorted(state.approvals.values(), key=lambda item: item.asked_at)]


def wire_prompts(state: ProjectState) -> list[p.Prompt]:
    """What people said to agents that have not heard it yet, oldest first."""
    waiting = sorted(state.prompts.values(), key=lambda item: (item.queued_at, item.id))
    return [p.Prompt(id=item.id, agent_id=item.agent, text=item.text, queued_at=item.queued_at) for item in waiting]


def _requirement(item: Requirement, path: str, places: Places, spec_ids: list[SpecId]) -> shapes.Requirement:
    return shapes.Requirement(
        id=item.id,
        text=item.text,
        title=item.title,
        path=path,
        uri=places.uri_of(path),
        line=item.span.start_line,
        spec_ids=list(spec_ids),
    )


def _spec(state: ProjectState, spec: SpecDefinition, places: Places) -> shapes.Spec:
    return shapes.Spec(
        id=spec.id,
        title=spec.title,
        path=spec.path,
        uri=places.uri_of(spec.path),
        status=spec.status.value,
        depends_on=list(spec.depends_on),
        requirements=[ref.id for ref in spec.requirements],
        counts=_counts(state, leaves_of(state, spec)),
    )


def _task(state: ProjectState, spec: SpecDefinition, task: TaskDefinition, waits: WireDependencies) -> shapes.Task:
    record = state.record(task.id)
    depends_on, groups = waits.of(task.id)
    return shapes.Task(
        id=task.id,
        spec_id=spec.id,
        number=task.number,
        title=task.title,
        state=state_of(state, task.id).value,
        reason=record.reason,
        cause=record.cause,
        proven=is_proven(record.evidence) and not record.stale,
        was_proven=is_proven(record.evidence),
        stale=list(record.stale),
        outdated=list(record.outdated),
        verifiable=is_verifiable(record.evidence),
        attempts=record.attempts,
        agent_id=record.agent,
        parent=task.parent,
        is_leaf=task.is_leaf,
        optional=task.optional,
        requirements=list(task.requirements),
        depends_on=depends_on,
        depends_on_groups=groups,
        verify=list(record.verify or task.verify),
        line=task.line,
        turns=record.turns,
        usage=wire_usage(record.usage),
        started_at=record.started_at or None,
        ended_at=record.ended_at or None,
        worked=round(record.spent.seconds - (0.0 if record.attempt is None else record.clocked_s), 3),
    )


def _counts(state: ProjectState, leaves: tuple[TaskId, ...]) -> shapes.Counts:
    found = counts_of(state, leaves)
    return shapes.Counts(
        total=len(leaves),
        done=found[TaskState.DONE],
        failed=found[TaskState.FAILED],
        blocked=found[TaskState.BLOCKED],
        skipped=found[TaskState.SKIPPED],
        pending=found[TaskState.PENDING],
    )


def _in_order(state: ProjectState) -> list[SessionRecord]:
    return sorted(state.sessions.values(), key=lambda session: (session.started_at, session.id))


def _agents(state: ProjectState) -> list[shapes.Agent]:
    working = (session for session in _in_order(state) if not session.outcome and session.parent is None)
    return [
        shapes.Agent(
            id=session.agent, role=session.role, task_id=session.task, session_id=session.id, turns=session.turns
        )
        for session in working
    ]


def _session(session: SessionRecord) -> shapes.Session:
    return shapes.Session(
        id=session.id,
        agent_id=session.agent,
        role=session.role,
        model=session.model,
        task_id=session.task,
        started_at=session.started_at,
        turns=session.turns,
        usage=wire_usage(session.usage),
        outcome=session.outcome,
        previous_id=session.previous,
        number=session.number,
        parent_id=session.parent,
        parent_call_id=session.call,
        worked_before=round(session.clocked_s, 3),
    )


def _approval(record: ApprovalRecord) -> p.Approval:
    kind = cast("Literal['command', 'proposal', 'question']", record.kind)
    return p.Approval(
        id=record.id,
        kind=kind,
        subject=record.subject,
        purpose=record.purpose,
        agent_id=record.agent,
        task_id=record.task,
        asked_at=record.asked_at,
        choices=list(record.choices),
    )


def _run(run: RunRecord, worked_s: float) -> shapes.Run:
    return shapes.Run(
        id=run.id,
        scope=wire_scope(run.scope),
        budget=wire_budget(added(run.budget, run.more)),
        unattended=run.unattended,
        state=run.state.value,
        reason=why_paused(run.reason),
        cause=run.cause.value,
        pause_after=run.pause_after if run.state is RunState.PAUSING else None,
        outcome=None if run.outcome is None else run.outcome.value,
        turns=run.turns,
        usage=wire_usage(run.usage),
        spent=wire_spent(run.spent),
        started_at=run.started_at,
        ended_at=run.ended_at or None,
        worked=round(run.spent.seconds - (worked_s if run.active else 0.0), 3),
    )


def _work(state: ProjectState) -> shapes.Work:
    working = state.run is not None and state.run.works
    return shapes.Work(seconds=round(state.worked_s, 3), since=state.clocked_at if working else None)


def _today(account: Account) -> shapes.Today:
    return shapes.Today(budget=wire_budget(added(account.limits, account.more)), spent=wire_spent(account.spent))


def wire_spent(spent: Spent) -> p.Spent:
    """What was used."""
    return p.Spent(
        usd=spent.usd,
        unpriced=spent.unpriced,
        tokens=spent.tokens,
        turns=spent.turns,
        minutes=spent.seconds / 60,
    )


def _planning(plan: PlanRecord) -> shapes.Planning:
    return shapes.Planning(
        id=plan.id,
        path=plan.path,
        stage=cast("Literal['specs', 'tasks']", plan.stage),
        state=cast("Literal['running', 'finished', 'failed']", plan.state),
        writing=[shapes.WritingSpec(spec_id=spec, path=path) for spec, path in plan.writing],
        reason=plan.reason,
        turns=plan.turns,
        usage=wire_usage(plan.usage),
    )


def _problem_counts(problems: Mapping[str, tuple[Problem, ...]]) -> shapes.ProblemCounts:
    found = [problem.severity for items in problems.values() for problem in items]
    return shapes.ProblemCounts(
        error=found.count(Severity.ERROR),
        warning=found.count(Severity.WARNING),
        information=found.count(Severity.INFORMATION),
    )
