"""An endpoint that cannot be reached pauses the run, which goes on by itself; one that refuses leads to a question."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from specloom.domain.events import agents, runs, tasks
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, PauseCause, RunOutcome, RunState, Scope
from specloom.domain.states import TaskState
from specloom.engine.api import Question
from specloom.engine.endpoint_wait import ProbePolicy
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.people import Person, agrees
from tests.integration.projects import USER, opened
from tests.integration.stage import (
    DEADLINE,
    ONE,
    TWO,
    Json,
    attempt,
    events_of,
    finished,
    log_of,
    project,
    read,
    review,
    run_of,
    says,
    script,
    start,
    task,
    turn,
    until,
    until_event,
    write,
)
from tests.integration.test_head import git, repository
from tests.integration.test_subagents import ANSWERS, send, sub
from tests.unit.planning import planning_scripts as plans

WRITES = turn(write("a.txt", "a\n"))
STORY = attempt(1, WRITES, turn(write("b.txt", "b\n")), turn(says()))


def free_port() -> int:
    """One that nobody is given meanwhile who asks for any: the system hands out those above (`ip(7)`)."""
    for port in random.SystemRandom().sample(range(15_000, 30_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a hundred ports are in use")


def served(port: int, *sessions: Json) -> ScriptedServer:
    """The endpoint as it is before, or after, it was away."""
    return ScriptedServer(script(*sessions or (STORY,)), port=port, keep=None)


@asynccontextmanager
async def at(root: Path, port: int, environment: dict[str, str] | None = None) -> AsyncGenerator[ProjectRuntime]:
    """A runtime that waits for nothing longer than it must."""
    runtime = await opened(root, f"http://127.0.0.1:{port}", environment)
    await hurry(runtime)
    try:
        yield runtime
    finally:
        await runtime.close()


async def hurry(runtime: ProjectRuntime) -> None:
    options = runtime.engine.options
    runtime.engine.options = replace(options, retry=replace(options.retry, first_wait=0.01))
    runtime.endpoint.probes = ProbePolicy(0.02, 0.1)
    await runtime.endpoint.withdraw()
    runtime.endpoint.begin()


def one_task(tmp_path: Path) -> Path:
    return project(tmp_path / "p", task(1, "test -f b.txt"))


async def paused(runtime: ProjectRuntime, cause: PauseCause) -> str:
    """The reason, once the run is paused for this cause."""
    state = await until(runtime, lambda s: s.run is not None and (s.run.state, s.run.cause) == (RunState.PAUSED, cause))
    return run_of(state).reason


def held() -> Json:
    """The story with its second turn held, so that the endpoint goes while it is being asked."""
    return attempt(1, WRITES, turn(write("b.txt", "b\n"), hold="never"), turn(says()))


async def left_offline(root: Path, port: int, environment: dict[str, str]) -> None:
    """A run that waits for its endpoint when its Specloom is closed."""
    before = served(port, held())
    await asyncio.to_thread(before.start)
    async with at(root, port, environment) as runtime:
        await start(runtime)
        assert await before.until(lambda server: server.total == 2, DEADLINE)
        await asyncio.to_thread(before.stop)
        await paused(runtime, PauseCause.OFFLINE)


@asynccontextmanager
async def cut_off(root: Path) -> AsyncGenerator[tuple[ProjectRuntime, int]]:
    """A run whose endpoint, at this port, went away while its second turn was asked."""
    port = free_port()
    before = served(port, held())
    await asyncio.to_thread(before.start)
    async with at(root, port) as runtime:
        await start(runtime)
        assert await before.until(lambda server: server.total == 2, DEADLINE)
        await asyncio.to_thread(before.stop)
        yield runtime, port


async def test_a_run_waits_for_an_endpoint_that_went_away_and_goes_on_in_its_session(tmp_path: Path) -> None:
    async with cut_off(one_task(tmp_path)) as (runtime, port):
        reason = await paused(runtime, PauseCause.OFFLINE)
        assert reason.startswith(f"offline: 127.0.0.1:{port} could not be reached")
        async with served(port) as after:
            assert await finished(runtime) is RunOutcome.COMPLETED
            assert after.failures == []
            assert after.total == 2, "the turn that was asked in vain, and the last one"
        assert len(runtime.state.sessions) == 1
        assert len(await events_of(runtime, tasks.TaskStarted)) == 1


async def test_looking_whether_it_is_there_costs_nothing(tmp_path: Path) -> None:
    async with cut_off(one_task(tmp_path)) as (runtime, port):
        await paused(runtime, PauseCause.OFFLINE)
        asked = len(await events_of(runtime, agents.TurnRequested))
        # Something that is no API in its place: a proxy that finds no server.
        proxy = await asyncio.start_server(_bad_gateway, "127.0.0.1", port)
        looks = _LOOKS.copy()
        async with asyncio.timeout(20):
            while len(_LOOKS) < len(looks) + 3:  # noqa: ASYNC110 - another coroutine counts
                await asyncio.sleep(0.01)
        proxy.close()
        await proxy.wait_closed()
        assert {look.split(b" ")[0] for look in _LOOKS[len(looks) :]} == {b"GET"}
        assert len(await events_of(runtime, agents.TurnRequested)) == asked
        assert run_of(runtime.state).state is RunState.PAUSED


_LOOKS: list[bytes] = []


async def _bad_gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    _LOOKS.append(await reader.readline())
    while (await reader.readline()).strip():
        pass
    writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbad")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("order", ["resume", "cancel", "pause"])
async def test_a_person_decides_at_once_while_the_endpoint_is_away(tmp_path: Path, order: str) -> None:
    port = free_port()
    before = served(port, held())
    await asyncio.to_thread(before.start)
    async with at(one_task(tmp_path), port) as runtime:
        await start(runtime)
        assert await before.until(lambda server: server.total == 2, DEADLINE)
        await asyncio.to_thread(before.stop)
        await paused(runtime, PauseCause.OFFLINE)
        if order == "resume":
            await runtime.resume(USER)
            await until_event(runtime, runs.RunResumed)
            await paused(runtime, PauseCause.OFFLINE)
        elif order == "cancel":
            await runtime.cancel(USER)
            assert run_of(runtime.state).outcome is RunOutcome.CANCELLED
        else:
            await runtime.pause(USER)
            assert run_of(runtime.state).cause is PauseCause.OTHER
            async with served(port):
                await runtime.endpoint.settled()
                assert run_of(runtime.state).state is RunState.PAUSED, "who paused it says when it goes on"
                assert not isinstance(await runtime.resume(USER), Rejected)
                assert await finished(runtime) is RunOutcome.COMPLETED


async def test_subagents_wait_together_and_go_on_in_their_sessions(tmp_path: Path) -> None:
    port, root = free_port(), project(tmp_path / "p", task(1, "true"))
    parent = attempt(1, turn(send("red"), send("blue")), turn(says()))
    looks = {name: turn(read("requirements.md")) for name in ("red", "blue")}
    asked = [sub(name, look, turn(says(ANSWERS[name]), hold="never")) for name, look in looks.items()]
    before = served(port, parent, *asked)
    await asyncio.to_thread(before.start)
    async with at(root, port) as runtime:
        await start(runtime)
        assert await before.until(lambda server: server.total == 5, DEADLINE)
        await asyncio.to_thread(before.stop)
        await paused(runtime, PauseCause.OFFLINE)
        answers = [sub(name, look, turn(says(ANSWERS[name]))) for name, look in looks.items()]
        async with served(port, parent, *answers) as after:
            assert await finished(runtime) is RunOutcome.COMPLETED
            assert (after.total, after.failures) == (3, [])
        names = [type(event).__name__ for event in await log_of(runtime)]
        assert names.count("RunPaused") == 1
        assert "TurnRequested" not in names[names.index("RunPaused") : names.index("RunResumed")]
        assert len(runtime.state.sessions) == 3


async def test_a_review_waits_for_its_endpoint_and_goes_on(tmp_path: Path) -> None:
    port, root = free_port(), project(tmp_path / "p", task(1))
    cites: Json = {"verdict": "pass", "citations": [{"requirement": "R1.1", "path": "a.txt", "line": 1}], "summary": ""}
    verdict: Json = {"tool": "submit_review", "input": cites}
    works = attempt(1, WRITES, turn(says()))
    before = served(port, works, review(1, turn(read("a.txt")), turn(verdict, hold="never")))
    await asyncio.to_thread(before.start)
    async with at(root, port) as runtime:
        await start(runtime)
        assert await before.until(lambda server: server.total == 4, DEADLINE)
        await asyncio.to_thread(before.stop)
        await paused(runtime, PauseCause.OFFLINE)
        async with served(port, works, review(1, turn(read("a.txt")), turn(verdict))) as after:
            assert await finished(runtime) is RunOutcome.COMPLETED
            assert (after.total, after.failures) == (1, [])


async def test_a_plan_waits_for_its_endpoint_and_goes_on(tmp_path: Path) -> None:
    port, root, person = free_port(), tmp_path / "p", Person(agrees)
    root.mkdir()
    (root / "requirements.md").write_text(plans.REQUIREMENTS)
    outline = plans.session("# Outline: requirements.md", plans.submits(plans.STORE, plans.COMMANDS, hold="never"))
    before = ScriptedServer(script(outline), port=port, keep=None)
    await asyncio.to_thread(before.start)
    async with at(root, port) as runtime:
        with runtime.attach(person):
            assert not isinstance(await runtime.plan(None, "", USER), Rejected)
            assert await before.until(lambda server: server.total == 1, DEADLINE)
            await asyncio.to_thread(before.stop)
            async with asyncio.timeout(DEADLINE):
                while not any("offline" in message for _, message in person.told):  # noqa: ASYNC110 - a client is told
                    await asyncio.sleep(0.01)
            async with ScriptedServer(plans.WHOLE, port=port, keep=None) as after:
                await runtime.wait_idle()
                assert after.failures == []
        assert runtime.state.planning is not None
        assert runtime.state.planning.state == "finished"


async def test_who_wants_a_pause_after_the_task_gets_it_there_though_the_endpoint_goes_away(tmp_path: Path) -> None:
    port, root = free_port(), project(tmp_path / "p", task(1, "test -f b.txt"), task(2, "true"))
    before = served(port, held())
    await asyncio.to_thread(before.start)
    async with at(root, port) as runtime:
        await start(runtime)
        assert await before.until(lambda server: server.total == 2, DEADLINE)
        await runtime.pause(USER, after_task=True)
        await asyncio.to_thread(before.stop)
        await paused(runtime, PauseCause.OFFLINE)
        async with served(port, STORY, attempt(2, turn(says()))):
            await paused(runtime, PauseCause.OTHER)
            assert runtime.state.record(ONE).state is TaskState.DONE
            assert runtime.state.record(TWO).state is TaskState.PENDING
            await runtime.resume(USER, unattended=True)
            assert await finished(runtime) is RunOutcome.COMPLETED


@pytest.mark.parametrize("known", [True, False], ids=["ordered here", "found in a log"])
async def test_the_next_process_goes_on_by_an_order_of_its_own_user_and_asks_about_any_other(
    tmp_path: Path, known: bool
) -> None:
    port, root = free_port(), one_task(tmp_path)
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    await left_offline(root, port, state)
    person = Person(agrees)
    async with at(root, port, state if known else {"XDG_STATE_HOME": str(tmp_path / "other")}) as runtime:
        assert run_of(runtime.state).cause is PauseCause.OFFLINE
        with runtime.attach(person):
            async with served(port) as after:
                assert await finished(runtime) is RunOutcome.COMPLETED
                assert after.failures == []
        assert len(runtime.state.sessions) == 1
    asked = [question for question in person.questions if question.choices == ("Try again", "Stop")]
    assert len(asked) == (0 if known else 1)


REFUSALS: dict[str, Json] = {
    "key": {"status": 401, "message": "invalid x-api-key"},
    "billing": {"status": 400, "message": "Your credit balance is too low to access the API"},
    "overload": {"status": 529, "times": 11},
}


@pytest.mark.parametrize("fault", REFUSALS)
async def test_an_endpoint_that_refuses_pauses_with_a_question_and_a_yes_goes_on_in_the_session(
    tmp_path: Path, fault: str
) -> None:
    port = free_port()
    second = turn(write("b.txt", "b\n"), fault={"times": 1, **REFUSALS[fault]})
    person, asked = Person(agrees), list[Question]()
    async with served(port, attempt(1, WRITES, second, turn(says()))) as server:
        async with at(one_task(tmp_path), port) as runtime:
            options = runtime.engine.options
            runtime.engine.options = replace(options, retry=replace(options.retry, first_wait=0.0))
            with runtime.attach(person):
                assert not isinstance(await runtime.start_run(Scope(), Budget(), USER), Rejected)
                assert await finished(runtime) is RunOutcome.COMPLETED
            asked = [question for question in person.questions if question.choices == ("Try again", "Stop")]
            (pause,) = await events_of(runtime, runs.RunPaused)
            assert (pause.cause, [question.subject for question in asked]) == (PauseCause.PROVIDER, [pause.reason])
            assert len(runtime.state.sessions) == 1
        server.check()


async def test_a_question_about_the_endpoint_is_withdrawn_where_git_wrote_files_meanwhile(tmp_path: Path) -> None:
    port, root = free_port(), repository(tmp_path / "p", task(1, "test -f b.txt"))
    refused = turn(write("b.txt", "b\n"), fault={"status": 401, "message": "invalid x-api-key"})
    person = Person(lambda question: None if "key" in question.subject else question.choices[0])
    async with served(port, attempt(1, WRITES, refused, turn(says()))), at(root, port) as runtime:
        with runtime.attach(person):
            assert not isinstance(await runtime.start_run(Scope(), Budget(), USER), Rejected)
            await paused(runtime, PauseCause.PROVIDER)
            await until(runtime, lambda state: len(state.approvals) == 1)
            await asyncio.to_thread(git, root, "switch", "-q", "other")
            await paused(runtime, PauseCause.OTHER)
            await until(runtime, lambda state: len(state.approvals) == 0)
            assert not isinstance(await runtime.resume(USER), Rejected)
            assert await finished(runtime) is RunOutcome.COMPLETED


async def test_who_stops_there_ends_the_run_with_its_reason(tmp_path: Path) -> None:
    port = free_port()
    refused = turn(write("a.txt", "a\n"), fault={"status": 401, "message": "invalid x-api-key", "times": "always"})
    async with served(port, attempt(1, refused)), at(one_task(tmp_path), port) as runtime:
        with runtime.attach(Person(lambda question: question.choices[-1 if "key" in question.subject else 0])):
            assert not isinstance(await runtime.start_run(Scope(), Budget(), USER), Rejected)
            assert await finished(runtime) is RunOutcome.FAULT
        assert "invalid x-api-key" in run_of(runtime.state).reason


async def test_a_key_that_was_mended_counts_for_the_session_that_waits(tmp_path: Path) -> None:
    port, root = free_port(), one_task(tmp_path)
    await asyncio.to_thread((root / ".env").write_text, "ANTHROPIC_API_KEY=sk-wrong-0123456789\n")
    server = ScriptedServer(script(STORY), port=port, key="sk-right-0123456789", keep=None)
    async with server, at(root, port, {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"}) as runtime:
        person = Person(lambda question: None if question.choices == ("Try again", "Stop") else question.choices[0])
        with runtime.attach(person):
            assert not isinstance(await runtime.start_run(Scope(), Budget(), USER), Rejected)
            await paused(runtime, PauseCause.PROVIDER)
            earlier = runtime.engine.options
            await asyncio.to_thread((root / ".env").write_text, "ANTHROPIC_API_KEY=sk-right-0123456789\n")
            await runtime.on_settings()
            assert runtime.engine.options is not earlier
            assert not isinstance(await runtime.resume(USER), Rejected)
            assert await finished(runtime) is RunOutcome.COMPLETED
        assert len(runtime.state.sessions) == 1
        server.check()
