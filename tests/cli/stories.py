"""A project told as events, for tests of what is shown. Refuses made-up states: everything is folded."""

import json
from collections.abc import Iterable, Mapping

from specloom.domain.events import Event, agents, documents, planning, runs, tasks
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import AgentId, AttemptId, ProjectId, RunId, SessionId, SpecId, TaskId, task_id
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState
from specloom.domain.runs import Budget, Scope
from specloom.domain.spec import SpecDefinition, TaskDefinition
from specloom.domain.usage import UsageTotal
from specloom.engine.api import Published

AT = "2026-11-21T10:00:00.000Z"
AGENT = AgentId("agent-1")
RUN = RunId("run-1")
__all__ = ["AGENT", "AT", "RUN", "Story", "planning", "spec"]


def spec(number: int, title: str, leaves: int, *, optional: int = 0) -> SpecDefinition:
    """A spec with one heading over its leaves, the last ones optional."""
    name = SpecId(f"{number:02}")
    parent = task_id(name, "1")
    heading = TaskDefinition(parent, "1", "Build it", is_leaf=False)
    steps = tuple(
        TaskDefinition(
            task_id(name, f"1.{place}"),
            f"1.{place}",
            f"Step {place} of {title}",
            parent=parent,
            optional=place > leaves - optional,
        )
        for place in range(1, leaves + 1)
    )
    return SpecDefinition(name, title, f"specs/{name}.md", tasks=(heading, *steps))


class Story:
    """Tells events one by one; `told` are those so far, each with the state after it."""

    def __init__(self, *specs: SpecDefinition) -> None:
        self.state = EMPTY
        self.told: list[tuple[Published, ProjectState]] = []
        self.tell(documents.ProjectOpened(ProjectId("p-1"), "greeter"))
        self.tell(*(documents.SpecRead(item) for item in specs))

    def tell(self, *events: Event) -> "Story":
        """These happen."""
        for event in events:
            seq = self.state.seq + 1
            self.state = evolve(self.state, event, AT, seq)
            self.told.append((Published(seq, AT, Origin("engine"), event), self.state))
        return self

    def run(self, scope: Scope | None = None) -> "Story":
        """A run starts."""
        return self.tell(runs.RunStarted(RUN, scope or Scope(), Budget(), unattended=False))

    def start(self, task: str, number: int = 1) -> AttemptId:
        """An attempt begins."""
        attempt = AttemptId(f"attempt-{task}-{number}")
        self.tell(tasks.TaskStarted(TaskId(task), attempt, AGENT, RUN, number, ("true",)))
        return attempt

    def prove(self, tasks_: Iterable[str]) -> "Story":
        """Tasks are done and proven."""
        for task in tasks_:
            attempt = self.start(task)
            proof = Evidence(EvidenceKind.COMMAND, AT, attempt, command="true", exit_code=0)
            self.tell(tasks.TaskDone(TaskId(task), (proof,), attempt))
        return self

    def answer(self, *calls: tuple[str, Mapping[str, object]]) -> "Story":
        """A turn that is answered with tool calls."""
        blocks = [
            {"type": "tool_use", "id": f"c-{place}", "name": name, "input": values}
            for place, (name, values) in enumerate(calls)
        ]
        session = SessionId("s")
        return self.tell(agents.TurnFinished(session, 1, json.dumps(blocks), "tool_use", UsageTotal(), "m"))

    def turn(self, usage: UsageTotal, role: str = "executor") -> "Story":
        """A turn is asked for and answered."""
        session = SessionId(f"session-{self.state.seq}")
        self.tell(
            agents.SessionStarted(session, AGENT, role, None, None, "m", "", ()),
            agents.TurnRequested(session, 1),
            agents.TurnFinished(session, 1, "[]", "end_turn", usage, "m"),
        )
        return self
