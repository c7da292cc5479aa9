"""A killed process loses nothing: a later one finds the run paused, goes on, and ends as if nothing had been."""

import asyncio
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from specloom.domain.events import Event, agents, proof
from specloom.domain.evidence import EvidenceKind
from specloom.domain.ids import ApprovalId, CallId, TaskId
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome, RunState
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from specloom.workspace import marked
from specloom.workspace.drafts import draft_name
from specloom.workspace.orphans import start_of
from tests.conftest import TIER
from tests.integration.crash_story import FILES, crash_project, crash_script
from tests.integration.killing import killed, working
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    DEADLINE,
    ONE,
    THREE,
    TWO,
    attempt,
    command,
    ended,
    events_of,
    log_of,
    project,
    read,
    review,
    run_of,
    says,
    script,
    task,
    turn,
    until_file,
    write,
)

MOMENTS = [
    ("ApprovalAsked", 1, 0),
    ("TaskStarted", 1, 0),
    ("CheckRequested", 1, 0),
    ("SessionStarted", 1, 0),
    ("TurnRequested", 1, 0),
    ("TurnRequested", 2, 0.003),
    ("ToolRequested", 1, 0),
    ("EditRequested", 1, 0),
    ("EditRequested", 1, 0.002),
    ("EditSettled", 1, 0),
    ("ToolRequested", 2, 0.02),
    ("EditRequested", 2, 0),
    ("SessionEnded", 1, 0),
    ("CheckRequested", 3, 0),
    ("CheckRequested", 4, 0.004),
    ("TaskDone", 1, 0),
    ("EditRequested", 3, 0),
    ("AttemptFailed", 1, 0),
    ("TaskStarted", 3, 0),
    ("SessionStarted", 5, 0),
    ("SessionEnded", 5, 0),
    ("TaskDone", 3, 0),
]
"""Event, ordinal, seconds after it."""
EVERY = [
    (name, ordinal, delay)
    for name, most in {
        "ApprovalAsked": 2,
        "TaskStarted": 4,
        "CheckRequested": 7,
        "CheckSettled": 7,
        "SessionStarted": 5,
        "TurnRequested": 13,
        "TurnFinished": 13,
        "ToolRequested": 10,
        "ToolSettled": 10,
        "EditRequested": 8,
        "EditSettled": 8,
        "SessionEnded": 5,
        "ChangeSetRecorded": 4,
        "TaskDone": 3,
        "AttemptFailed": 1,
        "SpecRead": 3,
    }.items()
    for ordinal in range(1, most + 1)
    for delay in (0, 0.001, 0.005, 0.025)
]
CUTS = MOMENTS if TIER == "test" else [*MOMENTS, *EVERY]


@dataclass(frozen=True, slots=True)
class End:
    """What an undisturbed run and one that was cut must agree on."""

    states: tuple[TaskState, ...]
    evidence: tuple[tuple[EvidenceKind, str, int | None, bool | None], ...]
    files: dict[str, str]
    boxes: int


def end_of(runtime: ProjectRuntime, root: Path) -> End:
    """How it ended."""
    pieces = [piece for name in (ONE, TWO, THREE) for piece in runtime.evidence(name)]
    return End(
        states=tuple(runtime.state.record(name).state for name in (ONE, TWO, THREE)),
        evidence=tuple((piece.kind, piece.command, piece.exit_code, piece.discriminating) for piece in pieces),
        files={name: (root / name).read_text() for name in FILES},
        boxes=(root / "specs" / "01-steps.md").read_text().count("- [x]"),
    )


UNDISTURBED = End(
    states=(TaskState.DONE,) * 3,
    evidence=(
        (EvidenceKind.COMMAND, "grep -q two a.txt", 0, True),
        (EvidenceKind.COMMAND, "test -f runs.txt", 0, True),
        (EvidenceKind.COMMAND, "grep -q good b.txt", 0, True),
        (EvidenceKind.REVIEWER, "", None, None),
    ),
    files=FILES,
    boxes=3,
)


async def resumes(runtime: ProjectRuntime) -> None:
    """Goes on to the end, if the run had not ended."""
    run = run_of(runtime.state)
    if run.state is not RunState.FINISHED:
        assert run.state is RunState.PAUSED
        assert run.reason.startswith("interrupted")
        state = runtime.state
        assert (len(state.checks), len(state.edits), len(state.approvals)) == (0, 0, 0)
        assert not isinstance(await runtime.resume(USER, unattended=True), Rejected)
    assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_the_story_ends_well_when_nobody_cuts_it(tmp_path: Path) -> None:
    root = crash_project(tmp_path / "p")
    async with ScriptedServer(crash_script()) as server:
        await killed(root, server, "Nothing", 1, 0)
        async with hosted(root, server) as runtime:
            assert end_of(runtime, root) == UNDISTURBED
        assert server.failures == []
        assert server.repeats == 0


