"""Requirements that change under done work: exactly their dependents are stale, and numbers alone make none so."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from specloom.domain import commands as c
from specloom.domain.citations import cited_by, renumbered
from specloom.domain.coverage import check_requirements
from specloom.domain.decide import decide
from specloom.domain.documents.texts import hash_of
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import AgentId, AttemptId, RequirementId, RunId, SpecId, TaskId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.requirement import Requirement, RequirementsDocument
from specloom.domain.runs import Scope
from specloom.domain.spec import RequirementRef, SpecDefinition, TaskDefinition
from specloom.domain.states import TaskState

PATH = "requirements.md"
AT = "2026-01-01T00:00:00Z"
WORDS = st.text("abcdefgh ", min_size=3, max_size=12).filter(lambda text: text.strip() != "")
TEXTS = st.lists(WORDS, min_size=1, max_size=6, unique_by=lambda text: " ".join(text.split()))
TWINS = st.lists(st.sampled_from(["one", "two", "three"]), min_size=2, max_size=6)


def carried_out(state: ProjectState, *commands: c.Command) -> ProjectState:
    for command in commands:
        events = decide(state, command)
        assert not isinstance(events, Rejected)
        for event in events:
            state = evolve(state, event, AT, state.seq + 1)
    return state


def read(texts: list[str]) -> c.ReadRequirements:
    found = [Requirement(RequirementId(f"R{at}"), text, hash_of(text)) for at, text in enumerate(texts, 1)]
    return c.ReadRequirements(PATH, tuple(found))


def spec(cited: list[list[int]]) -> SpecDefinition:
    """One task for each list of numbers of requirements."""
    tasks = [
        TaskDefinition(
            TaskId(f"01/{at}"),
            str(at),
            f"Task {at}",
            requirements=tuple(RequirementId(f"R{number}") for number in numbers),
            depends=(),
            hash=hash_of(f"Task {at}"),
        )
        for at, numbers in enumerate(cited, 1)
    ]
    return SpecDefinition(SpecId("01"), "One", "specs/01.md", tasks=tuple(tasks))


def all_ticked(texts: list[str], cited: list[list[int]]) -> ProjectState:
    known = spec(cited)
    done = replace(known, tasks=tuple(replace(task, ticked=True) for task in known.tasks))
    state = carried_out(EMPTY, read(texts), c.ReadSpec(done, AT))
    assert all(state.record(task.id).state is TaskState.DONE for task in done.tasks)
    return state


@st.composite
def projects(draw: st.DrawFn, kinds: st.SearchStrategy[list[str]] = TEXTS) -> tuple[list[str], list[list[int]]]:
    texts = draw(kinds)
    numbers = st.lists(st.integers(1, len(texts)), max_size=3, unique=True)
    return texts, draw(st.lists(numbers, min_size=1, max_size=5))


@given(projects(), st.data())
def test_exactly_the_tasks_that_cite_changed_texts_are_stale(
    project: tuple[list[str], list[list[int]]], data: st.DataObject
) -> None:
    texts, cited = project
    now = list(texts)
    for at in data.draw(st.lists(st.integers(0, len(texts) - 1), unique=True)):
        now[at] = data.draw(WORDS)
    gone = {number for number, text in enumerate(texts, 1) if hash_of(text) not in map(hash_of, now)}
    state = carried_out(all_ticked(texts, cited), read(now))
    for at, numbers in enumerate(cited, 1):
        expected = {RequirementId(f"R{number}") for number in numbers if number in gone}
        assert set(state.record(TaskId(f"01/{at}")).outdated) == expected
        assert state.record(TaskId(f"01/{at}")).state is TaskState.DONE
    back = carried_out(state, read(texts))
    assert all(not record.outdated for record in back.tasks.values())


@given(projects(), st.randoms(use_true_random=False))
def test_renumbering_makes_nothing_stale(project: tuple[list[str], list[list[int]]], random: Random) -> None:
    texts, cited = project
    now = list(texts)
    random.shuffle(now)
    state = carried_out(all_ticked(texts, cited), read(["put before all", *now]))
    assert all(not record.outdated for record in state.tasks.values())


def outdated(state: ProjectState) -> list[set[str]]:
    """The outdated requirements of each task."""
    return [set(state.record(task).outdated) for task in state.graph.order]


@given(projects(TWINS), st.data())
def test_of_requirements_that_read_the_same_each_is_stale_on_its_own(
    project: tuple[list[str], list[list[int]]], data: st.DataObject
) -> None:
    texts, cited = project
    cited = [*cited, list(range(1, len(texts) + 1))]
    state = all_ticked(texts, cited)
    changed: set[int] = set()
    now = list(texts)
    for number in data.draw(st.lists(st.integers(1, len(texts)), max_size=8)):
        changed ^= {number}
        now[number - 1] = f"other {number}" if number in changed else texts[number - 1]
        state = carried_out(state, read(now))
        assert outdated(state) == [{f"R{number}" for number in numbers if number in changed} for numbers in cited]
    assert not any(outdated(carried_out(state, read(texts))))


@given(projects(TWINS), st.lists(st.randoms(use_true_random=False), min_size=1, max_size=3))
def test_renumbering_makes_nothing_stale_where_several_read_the_same(
    project: tuple[list[str], list[list[int]]], orders: list[Random]
) -> None:
    texts, cited = project
    state = all_ticked(texts, cited)
    for at, random in enumerate(orders):
        texts = [f"put before all {at}", *texts]
        random.shuffle(texts)
        state = carried_out(state, read(texts))
        assert not any(outdated(state))


def test_edit_is_found_of_one_that_was_renumbered_among_those_that_read_the_same() -> None:
    state = carried_out(all_ticked(["same", "same"], [[1], [2]]), read(["before", "same", "same"]))
    state = carried_out(state, read(["before", "before", "same", "same"]), read(["before", "before", "same", "other"]))
    assert outdated(state) == [set(), {"R2"}]
    assert outdated(carried_out(state, read(["before", "same", "other"]))) == [set(), {"R2"}]
    assert outdated(carried_out(state, read(["same", "before", "other", "same"]))) == [set(), set()]


def test_words_that_come_back_under_another_number_are_those_that_were_edited() -> None:
    state = carried_out(all_ticked(["one", "two"], [[1], [2]]), read(["other", "two"]))
    assert outdated(state) == [{"R1"}, set()]
    assert outdated(carried_out(state, read(["other", "one"]))) == [set(), {"R2"}]
    assert outdated(carried_out(state, read(["other", "two", "one"]))) == [set(), set()]


def test_one_of_two_that_read_the_same_is_removed_or_moved_and_asked_for_still() -> None:
    state = all_ticked(["same", "same", "more"], [[1], [2], [3]])
    assert not any(outdated(carried_out(state, read(["same", "more"]))))
    moved = c.ReadRequirements("docs/requirements.md", (Requirement(RequirementId("S1"), "same", hash_of("same")),))
    assert not any(outdated(carried_out(state, moved, read(["more"]))))


def test_one_of_two_that_read_the_same_changes_while_its_task_is_worked_on() -> None:
    task, attempt = TaskId("01/1"), AttemptId("attempt")
    state = carried_out(
        EMPTY,
        read(["same", "same"]),
        c.ReadSpec(spec([[2], [1]]), AT),
        c.StartRun(RunId("run"), Scope()),
        c.StartTask(task, attempt, AgentId("agent"), ()),
        read(["same", "other"]),
        c.ProveTask(task, attempt, (Evidence(EvidenceKind.COMMAND, AT, attempt),)),
    )
    assert outdated(state) == [{"R2"}, set()]
    again = carried_out(state, c.RenewProof(task, state.record(task).evidence, cited_by(state, task)))
    assert outdated(again) == [set(), set()]


def test_edit_of_one_that_reads_as_another_is_told_as_an_edit() -> None:
    state = carried_out(all_ticked(["same", "same"], [[1], [2]]), read(["same", "other"]))
    known = spec([[1], [2]])
    assert not [pair for task in known.tasks for pair in renumbered(state, state.record(task.id), known)]
    refs = tuple(RequirementRef(RequirementId(name), hash_of("same")) for name in ("R1", "R2"))
    now = RequirementsDocument(PATH, read(["same", "other"]).requirements)
    problems = check_requirements([replace(known, requirements=refs)], [now])
    assert [(item.code, "R2" in item.message) for item in problems] == [("requirement-changed", True)]


def test_numbers_of_those_that_read_the_same_are_told_one_by_one() -> None:
    state = carried_out(all_ticked(["same", "same"], [[1], [2]]), read(["a", "b", "same", "same"]))
    known = spec([[1], [2]])
    pairs = [pair for task in known.tasks for pair in renumbered(state, state.record(task.id), known)]
    assert pairs == [("R1", "R3"), ("R2", "R4")]


def test_a_requirement_that_changes_while_its_task_is_worked_on_makes_the_proof_stale_at_once() -> None:
    task, attempt = TaskId("01/1"), AttemptId("attempt")
    state = carried_out(
        EMPTY,
        read(["old words"]),
        c.ReadSpec(spec([[1]]), AT),
        c.StartRun(RunId("run"), Scope()),
        c.StartTask(task, attempt, AgentId("agent"), ()),
        read(["quite other words"]),
        c.ProveTask(task, attempt, (Evidence(EvidenceKind.COMMAND, AT, attempt),)),
    )
    assert state.record(task).state is TaskState.DONE
    assert state.record(task).outdated == (RequirementId("R1"),)


def test_what_names_a_renumbered_requirement_is_told_its_number() -> None:
    ref = RequirementRef(RequirementId("R1"), hash_of("old words"))
    known = replace(spec([[1]]), requirements=(ref,))
    now = read(["put before", "old words"])
    problems = check_requirements([known], [RequirementsDocument(PATH, now.requirements)])
    assert [(item.code, "which is R2 now" in item.message) for item in problems if item.path == known.path] == [
        ("requirement-renumbered", True)
    ]
