"""What agents do in their sessions, as lines. Refuses what they read in full: a turn of readings is one line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, assert_never, cast

from specloom.cli.views.formats import WHOLE, duration, one_line
from specloom.cli.views.task_lines import Line
from specloom.domain.events import agents, proof, tasks
from specloom.domain.ids import CallId, EditId, SessionId
from specloom.domain.no_progress import Circling
from specloom.domain.project import ProjectState

_READS = {
    "read_file": "read",
    "list_directory": "list",
    "search_files": "find",
    "grep_search": "search for",
    "subagent": "send a sub-agent:",
}
_NAMES = {"subagent": "sub-agent"}
"""Roles that are called otherwise before people."""
_EDITS = ("edit_file", "write_file", "delete_file")
_COMMAND = "run_command"
_SUBJECTS = ("path", "command", "pattern", "query", "directory", "question", "reason", "task")
_SILENT = ("planner",)
"""Roles whose closing words are the text that they write."""
_ASIDE = ("subagent", "summariser")
"""Roles without whose answer the work goes on: nothing later tells why there was none."""


@dataclass(slots=True)
class SessionLines:
    """Turns events of sessions into lines; remembers what a later event only names by id."""

    _asked: dict[str, agents.ApprovalAsked] = field(default_factory=dict[str, agents.ApprovalAsked])
    _calls: dict[CallId, str] = field(default_factory=dict[CallId, str])
    """What the calls in flight are about."""
    _faults: dict[SessionId, str] = field(default_factory=dict[SessionId, str])
    """Why the last request of a session got no answer, while it is asked again."""
    ended_by: str = ""
    """Why the last one got none for good: an end that quotes it need not be told twice."""
    _granted: tuple[str, ...] = ()
    """Commands that run without a question: the verify commands of the attempt."""
    _waiting: str = ""
    """The command that is perhaps asked for next: who allowed it is told on the same line."""
    _labels: dict[EditId, str] = field(default_factory=dict[EditId, str])
    _unchanged: set[str] = field(default_factory=set[str])
    """Paths whose refused edit has been told."""

    def begin(self, event: tasks.TaskStarted) -> None:
        """An attempt begins."""
        self._granted = tuple(command.strip() for command in event.verify)

    def edit(self, event: proof.EditRequested | proof.EditSettled) -> Iterator[Line]:
        """Edits of attempts; those outside are ticks and plans, of which other lines tell."""
        if isinstance(event, proof.EditRequested):
            verb = "created" if event.before is None else "changed"
            self._labels[event.edit] = verb if event.attempt is not None else ""
            return
        verb = self._labels.pop(event.edit, "changed")
        if not event.applied:
            self._unchanged.add(event.path)
            yield Line(f"{event.path} not changed: {one_line(event.reason)}", "yellow", 1, 1)
        elif verb:
            yield Line(f"{verb if event.digest else 'deleted'} {event.path}", "", 0, 1)

    def of(self, event: agents.AgentEvent, state: ProjectState) -> Iterator[Line]:
        """The lines of an event, often none; `state` knows the sessions that began before anybody listened."""
        match event:
            case agents.SessionStarted():
                yield from self._opening(event)
            case agents.TurnFinished():
                yield from _readings(event, "sub-agent: " if _role(event.session, state) == "subagent" else "")
            case agents.TurnFailed():
                yield from self._failure(event, _role(event.session, state))
            case agents.OpenFilesWarned() | agents.NoProgressSeen():
                yield _warning(event)
            case agents.ToolRequested() | agents.ToolSettled():
                yield from self._request(event) if isinstance(event, agents.ToolRequested) else self._settle(event)
            case agents.ApprovalAsked() | agents.ApprovalAnswered() | agents.GrantRevoked():
                yield from self._decision(event)
            case agents.PromptQueued() | agents.PromptWithdrawn() | agents.PromptDelivered():
                yield from _said(event)
            case agents.SessionEnded():
                yield from _closing(event, _role(event.session, state))
            case agents.MessageAdded() | agents.ContextCollapsed() | agents.TurnRequested():
                return
            case _:
                assert_never(event)

    def _decision(self, event: agents.ApprovalAsked | agents.ApprovalAnswered | agents.GrantRevoked) -> Iterator[Line]:
        if isinstance(event, agents.ApprovalAsked):
            self._asked[event.approval] = event
        elif isinstance(event, agents.ApprovalAnswered):
            asked = self._asked.pop(event.approval, None)
            if asked is None or asked.kind != "budget":
                # Of a budget the lines of the run tell.
                yield self._answer(event, asked)
        else:
            yield Line(f"taken back: {one_line(event.text, 160)} (granted for {event.scope})")

    def _opening(self, event: agents.SessionStarted) -> Iterator[Line]:
        if event.role == "reviewer":
            yield Line("a reviewer looks at what was done", "", 1, 1)
        elif event.previous is not None and event.number > 1:
            told = f"session {event.number} continues session {event.number - 1}"
            yield Line(f"{told} ({one_line(event.because)})", "dim", 1, 1)

    def _request(self, event: agents.ToolRequested) -> Iterator[Line]:
        subject = call_subject(event.input)
        self._calls[event.call] = subject
        self._unchanged.discard(subject)
        if event.name != _COMMAND:
            return
        if subject in self._granted:
            yield Line(f"$ {subject}", "dim", 0, 1)
        else:
            self._waiting = subject

    def _settle(self, event: agents.ToolSettled) -> Iterator[Line]:
        subject = self._calls.pop(event.call, "")
        if event.name == _COMMAND and self._waiting:
            denied = event.is_error and event.rule and not event.rule.startswith("allow ")
            if denied:
                yield Line(f"denied: {self._waiting} ({one_line(event.rule)})", "yellow", 2, 1)
            else:
                yield Line(f"$ {self._waiting}", "dim", 0, 1)
            self._waiting = ""
        if event.is_error and event.name in _EDITS and subject not in self._unchanged:
            why = one_line(result_text(event.content).partition("\n")[0].removeprefix("not changed: "))
            yield Line(f"{subject or event.name} not changed: {why}", "yellow", 1, 1)

    def _answer(self, event: agents.ApprovalAnswered, asked: agents.ApprovalAsked | None) -> Line:
        subject = one_line("; ".join(asked.subject.splitlines()), 160) if asked else "a request"
        command = asked is not None and asked.kind == "command"
        if command:
            self._waiting = ""
        who = "you" if event.rule == "user" else event.rule
        if event.allowed:
            return Line(f"$ {subject} (allowed by {who})" if command else f"allowed by {who}: {subject}", "dim", 0, 1)
        if event.rule == "user":
            return Line(f"denied by you: {subject}", "yellow", 1, 1)
        why = f" ({one_line(event.reason)})" if event.reason else ""
        return Line(f"denied: {subject}{why}", "yellow", 2, 1)

    def _failure(self, event: agents.TurnFailed, role: str) -> Iterator[Line]:
        """Each reason once. One that ends the work is told by the end of the run or the plan, with what to do."""
        if event.fault == agents.INTERRUPTED:
            return  # We did that; the lines of the run say why.
        told = f"the model did not answer: {one_line(event.message, WHOLE)}"
        if event.retry_in_s is None:
            self._faults.pop(event.session, None)
            self.ended_by = event.message
            if role in _ASIDE:
                yield Line(told, "yellow", 2, 1)
            return
        if self._faults.get(event.session) == event.message and event.asked > 1:
            told = "no answer again, for the same reason"
        self._faults[event.session] = event.message
        nth = f" (try {event.asked + 1} of {event.tries})" if event.tries else ""
        yield Line(f"{told}; asking again in {duration(event.retry_in_s)}{nth}", "yellow", 2)


def _role(session: SessionId, state: ProjectState) -> str:
    known = state.sessions.get(session)
    return "" if known is None else known.role


def _closing(event: agents.SessionEnded, role: str) -> Iterator[Line]:
    if event.outcome == "claimed" and event.reason and role not in _SILENT:
        yield Line(f"{_NAMES.get(role, role) or 'an agent'}: {one_line(event.reason, 160)}", "dim", 0, 1)


NEXT = {"nudge": "the agent is told", "session": "a new session takes over", "block": "the task is blocked"}


def _warning(event: agents.OpenFilesWarned | agents.NoProgressSeen) -> Line:
    if isinstance(event, agents.NoProgressSeen):
        return Line(f"{Circling(event.circle, event.turns).text}: {NEXT[event.step]}", "yellow", 1, 1)
    size = f"{event.files} files are open in the session, {event.characters:,} characters"
    return Line(f"{size}: each request carries them", "yellow", 1, 1)


def _said(event: agents.PromptQueued | agents.PromptWithdrawn | agents.PromptDelivered) -> Iterator[Line]:
    if isinstance(event, agents.PromptQueued):
        yield Line(f"to {event.agent}, with its next turn: {one_line(event.text, 160)}", "dim", 0, 1)
    elif isinstance(event, agents.PromptDelivered):
        yield Line(f"the agent hears: {one_line(event.text, 160)}", "dim", 0, 1)
    else:
        yield Line("taken back before the agent heard it", "dim", 0, 1)


def _readings(event: agents.TurnFinished, who: str) -> Iterator[Line]:
    """One line for a turn that does nothing but read: else nothing would show that it goes on."""
    calls = [block for block in _blocks(event.content) if block.get("type") == "tool_use"]
    if not calls or any(call.get("name") not in _READS for call in calls):
        return
    told: dict[str, dict[str, None]] = {}
    for call in calls:
        told.setdefault(_READS[call["name"]], {})[call_subject(json.dumps(call.get("input"))) or "."] = None
    yield Line(who + one_line("; ".join(f"{verb} {', '.join(told[verb])}" for verb in told), 160), "dim", 0, 1)


def result_text(content: str) -> str:
    """The text of a `tool_result` block."""
    inner: object = next((block.get("content") for block in _blocks(content)), "")
    if isinstance(inner, str):
        return inner
    parts = cast("list[object]", inner) if isinstance(inner, list) else []
    return "\n".join(str(cast("dict[str, Any]", part).get("text", "")) for part in parts if isinstance(part, dict))


def _blocks(content: str) -> list[dict[str, Any]]:
    """The blocks of JSON text, one or a list; none where it is something else."""
    try:
        parsed: object = json.loads(content)
    except ValueError:
        return []
    many = cast("list[object]", parsed) if isinstance(parsed, list) else [parsed]
    return [cast("dict[str, Any]", block) for block in many if isinstance(block, dict)]


def call_subject(raw: str) -> str:
    """What a tool call is about, in a few words, from its JSON input (perhaps unfinished)."""
    values = _blocks(raw)[:1]
    found = next((value[key] for value in values for key in _SUBJECTS if isinstance(value.get(key), str)), "")
    return one_line(str(found), 160)
