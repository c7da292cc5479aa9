"""Domain events as wire events, one line each: the only place where the two meet.

Refuses to leave one out: a test compares the table with every event that the log can hold.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypedDict, TypeVar, cast

from specloom.domain.events import Event, agents, documents, planning, proof, runs, tasks
from specloom.domain.evidence import Evidence, is_proven
from specloom.domain.ids import ProjectId
from specloom.domain.problem import Problem
from specloom.domain.runs import Budget, Scope, why_paused
from specloom.domain.usage import UsageTotal
from specloom.engine.api import Published
from specloom.lsp import protocol as p
from specloom.lsp import protocol_events as w
from specloom.lsp import protocol_session_events as ws


class Head(TypedDict):
    """The fields of `EventBase`."""

    seq: int
    at: str
    project_id: str
    actor: p.Actor
    client_id: str | None
    agent_id: str | None
    command_id: str | None


_E = TypeVar("_E", bound=Event)
_Row = tuple[type[Event], Callable[[Any, Head], w.WireEvent]]


def wire_event(published: Published, project: ProjectId) -> w.WireEvent:
    """The event as clients hear it."""
    by, event = published.by, published.event
    head = Head(
        seq=published.seq,
        at=published.at,
        project_id=project,
        actor=by.actor,
        client_id=by.client,
        agent_id=by.agent or getattr(event, "agent", None),
        command_id=published.command_id,
    )
    return TABLE[type(event)](event, head)


def wire_usage(usage: UsageTotal) -> p.Usage:
    """Tokens and money."""
    return p.Usage(
        input=usage.input,
        output=usage.output,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        cost_usd=usage.cost_usd,
    )


def wire_evidence(evidence: Evidence) -> p.Evidence:
    """One piece of evidence."""
    return p.Evidence(
        kind=evidence.kind.value,
        at=evidence.at,
        attempt_id=evidence.attempt,
        command=evidence.command,
        exit_code=evidence.exit_code,
        summary=evidence.summary,
        paths=[file.path for file in evidence.files],
        discriminating=evidence.discriminating,
        touched_tests=list(evidence.touched_tests),
    )


def wire_problem(problem: Problem) -> p.Problem:
    """One problem."""
    return p.Problem(
        code=problem.code,
        message=problem.message,
        path=problem.path,
        severity=problem.severity.value,
        line=problem.span.start_line,
        suggestions=list(problem.suggestions),
    )


def wire_scope(scope: Scope) -> p.Scope:
    """What a run works through."""
    if scope.kind == "project":
        return p.ProjectScope(kind="project")
    return p.SpecScope(kind="spec", id=scope.id) if scope.kind == "spec" else p.TaskScope(kind="task", id=scope.id)


def wire_budget(budget: Budget) -> p.Budget:
    """Limits of a run."""
    return p.Budget(usd=budget.usd, tokens=budget.tokens, turns=budget.turns, minutes=budget.minutes)


def cut(text: str) -> str:
    """The text, or its head and tail with a line that says how much is left out between them."""
    if len(text) <= w.MOST_TEXT:
        return text
    half = w.MOST_TEXT // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"


def text_of(content: str) -> str:
    """The words in JSON of Messages-API content: of text blocks, and of text inside tool results."""
    try:
        return cut("\n".join(_texts(json.loads(content))))
    except (ValueError, RecursionError):
        return ""


def thinking_of(content: str) -> str:
    """What the model thought, in JSON of Messages-API content; what the endpoint keeps to itself is not in it."""
    try:
        blocks = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    found = [block.get("thinking") for block in _blocks(blocks) if block.get("type") == "thinking"]
    return cut("\n".join(thought for thought in found if isinstance(thought, str)))


def _blocks(content: object) -> list[dict[str, object]]:
    parts = cast("list[object]", content) if isinstance(content, list) else []
    return [cast("dict[str, object]", part) for part in parts if isinstance(part, dict)]


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    if isinstance(content, list):
        return [text for part in cast("list[object]", content) for text in _texts(part)]
    if isinstance(content, dict):
        block = cast("dict[str, object]", content)
        return _texts(block.get("text") if block.get("type") == "text" else block.get("content"))
    return []


def _row(kind: type[_E], make: Callable[[_E, Head], w.WireEvent]) -> _Row:
    return kind, make


_DOCUMENTS: tuple[_Row, ...] = (
    _row(documents.ProjectOpened, lambda e, h: w.ProjectOpenedEvent(**h, name=e.name)),
    _row(
        documents.LogRebuilt,
        lambda e, h: w.LogRebuiltEvent(**h, kept=e.kept, lost=e.lost, aside=e.aside, reason=e.reason),
    ),
    _row(
        documents.RequirementsRead,
        lambda e, h: w.RequirementsReadEvent(**h, path=e.path, requirement_ids=[item.id for item in e.requirements]),
    ),
    _row(documents.RequirementsRemoved, lambda e, h: w.RequirementsRemovedEvent(**h, path=e.path)),
    _row(
        documents.SpecRead,
        lambda e, h: w.SpecReadEvent(
            **h,
            spec_id=e.spec.id,
            path=e.spec.path,
            title=e.spec.title,
            status=e.spec.status.value,
            task_ids=[task.id for task in e.spec.tasks],
            renamed=list(e.renamed),
            boxes_only=e.boxes_only,
        ),
    ),
    _row(documents.SettingsChanged, lambda e, h: w.SettingsChangedEvent(**h, keys=list(e.keys))),
    _row(
        documents.HeadChanged,
        lambda e, h: w.HeadChangedEvent(
            **h,
            before=e.before,
            after=e.after,
            branch=e.branch,
            before_branch=e.before_branch,
            how=e.how,
            files=e.files,
        ),
    ),
    _row(documents.SpecRemoved, lambda e, h: w.SpecRemovedEvent(**h, spec_id=e.spec, renamed=list(e.renamed))),
)

_TASKS: tuple[_Row, ...] = (
    _row(
        tasks.TaskStarted,
        lambda e, h: w.TaskStartedEvent(
            **h, task_id=e.task, attempt_id=e.attempt, run_id=e.run, number=e.number, verify=list(e.verify)
        ),
    ),
    _row(
        tasks.TaskDone,
        lambda e, h: w.TaskDoneEvent(
            **h,
            task_id=e.task,
            attempt_id=e.attempt,
            proven=is_proven(e.evidence),
            evidence=[wire_evidence(item) for item in e.evidence],
        ),
    ),
    _row(
        tasks.TaskFailed,
        lambda e, h: w.TaskFailedEvent(
            **h, task_id=e.task, reason=e.reason, regressed_by=e.regressed_by, feedback=cut(e.feedback)
        ),
    ),
    _row(tasks.TaskBlocked, lambda e, h: w.TaskBlockedEvent(**h, task_id=e.task, reason=e.reason, cause=e.cause)),
    _row(tasks.TaskUnblocked, lambda e, h: w.TaskUnblockedEvent(**h, task_id=e.task, by_cause=e.by_cause)),
    _row(tasks.TaskSkipped, lambda e, h: w.TaskSkippedEvent(**h, task_id=e.task, reason=e.reason)),
    _row(tasks.TaskReset, lambda e, h: w.TaskResetEvent(**h, task_id=e.task)),
    _row(tasks.TaskRetried, lambda e, h: w.TaskRetriedEvent(**h, task_id=e.task)),
    _row(
        tasks.TaskReleased,
        lambda e, h: w.TaskReleasedEvent(**h, task_id=e.task, attempt_id=e.attempt, reason=e.reason),
    ),
    _row(
        tasks.AttemptFailed,
        lambda e, h: w.AttemptFailedEvent(
            **h, task_id=e.task, attempt_id=e.attempt, reason=e.reason, feedback=cut(e.feedback)
        ),
    ),
    _row(
        tasks.ProofStale,
        lambda e, h: w.ProofStaleEvent(**h, task_id=e.task, paths=list(e.paths), requirements=list(e.requirements)),
    ),
    _row(
        tasks.ProofRenewed,
        lambda e, h: w.ProofRenewedEvent(
            **h,
            task_id=e.task,
            proven=is_proven(e.evidence),
            evidence=[wire_evidence(item) for item in e.evidence],
            files_only=e.cited is None,
        ),
    ),
)

_RUNS: tuple[_Row, ...] = (
    _row(
        runs.RunStarted,
        lambda e, h: w.RunStartedEvent(
            **h, run_id=e.run, scope=wire_scope(e.scope), budget=wire_budget(e.budget), unattended=e.unattended
        ),
    ),
    _row(
        runs.RunPausing, lambda e, h: w.RunPausingEvent(**h, run_id=e.run, reason=why_paused(e.reason), after=e.after)
    ),
    _row(
        runs.RunPaused,
        lambda e, h: w.RunPausedEvent(**h, run_id=e.run, reason=why_paused(e.reason), cause=e.cause.value),
    ),
    _row(
        runs.BudgetExtended,
        lambda e, h: w.BudgetExtendedEvent(
            **h, part=e.part.value, more=wire_budget(e.more), run_id=e.run, task_id=e.task, rule=e.rule
        ),
    ),
    _row(runs.RunResumed, lambda e, h: w.RunResumedEvent(**h, run_id=e.run)),
    _row(runs.RunCancelling, lambda e, h: w.RunCancellingEvent(**h, run_id=e.run)),
    _row(
        runs.RunFinished,
        lambda e, h: w.RunFinishedEvent(**h, run_id=e.run, outcome=e.outcome.value, reason=e.reason),
    ),
)

_PROOF: tuple[_Row, ...] = (
    _row(
        proof.CheckRequested,
        lambda e, h: w.CheckRequestedEvent(
            **h,
            task_id=e.task,
            check_id=e.check,
            attempt_id=e.attempt,
            phase=e.phase.value,
            command=e.command,
            rule=e.rule,
        ),
    ),
    _row(
        proof.CheckSettled,
        lambda e, h: w.CheckSettledEvent(
            **h,
            task_id=e.task,
            check_id=e.check,
            exit_code=e.exit_code,
            output=cut(e.output),
            duration_s=e.duration_s,
            timed_out=e.timed_out,
            note=e.note,
        ),
    ),
    _row(
        proof.EditRequested,
        lambda e, h: w.EditRequestedEvent(
            **h,
            task_id=e.task,
            edit_id=e.edit,
            attempt_id=e.attempt,
            path=e.path,
            creates=e.before is None,
            label=e.label,
        ),
    ),
    _row(
        proof.EditSettled,
        lambda e, h: w.EditSettledEvent(
            **h, edit_id=e.edit, path=e.path, applied=e.applied, in_buffer=e.in_buffer, reason=e.reason, diff=e.diff
        ),
    ),
    _row(
        proof.ChangeSetRecorded,
        lambda e, h: w.ChangeSetRecordedEvent(**h, task_id=e.task, attempt_id=e.attempt, paths=list(e.paths)),
    ),
)

_AGENTS: tuple[_Row, ...] = (
    _row(
        agents.SessionStarted,
        lambda e, h: ws.SessionStartedEvent(
            **h,
            session_id=e.session,
            role=e.role,
            model=e.model,
            attempt_id=e.attempt,
            task_id=e.task,
            previous_id=e.previous,
            number=e.number,
            because=e.because,
            parent_id=e.parent,
            parent_call_id=e.call,
        ),
    ),
    _row(agents.MessageAdded, lambda e, h: ws.MessageAddedEvent(**h, session_id=e.session, text=text_of(e.content))),
    _row(
        agents.ContextCollapsed,
        lambda e, h: ws.ContextCollapsedEvent(
            **h,
            session_id=e.session,
            turn=e.turn,
            collapsed=len(e.collapsed),
            paths=[path for path, _ in e.shown],
            tokens_before=e.tokens_before,
            tokens_after=e.tokens_after,
        ),
    ),
    _row(
        agents.OpenFilesWarned,
        lambda e, h: ws.OpenFilesWarnedEvent(**h, session_id=e.session, files=e.files, characters=e.characters),
    ),
    _row(
        agents.TurnRequested,
        lambda e, h: ws.TurnRequestedEvent(**h, session_id=e.session, turn=e.turn, attempt_no=e.attempt_no),
    ),
    _row(
        agents.TurnFinished,
        lambda e, h: ws.TurnFinishedEvent(
            **h,
            session_id=e.session,
            turn=e.turn,
            text=text_of(e.content),
            thinking=thinking_of(e.content),
            stop=e.stop,
            usage=wire_usage(e.usage),
            model=e.model,
        ),
    ),
    _row(
        agents.TurnFailed,
        lambda e, h: ws.TurnFailedEvent(
            **h,
            session_id=e.session,
            turn=e.turn,
            fault=e.fault,
            message=e.message,
            retry_in_s=e.retry_in_s,
            usage=wire_usage(e.usage),
            asked=e.asked,
            tries=e.tries,
        ),
    ),
    _row(
        agents.ToolRequested,
        lambda e, h: ws.ToolRequestedEvent(**h, session_id=e.session, call_id=e.call, name=e.name, input=cut(e.input)),
    ),
    _row(
        agents.ToolSettled,
        lambda e, h: ws.ToolSettledEvent(
            **h,
            session_id=e.session,
            call_id=e.call,
            name=e.name,
            is_error=e.is_error,
            text=text_of(e.content),
            rule=e.rule,
        ),
    ),
    _row(
        agents.SessionEnded,
        lambda e, h: ws.SessionEndedEvent(
            **h, session_id=e.session, outcome=e.outcome, reason=e.reason, remaining=cut(e.remaining)
        ),
    ),
    _row(
        agents.ApprovalAsked,
        lambda e, h: ws.ApprovalAskedEvent(
            **h,
            approval_id=e.approval,
            kind=e.kind,
            subject=e.subject,
            purpose=e.purpose,
            task_id=e.task,
            choices=list(e.choices),
        ),
    ),
    _row(
        agents.ApprovalAnswered,
        lambda e, h: ws.ApprovalAnsweredEvent(
            **h, approval_id=e.approval, allowed=e.allowed, rule=e.rule, reason=e.reason
        ),
    ),
    _row(
        agents.NoProgressSeen,
        lambda e, h: ws.NoProgressSeenEvent(
            **h, session_id=e.session, turn=e.turn, circle=e.circle.value, turns=e.turns, step=e.step
        ),
    ),
    _row(
        agents.PromptQueued,
        lambda e, h: ws.PromptQueuedEvent(**h, prompt_id=e.prompt, to_agent_id=e.agent, text=e.text),
    ),
    _row(agents.PromptWithdrawn, lambda e, h: ws.PromptWithdrawnEvent(**h, prompt_id=e.prompt)),
    _row(
        agents.PromptDelivered,
        lambda e, h: ws.PromptDeliveredEvent(**h, session_id=e.session, prompt_id=e.prompt, text=e.text),
    ),
    _row(
        agents.GrantRevoked,
        lambda e, h: ws.GrantRevokedEvent(**h, grant_id=e.grant, kind=e.kind, text=e.text, scope=e.scope),
    ),
)

_PLANNING: tuple[_Row, ...] = (
    _row(
        planning.PlanStarted,
        lambda e, h: w.PlanStartedEvent(**h, plan_id=e.plan, path=e.path, stage=e.stage.value),
    ),
    _row(
        planning.OutlineAccepted,
        lambda e, h: w.OutlineAcceptedEvent(
            **h, plan_id=e.plan, outline=e.outline, out_of_scope=[*e.out_of_scope], steps=e.steps
        ),
    ),
    _row(
        planning.SpecGenerating,
        lambda e, h: w.SpecGeneratingEvent(**h, plan_id=e.plan, spec_id=e.spec, path=e.path, stage=e.stage.value),
    ),
    _row(
        planning.SpecWritten,
        lambda e, h: w.SpecWrittenEvent(
            **h, plan_id=e.plan, spec_id=e.spec, path=e.path, stage=e.stage.value, offered=e.offered
        ),
    ),
    _row(
        planning.PlanRefused,
        lambda e, h: w.PlanRefusedEvent(
            **h, plan_id=e.plan, repair=e.repair, problems=[wire_problem(item) for item in e.problems]
        ),
    ),
    _row(planning.PlanFinished, lambda e, h: w.PlanFinishedEvent(**h, plan_id=e.plan, spec_ids=list(e.specs))),
    _row(
        planning.PlanFailed,
        lambda e, h: w.PlanFailedEvent(
            **h, plan_id=e.plan, reason=e.reason, problems=[wire_problem(item) for item in e.problems]
        ),
    ),
)

TABLE: Mapping[type[Event], Callable[[Any, Head], w.WireEvent]] = MappingProxyType(
    dict((*_DOCUMENTS, *_TASKS, *_RUNS, *_PROOF, *_AGENTS, *_PLANNING))
)
"""How each kind of event is told."""
