"""Done means proven: what is fed back, what counts as evidence, what makes a proof stale, who may tick a box."""

from pathlib import Path
from typing import Any

import pytest

from specloom.domain.commands import ResetTask, RetryTask, SkipTask
from specloom.domain.events import documents, proof, tasks
from specloom.domain.evidence import EvidenceKind, is_proven
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome, Scope
from specloom.domain.states import TaskState
from tests.integration.projects import USER, session
from tests.integration.stage import (
    DEADLINE,
    ONE,
    THREE,
    TWO,
    attempt,
    codes,
    command,
    ended,
    events_of,
    first_message,
    newest_message,
    project,
    read,
    replace_line,
    review,
    says,
    staged,
    start,
    task,
    turn,
    write,
)

CLAIMS = turn(says())
GOOD = "grep -q good a.txt"
SPEC = "specs/01-steps.md"


def writes(text: str, path: str = "a.txt") -> dict[str, Any]:
    """A turn that writes a file."""
    return turn(write(path, text))


async def test_a_failed_verification_is_told_to_the_next_attempt_which_repairs(tmp_path: Path) -> None:
    verify = "echo looking for good; grep good a.txt"
    again = attempt(1, turn(read("a.txt")), turn(replace_line("a.txt", 1, "bad", "good")), CLAIMS, at=2)
    sessions = (attempt(1, writes("bad\n"), CLAIMS), again)
    async with staged(project(tmp_path / "p", task(1, verify)), *sessions) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        told = first_message(server, "1 at 2")
        assert "The last attempt failed its verification" in told
        assert "looking for good" in told
        assert "exited with 1" in told
        record = runtime.state.record(ONE)
        assert (record.attempts, record.feedback) == (2, "")
        diff = await runtime.diff(ONE)
        assert "+bad" in diff
        assert "+good" in diff
        assert SPEC not in runtime.problems or codes(runtime) == []


async def test_at_the_limit_the_task_fails_and_what_waits_for_it_is_blocked(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, GOOD), task(2, "true"), task(3, "test -f c.txt", depends="none"))
    sessions = (
        attempt(1, writes("bad\n"), CLAIMS),
        attempt(1, CLAIMS, at=2),
        attempt(3, writes("c\n", "c.txt"), CLAIMS),
    )
    async with staged(root, *sessions, limits={"attempts": 2}) as (runtime, _):
        await start(runtime)
        run = await ended(runtime)
        assert run.outcome is RunOutcome.INCOMPLETE
        assert "2 of 3" in run.reason
        state = runtime.state
        assert [state.record(name).state for name in (ONE, TWO, THREE)] == [
            TaskState.FAILED,
            TaskState.BLOCKED,
            TaskState.DONE,
        ]
        assert "exited with 1" in state.record(ONE).reason
        assert state.record(TWO).reason == "01/1 failed"
        assert codes(runtime) == ["task-failed", "task-blocked"]
        (problem, _) = runtime.problems[SPEC]
        assert problem.message == f"Task 01/1 failed: `{GOOD}` exited with 1 and printed nothing"
        assert not isinstance(await runtime.change_task(SkipTask(ONE), USER), Rejected)
        assert runtime.state.state_of(TWO) is TaskState.READY


async def test_the_last_failure_is_told_when_the_task_is_tried_again(tmp_path: Path) -> None:
    sessions = (attempt(1, writes("bad\n"), CLAIMS),)
    root = project(tmp_path / "p", task(1, "echo this is why; grep -q good a.txt"))
    async with staged(root, *sessions, limits={"attempts": 1}) as (runtime, server):
        await start(runtime)
        await ended(runtime)
        assert not isinstance(await runtime.change_task(RetryTask(ONE), USER), Rejected)
        assert "this is why" in runtime.state.record(ONE).feedback
        await start(runtime)
        await ended(runtime)
        assert runtime.state.record(ONE).state is TaskState.FAILED
        assert any("this is why" in str(item.body) for item in server.requests)


async def test_a_verification_that_does_not_end_in_time_fails(tmp_path: Path) -> None:
    verify = "test -f a.txt && sleep 60"
    root = project(tmp_path / "p", task(1, verify))
    # Enough for a shell to start on a busy machine, and to say that there is no such file yet.
    limits = {"attempts": 1, "verify_timeout_s": 10}
    async with staged(root, attempt(1, writes("a\n"), CLAIMS), limits=limits) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        assert "did not end in time" in runtime.state.record(ONE).reason
        settled = await events_of(runtime, proof.CheckSettled)
        assert [event.timed_out for event in settled] == [False, True]


