"""What the agent is doing now, folded from events and the output stream. Refuses history: the log has it."""

from dataclasses import dataclass, field

from specloom.cli.views.formats import duration, one_line
from specloom.cli.views.session_lines import call_subject
from specloom.domain.events import agents, planning, proof, runs, tasks
from specloom.domain.ids import SessionId, TaskId
from specloom.domain.project import ProjectState
from specloom.engine.api import OutputChunk, Published

_KEPT = 600
"""Characters of the stream that are kept; a terminal shows fewer."""


@dataclass(slots=True)
class Activity:
    """Who acts on what, and the last words that came."""

    role: str = ""
    task: TaskId | None = None
    model: str = ""
    step: str = ""
    words: str = ""
    session: SessionId | None = None
    block: str = ""
    subagents: list[SessionId] = field(default_factory=list[SessionId])
    """Those that are at work, first the one whose words are shown."""

    def hear(self, published: Published, state: ProjectState) -> None:
        """Takes in a committed event."""
        event = published.event
        if isinstance(event, agents.AgentEvent):
            self._agent(event, state)
        elif isinstance(event, proof.CheckRequested):
            self._now(f"verifying: {one_line(event.command, 120)}")
        elif isinstance(event, planning.SpecGenerating):
            self._now(f"writing {event.path}")
        elif isinstance(event, tasks.TaskStarted):
            self.task = event.task
            self._now("starting")
        elif isinstance(event, runs.RunPaused | runs.RunFinished | planning.PlanFinished | planning.PlanFailed):
            self.role, self.task = "", None
            self.subagents.clear()
            self._now("")

    def hear_output(self, chunk: OutputChunk) -> None:
        """Takes in a piece of the stream."""
        if chunk.kind == "spec":
            # The same words come as text of the planner.
            return
        if self.subagents and chunk.session != self.subagents[0]:
            return
        if chunk.from_start or (chunk.session, chunk.block) != (self.session, self.block):
            self.session, self.block, self.words = chunk.session, chunk.block, ""
        step = self.step
        if chunk.kind == "tool_input":
            step = f"preparing {chunk.name}" if chunk.name else step
        else:
            self.words = (self.words + chunk.text)[-_KEPT:]
            step = {"thinking": "thinking", "text": "writing"}.get(chunk.kind, step)
        self.step = self.step if self.subagents else step

    def _agent(self, event: agents.AgentEvent, state: ProjectState) -> None:
        if self._is_of_subagent(event, state):
            return
        if isinstance(event, agents.SessionStarted):
            self.role, self.task, self.model = event.role, event.task, event.model
            self._now("starting")
        elif isinstance(event, agents.TurnRequested):
            session = state.sessions.get(event.session)
            if session is not None and not self.role:
                # A session that goes on after a pause.
                self.role, self.task, self.model = session.role, session.task, session.model
            self.step = "waiting for the model"
        elif isinstance(event, agents.TurnFailed):
            wait = event.retry_in_s
            nth = f", try {event.asked + 1} of {event.tries}" if event.tries else ""
            self.step = "" if wait is None else f"no answer; asking again in {duration(wait)}{nth}"
        elif isinstance(event, agents.ToolRequested):
            self._now(f"{event.name} {one_line(call_subject(event.input), 100)}".rstrip())
        elif isinstance(event, agents.ApprovalAsked):
            self.step = "waiting for your answer"
        elif isinstance(event, agents.SessionEnded):
            session = state.sessions.get(event.session)
            self.role = "" if session is None or session.role == self.role else self.role
            self._now("")

    def _is_of_subagent(self, event: agents.AgentEvent, state: ProjectState) -> bool:
        """Whether it is news of a sub-agent: of those only their number is told."""
        name: SessionId | None = getattr(event, "session", None)
        session = None if name is None else state.sessions.get(name)
        if session is None or session.parent is None:
            return False
        if isinstance(event, agents.SessionStarted):
            self.subagents.append(session.id)
            self._now(self._reading())
        elif isinstance(event, agents.SessionEnded) and session.id in self.subagents:
            self.subagents.remove(session.id)
            self._now(self._reading())
        return True

    def _reading(self) -> str:
        count = len(self.subagents)
        return f"{count} sub-agent{'' if count == 1 else 's'} reading" if count else ""

    def _now(self, step: str) -> None:
        self.step, self.words = step, ""
