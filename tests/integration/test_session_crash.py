"""A process that is killed in the middle of a rotation loses nothing of it, and asks nobody twice for what it has."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from specloom.agent.replay import UNKNOWN
from specloom.domain.events import agents
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome, RunState
from specloom.engine.api import Question
from specloom.llm.scripted.server import ScriptedServer
from tests.conftest import TIER
from tests.integration.crash_process import ANSWER
from tests.integration.killing import killed
from tests.integration.people import Person
from tests.integration.projects import USER, hosted
from tests.integration.rotation_story import ASKS, QUESTION, crash_story, rotation_project
from tests.integration.stage import (
    DEADLINE,
    ONE,
    attempt,
    command,
    ended,
    events_of,
    newest_message,
    project,
    run_of,
    says,
    script,
    start,
    task,
    turn,
    until_file,
    write,
)

HERE = Path(__file__).parents[2]
STEPS = 4
FIRST_ROTATION = [
    ("SessionEnded", 1, 0),
    ("SessionEnded", 1, 0.004),
    ("SessionStarted", 2, 0),
    ("TurnRequested", 2, 0.003),
    ("TurnFinished", 2, 0),
    ("SessionEnded", 2, 0),
    ("SessionEnded", 2, 0.003),
    ("SessionStarted", 3, 0),
    ("MessageAdded", 3, 0),
    ("TurnRequested", 3, 0),
]
"""Event, ordinal, seconds after it; the second session is the summariser's."""
BY_ITSELF = [("ToolRequested", 5, 0), ("SessionEnded", 3, 0), ("SessionStarted", 4, 0), ("TurnRequested", 5, 0)]
"""The model of the second session hands over."""
EVERY = [
    (name, ordinal, delay)
    for name, most in {"SessionEnded": 5, "SessionStarted": 6, "MessageAdded": 6, "TurnRequested": 8}.items()
    for ordinal in range(1, most + 1)
    for delay in (0, 0.001, 0.005, 0.02)
]
CUTS = [*FIRST_ROTATION, *BY_ITSELF] if TIER == "test" else [*FIRST_ROTATION, *BY_ITSELF, *EVERY]


def asked_otherwise(server: ScriptedServer) -> list[tuple[str | None, int | None]]:
    """Turns of the executor that were asked again with a conversation that does not begin as it did before."""
    sent: dict[tuple[str | None, int | None], list[list[str]]] = {}
    for request in server.requests:
        if request.session not in (None, "", "summariser"):
            sent.setdefault((request.session, request.turn), []).append(blocks_of(request.body["messages"]))
    return [
        place for place, bodies in sent.items() for before, after in pairwise(bodies) if after[: len(before)] != before
    ]


def blocks_of(messages: list[dict[str, Any]]) -> list[str]:
    """The blocks of a conversation in order, without the marks of the cache."""
    told: list[str] = []
    for message in messages:
        for block in message["content"]:
            kept = {key: value for key, value in block.items() if key != "cache_control"}
            told.append(json.dumps([message["role"], kept]))
    return told


@pytest.mark.parametrize(("name", "ordinal", "delay"), CUTS)
async def test_a_rotation_that_was_cut_goes_on(tmp_path: Path, name: str, ordinal: int, delay: float) -> None:
    root = rotation_project(tmp_path / "p", STEPS)
    async with ScriptedServer(crash_story(STEPS), keep=None) as server:
        await killed(root, server, name, ordinal, delay)
        async with hosted(root, server) as runtime:
            run = run_of(runtime.state)
            if run.state is not RunState.FINISHED:
                assert not isinstance(await runtime.resume(USER, unattended=True), Rejected)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert server.failures == []
            started = [item for item in await events_of(runtime, agents.SessionStarted) if item.role == "executor"]
            assert [item.number for item in started] == list(range(1, STEPS + 1))
            assert [item.previous for item in started[1:]] == [item.session for item in started[:-1]]
            answered = Counter(item.session for item in await events_of(runtime, agents.TurnFinished))
            roles = {item.session: item for item in await events_of(runtime, agents.SessionStarted)}
            read = Counter(roles[session].previous for session in answered if roles[session].role == "summariser")
            assert set(read.values()) == {1}, "an answer of the summariser that is in the log is not asked for again"
            assert asked_otherwise(server) == [], "what is asked again begins byte for byte as before"
            assert runtime.state.record(ONE).attempts == 1
            for event in started[1:]:
                kept = root / ".specloom" / "sessions" / f"{event.session}.hand-over.md"
                assert f"This is session {event.number} of the attempt" in kept.read_text()
        assert sorted(path.name for path in root.glob("*.txt")) == [f"step{n}.txt" for n in range(1, STEPS + 1)]
        assert len(list((root / ".specloom" / "sessions").glob("*.hand-over.md*"))) == STEPS - 1


@pytest.mark.parametrize("times", [1, 2])
async def test_a_model_whose_answer_was_cut_off_is_told_so_once_after_a_restart(tmp_path: Path, times: int) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    cut = turn(write("a.txt", "a\n"), command("touch begun; sleep 300"), stop="max_tokens")
    told = script(attempt(1, cut, turn(says(), hold="answer")))
    async with ScriptedServer(told, keep=None) as server:
        async with hosted(root, server) as runtime:
            await start(runtime)
            await until_file(root / "begun")
            await runtime.pause(USER, at_once=True)
        for number in range(times):
            async with hosted(root, server) as runtime:
                assert not isinstance(await runtime.resume(USER, unattended=True), Rejected)
                assert await server.until(lambda known, asked=number: known.total == asked + 2, DEADLINE)
                if number + 1 == times:
                    server.release("answer")
                    assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
                else:
                    await runtime.pause(USER, at_once=True)
        newest = newest_message(server, "1 at 1", 2)
        assert newest.count("Your answer was cut off at the length limit") == 1
        assert UNKNOWN in newest
        assert asked_otherwise(server) == []


@pytest.mark.parametrize(("name", "again"), [("ApprovalAsked", [QUESTION]), ("ApprovalAnswered", [])])
async def test_an_answer_that_is_in_the_log_reaches_the_model_and_is_asked_for_once(
    tmp_path: Path, name: str, again: list[str]
) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    asked: list[str] = []

    def answers(question: Question) -> str:
        asked.append(question.subject)
        return ANSWER

    turns = (turn(ASKS), turn(write("a.txt", "a\n")), turn(says()))
    async with ScriptedServer(script(attempt(1, *turns)), keep=None) as server:
        await killed(root, server, name, 2, 0)  # The first one is about the verify command.
        async with hosted(root, server) as runtime:
            with runtime.attach(Person(answers)):
                assert not isinstance(await runtime.resume(USER, unattended=True), Rejected)
                assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert [word.words for word in runtime.state.record(ONE).words] == [ANSWER]
        assert newest_message(server, "1 at 1", 2) == f"the user answers: {ANSWER}"
        server.check()
    assert asked == again