async def test_a_command_that_passed_before_the_attempt_is_marked(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true", "test -f a.txt"))
    async with staged(root, attempt(1, writes("a\n"), CLAIMS)) as (runtime, _):
        await start(runtime)
        await ended(runtime)
        assert [(item.command, item.discriminating) for item in runtime.evidence(ONE)] == [
            ("true", False),
            ("test -f a.txt", True),
        ]


async def test_a_test_that_the_attempt_changed_is_named_in_its_evidence(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f tests/test_a.py"))
    (root / "tests").mkdir()
    (root / "tests" / "old.py").write_text("\n")
    sessions = (attempt(1, writes("assert True\n", "tests/test_a.py"), writes("x\n", "a.txt"), CLAIMS),)
    async with staged(root, *sessions) as (runtime, _):
        await start(runtime)
        await ended(runtime)
        (evidence,) = runtime.evidence(ONE)
        assert evidence.touched_tests == ("tests/test_a.py",)
        assert {file.path for file in evidence.files} == {"tests/test_a.py", "a.txt"}


@pytest.mark.parametrize("path", [SPEC, "specs/02-new.md", "specs/deep/x.md", "specloom.toml", "requirements.md"])
async def test_an_executor_cannot_write_what_it_is_judged_by(tmp_path: Path, path: str) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    before = (root / SPEC).read_text()
    turns = (turn(read(path)), writes("changed\n", path), writes("a\n"), CLAIMS)
    async with staged(root, attempt(1, *turns)) as (runtime, server):
        await start(runtime)
        await ended(runtime)
        assert "is not yours to write" in newest_message(server, "1 at 1", 3)
    assert (root / SPEC).read_text().replace("[x]", "[ ]") == before
    assert not (root / path).exists() or "changed" not in (root / path).read_text()


async def test_an_executor_cannot_edit_its_spec(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    line = (root / SPEC).read_text().splitlines().index("- [ ] 1 Step 1") + 1
    edit = replace_line(SPEC, line, "- [ ] 1 Step 1", "- [x] 1 Step 1")
    turns = (turn(read(SPEC)), turn(edit), writes("a\n"), CLAIMS)
    async with staged(root, attempt(1, *turns)) as (runtime, server):
        await start(runtime)
        await ended(runtime)
        assert "is not yours to write" in newest_message(server, "1 at 1", 3)


TICKS = "sed -i 's/\\[ \\] 2/[x] 2/' specs/01-steps.md"


async def test_a_box_that_a_command_of_the_agent_ticked_is_not_taken_for_a_person(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"), task(2, "test -f b.txt"))
    (root / "tool.sh").write_text(TICKS)  # which no permission rule sees
    cheats = turn(command("sh tool.sh; touch a.txt"))
    async with staged(root, attempt(1, cheats, CLAIMS)) as (runtime, server):
        await start(runtime, Scope("task", ONE))
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "may not write" in newest_message(server, "1 at 1", 2)
        assert runtime.state.state_of(TWO) is TaskState.READY
        assert codes(runtime) == ["box-differs"]


async def test_a_box_that_a_verify_command_ticked_is_not_taken_for_a_person(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, f"{TICKS}; test -f a.txt"), task(2, "test -f b.txt"))
    async with staged(root, attempt(1, writes("a\n"), CLAIMS)) as (runtime, _):
        await start(runtime, Scope("task", ONE))
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert runtime.state.state_of(TWO) is TaskState.READY
        assert codes(runtime) == ["box-differs"]


async def test_a_box_that_a_person_ticks_while_nobody_works_is_taken(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    async with staged(root) as (runtime, _):
        text = (root / SPEC).read_text()
        (root / SPEC).write_text(text.replace("[ ] 1", "[x] 1"))
        await runtime.refresh()
        assert runtime.state.record(ONE).state is TaskState.DONE
        assert [item.kind for item in runtime.evidence(ONE)] == [EvidenceKind.USER]
        (root / SPEC).write_text(text)
        await runtime.refresh()
        assert runtime.state.state_of(ONE) is TaskState.READY


async def test_a_proof_that_still_holds_is_renewed_at_the_end(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, GOOD), task(2, "grep -q more a.txt"))
    adds = turn(replace_line("a.txt", 1, "good", "good\nmore"))
    sessions = (attempt(1, writes("good\n"), CLAIMS), attempt(2, turn(read("a.txt")), adds, CLAIMS))
    async with staged(root, *sessions) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        record = runtime.state.record(ONE)
        assert record.stale == ()
        assert is_proven(record.evidence)
        assert record.evidence[0].discriminating is True
        phases = [event.phase for event in await events_of(runtime, proof.CheckRequested)]
        assert phases.count(proof.CheckPhase.RECHECK) == 1


async def test_a_proof_that_no_longer_holds_fails_its_task_and_names_who_broke_it(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, GOOD), task(2, "grep -q more a.txt"))
    breaks = turn(replace_line("a.txt", 1, "good", "more"))
    sessions = (attempt(1, writes("good\n"), CLAIMS), attempt(2, turn(read("a.txt")), breaks, CLAIMS))
    async with staged(root, *sessions) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        record = runtime.state.record(ONE)
        assert record.state is TaskState.FAILED
        assert record.reason.startswith("regressed by 01/2")
        assert runtime.state.record(TWO).state is TaskState.DONE
        assert "- [ ] 1 Step 1" in (root / SPEC).read_text()
        assert "- [x] 2 Step 2" in (root / SPEC).read_text()
        assert codes(runtime) == ["task-failed"]


async def test_a_change_by_hand_makes_a_proof_stale_and_undoing_it_renews_nothing(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, GOOD))
    async with staged(root, attempt(1, writes("good\n"), CLAIMS)) as (runtime, _):
        await start(runtime)
        await ended(runtime)
        (root / "a.txt").write_text("good, and mine\n")
        await runtime.refresh()
        assert runtime.state.record(ONE).stale == ("a.txt",)
        assert codes(runtime) == ["proof-stale"]
        (root / "a.txt").write_text("good\n")
        await runtime.refresh()
        assert runtime.state.record(ONE).stale == ()
        assert codes(runtime) == []


async def test_a_file_that_changes_while_it_is_verified_makes_the_proof_stale(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -q good a.txt && echo extra >> a.txt"))
    async with staged(root, attempt(1, writes("good\n"), CLAIMS)) as (runtime, _):
        await start(runtime)
        await ended(runtime)
        stale = await events_of(runtime, tasks.ProofStale)
        assert ("a.txt",) in [event.paths for event in stale]


CITES = {"requirement": "R1.1", "path": "a.txt", "line": 1}


def verdict(word: str, *citations: dict[str, Any], summary: str = "Looked.") -> dict[str, Any]:
    """A call that ends a review."""
    return {"tool": "submit_review", "input": {"verdict": word, "citations": list(citations), "summary": summary}}


async def test_without_a_command_a_reviewer_decides_and_cites(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1))
    sessions = (attempt(1, writes("a\n"), CLAIMS), review(1, turn(read("a.txt")), turn(verdict("pass", CITES))))
    async with staged(root, *sessions) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        (evidence,) = runtime.evidence(ONE)
        assert evidence.kind is EvidenceKind.REVIEWER
        assert "R1.1 at a.txt:1" in evidence.summary
        assert [file.path for file in evidence.files] == ["a.txt"]
        assert not is_proven(runtime.evidence(ONE))
        assert "a.txt" in first_message(server, "review 1 at 1")
        tools = next(item for item in server.requests if item.session == "review 1 at 1").body["tools"]
        assert {tool["name"] for tool in tools} == {
            "read_file",
            "list_directory",
            "search_files",
            "grep_search",
            "submit_review",
        }


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({**CITES, "line": 9}, "there is no line 9"),
        ({**CITES, "path": "nothing.txt"}, "nothing.txt"),
        ({**CITES, "path": "../../etc/passwd"}, "etc/passwd"),
        ({**CITES, "requirement": "R9.9"}, "no citation for R1.1"),
        (None, "cite at least one place"),
    ],
    ids=["line", "file", "outside", "requirement", "none"],
)
async def test_a_pass_whose_citations_do_not_exist_is_refused_until_it_is_mended(
    tmp_path: Path, wrong: dict[str, Any] | None, told: str
) -> None:
    root = project(tmp_path / "p", task(1))
    first = turn(verdict("pass", *([wrong] if wrong else [])))
    sessions = (
        attempt(1, writes("a\n"), CLAIMS),
        review(1, first, turn(verdict("pass", CITES), expect=["not accepted", told])),
    )
    async with staged(root, *sessions) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_what_a_reviewer_misses_is_told_to_the_next_attempt(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1))
    sessions = (
        attempt(1, writes("a\n"), CLAIMS),
        review(1, turn(verdict("fail", summary="The greeting is missing."))),
        attempt(1, turn(read("a.txt")), writes("hello\n"), CLAIMS, at=2),
        review(1, turn(verdict("pass", CITES)), at=2),
    )
    async with staged(root, *sessions) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "The greeting is missing." in first_message(server, "1 at 2")


