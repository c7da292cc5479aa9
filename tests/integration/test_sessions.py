"""A task may need many sessions: it ends as in one, and nothing that was said or done is lost on the way."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from specloom.agent.replay import UNKNOWN
from specloom.agent.window import RECOMMENDED
from specloom.domain.evidence import EvidenceKind
from specloom.domain.project import SessionRecord
from specloom.domain.runs import RunOutcome
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.people import Person
from tests.integration.projects import USER, hosted, session
from tests.integration.rotation_story import (
    ASKS,
    LONG,
    SMALL_WINDOW,
    SUMMARY,
    WORDS,
    in_many,
    in_one,
    is_long,
    remaining,
    rotation_project,
)
from tests.integration.stage import (
    DEADLINE,
    ONE,
    Json,
    attempt,
    command,
    ended,
    first_message,
    newest_message,
    project,
    read,
    replace_line,
    says,
    script,
    staged,
    start,
    task,
    turn,
    until_file,
    write,
)

MANY = 40


@dataclass(frozen=True, slots=True)
class End:
    """What a run in one session and one in many must agree on."""

    state: TaskState
    evidence: tuple[tuple[EvidenceKind, str, int | None, bool | None], ...]
    files: dict[str, str]
    boxes: int


def end_of(runtime: ProjectRuntime, root: Path) -> End:
    """How it ended."""
    return End(
        runtime.state.record(ONE).state,
        tuple((item.kind, item.command, item.exit_code, item.discriminating) for item in runtime.evidence(ONE)),
        {path.name: path.read_text() for path in sorted(root.glob("*.txt"))},
        (root / "specs" / "01-steps.md").read_text().count("- [x]"),
    )


async def played(root: Path, told: dict[str, Any], steps: int) -> tuple[End, ProjectRuntime, ScriptedServer]:
    """Runs the story to its end with a person who answers."""
    rotation_project(root, steps)
    async with ScriptedServer(told, keep=None) as server, hosted(root, server, limits={"turns": 200}) as runtime:
        with runtime.attach(Person(lambda _: WORDS)):
            await start(runtime)
            run = await ended(runtime)
        assert run.outcome is RunOutcome.COMPLETED, run
        return end_of(runtime, root), runtime, server


def executors(runtime: ProjectRuntime) -> list[SessionRecord]:
    """The executor's sessions in order."""
    known = (item for item in runtime.state.sessions.values() if item.role == "executor")
    return sorted(known, key=lambda item: item.number)


async def test_a_task_that_needs_forty_sessions_ends_as_one_that_needs_one(tmp_path: Path) -> None:
    one, _, _ = await played(tmp_path / "one", in_one(MANY), MANY)
    many, runtime, server = await played(tmp_path / "many", in_many(MANY), MANY)
    assert many == one
    server.check()
    sessions = executors(runtime)
    assert [item.number for item in sessions] == list(range(1, MANY + 1))
    assert [item.previous for item in sessions] == [None, *(item.id for item in sessions[:-1])]
    assert [item.outcome for item in sessions] == [*["rotated"] * (MANY - 1), "claimed"]
    for number in range(2, MANY + 1):
        told = first_message(server, f"step {number}")
        assert WORDS in told, f"the user's words are gone in session {number}"
        assert (SUMMARY if is_long(number - 1) else remaining(number - 1)) in told
    last = first_message(server, f"step {MANY}")
    assert f"step{MANY - 1}.txt (created)" in last
    assert "files not shown here" in last, "a small window is not filled with names, and says so"
    assert f"`{LONG}; echo step {MANY - 1}`: exit code 0" in last


async def test_a_hand_over_is_a_file_that_says_what_the_first_message_says(tmp_path: Path) -> None:
    root = tmp_path / "p"
    _, runtime, server = await played(root, in_many(2), 2)
    later = executors(runtime)[1]
    (path,) = (root / ".specloom" / "sessions").glob("*.hand-over.md")
    assert path.name == f"{later.id}.hand-over.md"
    assert path.stat().st_mode & 0o777 == 0o600
    request = next(item for item in server.requests if item.session == "step 2")
    assert path.read_text() == request.body["messages"][0]["content"][0]["text"]
    transcript = path.with_name(f"{later.id}.md").read_text()
    line = f"session 2 continues session 1 \\(window \\d+% full\\): `{later.previous}`"
    assert re.search(line, transcript)