EFFECTS = {"write_file", "edit_file", "run_command"}


def begun(events: Iterable[Event]) -> list[CallId]:
    """The calls that may have had an effect, each as often as it did: not those that were cut off while they asked."""
    calls: list[CallId] = []
    asking: dict[ApprovalId, CallId] = {}
    for event in events:
        match event:
            case agents.ToolRequested() if event.name in EFFECTS:
                if event.call in asking.values():
                    calls.remove(event.call)
                asking.clear()
                calls.append(event.call)
            case agents.ApprovalAsked(agent=str()) if calls:
                asking[event.approval] = calls[-1]
            case agents.ApprovalAnswered(allowed=True):
                asking.pop(event.approval, None)
            case _:
                pass
    return calls


@pytest.mark.parametrize(("name", "ordinal", "delay"), CUTS)
async def test_a_killed_run_goes_on_and_ends_the_same(tmp_path: Path, name: str, ordinal: int, delay: float) -> None:
    root = crash_project(tmp_path / "p")
    async with ScriptedServer(crash_script()) as server:
        await killed(root, server, name, ordinal, delay)
        async with hosted(root, server) as runtime:
            await resumes(runtime)
            assert end_of(runtime, root) == UNDISTURBED
            calls = begun(await log_of(runtime))
            assert len(calls) == len(set(calls)), "a call that may have had its effect is not made a second time"
            assert server.failures == []
        assert (root / "runs.txt").read_text() == "ran\n"


async def test_a_draft_that_a_killed_write_left_is_taken_away(tmp_path: Path) -> None:
    root = crash_project(tmp_path / "p")
    draft = root / draft_name()
    async with ScriptedServer(crash_script()) as server:
        await killed(root, server, "EditRequested", 1, 0)
        draft.write_text("one\n")
        async with hosted(root, server):
            assert not draft.exists()


SLEEPS = "echo $$ > pid; exec sleep 300"
WRITES, CLAIMS = turn(write("a.txt", "a\n")), turn(says())
PRINTED = "What it had printed by then:\nbegun"
GONE = ["The outcome is unknown", "Nothing of it was found running any more", PRINTED]
GOES_ON = turn(write("a.txt", "a\n"), expect=GONE)
HELD: dict[str, tuple[str, tuple[dict[str, Any], ...]]] = {
    "answer": ("test -f a.txt", (turn(write("a.txt", "a\n"), hold="answer", hold_after_events=3), CLAIMS)),
    "command": ("test -f a.txt", (turn(command("true")), turn(command(f"echo begun; {SLEEPS}")), GOES_ON, CLAIMS)),
    "verification": (f"test -f a.txt || exit 1; [ -f again ] || {{ {SLEEPS}; }}", (WRITES, CLAIMS)),
}


@pytest.mark.parametrize("what", HELD)
async def test_a_run_killed_while_it_waits_goes_on(tmp_path: Path, what: str) -> None:
    verify, turns = HELD[what]
    root = project(tmp_path / "p", task(1, verify))
    async with ScriptedServer(script(attempt(1, *turns))) as server:
        process = await working(root, server.base_url)
        if what == "answer":
            assert await server.until(lambda known: known.total == 1, DEADLINE)
        else:
            await until_file(root / "pid", lambda text: text.endswith("\n"))
        if what == "command":
            await logged(root, "begun")
        process.kill()
        await process.wait()
        (root / "again").touch()
        server.release("answer")
        await orphan_ended(root / "pid")
        async with hosted(root, server) as runtime:
            await resumes(runtime)
            assert runtime.state.record(TaskId("01/1")).attempts == 1
            (evidence,) = runtime.evidence(ONE)
            assert (evidence.command, evidence.exit_code, evidence.discriminating) == (verify, 0, True)
            cut = await events_of(runtime, agents.TurnFailed)
            assert [(item.fault, item.usage.tokens > 0) for item in cut] == [("interrupted", True)] * (what == "answer")
            answers = await events_of(runtime, agents.TurnFinished)
            assert runtime.state.usage.tokens == sum(item.usage.tokens for item in (*cut, *answers))
        server.check()
        assert server.repeats == (what == "answer")


async def logged(root: Path, text: str) -> None:
    """Returns once the log of a command holds the text: Specloom copies it there a moment after it was printed."""
    async with asyncio.timeout(DEADLINE):
        while not await asyncio.to_thread(_is_logged, root, text):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)


def _is_logged(root: Path, text: str) -> bool:
    return any(text in log.read_text() for log in root.glob(".specloom/sessions/*/outputs/*.log"))


async def orphan_ended(file: Path) -> None:
    """A command does not outlive its Specloom, however that died."""
    async with asyncio.timeout(DEADLINE):
        while await asyncio.to_thread(_runs, file):  # noqa: ASYNC110 - nobody tells us of another's child
            await asyncio.sleep(0.01)


