"""Rules, profiles, grants and questions through the whole engine: what runs, what is asked, what is kept."""

import asyncio
import os
from pathlib import Path

import pytest

from specloom.agent.roles import ROLES, RoleName
from specloom.compose.toolbox import all_tools
from specloom.domain.events import agents
from specloom.domain.permissions.places import Standing
from specloom.domain.permissions.rules import Profile
from specloom.domain.redact import Redactor
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, Scope
from specloom.domain.states import TaskState
from specloom.engine.api import Question
from specloom.engine.root_places import RootPlaces
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from specloom.tools.tool import Effect
from tests.integration.people import Person, denies
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    ONE,
    attempt,
    command,
    ended,
    events_of,
    project,
    says,
    script,
    staged,
    start,
    task,
    turn,
    until,
    write,
)

STATE = Path(os.environ["XDG_STATE_HOME"]).resolve()
WRITES, CLAIMS = turn(write("a.txt", "a\n")), turn(says())
HOLDS = "test -f a.txt"


async def starts(runtime: ProjectRuntime, profile: Profile | None = None) -> None:
    answer = await runtime.start_run(Scope(), Budget(), USER, profile=profile)
    assert not isinstance(answer, Rejected), answer


def chooses(*wanted: str) -> Person:
    """Somebody who takes the first choice that begins with one of these words, else says no."""

    def rule(question: Question) -> str:
        found = (choice for start in wanted for choice in question.choices if choice.startswith(start))
        return next(found, question.choices[-1] if question.choices else "")

    return Person(rule)


async def rules_of(runtime: ProjectRuntime, tool: str = "run_command") -> list[str]:
    return [event.rule for event in await events_of(runtime, agents.ToolSettled) if event.name == tool]


async def test_a_granted_set_is_not_asked_for_again_after_a_restart(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, HOLDS, "test -f b.txt"))
    first, second = chooses("Allow in this project"), chooses()
    async with ScriptedServer(
        script(attempt(1, WRITES, CLAIMS), attempt(2, turn(write("b.txt", "")), CLAIMS))
    ) as server:
        async with hosted(root, server) as runtime:
            with runtime.attach(first):
                answer = await runtime.start_run(Scope("task", ONE), Budget(), USER)
                assert not isinstance(answer, Rejected)
                await ended(runtime)
        async with hosted(root, server) as runtime:
            assert [grant.text for grant in await runtime.grants()] == [HOLDS]
            with runtime.attach(second):
                await starts(runtime)
                await ended(runtime)
    assert [question.subject for question in first.questions] == [HOLDS]
    assert [question.subject for question in second.questions] == ["test -f b.txt"], "only what is new"


async def test_a_grant_that_is_taken_back_is_asked_for_again(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, HOLDS))
    person = chooses("Allow in this project")
    async with staged(root, attempt(1, WRITES, CLAIMS)) as (runtime, _):
        with runtime.attach(person):
            answer = await runtime.start_run(Scope("task", ONE), Budget(), USER)
            assert not isinstance(answer, Rejected)
            await ended(runtime)
            (grant,) = await runtime.grants()
            assert isinstance(await runtime.revoke("none", USER), Rejected)
            assert not isinstance(await runtime.revoke(grant.id, USER), Rejected)
        with runtime.attach(Person(denies)):
            await starts(runtime)
            await ended(runtime)
        assert runtime.state.record(ONE).state is TaskState.DONE
        assert [event.text for event in await events_of(runtime, agents.GrantRevoked)] == [HOLDS]
        assert await runtime.grants() == ()


async def test_allowed_once_is_for_this_run_alone(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, HOLDS))
    person = chooses("Allow once")
    async with staged(root, attempt(1, WRITES, CLAIMS), attempt(2, CLAIMS)) as (runtime, _):
        for scope in (Scope("task", ONE), Scope()):
            with runtime.attach(person):
                answer = await runtime.start_run(scope, Budget(), USER)
                assert not isinstance(answer, Rejected)
                await ended(runtime)
        assert await runtime.grants() == ()
    assert len([question for question in person.questions if question.kind == "proposal"]) == 2