async def test_a_reviewer_without_a_verdict_counts_as_a_fail_that_says_so(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1))
    sessions = (attempt(1, writes("a\n"), CLAIMS), review(1, turn(says("Looks fine to me."))))
    async with staged(root, *sessions, limits={"attempts": 1}) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        record = runtime.state.record(ONE)
        assert record.state is TaskState.FAILED
        assert "gave no verdict" in record.feedback


async def test_a_review_that_no_window_holds_fails_its_task_and_the_run_goes_on(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1), task(2, GOOD, depends="none"))
    too_long = {"status": 400, "message": "prompt is too long: 210000 tokens > 200000 maximum", "times": "always"}
    sessions = (
        attempt(1, writes("a\n"), CLAIMS),
        review(1, turn(verdict("pass", CITES), fault=too_long)),
        attempt(2, turn(read("a.txt")), writes("good\n"), CLAIMS),
    )
    async with staged(root, *sessions, limits={"attempts": 1}) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        assert [runtime.state.record(name).state for name in (ONE, TWO)] == [TaskState.FAILED, TaskState.DONE]
        assert "prompt is too long" in runtime.state.record(ONE).feedback


async def test_a_reported_block_blocks_with_its_reason_until_a_person_lifts_it(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"), task(2, "true"))
    blocked = {"tool": "report_blocked", "input": {"reason": "R1.1 and R1.2 contradict each other"}}
    async with staged(root, attempt(1, turn(blocked))) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        assert "contradict" in runtime.state.record(ONE).reason
        assert runtime.state.record(TWO).reason == "01/1 is blocked"


async def test_a_person_who_renumbers_tasks_meanwhile_does_not_disturb_the_attempt(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt", title="Write the file"))
    held = turn(write("a.txt", "a\n"), hold="writing")
    renumbered = session("1", "# Task 01/1 (attempt 1): Write the file", turns=[held, CLAIMS])
    added = session("added", "# Task 01/1 (attempt 1): Before", turns=[CLAIMS])
    async with staged(root, renumbered, added) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 1, DEADLINE)
        text = (root / SPEC).read_text()
        before = task(1, "test -f a.txt", title="Before", depends="none")
        (root / SPEC).write_text(text.replace("- [ ] 1 Write", f"{before}\n- [ ] 2 Write"))
        await runtime.refresh()
        assert any(event.renamed for event in await events_of(runtime, documents.SpecRead))
        server.release("writing")
        await ended(runtime)
        assert runtime.state.record(TWO).state is TaskState.DONE
        assert "- [x] 2 Write the file" in (root / SPEC).read_text()


async def test_a_task_that_a_person_removes_meanwhile_ends_without_a_verdict(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1), task(2, "test -f b.txt", depends="none"))
    held = turn(says(), hold="claim")
    sessions = (attempt(1, held), attempt(2, writes("b\n", "b.txt"), CLAIMS))
    async with staged(root, *sessions) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 1, DEADLINE)
        text = (root / SPEC).read_text()
        (root / SPEC).write_text(text.replace(task(1) + "\n", ""))
        await runtime.refresh()
        server.release("claim")
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert runtime.state.record(TWO).state is TaskState.DONE
        assert all(record.attempt is None for record in runtime.state.tasks.values())


