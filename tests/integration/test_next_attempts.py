"""What an attempt knows of those before it at the same task, however they ended: words of a person, files, commands."""

from pathlib import Path

from specloom.agent.briefing import fenced
from specloom.domain.commands import UnblockTask
from specloom.domain.runs import RunOutcome
from specloom.domain.states import TaskState
from tests.integration.people import Person
from tests.integration.projects import USER
from tests.integration.rotation_story import ASKS, WORDS
from tests.integration.stage import (
    DEADLINE,
    ONE,
    attempt,
    command,
    ended,
    first_message,
    project,
    says,
    staged,
    start,
    task,
    turn,
    write,
)

WRITES = turn(write("a.txt", "a\n"), command("echo looked"))


async def test_what_a_user_said_in_the_first_attempt_stands_verbatim_in_the_third(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    sessions = (
        attempt(1, turn(ASKS), turn(says())),
        attempt(1, turn(says()), at=2),
        attempt(1, turn(write("a.txt", "a\n")), turn(says()), at=3),
    )
    async with staged(root, *sessions) as (runtime, server):
        with runtime.attach(Person(lambda _: WORDS)):
            await start(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert WORDS not in first_message(server, "1 at 1")
        for name in ("1 at 2", "1 at 3"):
            assert f'Attempt 1, session 1, answering "Which unit?":\n\n{fenced(WORDS)}' in first_message(server, name)


async def test_an_attempt_after_a_cancelled_run_knows_what_the_one_before_did(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    sessions = (
        attempt(1, turn(ASKS), WRITES, turn(says("I look."), hold="never")),
        attempt(1, turn(says()), at=2),
    )
    async with staged(root, *sessions, strict=False) as (runtime, server):
        with runtime.attach(Person(lambda _: WORDS)):
            await start(runtime)
            assert await server.until(lambda known: known.total == 3, DEADLINE)
            await runtime.cancel(USER)
            assert (await ended(runtime)).outcome is RunOutcome.CANCELLED
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        told = first_message(server, "1 at 2")
        for known in ("It ended: the run was cancelled", "a.txt", "- `echo looked`: exit code 0", WORDS):
            assert known in told


async def test_an_attempt_after_one_that_reported_a_block_knows_why(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    blocks = {"tool": "report_blocked", "input": {"reason": "The scale is missing"}}
    sessions = (attempt(1, WRITES, turn(blocks)), attempt(1, turn(says()), at=2))
    async with staged(root, *sessions) as (runtime, server):
        await start(runtime)
        await ended(runtime)
        assert runtime.state.record(ONE).state is TaskState.BLOCKED
        await runtime.change_task(UnblockTask(ONE), USER)
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "It ended: blocked: The scale is missing" in first_message(server, "1 at 2")


async def test_a_key_in_what_a_user_said_reaches_no_attempt(tmp_path: Path) -> None:
    key = "sk-ant-api03-" + "Ab1" * 12
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    sessions = (attempt(1, turn(ASKS), turn(says())), attempt(1, WRITES, turn(says()), at=2))
    async with staged(root, *sessions) as (runtime, server):
        with runtime.attach(Person(lambda _: f"Metres, and {key}.")):
            await start(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "Metres, and " in first_message(server, "1 at 2")
        assert not [request for request in server.requests if key in str(request.body)]