async def test_a_question_shows_the_rule_it_would_grant_and_the_rule_counts_where_it_says(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, HOLDS))
    sessions = (
        attempt(1, turn(command("touch one")), turn(command("touch one")), WRITES, CLAIMS),
        attempt(2, turn(command("touch one")), turn(command("make -v")), turn(command("make -v")), CLAIMS),
    )
    person = chooses("Allow `touch one` for this task", "Allow `make -v` in this project", "Allow once")
    async with staged(root, *sessions) as (runtime, _):
        with runtime.attach(person):
            await starts(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        asked = [question for question in person.questions if question.kind == "command"]
        assert [question.subject for question in asked] == ["touch one", "touch one", "make -v"]
        assert asked[0].choices == (
            "Allow once", "Allow `touch one` for this task", "Allow `touch one` in this project", "Deny",
        )  # fmt: skip
        assert (await rules_of(runtime))[1] == "allow run_command(touch one) (granted for task 01/1)"
        kept = [(grant.text, grant.scope) for grant in await runtime.grants()]
        assert kept == [
            ("run_command(touch one)", "task 01/1"),
            ("run_command(touch one)", "task 01/2"),
            ("run_command(make -v)", "project"),
        ]


async def test_a_rule_that_denies_is_lifted_by_nobody(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, "touch pushed"))
    (root / "specloom.toml").write_text('[permissions]\ndeny = ["run_command(touch pushed *)"]\n')
    turns = (
        turn(command("env touch pushed")),
        turn(command("touch $(echo pushed)"), expect="not run"),
        turn(command("sh -c 'touch pushed'"), expect="not run"),
        WRITES,
        CLAIMS,
    )
    async with staged(root, attempt(1, *turns), strict=False) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        assert runtime.state.record(ONE).state is TaskState.DONE
        blocked = next(record for record in runtime.state.tasks.values() if record.state is TaskState.BLOCKED)
        assert "denies it" in blocked.reason
        assert all(
            event.is_error for event in await events_of(runtime, agents.ToolSettled) if event.name == "run_command"
        )
    assert not (root / "pushed").exists()


