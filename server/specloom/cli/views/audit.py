"""The log as an audit trail: who did, allowed or denied what. Refuses to pass over a kind of event unnamed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never, cast

from specloom.cli.views.formats import clock, one_line
from specloom.cli.views.session_lines import result_text
from specloom.domain.budgets import BudgetPart
from specloom.domain.events import agents, documents, planning, proof, runs, tasks
from specloom.domain.events.agents import AgentEvent
from specloom.domain.events.runs import RunEvent
from specloom.domain.events.tasks import TaskEvent
from specloom.domain.evidence import EvidenceKind
from specloom.domain.ids import ApprovalId, CallId, EditId, SessionId
from specloom.domain.known_projects import ProjectAct
from specloom.domain.origin import Origin
from specloom.domain.runs import Budget
from specloom.engine.api import Published

READING = frozenset({"read_file", "list_directory", "search_files", "grep_search", "close_file", "read_output"})
"""Tools that change nothing: only a refusal of them is an act."""
NOT_RUN = "not run: "
"""How the result of a call that was refused begins."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did, or was not allowed to do."""

    act: str
    """`ran a command`, `answered yes`, …"""
    subject: str = ""
    """The command, path, task or words."""
    allowed: bool | None = None
    """`None`: nobody was asked, and nothing forbade it."""
    rule: str = ""
    """What it rests on."""
    task: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trail."""

    seq: int | None
    """Of its event; `None`: it stands in no log, but in what this machine knows of the project."""
    at: str
    by: Origin
    act: Act

    @property
    def agent(self) -> str:
        """Who acted, or is acted on."""
        return self.by.agent or self.act.agent


def entry_of(done: ProjectAct) -> Entry:
    """The line of a change of name, alias or place among the projects."""
    return Entry(None, done.at, Origin("user", done.client), Act(done.act, done.subject))


@dataclass(slots=True)
class Trail:
    """Makes acts of events, one after the other; remembers what a later one only names."""

    sessions: dict[SessionId, agents.SessionStarted] = field(default_factory=dict[SessionId, agents.SessionStarted])
    calls: dict[tuple[SessionId, CallId], agents.ToolRequested] = field(
        default_factory=dict[tuple[SessionId, CallId], agents.ToolRequested]
    )
    asked: dict[ApprovalId, agents.ApprovalAsked] = field(default_factory=dict[ApprovalId, agents.ApprovalAsked])
    edits: dict[EditId, proof.EditRequested] = field(default_factory=dict[EditId, proof.EditRequested])

    def of(self, published: Published) -> Act | None:
        """The act that an event is; `None`: it is none, but follows from one or prepares one."""
        event = published.event
        if isinstance(event, agents.AgentEvent):
            return self._agent(event)
        if isinstance(event, proof.ProofEvent):
            return self._proof(event)
        if isinstance(event, runs.RunEvent):
            return _run(event)
        if isinstance(event, tasks.TaskEvent):
            return _task(event)
        return _planning(event) if isinstance(event, planning.PlanningEvent) else _document(event)

    def _agent(self, event: AgentEvent) -> Act | None:
        match event:
            case agents.SessionStarted():
                self.sessions[event.session] = event
            case agents.ToolRequested():
                self.calls[event.session, event.call] = event
            case agents.ToolSettled():
                return self._tool(event)
            case agents.ApprovalAsked():
                self.asked[event.approval] = event
            case agents.ApprovalAnswered() | agents.GrantRevoked():
                return self._permission(event)
            case agents.PromptQueued():
                return Act("said to an agent", event.text, agent=event.agent)
            case agents.PromptWithdrawn():
                return Act("took words back", event.prompt)
            case (
                agents.MessageAdded()
                | agents.ContextCollapsed()
                | agents.OpenFilesWarned()
                | agents.TurnRequested()
                | agents.TurnFinished()
                | agents.TurnFailed()
                | agents.SessionEnded()
                | agents.NoProgressSeen()
                | agents.PromptDelivered()
            ):
                return None
            case _:
                assert_never(event)
        return None

    def _permission(self, event: agents.ApprovalAnswered | agents.GrantRevoked) -> Act:
        if isinstance(event, agents.GrantRevoked):
            return Act("took a grant back", event.text, rule=event.scope)
        asked = self.asked.pop(event.approval, None)
        if asked is None:
            return Act("answered a question", event.reason, event.allowed, event.rule)
        subject = asked.subject if not event.reason else f"{asked.subject} ({event.reason})"
        verb = "answered" if asked.kind == "question" else "allowed" if event.allowed else "denied"
        return Act(f"{verb} a {asked.kind}", subject, event.allowed, event.rule, asked.task or "", asked.agent or "")

    def _tool(self, event: agents.ToolSettled) -> Act | None:
        session = self.sessions.get(event.session)
        call = self.calls.pop((event.session, event.call), None)
        denied = event.is_error and result_text(event.content).startswith(NOT_RUN)
        if event.name in READING and not denied:
            return None
        return Act(
            f"{'was refused' if denied else 'called'} {event.name}",
            _subject(call),
            not denied,
            event.rule,
            (session.task or "") if session is not None else "",
            session.agent if session is not None else "",
        )

    def _proof(self, event: proof.ProofEvent) -> Act | None:
        match event:
            case proof.CheckRequested():
                return Act("ran a verify command", event.command, True, event.rule, event.task)
            case proof.EditRequested():
                self.edits[event.edit] = event
                return None
            case proof.EditSettled():
                asked = self.edits.pop(event.edit, None)
                task = (asked.task or "") if asked is not None else ""
                if not event.applied:
                    return Act("could not change a file", f"{event.path} ({event.reason})", task=task)
                created = asked is not None and asked.before is None
                verb = "deleted" if event.digest is None else "created" if created else "changed"
                return Act(f"{verb} a file", event.path, task=task)
            case proof.CheckSettled() | proof.ChangeSetRecorded():
                return None
            case _:
                assert_never(event)


def _run(event: RunEvent) -> Act | None:
    match event:
        case runs.RunStarted():
            scope = event.scope.id or "the whole project"
            unattended = ", every question answered with yes" if event.unattended else ""
            return Act("started a run", f"{scope}{_budget(event.budget)}{unattended}")
        case runs.RunPausing():
            return Act("paused the run", event.reason)
        case runs.RunResumed():
            return Act("resumed the run", event.run)
        case runs.RunCancelling():
            return Act("cancelled the run", event.run)
        case runs.BudgetExtended():
            what = f"{BudgetPart(event.part).value}{_budget(event.more)}"
            return Act("raised a budget", what, True, event.rule, event.task or "")
        case runs.RunPaused() | runs.RunFinished():
            return None
        case _:
            assert_never(event)


def _task(event: TaskEvent) -> Act | None:
    match event:
        case tasks.TaskSkipped():
            return Act("skipped a task", event.reason, task=event.task)
        case tasks.TaskReset():
            return Act("reset a task", task=event.task)
        case tasks.TaskRetried():
            return Act("retried a task", task=event.task)
        case tasks.TaskUnblocked():
            return None if event.by_cause else Act("unblocked a task", task=event.task)
        case tasks.TaskDone():
            by_hand = any(item.kind in (EvidenceKind.USER, EvidenceKind.IMPORTED) for item in event.evidence)
            return Act("ticked a task", task=event.task) if by_hand else None
        case (
            tasks.TaskStarted()
            | tasks.TaskFailed()
            | tasks.TaskBlocked()
            | tasks.TaskReleased()
            | tasks.AttemptFailed()
            | tasks.ProofStale()
            | tasks.ProofRenewed()
        ):
            return None
        case _:
            assert_never(event)


def _planning(event: planning.PlanningEvent) -> Act | None:
    match event:
        case planning.PlanStarted():
            return Act("started a plan", f"{event.path} {event.feedback}".strip())
        case planning.SpecWritten():
            return Act("offered a spec" if event.offered else "wrote a spec", event.path)
        case (
            planning.OutlineAccepted()
            | planning.SpecGenerating()
            | planning.PlanRefused()
            | planning.PlanFinished()
            | planning.PlanFailed()
        ):
            return None
        case _:
            assert_never(event)


def _document(event: documents.DocumentEvent) -> Act | None:
    match event:
        case documents.SettingsChanged():
            return Act("changed settings", ", ".join(event.keys))
        case documents.LogRebuilt():
            lost = "an unknown number" if event.lost is None else str(event.lost)
            return Act("rebuilt the log", f"{event.kept} events kept, {lost} lost, {event.aside} ({event.reason})")
        case documents.HeadChanged():
            return Act("moved git's HEAD", f"{event.before[:8]} to {event.after[:8]} {event.branch}".strip())
        case (
            documents.ProjectOpened()
            | documents.RequirementsRead()
            | documents.RequirementsRemoved()
            | documents.SpecRead()
            | documents.SpecRemoved()
        ):
            return None
        case _:
            assert_never(event)


def _budget(budget: Budget) -> str:
    parts = ((budget.usd, "USD"), (budget.tokens, "tokens"), (budget.turns, "turns"), (budget.minutes, "minutes"))
    said = [f"{value:g} {unit}" for value, unit in parts if value is not None]
    return f", {', '.join(said)}" if said else ""


def _subject(call: agents.ToolRequested | None) -> str:
    """The command, path or whatever says most of a call."""
    try:
        values: Any = {} if call is None else json.loads(call.input)
    except ValueError:
        return ""
    if not isinstance(values, Mapping):
        return ""
    known = cast("Mapping[str, Any]", values)
    said = next((known[name] for name in ("command", "path", "question", "reason", "task") if known.get(name)), "")
    return str(said)


def audit_json(entry: Entry) -> dict[str, object]:
    """An act for programs."""
    by, act = entry.by, entry.act
    return {
        "seq": entry.seq,
        "at": entry.at,
        "actor": by.actor,
        "clientId": by.client,
        "agentId": entry.agent or None,
        "taskId": act.task or None,
        "act": act.act,
        "subject": act.subject,
        "allowed": act.allowed,
        "rule": act.rule or None,
    }


def audit_line(entry: Entry) -> str:
    """`   12 14:03:22 agent-1 01/2.1 called run_command: make (rule: make *)`."""
    by, act = entry.by, entry.act
    who = by.agent or by.client or by.actor
    rest = f": {one_line(act.subject, 160)}" if act.subject else ""
    rule = f" (by {one_line(act.rule, 80)})" if act.rule else ""
    task = f" {act.task}" if act.task else ""
    number = "" if entry.seq is None else entry.seq
    return f"{number:>6} {clock(entry.at)} {who:<10}{task} {act.act}{rest}{rule}"