def _runs(file: Path) -> bool:
    return file.exists() and start_of(int(file.read_text())) != ""


LEFT = "setsid bash -c 'echo $$ > pid; exec sleep 300' > /dev/null 2>&1 & until [ -s pid ]; do :; done"


@pytest.mark.parametrize("what", ["command", "verification"])
async def test_a_command_that_outlived_a_killed_specloom_is_ended_at_the_next_start(tmp_path: Path, what: str) -> None:
    holds = f"{LEFT}; sleep 300"
    verify = "test -f a.txt" if what == "command" else f"test -f a.txt || exit 1; [ -s pid ] || {{ {holds}; }}"
    first = turn(command(f"echo begun; {holds}")) if what == "command" else WRITES
    alive = GOES_ON | {"expect": ["The outcome is unknown", "It was still running, and was ended now", PRINTED]}
    then = (alive, CLAIMS) if what == "command" else (CLAIMS,)
    root = project(tmp_path / "p", task(1, verify))
    async with ScriptedServer(script(attempt(1, first, *then))) as server:
        process = await working(root, server.base_url)
        await until_file(root / "pid", lambda text: text.endswith("\n"))
        if what == "command":
            await logged(root, "begun")
        await asyncio.to_thread(kill_watchdog, process.pid)
        process.kill()
        await process.wait()
        assert await asyncio.to_thread(_runs, root / "pid")
        async with hosted(root, server) as runtime:
            await orphan_ended(root / "pid")
            await resumes(runtime)
            notes = [event.note for event in await events_of(runtime, proof.CheckSettled) if event.note]
            assert [note.endswith("and was ended then") for note in notes] == [True] * (what == "verification")
        server.check()


def kill_watchdog(owner: int) -> None:
    """As when the system runs out of memory."""
    for folder in Path("/proc").iterdir():
        if (
            folder.name.isdecimal()
            and marked.__file__ in _arguments(folder)
            and marked.parent_of(int(folder.name)) == owner
        ):
            os.kill(int(folder.name), signal.SIGKILL)


def _arguments(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


async def test_a_command_behind_a_write_that_was_broken_off_is_not_run_on_resume(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    both = turn(write("a.txt", "a\n"), command("echo ran >> ran.txt"))
    again = turn(write("a.txt", "a\n"), expect="not run: the write_file before it")
    async with ScriptedServer(script(attempt(1, both, again, turn(says())))) as server:
        await killed(root, server, "ToolRequested", 1, 0)
        async with hosted(root, server) as runtime:
            await resumes(runtime)
        server.check()
    assert not (root / "ran.txt").exists()


PLACE = {"requirement": "R1.1", "path": "a.txt", "line": 1}
VERDICT: dict[str, Any] = {"verdict": "pass", "summary": "It is there.", "citations": [PLACE]}
PASSES = turn({"tool": "submit_review", "input": VERDICT})


async def reviewed(root: Path, server: ScriptedServer, moment: tuple[str, int]) -> int:
    """How often a reviewer was asked for a turn, over a process that was killed and one that went on."""
    await killed(root, server, *moment, 0)
    (root / "b.txt").write_text("mine\n")
    async with hosted(root, server) as runtime:
        await resumes(runtime)
        assert [item.kind for item in runtime.evidence(ONE)] == [EvidenceKind.REVIEWER]
        assert all(session.outcome for session in runtime.state.sessions.values())
    return sum((item.session or "").startswith("review") for item in server.requests)


@pytest.mark.parametrize("moment", [("SessionEnded", 2), ("TurnFinished", 4), ("ToolRequested", 3)])
async def test_a_reviewer_who_gave_a_verdict_is_not_asked_again(tmp_path: Path, moment: tuple[str, int]) -> None:
    root = project(tmp_path / "p", task(1))
    works = attempt(1, turn(write("a.txt", "a\n")), turn(says()))
    async with ScriptedServer(script(works, review(1, turn(read("a.txt")), PASSES)), keep=None) as server:
        assert await reviewed(root, server, moment) == 2


async def test_a_reviewer_who_was_shown_other_files_is_asked_again(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1))
    (root / "b.txt").write_text("as it was\n")
    works = attempt(1, turn(write("a.txt", "a\n")), turn(says()))
    looks = review(1, turn(read("b.txt")), PASSES)
    async with ScriptedServer(script(works, looks), keep=None) as server:
        assert await reviewed(root, server, ("SessionEnded", 2)) == 4


async def test_a_reviewer_who_was_cut_off_before_a_verdict_is_asked_again(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1))
    works = attempt(1, turn(write("a.txt", "a\n")), turn(says()))
    async with ScriptedServer(script(works, review(1, turn(read("a.txt")), PASSES)), keep=None) as server:
        assert await reviewed(root, server, ("TurnRequested", 4)) >= 3
