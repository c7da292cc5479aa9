"""Random lives of a project, as the wire tells them: a snapshot, the events after it, and the snapshot at their end."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from specloom.domain.documents.specs import parse_spec
from specloom.domain.events import Event, agents, documents, runs, tasks
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import (
    AgentId,
    ApprovalId,
    AttemptId,
    ProjectId,
    PromptId,
    RequirementId,
    RunId,
    SessionId,
    TaskId,
    spec_of,
)
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState, TaskRecord
from specloom.domain.runs import Budget, PauseCause, RunOutcome, RunState, Scope
from specloom.domain.states import TaskAction, TaskState, transition
from specloom.domain.usage import UsageTotal
from specloom.engine.api import Published
from specloom.lsp.protocol import to_json
from specloom.lsp.uris import Places
from specloom.lsp.wire_events import wire_event
from specloom.lsp.wire_project import wire_project

PROJECT = ProjectId("p1")
PLACES = Places(Path("/project"), "/project")
AGENT = AgentId("agent-1")
RUN = RunId("run-1")
TREE = """---
id: "01"
title: Tree
---
## Tasks
- [ ] 1 First
  - [ ] 1.1 One
  - [ ] 1.2 Two
    - _Depends: none_
  - [ ]* 1.3 Perhaps
- [ ] 2 Second
  - [ ] 2.1 Three
    - _Depends: 1.1, 1.2_
- [ ]* 3 Extra
  - [ ] 3.1 Four
  - [ ] 3.2 Five