async def test_a_reset_task_is_pending_and_its_box_empty(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    async with staged(root, attempt(1, writes("a\n"), CLAIMS)) as (runtime, _):
        await start(runtime)
        await ended(runtime)
        assert "- [x] 1" in (root / SPEC).read_text()
        assert not isinstance(await runtime.change_task(ResetTask(ONE), USER), Rejected)
        assert "- [ ] 1" in (root / SPEC).read_text()
        assert runtime.state.state_of(ONE) is TaskState.READY
        assert (root / "a.txt").exists()


async def test_what_a_check_left_in_another_session_does_not_meet_the_next_check(tmp_path: Path) -> None:
    leaves = "setsid bash -c 'echo $$ > pid; exec sleep 300' > /dev/null 2>&1 & until [ -s pid ]; do :; done"
    gone = "! grep -qs sleep /proc/$(cat pid)/cmdline"
    root = project(tmp_path / "p", task(1, f"test -f a.txt || exit 1; {leaves}", f"test -s pid && {gone}"))
    async with staged(root, attempt(1, turn(write("a.txt", "a\n")), turn(says()))) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_what_a_command_of_the_agent_left_in_another_session_does_not_meet_what_verifies(tmp_path: Path) -> None:
    leaves = "setsid bash -c 'echo $$ > pid; exec sleep 300' > /dev/null 2>&1 & until [ -s pid ]; do :; done"
    gone = "test -s pid && ! grep -qs sleep /proc/$(cat pid)/cmdline"
    root = project(tmp_path / "p", task(1, gone))
    async with staged(root, attempt(1, turn(command(leaves)), turn(says()))) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