async def test_rules_of_a_repository_that_give_rights_count_only_once_they_are_granted(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    (root / "specloom.toml").write_text('[permissions]\nallow = ["run_command(touch *)"]\nprofile = "full"\n')
    sessions = attempt(1, turn(command("touch made")), WRITES, CLAIMS)
    person = chooses("Allow once")
    async with staged(root, sessions) as (runtime, _):
        with runtime.attach(Person(denies)):
            await starts(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        with runtime.attach(person):
            await starts(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        (question,) = person.questions
        assert question.subject.split("\n") == [
            'permissions.allow = ["run_command(touch *)"]', 'permissions.profile = "full"', HOLDS,
        ]  # fmt: skip
        assert (await rules_of(runtime)) == ["allow run_command(touch *) ([permissions] in the settings)"]


async def test_the_profile_of_a_run_is_for_this_run(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, HOLDS))
    makes = turn(command("mkdir -p made && touch made/x"))
    async with staged(root, attempt(1, makes, WRITES, CLAIMS), attempt(2, makes, CLAIMS)) as (runtime, _):
        person = chooses("Allow once")
        with runtime.attach(person):
            answer = await runtime.start_run(Scope("task", ONE), Budget(), USER, profile=Profile.AUTO_EDIT)
            assert not isinstance(answer, Rejected)
            await ended(runtime)
            assert [question.kind for question in person.questions] == ["proposal"]
            await starts(runtime)
            await ended(runtime)
        assert [question.kind for question in person.questions] == ["proposal", "proposal", "command"]
        assert await rules_of(runtime) == ["profile auto-edit", "user: Allow once"]


async def test_a_read_only_run_changes_nothing(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    turns = (turn(write("a.txt", "")), turn(command("ls && touch b")), turn(command("ls")), CLAIMS)
    async with staged(root, attempt(1, *turns), strict=False) as (runtime, _):
        answer = await runtime.start_run(Scope(), Budget(turns=4), USER, unattended=True, profile=Profile.READ_ONLY)
        assert not isinstance(answer, Rejected)
        await until(runtime, lambda state: state.run is not None and state.run.turns >= 4)
        settled = await events_of(runtime, agents.ToolSettled)
        assert [event.is_error for event in settled] == [True, True, False]
    assert not list(root.glob("*.txt"))
    assert not (root / "b").exists()


async def test_each_call_is_written_down_with_its_rule(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    looks = turn(command("ls"), {"tool": "read_file", "input": {"path": "requirements.md"}})
    async with staged(root, attempt(1, looks, turn(command(HOLDS)), WRITES, CLAIMS)) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert [event.rule for event in await events_of(runtime, agents.ToolSettled)] == [
            "built in: reads the root", "profile ask", "built in: reads the root", "profile ask",
        ]  # fmt: skip


async def test_nobody_answers_and_the_model_is_told_why(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1))
    asks = {"tool": "ask_user", "input": {"question": "Red or blue?", "choices": ["red", "blue"]}}
    async with staged(
        root, attempt(1, turn(asks), turn(says(), expect="no answer: nobody is attached")), strict=False
    ) as (
        runtime,
        _,
    ):
        await start(runtime, turns=2)
        await until(runtime, lambda state: state.run is not None and state.run.turns >= 2)
        (answer,) = await events_of(runtime, agents.ApprovalAnswered)
        assert (answer.allowed, answer.rule) == (False, "no client"), "--yes answers no question"


async def test_what_yes_does_not_cover_is_told_as_that(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1))
    turns = [turn(command('rm -rf "$X"')), turn(says(), expect="could allow it, and --yes does not cover it")]
    async with staged(root, attempt(1, *turns), strict=False) as (runtime, _):
        with runtime.attach(Person(lambda _: None, final=True)):
            await start(runtime, turns=2)
            await until(runtime, lambda state: state.run is not None and state.run.turns >= 2)


@pytest.mark.parametrize("choices", [["red", "blue"], []])
async def test_a_person_answers_the_agent(tmp_path: Path, choices: list[str]) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    asks = {"tool": "ask_user", "input": {"question": "Red or blue?", **({"choices": choices} if choices else {})}}
    person = Person(lambda question: "blue" if question.kind == "question" else question.choices[0])
    sessions = attempt(1, turn(asks), turn(write("a.txt", "blue\n"), expect="the user answers: blue"), CLAIMS)
    async with staged(root, sessions) as (runtime, _):
        with runtime.attach(person):
            await starts(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        asked = [event for event in await events_of(runtime, agents.ApprovalAsked) if event.kind == "question"]
        assert [event.choices for event in asked] == [tuple(choices)]
        answers = await events_of(runtime, agents.ApprovalAnswered)
        assert (answers[-1].allowed, answers[-1].rule, answers[-1].reason) == (True, "user", "blue")


async def test_a_question_waits_in_the_queue_and_is_answered_from_there(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    person = Person(lambda question: None if question.kind == "command" else question.choices[0])
    async with staged(root, attempt(1, turn(command("touch a.txt")), CLAIMS)) as (runtime, _):
        with runtime.attach(person):
            await starts(runtime)
            state = await until(runtime, lambda state: any(item.kind == "command" for item in state.approvals.values()))
            (approval,) = state.approvals.values()
            assert approval.choices[1] == "Allow `touch a.txt` for this task"
            assert isinstance(await runtime.answer(approval.id, "Allow everything", USER), Rejected)
            assert not isinstance(await runtime.answer(approval.id, approval.choices[1], USER), Rejected)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_grants_lie_outside_the_workspace_for_their_owner_alone(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root, attempt(1, WRITES, CLAIMS)) as (runtime, _):
        with runtime.attach(chooses("Allow in this project")):
            await starts(runtime)
            await ended(runtime)
        folder = runtime.engine.permits.book.folder
    assert folder == STATE / "specloom" / "grants"
    inside = await asyncio.to_thread(lambda: [path for path in root.rglob("*") if b'proposal", "text' in _bytes(path)])
    assert inside == []


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def test_a_role_that_may_not_write_or_run_has_no_tool_for_it() -> None:
    box = all_tools(Redactor())
    for role in ROLES.values():
        effects = {box.effect(name) for name in role.tools if name in box.names}
        assert role.may_write or Effect.WRITE not in effects, role.name
        assert role.may_run or Effect.COMMAND not in effects, role.name
    assert {name for name, role in ROLES.items() if role.may_write or role.may_run} == {RoleName.EXECUTOR}


async def test_places_are_told_by_where_links_lead(tmp_path: Path) -> None:
    root, state = tmp_path / "p", tmp_path / "p" / ".local" / "grants"
    for folder in ("src", "specs", "specs-of-mine", ".local/grants", "sub/.git"):
        (root / folder).mkdir(parents=True)
    (root / "out").symlink_to(tmp_path)
    (root / "src" / "up").symlink_to(root / "specs")
    places = RootPlaces(root.resolve(), ("specs", "*.lock"), state.resolve())
    found = {
        "src/a.py": Standing.OPEN,
        "": Standing.OPEN,
        "specs-of-mine/a": Standing.OPEN,
        "specs/01.md": Standing.READ_ONLY,
        "src/up/01.md": Standing.READ_ONLY,
        "poetry.lock": Standing.READ_ONLY,
        "out/x": Standing.OUTSIDE,
        "out/p/src/a.py": Standing.OPEN,
        "../p/src": Standing.OPEN,
        "..": Standing.OUTSIDE,
        str(root / "src"): Standing.OPEN,
        "/etc/passwd": Standing.OUTSIDE,
        "a\0b": Standing.OUTSIDE,
        ".env": Standing.CLOSED,
        "sub/.git/config": Standing.CLOSED,
        ".local/grants/x.json": Standing.CLOSED,
    }
    looked = await asyncio.to_thread(lambda: {path: places.find(path, "").standing for path in found})
    assert looked == found
    assert (await asyncio.to_thread(places.find, "../specs/a", "src")).standing is Standing.READ_ONLY


async def test_git_in_a_bare_repository_of_the_checkout_counts_as_running_what_it_says(tmp_path: Path) -> None:
    for path in (
        "p/.git/HEAD",
        "p/src/a.py",
        "p/deep/pkg/HEAD",
        "p/deep/pkg/info/exclude",
        "p/sub/.git/HEAD",
        "p/sub/HEAD",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("ref: refs/heads/main\n")
    places = RootPlaces((tmp_path / "p").resolve())
    folders = ("", "src", "gone", "deep", "deep/pkg", "deep/pkg/info", "deep/../deep/pkg", "sub")
    bare = await asyncio.to_thread(lambda: [folder for folder in folders if places.may_be_bare(folder)])
    assert bare == ["deep/pkg", "deep/pkg/info", "deep/../deep/pkg"]


async def test_grants_that_lie_in_the_root_cannot_be_written_by_a_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path / "home", task(1, HOLDS))
    monkeypatch.setenv("XDG_STATE_HOME", str(root / ".local" / "state"))
    grants = ".local/state/specloom/grants/x.json"
    turns = (turn(write(grants, "{}")), turn(write("a.txt", ""), expect="is closed to agents"), CLAIMS)
    async with staged(root, attempt(1, *turns)) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
    assert not (root / grants).exists()
