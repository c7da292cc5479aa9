"""Snapshots: a state that was kept and the rest of the log fold to what the whole log folds to."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rpds import HashTrieMap

from specloom.domain.events import REGISTRY, Event, agents, documents, planning, proof, runs, tasks
from specloom.domain.evidence import Evidence, EvidenceKind, FileDigest
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import (
    AgentId,
    ApprovalId,
    AttemptId,
    CallId,
    CheckId,
    Digest,
    EditId,
    PlanId,
    ProjectId,
    PromptId,
    RequirementId,
    RunId,
    SessionId,
    SpecId,
    TaskId,
)
from specloom.domain.origin import Origin
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.domain.redact import Redactor
from specloom.domain.requirement import Requirement
from specloom.domain.runs import Budget, RunOutcome, Scope
from specloom.domain.scope import ready_in
from specloom.domain.spec import SpecDefinition, TaskDefinition
from specloom.domain.usage import UsageTotal
from specloom.engine import snapshots
from specloom.engine.ledger import PROJECT, Ledger
from specloom.store.log import EventStore
from specloom.store.state_codec import pack_state, unpack_state
from specloom.store.system import SystemClock

AT = "2026-01-01T00:00:00.000Z"
ONE, TWO = TaskId("01/1"), TaskId("01/2")
ATTEMPT, AGENT, SESSION, RUN, PLAN = AttemptId("a"), AgentId("agent-1"), SessionId("s"), RunId("r"), PlanId("p")
DIGEST = Digest("d" * 64)
USAGE = UsageTotal(1, 2, 3, 4, 0.5)
SPEC = SpecDefinition(
    SpecId("01"),
    "Spec",
    "specs/01.md",
    tasks=(
        TaskDefinition(ONE, "1", "First", verify=("true",), requirements=(RequirementId("R1"),)),
        TaskDefinition(TWO, "2", "Second, \ud83d\ude00 and \udce4", depends=(ONE,)),
    ),
)
EVIDENCE = (
    Evidence(EvidenceKind.COMMAND, AT, ATTEMPT, None, "true", 0, DIGEST, "ok", (FileDigest("a.txt", None),), True),
)
LOG: tuple[Event, ...] = (
    documents.ProjectOpened(ProjectId("project"), "name"),
    documents.RequirementsRead("requirements.md", (Requirement(RequirementId("R1"), "text", DIGEST),)),
    planning.PlanStarted(PLAN, "requirements.md", planning.PlanStage.SPECS),
    planning.OutlineAccepted(PLAN, "{}", ((RequirementId("R9"), "later"),)),
    planning.SpecGenerating(PLAN, SpecId("01"), "specs/01.md", planning.PlanStage.SPECS),
    documents.SpecRead(SPEC),
    documents.LogRebuilt(6, None, "damaged-1", "why"),
    planning.PlanFailed(PLAN, "why", (Problem("code", "message", "specs/01.md"),)),
    runs.RunStarted(RUN, Scope("task", ONE), Budget(usd=1.5), True),
    documents.HeadChanged("0" * 40, "1" * 40, "main"),
    agents.PromptQueued(PromptId("prompt-1"), AGENT, "Use tabs"),
    agents.ApprovalAsked(ApprovalId("q"), "command", "ls", "why", AGENT, ONE),
    tasks.TaskStarted(ONE, ATTEMPT, AGENT, RUN, 1, ("true",)),
    proof.CheckRequested(CheckId("c"), ONE, ATTEMPT, proof.CheckPhase.BEFORE, "true"),
    agents.SessionStarted(SESSION, AGENT, "executor", ATTEMPT, ONE, "model", "system", ("read_file",)),
    agents.TurnRequested(SESSION, 1),
    agents.TurnFinished(SESSION, 1, "[]", "tool_use", USAGE, "model"),
    agents.ToolRequested(SESSION, CallId("call"), "write_file", "{}"),
    proof.EditRequested(EditId("e"), ATTEMPT, "a.txt", None, None, DIGEST, "label", ONE),
    proof.EditSettled(EditId("e"), "a.txt", False, False, None, "no"),
    proof.EditRequested(EditId("f"), ATTEMPT, "b.txt", "text", DIGEST, DIGEST, "label", ONE),
    runs.RunPausing(RUN, "by hand"),
    proof.ChangeSetRecorded(ATTEMPT, ONE, "diff", ("a.txt",)),
    tasks.AttemptFailed(ONE, ATTEMPT, "no", "told"),
    tasks.TaskStarted(ONE, ATTEMPT, AGENT, RUN, 2, ("true",)),
    tasks.TaskDone(ONE, EVIDENCE, ATTEMPT),
    tasks.ProofStale(ONE, ("a.txt",)),
    tasks.TaskFailed(ONE, "regressed", TWO, "told"),
    tasks.TaskBlocked(TWO, "01/1 failed", ONE),
    runs.RunFinished(RUN, RunOutcome.INCOMPLETE, "why"),
)


def folded(events: Sequence[Event], state: ProjectState = EMPTY) -> ProjectState:
    """The state after these events."""
    for event in events:
        seconds = state.seq + 1
        state = evolve(state, event, f"2026-01-01T00:{seconds // 60:02}:{seconds % 60:02}.000Z", seconds)
    return state


def again(state: ProjectState) -> ProjectState:
    """The state after it was kept."""
    found = unpack_state(pack_state(state))
    assert found is not None
    return found


@given(st.integers(0, len(LOG)))
def test_a_kept_state_and_the_rest_of_the_log_fold_to_the_whole(kept: int) -> None:
    whole = folded(LOG)
    state = folded(LOG[kept:], again(folded(LOG[:kept])))
    assert comparable(state) == comparable(whole)
    assert state.graph.order == whole.graph.order
    assert [*ready_in(state, Scope())] == [*ready_in(whole, Scope())]


@given(st.integers(0, len(LOG)))
def test_a_kept_state_is_the_same_state(kept: int) -> None:
    state = folded(LOG[:kept])
    found = again(state)
    assert comparable(found) == comparable(state)
    assert {name: found.state_of(name) for name in found.graph.order} == {
        name: state.state_of(name) for name in state.graph.order
    }


def comparable(state: ProjectState) -> ProjectState:
    """Without what follows from the rest and is no value."""
    return replace(state, plan=[*state.plan.specs.values()], progress=None)  # pyright: ignore[reportArgumentType] - to compare


def test_a_state_of_another_shape_is_not_read() -> None:
    kept = json.loads(pack_state(folded(LOG)))
    assert unpack_state(json.dumps(kept | {"shape": "other"}).encode()) is None


def test_every_field_of_the_projection_is_in_the_log_of_these_tests() -> None:
    seen = [folded(LOG[:count]) for count in range(len(LOG) + 1)]
    unused = [
        name
        for name in ProjectState.__dataclass_fields__
        if name not in ("plan", "progress") and not any(getattr(state, name) != getattr(EMPTY, name) for state in seen)
    ]
    assert unused == []
    assert isinstance(seen[-1].tasks, HashTrieMap)


async def test_a_log_opens_from_its_snapshot_and_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "EVERY", 10)
    monkeypatch.setattr(snapshots, "WORTH", 5)
    store = await EventStore.open(tmp_path / "state", REGISTRY, SystemClock())
    ledger = Ledger(store, Redactor())
    await ledger.load()
    for event in LOG[:-3]:
        await ledger.append(PROJECT, [event], Origin("engine"))
    await ledger.drain()
    kept = await store.load_snapshot(snapshots.NAME, snapshots.V)
    assert kept is not None
    await ledger.append(PROJECT, LOG[-3:], Origin("engine"))
    opened = Ledger(store, Redactor())
    await opened.load()
    assert 0 < kept[0] < opened.state.seq
    assert comparable(opened.state) == comparable(ledger.state)
    await store.close()


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xff", b'{"shape": 1}', b"[]"])
async def test_a_snapshot_that_cannot_be_read_is_passed_over(tmp_path: Path, data: bytes) -> None:
    store = await EventStore.open(tmp_path / "state", REGISTRY, SystemClock())
    ledger = Ledger(store, Redactor())
    await ledger.load()
    await ledger.append(PROJECT, LOG, Origin("engine"))
    await store.save_snapshot(snapshots.NAME, 5, snapshots.V, data)
    opened = Ledger(store, Redactor())
    await opened.load()
    assert comparable(opened.state) == comparable(ledger.state)
    await store.close()
