"""Folds what sessions did: turns, calls, usage, approvals. Refuses to keep words but those of a claim."""

import json
from typing import TypeAlias, assert_never

from specloom.domain.budgets import Spent
from specloom.domain.copies import with_changes
from specloom.domain.events import agents
from specloom.domain.evolve_spending import spent
from specloom.domain.evolve_tasks import with_record
from specloom.domain.ids import AgentId
from specloom.domain.project import ApprovalRecord, ProjectState, PromptRecord, SessionRecord, Word

CLAIM_KEPT = 2_000
"""Characters of a claim that a task record keeps; all of it is in the log."""


def on_agents(state: ProjectState, event: agents.AgentEvent, at: str) -> ProjectState:
    """The state after an event of an agent, a session or an approval."""
    match event:
        case agents.SessionStarted():
            opened = SessionRecord(
                id=event.session,
                agent=event.agent,
                role=event.role,
                model=event.model,
                attempt=event.attempt,
                task=event.task,
                started_at=at,
                previous=event.previous,
                number=event.number,
                parent=event.parent,
                call=event.call,
                clocked_s=state.worked_s,
            )
            return with_changes(state, sessions=state.sessions.insert(event.session, opened))
        case agents.ApprovalAsked():
            asked = ApprovalRecord(
                event.approval, event.kind, event.subject, event.purpose, event.agent, event.task, at, event.choices
            )
            return with_changes(state, approvals=state.approvals.insert(event.approval, asked))
        case agents.ApprovalAnswered():
            return with_changes(_heard(state, event), approvals=state.approvals.discard(event.approval))
        case agents.PromptQueued() | agents.PromptWithdrawn() | agents.PromptDelivered():
            return _prompted(state, event, at)
        case agents.GrantRevoked():
            return state
        case agents.TurnFinished():
            return _charged(_in_session(state, event), event, at, turns=1)
        case agents.TurnFailed():
            # Broken off and asked again: what came of it was billed all the same.
            return _charged(_in_session(state, event), event, at, turns=0)
        case agents.SessionEnded():
            return _claimed(_in_session(state, event), event)
        case _:
            return _in_session(state, event)


def _heard(state: ProjectState, event: agents.ApprovalAnswered) -> ProjectState:
    """Keeps the words of a person with the task that his question was about."""
    asked = state.approvals.get(event.approval)
    said = None if asked is None else said_to_agent(asked.kind, asked.subject, event)
    if asked is None or asked.agent is None or said is None:
        return state
    return _kept(state, asked.agent, *said)


def _kept(state: ProjectState, agent: AgentId, about: str, words: str) -> ProjectState:
    # By its agent: the task may have another id by now, since people renumber while agents work.
    task = next((task for task, known in state.tasks.items() if known.agent == agent), None)
    if task is None:
        return state
    record = state.record(task)
    same = (item for item in state.sessions.values() if item.attempt == record.attempt and item.role == "executor")
    number = max((item.number for item in same if item.parent is None), default=1)
    word = Word(record.attempts, number, about, words)
    return with_record(state, task, with_changes(record, words=(*record.words, word)))


UNASKED = "unasked, while the agent worked"


def _prompted(
    state: ProjectState, event: agents.PromptQueued | agents.PromptWithdrawn | agents.PromptDelivered, at: str
) -> ProjectState:
    known = state.prompts.get(event.prompt)
    if isinstance(event, agents.PromptQueued):
        queued = PromptRecord(event.prompt, event.agent, event.text, at)
        return with_changes(state, prompts=state.prompts.insert(event.prompt, queued))
    state = with_changes(state, prompts=state.prompts.discard(event.prompt))
    if known is None or isinstance(event, agents.PromptWithdrawn):
        return state
    return _kept(state, known.agent, UNASKED, event.text)


def said_to_agent(kind: str, subject: str, answer: agents.ApprovalAnswered) -> tuple[str, str] | None:
    """What a person's answer is about, and his words; `None` where a rule answered, or a person just allowed it."""
    if answer.rule != agents.PERSON or (kind != "question" and answer.allowed):
        return None
    about = "answering" if kind == "question" else "refusing"
    return f"{about} {json.dumps(subject, ensure_ascii=False)}", answer.reason or agents.NO


SessionEvent: TypeAlias = (
    agents.MessageAdded
    | agents.ContextCollapsed
    | agents.OpenFilesWarned
    | agents.NoProgressSeen
    | agents.TurnRequested
    | agents.TurnFinished
    | agents.TurnFailed
    | agents.ToolRequested
    | agents.ToolSettled
    | agents.SessionEnded
)


def _in_session(state: ProjectState, event: SessionEvent) -> ProjectState:
    session = state.sessions.get(event.session)
    if session is None:
        return state
    return with_changes(state, sessions=state.sessions.insert(session.id, _after(session, event)))


def _after(session: SessionRecord, event: SessionEvent) -> SessionRecord:
    match event:
        case agents.MessageAdded() | agents.ContextCollapsed() | agents.OpenFilesWarned() | agents.NoProgressSeen():
            return session
        case agents.TurnRequested():
            return with_changes(session, awaiting=event.turn)
        case agents.TurnFinished():
            return with_changes(session, turns=event.turn, awaiting=0, usage=session.usage + event.usage)
        case agents.TurnFailed():
            # Until the next try nothing is under way that could cost anything.
            return with_changes(session, awaiting=0, usage=session.usage + event.usage)
        case agents.ToolRequested():
            return with_changes(session, calls=(*session.calls, event.call))
        case agents.ToolSettled():
            return with_changes(session, calls=tuple(call for call in session.calls if call != event.call))
        case agents.SessionEnded():
            return with_changes(session, outcome=event.outcome, awaiting=0)
        case _:
            assert_never(event)


def _charged(
    state: ProjectState, event: agents.TurnFinished | agents.TurnFailed, at: str, *, turns: int
) -> ProjectState:
    state = with_changes(state, usage=state.usage + event.usage)
    session = state.sessions.get(event.session)
    task = state.task_of(session) if session else None
    if task is not None:
        record = state.record(task)
        state = with_record(
            state, task, with_changes(record, turns=record.turns + turns, usage=record.usage + event.usage)
        )
    plan = state.planning
    if plan is not None and session is not None and session.role == "planner":
        planned = with_changes(plan, turns=plan.turns + turns, usage=plan.usage + event.usage)
        state = with_changes(state, planning=planned)
    run = state.run
    if run is not None and run.active:
        state = with_changes(state, run=with_changes(run, turns=run.turns + turns, usage=run.usage + event.usage))
    return spent(state, task, Spent.of(event.usage, turns), at)


def _claimed(state: ProjectState, event: agents.SessionEnded) -> ProjectState:
    session = state.sessions.get(event.session)
    if session is None or session.task is None or session.role != "executor":
        return state
    claim = event.reason[:CLAIM_KEPT] if event.outcome == "claimed" else ""
    task = state.task_of(session) or session.task
    record = state.record(task)
    return state if claim == record.claim else with_record(state, task, with_changes(record, claim=claim))