async def test_a_session_is_told_once_that_its_window_fills(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    full: Json = {"input": 170_000, "output": 10}
    turns = [turn(command("true"), usage=full), turn(command("true"), usage=full), turn(says())]
    async with staged(root, attempt(1, *turns)) as (runtime, server):
        await start(runtime)
        await ended(runtime)
        assert RECOMMENDED not in first_message(server, "1 at 1")
        assert f"{RECOMMENDED}85% full; at 90%" in newest_message(server, "1 at 1", 2)
        assert RECOMMENDED not in newest_message(server, "1 at 1", 3)


TOO_LONG: Json = {"status": 400, "message": "prompt is too long: 210000 tokens > 200000 maximum", "times": "always"}
NEXT = "This is session 2 of the attempt"
WRITES = turn(write("a.txt", "a\n"))


def first_session(*turns: Json) -> Json:
    """The session that no hand-over begins."""
    return session("first", "# Task 01/1 (attempt 1)", turns=list(turns), not_first="# Hand-over")


def summariser(*parts: Json, **rest: Any) -> Json:
    """The one who says what remains."""
    return session("summariser", "You are the summariser of Specloom", turns=[turn(*parts, **rest)])


FULL = {
    "refused by the endpoint": turn(says(), fault=TOO_LONG),
    "cut off by the window": turn(says("I was ab"), stop="model_context_window_exceeded"),
}


@pytest.mark.parametrize("how", FULL)
async def test_a_window_of_unknown_size_that_is_full_rotates_the_session(tmp_path: Path, how: str) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    sessions = (
        first_session(WRITES, FULL[how]),
        summariser(says("Claim it.")),
        session("second", NEXT, turns=[turn(says())]),
    )
    async with staged(root, *sessions) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "Verified by: `test -f a.txt`" in first_message(server, "summariser")
        assert "executor calls write_file" in first_message(server, "summariser")
        assert "Claim it." in first_message(server, "second")
        assert "a.txt (created)" in first_message(server, "second")
        assert runtime.state.record(ONE).attempts == 1


async def test_sessions_that_change_nothing_come_to_an_end(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    stuck = session("stuck", "# Task 01/1", turns=[turn(says(), fault=TOO_LONG)])
    async with staged(root, stuck, limits={"attempts": 1, "fruitless_sessions": 2}) as (runtime, _):
        await start(runtime)
        await ended(runtime)
        record = runtime.state.record(ONE)
        assert record.state is TaskState.FAILED
        assert "2 sessions in a row ended without a change" in record.reason
        assert "prompt is too long" in record.reason
        assert len(executors(runtime)) == 2


async def test_a_hand_over_stands_without_the_words_of_a_summariser(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    silent = summariser(says(), fault={"status": 400, "message": "no", "times": "always"})
    sessions = (
        first_session(WRITES, FULL["refused by the endpoint"]),
        silent,
        session("second", NEXT, turns=[turn(says())]),
    )
    async with staged(root, *sessions) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        told = first_message(server, "second")
        assert "a.txt (created)" in told
        assert "What remains" not in told


async def test_shell_jobs_and_open_files_go_on_in_the_next_session(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -qx two a.txt"))
    (root / "a.txt").write_text("one\n")
    (root / "below").mkdir()
    job: Json = {"tool": "run_command", "input": {"command": "sleep 300", "blocking": False}}
    hands_over: Json = {"tool": "continue_in_new_session", "input": {"remaining": "Edit it.", "notes": "It is small."}}
    first = first_session(turn(read("a.txt"), command("cd below; export UNIT=metre"), job), turn(hands_over))
    edits = turn(replace_line("a.txt", 1, "one", "two"), command("echo in $UNIT; pwd"))
    second = session("second", NEXT, turns=[edits, turn(says(), expect=["1 edit made", "in metre", "/below"])])
    async with staged(root, first, second) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        told = first_message(server, "second")
        for known in ("(`sleep 300`) is running", "stands in below", "a.txt as it stands now", "1 | one", "Edit it."):
            assert known in told
        assert told.index("a.txt as it stands now") > told.index("It is small.")


async def test_files_that_changed_or_were_opened_last_are_shown_where_not_all_fit(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -qx done d.txt"))
    for name in "abc":
        (root / f"{name}.txt").write_text(f"{name}{'x' * 80}\n")
    hands_over: Json = {"tool": "continue_in_new_session", "input": {"remaining": "Write d.txt."}}
    edits = turn(replace_line("a.txt", 1, f"a{'x' * 80}", f"A{'x' * 80}"))
    first = first_session(turn(read("a.txt"), read("b.txt"), read("c.txt")), edits, turn(hands_over))
    second = session("second", NEXT, turns=[turn(write("d.txt", "done\n")), turn(says())])
    async with staged(root, first, second, limits={"open_characters": 400}) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        told = first_message(server, "second")
    assert "These follow as they stand now:\n\n- c.txt\n- a.txt\n\nTo be read again where needed:\n\n- b.txt\n" in told
    assert "a.txt as it stands now (1 line):\n1 | Ax" in told


async def test_old_outputs_make_room_before_a_session_is_ended_for_them(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    turns = [turn(command(f"seq {number} 2600")) for number in range(1, 13)]
    again: Json = {"tool": "read_output", "input": {"output": 2, "start_line": 1, "end_line": 3}}
    session = attempt(1, *turns, turn(again), turn(says(), expect="exit code 0"))
    told = {**script(session), "model": {"max_input_tokens": 45_000}}
    async with ScriptedServer(told, keep=None) as server, hosted(root, server) as runtime:
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        server.check()
        assert len(executors(runtime)) == 1


async def test_the_turns_of_an_attempt_count_over_its_sessions(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f b.txt"))
    hands_over: Json = {"tool": "continue_in_new_session", "input": {"remaining": "The rest."}}
    second = session("second", NEXT, turns=[turn(command("true"))])
    first, limits = first_session(turn(read("requirements.md")), turn(hands_over)), {"attempts": 1, "turns": 3}
    async with staged(root, first, second, limits=limits) as (runtime, server):
        await start(runtime)
        await ended(runtime)
        assert runtime.state.record(ONE).reason.startswith("the attempt used up its 3 turns")
        assert "2 of 3 turns" in first_message(server, "second")


async def test_a_model_that_is_changed_meanwhile_is_given_a_hand_over(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    told = script(first_session(turn(ASKS), WRITES, turn(says(), hold="never")))
    async with ScriptedServer(told, keep=None) as server, hosted(root, server) as runtime:
        with runtime.attach(Person(lambda _: WORDS)):
            await start(runtime)
            assert await server.until(lambda known: known.total == 3, DEADLINE)
            await runtime.pause(USER, at_once=True)
    told = script(summariser(says("Claim it.")), session("second", NEXT, turns=[turn(says())]))
    async with ScriptedServer(told | OTHER, keep=None) as server:
        async with hosted(root, server, models=other(server)) as runtime:
            await runtime.resume(USER, unattended=True)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        server.check()
        first = first_message(server, "second")
        for known in ("another model was chosen", WORDS, "a.txt (created)", "Claim it.", "2 of 30 turns"):
            assert known in first


async def test_a_hand_over_that_is_cut_off_when_the_model_was_changed_is_given_later(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    stuck = command("touch begun; sleep 300")
    told = script(first_session(turn(ASKS), WRITES, turn(stuck)))
    async with ScriptedServer(told, keep=None) as server, hosted(root, server) as runtime:
        with runtime.attach(Person(lambda _: WORDS)):
            await start(runtime)
            await until_file(root / "begun")
            await runtime.pause(USER, at_once=True)
    silent = script(summariser(says(), hold="never")) | OTHER
    async with ScriptedServer(silent, keep=None) as server, hosted(root, server, models=other(server)) as runtime:
        await runtime.resume(USER, unattended=True)
        assert await server.until(lambda known: known.total == 1, DEADLINE)
        await runtime.pause(USER, at_once=True)
    told = script(summariser(says("Claim it.")), session("second", NEXT, turns=[turn(says())])) | OTHER
    async with ScriptedServer(told, keep=None) as server:
        async with hosted(root, server, models=other(server)) as runtime:
            await runtime.resume(USER, unattended=True)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert [item.number for item in executors(runtime)] == [1, 2]
        server.check()
        first = first_message(server, "second")
        for known in ("another model was chosen", WORDS, "Claim it.", f"`{stuck['input']['command']}`: {UNKNOWN}"):
            assert known in first


OTHER: Json = {"model": {"id": "scripted-2", "max_input_tokens": 100_000, "max_tokens": 4_000}}


def other(server: ScriptedServer) -> Json:
    """Settings with another model than sessions began with."""
    return {"default": {"model": "scripted-2", "base_url": server.base_url}}


async def test_a_file_is_shown_after_a_rotation_only_where_its_script_fits_the_window(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f japanese.txt"))
    (root / "english.txt").write_text("The distance is shown. " * 260)
    (root / "japanese.txt").write_text("距離をメートルで表示してください。" * 353)
    hands_over: Json = {"tool": "continue_in_new_session", "input": {"remaining": "Claim it."}}
    reads = turn(read("japanese.txt"), read("english.txt"))
    model: Json = {"model": {"id": "scripted-1", "max_input_tokens": SMALL_WINDOW, "max_tokens": 4_000}}
    told = script(first_session(reads, turn(hands_over)), session("second", NEXT, turns=[turn(says())])) | model
    async with ScriptedServer(told, keep=None) as server, hosted(root, server) as runtime:
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        given = first_message(server, "second")
    assert "english.txt as it stands now" in given
    assert "To be read again where needed:\n\n- japanese.txt" in given
