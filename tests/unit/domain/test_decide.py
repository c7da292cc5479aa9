"""Orders on a project: what follows from them, and what is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain import commands as c
from specloom.domain.decide import decide
from specloom.domain.events import Event, documents, planning, tasks
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import AgentId, AttemptId, Digest, PlanId, RequirementId, RunId, SpecId, TaskId, digest_of
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome, RunState, Scope
from specloom.domain.scope import ready_in
from specloom.domain.spec import SpecDefinition, TaskDefinition
from specloom.domain.states import TaskState

AT = "2026-01-01T00:00:00.000Z"
AGENT = AgentId("agent-1")
PROOF = (Evidence(EvidenceKind.COMMAND, AT, command="true", exit_code=0),)


def spec(*definitions: TaskDefinition, number: str = "01") -> SpecDefinition:
    return SpecDefinition(SpecId(number), "Spec", f"specs/{number}-spec.md", tasks=definitions)


def task(number: str, *depends: str) -> TaskDefinition:
    needed = tuple(TaskId(f"01/{item}") for item in depends)
    return TaskDefinition(TaskId(f"01/{number}"), number, f"Task {number}", depends=needed)


def order(state: ProjectState, *commands: c.Command) -> ProjectState:
    for command in commands:
        decided = decide(state, command)
        assert not isinstance(decided, Rejected), decided
        for event in decided:
            state = evolve(state, event, AT, state.seq + 1)
    return state


def events_of(state: ProjectState, command: c.Command) -> tuple[Event, ...]:
    decided = decide(state, command)
    assert not isinstance(decided, Rejected), decided
    return decided


def refused(state: ProjectState, command: c.Command) -> Rejected:
    decided = decide(state, command)
    assert isinstance(decided, Rejected), decided
    return decided


def running(*definitions: TaskDefinition) -> ProjectState:
    return order(EMPTY, c.ReadSpec(spec(*definitions), AT), c.StartRun(RunId("run"), Scope()))


def started(state: ProjectState, number: str) -> ProjectState:
    return order(state, c.StartTask(TaskId(f"01/{number}"), AttemptId(f"a-{number}"), AGENT, ("true",)))


def proven(state: ProjectState, number: str) -> ProjectState:
    state = started(state, number)
    return order(state, c.ProveTask(TaskId(f"01/{number}"), AttemptId(f"a-{number}"), PROOF))


def failed(state: ProjectState, number: str) -> ProjectState:
    state = started(state, number)
    return order(state, c.FailAttempt(TaskId(f"01/{number}"), AttemptId(f"a-{number}"), "no", "out", 1))


def states(state: ProjectState) -> dict[str, TaskState]:
    return {name.removeprefix("01/"): state.state_of(name) for name in state.graph.order}


def test_a_task_waits_until_its_dependencies_are_done() -> None:
    state = running(task("1"), task("2", "1"))
    assert states(state) == {"1": TaskState.READY, "2": TaskState.PENDING}
    assert refused(state, c.StartTask(TaskId("01/2"), AttemptId("a"), AGENT, ())).code == "task-not-ready"
    state = proven(state, "1")
    assert states(state) == {"1": TaskState.DONE, "2": TaskState.READY}
    assert list(ready_in(state, Scope())) == ["01/2"]


def test_done_needs_evidence_and_the_attempt_in_flight() -> None:
    state = started(running(task("1")), "1")
    assert refused(state, c.ProveTask(TaskId("01/1"), AttemptId("a-1"), ())).code == "no-evidence"
    assert refused(state, c.ProveTask(TaskId("01/1"), AttemptId("another"), PROOF)).code == "attempt-over"
    assert refused(order(state, c.ProveTask(TaskId("01/1"), AttemptId("a-1"), PROOF)), c.SkipTask(TaskId("01/1")))


def test_an_attempt_that_fails_is_followed_by_another_until_the_limit() -> None:
    state = started(running(task("1"), task("2", "1")), "1")
    state = order(state, c.FailAttempt(TaskId("01/1"), AttemptId("a-1"), "red", "the output", 2))
    record = state.record(TaskId("01/1"))
    assert (state.state_of(TaskId("01/1")), record.attempts, record.feedback) == (TaskState.READY, 1, "the output")
    state = order(started(state, "1"), c.FailAttempt(TaskId("01/1"), AttemptId("a-1"), "red", "again", 2))
    assert states(state) == {"1": TaskState.FAILED, "2": TaskState.BLOCKED}


def test_an_attempt_without_a_verdict_uses_up_no_try() -> None:
    state = running(task("1"))
    for _ in range(3):
        state = started(state, "1")
        state = order(state, c.ReleaseTask(TaskId("01/1"), AttemptId("a-1"), "cancelled"))
    state = order(started(state, "1"), c.FailAttempt(TaskId("01/1"), AttemptId("a-1"), "red", "", 2))
    assert (states(state)["1"], state.record(TaskId("01/1")).attempts) == (TaskState.READY, 4)


def test_what_waits_for_a_failed_task_is_blocked_and_freed_when_it_is_skipped() -> None:
    state = failed(running(task("1"), task("2", "1"), task("3", "2"), task("4")), "1")
    assert states(state) == dict(zip("1234", ["failed", "blocked", "blocked", "ready"], strict=True))
    assert state.record(TaskId("01/3")).cause == "01/1"
    state = order(state, c.SkipTask(TaskId("01/1")))
    assert states(state) == dict(zip("1234", ["skipped", "ready", "pending", "ready"], strict=True))


def test_a_task_with_two_failed_causes_stays_blocked_until_both_are_gone() -> None:
    state = failed(failed(running(task("1"), task("2"), task("3", "1", "2")), "1"), "2")
    state = order(state, c.SkipTask(TaskId("01/1")))
    assert (states(state)["3"], state.record(TaskId("01/3")).cause) == (TaskState.BLOCKED, "01/2")
    state = order(state, c.RetryTask(TaskId("01/2")))
    state = proven(state, "2")
    assert states(state)["3"] is TaskState.READY


def test_a_reported_block_is_lifted_by_a_person_only() -> None:
    state = started(running(task("1"), task("2", "1")), "1")
    state = order(state, c.BlockTask(TaskId("01/1"), "which port?", AttemptId("a-1")))
    assert states(state) == {"1": TaskState.BLOCKED, "2": TaskState.BLOCKED}
    assert state.record(TaskId("01/2")).reason == "01/1 is blocked"
    state = order(state, c.UnblockTask(TaskId("01/1")))
    assert states(state)["1"] is TaskState.READY


def test_naming_a_failed_task_tries_it_again_and_a_project_scope_does_not() -> None:
    state = order(failed(running(task("1")), "1"), c.FinishRun(RunOutcome.INCOMPLETE))
    whole = order(state, c.StartRun(RunId("r2"), Scope()))
    assert states(whole)["1"] is TaskState.FAILED
    named = order(state, c.StartRun(RunId("r2"), Scope("task", "01/1")))
    assert states(named)["1"] is TaskState.READY
    assert named.record(TaskId("01/1")).attempts == 0


@pytest.mark.parametrize(
    ("scope", "code"), [(Scope("task", "01/9"), "unknown-task"), (Scope("spec", "02"), "unknown-spec")]
)
def test_an_unknown_scope_is_refused_with_what_was_probably_meant(scope: Scope, code: str) -> None:
    state = order(EMPTY, c.ReadSpec(spec(task("1")), AT))
    answer = refused(state, c.StartRun(RunId("r"), scope))
    assert answer.code == code
    assert answer.suggestions


def test_a_second_run_is_refused_and_named() -> None:
    answer = refused(running(task("1")), c.StartRun(RunId("other"), Scope()))
    assert answer.code == "run-active"
    assert "run" in answer.message


def test_a_run_pauses_settles_and_resumes() -> None:
    state = order(running(task("1")), c.PauseRun("lunch"))
    assert state.run is not None
    assert state.run.state is RunState.PAUSING
    state = order(state, c.SettlePause())
    assert state.run is not None
    assert (state.run.state, state.run.reason) == (RunState.PAUSED, "lunch")
    assert refused(state, c.StartTask(TaskId("01/1"), AttemptId("a"), AGENT, ())).code == "run-not-running"
    state = order(state, c.ResumeRun())
    assert state.run is not None
    assert state.run.state is RunState.RUNNING


def test_a_pause_that_was_taken_back_is_not_settled_any_more() -> None:
    state = order(order(running(task("1")), c.PauseRun("lunch")), c.ResumeRun())
    state = order(state, c.SettlePause())
    assert state.run is not None
    assert state.run.state is RunState.RUNNING
    state = order(state, c.SettlePause("save 1 file: a.txt"))
    assert state.run is not None
    assert (state.run.state, state.run.reason) == (RunState.PAUSED, "save 1 file: a.txt")


def test_boxes_found_ticked_are_imported_and_boxes_ticked_later_are_the_users() -> None:
    ticked = replace(task("1"), ticked=True)
    state = order(EMPTY, c.ReadSpec(spec(ticked, task("2")), AT))
    assert state.record(TaskId("01/1")).evidence[0].kind is EvidenceKind.IMPORTED
    state = order(state, c.ReadSpec(spec(ticked, replace(task("2"), ticked=True)), AT))
    assert state.record(TaskId("01/2")).evidence[0].kind is EvidenceKind.USER
    state = order(state, c.ReadSpec(spec(task("1"), replace(task("2"), ticked=True)), AT))
    assert states(state) == {"1": TaskState.READY, "2": TaskState.DONE}


def test_what_a_reading_changed_beside_boxes_is_told() -> None:
    def boxes_only(*definitions: TaskDefinition) -> bool:
        read = events_of(state, c.ReadSpec(spec(*definitions), AT))[0]
        assert isinstance(read, documents.SpecRead)
        return read.boxes_only

    ticked = replace(task("1"), ticked=True)
    state = EMPTY
    assert not boxes_only(ticked), "nothing was known of it"
    state = order(EMPTY, c.ReadSpec(spec(task("1"), task("2")), AT))
    assert boxes_only(ticked, task("2"))
    assert not boxes_only(ticked, replace(task("2"), title="Another"))
    assert not boxes_only(ticked, replace(task("2"), line=7)), "it stands elsewhere"
    assert not boxes_only(ticked)


def test_a_tick_that_came_while_an_agent_worked_is_not_taken() -> None:
    state = order(EMPTY, c.ReadSpec(spec(task("1")), AT))
    state = order(state, c.ReadSpec(spec(replace(task("1"), ticked=True)), AT, by_hand=False))
    assert states(state)["1"] is TaskState.READY


def test_a_box_that_was_not_written_yet_does_not_undo_a_proof() -> None:
    state = proven(running(task("1")), "1")
    assert events_of(state, c.ReadSpec(spec(task("1")), AT)) == ()
    assert states(order(state, c.ReadSpec(spec(replace(task("1"), ticked=True)), AT)))["1"] is TaskState.DONE


def test_a_renumbered_task_keeps_its_history() -> None:
    old = replace(task("1"), title="Draw the map", hash=_hash("map"))
    state = proven(running(old), "1")
    moved = TaskDefinition(TaskId("01/2"), "2", "Draw the map", depends=(), hash=_hash("map"), ticked=False)
    fresh = TaskDefinition(TaskId("01/1"), "1", "Fold the paper", depends=(), hash=_hash("fold"))
    state = order(state, c.ReadSpec(spec(fresh, moved), AT))
    assert states(state) == {"1": TaskState.READY, "2": TaskState.DONE}


def test_a_regressed_proof_fails_its_task_and_names_the_culprit() -> None:
    state = proven(proven(running(task("1"), task("2", "1"), task("3", "1")), "1"), "2")
    state = order(state, c.RegressTask(TaskId("01/1"), "regressed by 01/2", TaskId("01/2")))
    assert states(state) == {"1": TaskState.FAILED, "2": TaskState.DONE, "3": TaskState.BLOCKED}


def test_reading_the_same_document_twice_causes_nothing() -> None:
    state = order(EMPTY, c.ReadSpec(spec(task("1")), AT))
    assert events_of(state, c.ReadSpec(spec(task("1")), AT)) == ()


def _hash(text: str) -> Digest:

    return digest_of(text)


def test_requirements_that_an_outline_leaves_out_are_remembered_over_later_plans() -> None:
    plan, name = PlanId("p"), RequirementId("R9")
    state = evolve(EMPTY, planning.PlanStarted(plan, "requirements.md", planning.PlanStage.SPECS), AT, 1)
    state = evolve(state, planning.OutlineAccepted(plan, "{}", ((name, "later"),)), AT, 2)
    state = evolve(state, planning.PlanStarted(PlanId("q"), "specs/01.md", planning.PlanStage.TASKS), AT, 3)
    assert state.out_of_scope == (name,)


def test_a_skipped_task_satisfies_what_was_blocked_behind_it() -> None:
    state = failed(running(task("1"), task("2", "1"), task("3", "2"), task("4", "3")), "1")
    state = order(state, c.SkipTask(TaskId("01/2")))
    assert states(state) == {"1": "failed", "2": "skipped", "3": "ready", "4": "pending"}


def test_a_task_that_still_waits_for_the_cause_another_way_stays_blocked() -> None:
    state = failed(running(task("1"), task("2", "1"), task("3", "1", "2")), "1")
    state = order(state, c.SkipTask(TaskId("01/2")))
    assert (states(state)["3"], state.record(TaskId("01/3")).cause) == (TaskState.BLOCKED, "01/1")


def test_an_edit_that_takes_the_dependency_away_frees_the_task() -> None:
    state = failed(running(task("1"), task("2", "1")), "1")
    state = order(state, c.ReadSpec(spec(task("1"), task("2")), AT))
    assert states(state) == {"1": "failed", "2": "ready"}


def test_a_task_that_is_cut_and_pasted_keeps_its_block() -> None:
    whole = (task("1"), task("2", "1"))
    state = failed(running(*whole), "1")
    state = order(state, c.ReadSpec(spec(whole[0]), AT), c.ReadSpec(spec(*whole), AT))
    assert states(state) == {"1": "failed", "2": "blocked"}


def test_a_regression_blocks_what_waits_for_it_and_not_what_waits_for_what_is_done() -> None:
    state = proven(proven(running(task("1"), task("2", "1"), task("3", "2"), task("4", "1")), "1"), "2")
    state = order(state, c.RegressTask(TaskId("01/1"), "regressed by 01/2", TaskId("01/2")))
    assert states(state) == {"1": "failed", "2": "done", "3": "ready", "4": "blocked"}


def test_a_task_freed_by_one_cause_names_the_other_that_holds_it() -> None:
    state = running(task("1"), task("2"), task("3", "1", "2"))
    state = started(started(state, "1"), "2")
    for number in ("1", "2"):
        state = order(state, c.FailAttempt(TaskId(f"01/{number}"), AttemptId(f"a-{number}"), "no", "", 1))
    state = order(state, c.SkipTask(TaskId("01/1")))
    assert state.record(TaskId("01/3")).cause == "01/2"
    assert states(order(state, c.SkipTask(TaskId("01/2"))))["3"] is TaskState.READY


def test_a_box_ticked_by_hand_frees_what_its_failure_blocked() -> None:
    state = failed(running(task("1"), task("2", "1")), "1")
    state = order(state, c.ReadSpec(spec(replace(task("1"), ticked=True), task("2", "1")), AT))
    assert states(state) == {"1": "done", "2": "ready"}


NUMBERS = ("1", "2", "3", "4")


@st.composite
def projects(draw: st.DrawFn) -> ProjectState:
    definitions = [
        task(number, *draw(st.lists(st.sampled_from(NUMBERS[:place]), max_size=2, unique=True)) if place else ())
        for place, number in enumerate(NUMBERS)
    ]
    return running(*definitions)


def commands() -> st.SearchStrategy[c.Command]:
    names = [TaskId(f"01/{number}") for number in NUMBERS]
    return st.sampled_from([command for name in names for command in _orders(name, AttemptId(f"a-{name[3:]}"))])


def _orders(name: TaskId, attempt: AttemptId) -> tuple[c.Command, ...]:
    return (
        c.StartTask(name, attempt, AGENT, ()),
        c.ProveTask(name, attempt, PROOF),
        c.FailAttempt(name, attempt, "no", "", 1),
        c.FailAttempt(name, attempt, "no", "", 3),
        c.BlockTask(name, "?", attempt),
        c.ReleaseTask(name, attempt, "stop"),
        c.RegressTask(name, "regressed"),
        c.SkipTask(name),
        c.RetryTask(name),
        c.UnblockTask(name),
        c.ResetTask(name),
        c.PauseRun(),
        c.SettlePause(),
        c.ResumeRun(),
    )


@given(projects(), st.lists(commands(), max_size=25))
def test_whatever_is_ordered_the_graph_and_the_states_agree(state: ProjectState, orders: list[c.Command]) -> None:
    for command in orders:
        decided = decide(state, command)
        for event in () if isinstance(decided, Rejected) else decided:
            state = evolve(state, event, AT, state.seq + 1)
    for name in state.graph.order:
        record = state.record(name)
        waits = [before for before in state.graph.depends[name] if state.record(before).state not in SATISFIED]
        assert (state.state_of(name) is TaskState.READY) == (record.state is TaskState.PENDING and not waits)
        assert (record.attempt is not None) == (record.state is TaskState.IN_PROGRESS)
        if record.cause is not None:
            assert state.record(record.cause).state not in (TaskState.DONE, TaskState.SKIPPED)
        if record.state is TaskState.DONE:
            assert record.evidence


SATISFIED = (TaskState.DONE, TaskState.SKIPPED)


@given(projects(), st.lists(commands(), max_size=25))
def test_every_prefix_of_a_log_is_a_legal_state(state: ProjectState, orders: list[c.Command]) -> None:
    log: list[Event] = []
    for command in orders:
        decided = decide(state, command)
        events = () if isinstance(decided, Rejected) else decided
        log.extend(events)
        for event in events:
            state = evolve(state, event, AT, state.seq + 1)
    assert all(isinstance(event, Event) for event in log)
    assert not [event for event in log if isinstance(event, tasks.TaskDone) and not event.evidence]
