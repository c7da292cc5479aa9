"""Events as lines that a person cares about. Refuses detail: what is left out is in `specloom events`."""

import json
from dataclasses import dataclass, field
from typing import assert_never, cast

from specloom.cli.views.formats import count, duration, one_line
from specloom.cli.views.task_lines import Line, task_line
from specloom.domain.events import agents, planning, proof, runs, tasks
from specloom.domain.ids import CheckId, EditId
from specloom.domain.project import ProjectState
from specloom.domain.runs import RunOutcome, Scope
from specloom.engine.api import Published


@dataclass(slots=True)
class EventLines:
    """Turns events into lines; remembers what a later event only names by id."""

    checks: dict[CheckId, proof.CheckRequested] = field(default_factory=dict[CheckId, proof.CheckRequested])
    asked: dict[str, agents.ApprovalAsked] = field(default_factory=dict[str, agents.ApprovalAsked])
    labels: dict[EditId, str] = field(default_factory=dict[EditId, str])

    def of(self, published: Published, state: ProjectState) -> Line | None:
        """The line of an event, if people need one; `state` is the one after it."""
        event = published.event
        if isinstance(event, tasks.TaskEvent):
            return task_line(event, state)
        if isinstance(event, runs.RunEvent):
            return _run(event)
        if isinstance(event, planning.PlanningEvent):
            return _plan(event, state)
        if isinstance(event, proof.ProofEvent):
            return self._proof(event)
        if isinstance(event, agents.AgentEvent):
            return self._agent(event)
        return None

    def _proof(self, event: proof.ProofEvent) -> Line | None:
        match event:
            case proof.CheckRequested():
                self.checks[event.check] = event
                return None
            case proof.CheckSettled():
                return _check(event, self.checks.pop(event.check, None))
            case proof.EditRequested():
                # Edits outside of an attempt are ticks and plans, of which other lines tell.
                verb = "created" if event.before is None else "changed"
                self.labels[event.edit] = verb if event.attempt is not None else ""
                return None
            case proof.EditSettled():
                verb = self.labels.pop(event.edit, "changed")
                if event.applied and not verb:
                    return None
                if not event.applied:
                    return Line(f"{event.path} not changed: {one_line(event.reason)}", "yellow", 1, 1)
                return Line(f"{verb if event.digest else 'deleted'} {event.path}", "", 0, 1)
            case proof.ChangeSetRecorded():
                return None
            case _:
                assert_never(event)

    def _agent(self, event: agents.AgentEvent) -> Line | None:
        match event:
            case agents.ToolRequested():
                # What is read is a step on the way; what is written, its edit tells.
                subject = call_subject(event.input)
                return Line(f"$ {subject}", "dim", 0, 1) if event.name == "run_command" else None
            case agents.TurnFailed():
                again = "" if event.retry_in_s is None else f"; trying again in {duration(event.retry_in_s)}"
                return Line(f"the model did not answer: {one_line(event.message, 400)}{again}", "yellow", 2)
            case agents.ApprovalAsked():
                self.asked[event.approval] = event
                return None
            case agents.ApprovalAnswered():
                return _answer(event, self.asked.pop(event.approval, None))
            case agents.SessionStarted() | agents.MessageAdded() | agents.TurnRequested() | agents.TurnFinished():
                return None
            case agents.ToolSettled() | agents.SessionEnded():
                return None
            case _:
                assert_never(event)


def scope_name(scope: Scope) -> str:
    """`the whole project`, `spec 01`, `task 01/2.1`."""
    return "the whole project" if scope.kind == "project" else f"{scope.kind} {scope.id}"


def _run(event: runs.RunEvent) -> Line:
    match event:
        case runs.RunStarted():
            return Line(f"run started: {scope_name(event.scope)}", "bold")
        case runs.RunPausing():
            return Line(f"pausing: {one_line(event.reason)}", "yellow")
        case runs.RunPaused():
            return Line(f"paused: {one_line(event.reason, 400)}", "yellow", 2)
        case runs.RunResumed():
            return Line("run goes on", "bold")
        case runs.RunCancelling():
            return Line("cancelling", "yellow")
        case runs.RunFinished():
            why = f": {one_line(event.reason, 400)}" if event.reason else ""
            good = event.outcome is RunOutcome.COMPLETED
            return Line(f"run {event.outcome.value}{why}", "bold green" if good else "bold yellow", 1 if good else 2)
        case _:
            assert_never(event)


def _plan(event: planning.PlanningEvent, state: ProjectState) -> Line:
    match event:
        case planning.PlanStarted():
            what = "tasks" if event.stage is planning.PlanStage.TASKS else "specs"
            return Line(f"planning {what} from {event.path}", "bold")
        case planning.OutlineAccepted():
            out = event.out_of_scope
            left = f", {count(len(out), 'requirement')} out of scope" if out else ""
            return Line(f"outline accepted{left}")
        case planning.SpecGenerating():
            return Line(f"writing {_part(event)} {event.path}", "dim", 0)
        case planning.SpecWritten():
            offered = " (offered: you edited the file meanwhile)" if event.offered else ""
            return Line(f"wrote {_part(event)} {event.path}{offered}")
        case planning.PlanRefused():
            faults = one_line("; ".join(problem.message for problem in event.problems), 400)
            return Line(f"plan sent back with {count(len(event.problems), 'fault')}: {faults}", "yellow", 2)
        case planning.PlanFinished():
            leaves = sum(not task.optional and task.is_leaf for task in state.graph.tasks.values())
            return Line(f"plan finished: {count(len(event.specs), 'spec')}, {count(leaves, 'task')}", "bold green")
        case planning.PlanFailed():
            return Line(f"plan failed: {one_line(event.reason, 400)}", "bold red", 2)
        case _:
            assert_never(event)


def _part(event: planning.SpecGenerating | planning.SpecWritten) -> str:
    return f"spec {event.spec}:" if event.stage is planning.PlanStage.SPECS else f"tasks of spec {event.spec}:"


def _check(event: proof.CheckSettled, asked: proof.CheckRequested | None) -> Line | None:
    if asked is not None and asked.phase is proof.CheckPhase.BEFORE:
        return None
    command = one_line(asked.command, 160) if asked else "verify command"
    took = duration(event.duration_s)
    if event.exit_code == 0:
        return Line(f"verified: `{command}` passed ({took})", "green", 0, 1)
    end = "ran out of time" if event.timed_out else f"ended with {event.exit_code}"
    return Line(f"verification failed: `{command}` {end} ({took})", "red", 2, 1)


def _answer(event: agents.ApprovalAnswered, asked: agents.ApprovalAsked | None) -> Line | None:
    subject = one_line("; ".join(asked.subject.splitlines()), 160) if asked else "a request"
    if event.allowed:
        return Line(f"allowed by {event.rule}: {subject}", "dim", 0, 1)
    if event.rule == "user":
        return Line(f"denied by you: {subject}", "yellow", 1, 1)
    why = f" ({one_line(event.reason)})" if event.reason else ""
    return Line(f"denied: {subject}{why}", "yellow", 2, 1)


_SUBJECTS = ("path", "command", "pattern", "query", "directory", "question", "reason", "task")


def call_subject(raw: str) -> str:
    """What a tool call is about, in a few words, from its JSON input (perhaps unfinished)."""
    try:
        parsed: object = json.loads(raw)
    except ValueError:
        return ""
    if not isinstance(parsed, dict):
        return ""
    values = cast("dict[str, object]", parsed)
    found = next((values[key] for key in _SUBJECTS if isinstance(values.get(key), str)), "")
    return one_line(str(found), 100)