"""
# More than a snapshot lists one by one, and one task that waits for all of them.
WIDE = '---\nid: "02"\ntitle: Wide\n---\n## Tasks\n' + "".join(
    f"- [ ] {number} Part\n  - _Depends: none_\n" for number in range(1, 131)
)
LAST = '---\nid: "03"\ntitle: Last\ndepends_on: ["02"]\n---\n## Tasks\n- [ ] 1 Close\n- [ ] 2 Lock\n'


class Life:
    """One project, whose events are drawn so that each is legal when it comes."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._now = datetime(2026, 11, 21, tzinfo=UTC)
        self.state: ProjectState = EMPTY
        self.events: list[Published] = []
        self._add(documents.ProjectOpened(PROJECT, "greeter"))
        for name, text in (("01-tree", TREE), ("02-wide", WIDE), ("03-last", LAST)):
            self._add(documents.SpecRead(parse_spec(f"specs/{name}.md", text)))
        self._add(runs.RunStarted(RUN, Scope("project"), Budget(), unattended=False))

    def go_on(self, steps: int) -> None:
        """Lets so many things happen."""
        for _ in range(steps):
            # Mostly in the first spec, where tasks hang together; the wide one is done in bulk below.
            name = self._random.choice([task for task in self.state.graph.order if task.startswith(("01", "03"))])
            self._random.choice((self._task, self._task, self._session, self._person, self._steer))(name)

    def finish_wide(self) -> None:
        """All of the wide spec is done, one by one, but for what a person goes without."""
        for task in self.state.graph.order:
            if task.startswith("02/"):
                self._add(
                    tasks.TaskDone(task, (self._proof(),)) if self._random.random() > 0.1 else tasks.TaskSkipped(task)
                )

    def end(self) -> None:
        """The run is over."""
        self._add(runs.RunFinished(RUN, RunOutcome.INCOMPLETE, "some are left"))

    def snapshot(self) -> str:
        """As a client is told it now."""
        return json.dumps(to_json(wire_project(self.state, {}, PLACES, read_only=False)))

    def _add(self, event: Event) -> None:
        seq = self.state.seq + 1
        # Now and then a question waits over night.
        self._now += timedelta(seconds=1 if self._random.random() < 0.95 else 40_000)
        at = self._now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.state = evolve(self.state, event, at, seq)
        self.events.append(Published(seq, at, Origin("engine"), event))

    def _proof(self) -> Evidence:
        kind = self._random.choice((EvidenceKind.COMMAND, EvidenceKind.REVIEWER))
        return Evidence(kind, "2026-11-21T00:00:00.000Z", command="true", exit_code=0)

    def _task(self, name: TaskId) -> None:
        record = self.state.record(name)
        legal = [action for action in TaskAction if transition(record.state, action) is not None]
        action = self._random.choice(legal)
        if action is not TaskAction.START or self.state.state_of(name) is TaskState.READY:
            self._add(self._acted(name, record, action))
        if self.state.record(name).state is TaskState.DONE:
            self._age(name)
        if self._random.random() < 0.1:
            # The projection holds no boxes.
            self._add(documents.SpecRead(self.state.plan.specs[spec_of(name)], boxes_only=True))

    def _acted(self, name: TaskId, record: TaskRecord, action: TaskAction) -> Event:
        attempt = record.attempt or AttemptId(f"attempt-{self.state.seq}")
        by_hand = Evidence(EvidenceKind.USER, "2026-11-21T00:00:00.000Z")
        cause = self._random.choice((None, TaskId("01/1.1")))
        made: dict[TaskAction, Event] = {
            TaskAction.START: tasks.TaskStarted(name, attempt, AGENT, RUN, record.attempts + 1, ("true",)),
            TaskAction.PROVE: tasks.TaskDone(name, (self._proof(),), attempt),
            TaskAction.TICK: tasks.TaskDone(name, (by_hand,)),
            TaskAction.FAIL: tasks.TaskFailed(name, "it does not hold"),
            TaskAction.BLOCK: tasks.TaskBlocked(name, "cannot", cause),
            TaskAction.FREE: tasks.TaskUnblocked(name, by_cause=True),
            TaskAction.UNBLOCK: tasks.TaskUnblocked(name),
            TaskAction.SKIP: tasks.TaskSkipped(name, "not now"),
            TaskAction.RETRY: tasks.TaskRetried(name),
            TaskAction.RESET: tasks.TaskReset(name),
            TaskAction.RELEASE: tasks.AttemptFailed(name, attempt, "not proven"),
        }
        return made[action]

    def _age(self, name: TaskId) -> None:
        """What it stands on changed, files or requirements, and is sometimes good again in one of three ways."""
        if self._random.random() < 0.5:
            paths = self._random.choice(((), ("greet.py",)))
            self._add(tasks.ProofStale(name, paths, self._random.choice(((), (RequirementId("1.1"),)))))
        record = self.state.record(name)
        if (record.stale or record.outdated) and self._random.random() < 0.5:
            renewed = Evidence(EvidenceKind.COMMAND, "2026-11-21T00:00:00.000Z", command="true", exit_code=0)
            again = tasks.ProofRenewed(name, (renewed,), self._random.choice((None, ())))
            self._add(self._random.choice((again, tasks.ProofStale(name, ()))))

    def _session(self, name: TaskId) -> None:
        working = [session for session in self.state.sessions.values() if not session.outcome]
        if not working or self._random.random() < 0.2:
            parent = self._random.choice(working).id if working and self._random.random() < 0.5 else None
            opened = SessionId(f"session-{self.state.seq:04}")
            self._add(agents.SessionStarted(opened, AGENT, "executor", None, name, "m", "", (), parent=parent))
            return
        session = self._random.choice(working)
        cost = self._random.choice((0.25, 0.5, None))
        used = UsageTotal(self._random.randrange(900), 5, 1, 2, cost)
        if self._random.random() < 0.6:
            self._add(agents.TurnFinished(session.id, session.turns + 1, "[]", "end_turn", used, "m"))
        elif self._random.random() < 0.5:
            self._add(agents.TurnFailed(session.id, session.turns + 1, "overloaded", "busy", 1.0, used))
        else:
            self._add(agents.SessionEnded(session.id, "claimed", "done"))

    def _person(self, name: TaskId) -> None:
        if self.state.approvals and self._random.random() < 0.6:
            asked = self._random.choice(sorted(self.state.approvals.keys()))
            self._add(agents.ApprovalAnswered(asked, allowed=True, rule="user"))
        elif self.state.prompts and self._random.random() < 0.6:
            self._add(agents.PromptWithdrawn(self._random.choice(sorted(self.state.prompts.keys()))))
        elif self._random.random() < 0.5:
            asked = ApprovalId(f"approval-{self.state.seq:04}")
            self._add(agents.ApprovalAsked(asked, "command", "ls", "runs a command", AGENT, name))
        else:
            self._add(agents.PromptQueued(PromptId(f"prompt-{self.state.seq:04}"), AGENT, "also this"))

    def _steer(self, name: TaskId) -> None:
        del name
        assert self.state.run is not None
        after, cause = self._random.choice(("turn", "task")), self._random.choice((PauseCause.OTHER, PauseCause.KEY))
        pausing, goes_on = runs.RunPausing(RUN, "paused by the user", after), runs.RunResumed(RUN)
        match self.state.run.state:
            case RunState.RUNNING:
                cut_off = runs.RunPaused(RUN, "Specloom was stopped", PauseCause.INTERRUPTED)
                self._add(self._random.choice((pausing, pausing, cut_off)))
            case RunState.PAUSING:
                self._add(self._random.choice((pausing, goes_on, runs.RunPaused(RUN, "no key", cause))))
            case _:
                self._add(goes_on)


def written(seed: int, folder: Path) -> None:
    """Writes one life as three files of JSON lines."""
    life = Life(seed)
    life.go_on(Random(seed).randrange(60))
    before, told = life.snapshot(), len(life.events)
    life.go_on(60)
    if seed % 3 == 0:
        life.finish_wide()
        life.go_on(40)
    if seed % 2:
        life.end()
    events = [json.dumps(to_json(wire_event(item, PROJECT))) for item in life.events[told:]]
    (folder / f"{seed}.jsonl").write_text("\n".join([before, *events, life.snapshot()]))
