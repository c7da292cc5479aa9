"""A restart while a person is asked: the question is put again, and what waited for it happens once."""

import asyncio
from pathlib import Path

from specloom.domain.events import agents
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, Scope
from specloom.engine.api import Question
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.people import Person
from tests.integration.projects import USER, hosted
from tests.integration.rotation_story import ASKS, QUESTION, WORDS
from tests.integration.stage import (
    Json,
    attempt,
    command,
    ended,
    events_of,
    newest_message,
    project,
    says,
    script,
    task,
    turn,
    until,
    write,
)

HOLDS = "test -f a.txt"
WRITES = turn(write("a.txt", "a\n"))


async def cut_off(root: Path, server: ScriptedServer, answers: dict[str, str | None]) -> None:
    """A process that ends when a question is put that nobody answers."""
    person = Person(lambda question: answers.get(question.subject))
    async with hosted(root, server) as runtime:
        with runtime.attach(person):
            started = asyncio.create_task(runtime.start_run(Scope(), Budget(), USER))
            await until(runtime, lambda state: any(item.agent for item in state.approvals.values()))
            await runtime.pause(USER, at_once=True)
            await started


async def goes_on(root: Path, server: ScriptedServer, answers: dict[str, str]) -> list[str]:
    """The run goes on to its end; what was asked then."""
    asked: list[str] = []

    def answer(question: Question) -> str:
        asked.append(question.subject)
        return answers[question.subject]

    async with hosted(root, server) as runtime:
        with runtime.attach(Person(answer)):
            assert not isinstance(await runtime.resume(USER), Rejected)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert all(event.outcome == "claimed" for event in await events_of(runtime, agents.SessionEnded))
    return asked


async def test_a_question_that_a_restart_cut_off_is_put_again(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    async with ScriptedServer(script(attempt(1, turn(ASKS), WRITES, turn(says()))), keep=None) as server:
        await cut_off(root, server, {HOLDS: "Allow in this project", QUESTION: None})
        assert await goes_on(root, server, {QUESTION: WORDS}) == [QUESTION]
        assert newest_message(server, "1 at 1", 2) == f"the user answers: {WORDS}"


async def test_a_command_whose_approval_a_restart_cut_off_is_asked_for_again_and_runs_once(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    runs: Json = command("echo ran >> a.txt")
    async with ScriptedServer(script(attempt(1, turn(runs), turn(says()))), keep=None) as server:
        subject = runs["input"]["command"]
        await cut_off(root, server, {HOLDS: "Allow in this project", subject: None})
        assert await goes_on(root, server, {subject: "Allow once"}) == [subject]
    assert (root / "a.txt").read_text() == "ran\n"
