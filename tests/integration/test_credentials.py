"""Keys that a person sets: each goes to its own endpoint and nowhere else, and a run that lacks one waits for it."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from specloom.compose.keys import KEYS
from specloom.domain.events import documents, runs
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, PauseCause, RunOutcome, RunState, Scope
from specloom.engine.api import KeyAnswer, KeyOrder, Question
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.keys import HERE, KEY, OTHER, THERE, at, given, named, one_task, paused, sent, story
from tests.integration.people import Person, agrees, denies
from tests.integration.projects import USER
from tests.integration.stage import (
    attempt,
    events_of,
    finished,
    first_message,
    project,
    review,
    run_of,
    says,
    script,
    start,
    task,
    turn,
    until,
    write,
)
from tests.integration.test_head import git, repository

pytestmark = pytest.mark.usefixtures("names", "another_process")
AGAIN = ("Try again", "Stop")


async def test_a_key_goes_to_its_own_endpoint_and_to_no_other(tmp_path: Path) -> None:
    """Two endpoints on one host, told apart by their ports, each with its key."""
    works = ScriptedServer(script(attempt(1, turn(write("a.txt", "a\n")), turn(says()))), keep=None)
    judges = ScriptedServer(script(review(1, turn(says("PASS")))), keep=None)
    async with works, judges:
        here, there = named(HERE, works), named(HERE, judges)
        async with at(one_task(tmp_path), here, reviewer=there) as runtime:
            assert (await given(runtime, KEY, here)).source == "credential/set"
            refused = await runtime.start_run(Scope(), Budget(), USER)
            assert isinstance(refused, Rejected)
            assert refused.code == "no-key"
            assert KEY not in refused.message
            await given(runtime, OTHER, there + "/v1")
            await start(runtime)
            await runtime.wait_idle()
        assert sent(works) == {KEY, f"Bearer {KEY}"}
        assert sent(judges) == {OTHER, f"Bearer {OTHER}"}


async def test_only_endpoints_of_the_settings_take_a_key_and_nothing_that_was_said_is_repeated(tmp_path: Path) -> None:
    async with story() as server, at(one_task(tmp_path), named(HERE, server)) as runtime:
        known = named(HERE, server)
        wrong = (named(THERE, server), known.replace("http", "https"), f"http://{HERE}", KEY, "")
        for endpoint in wrong:
            refused = await runtime.set_key(KeyOrder(endpoint, KEY), USER)
            assert isinstance(refused, Rejected), endpoint
            assert (refused.code, refused.suggestions) == ("unknown-endpoint", (known,))
            assert KEY not in repr(refused)
        for key in ("two words", "line\nend", "schlüssel-lang-genug"):
            refused = await runtime.set_key(KeyOrder(None, key), USER)
            assert isinstance(refused, Rejected), key
            assert refused.code == "invalid-key"
            assert key not in repr(refused)
        assert KEYS.known == ()


async def test_what_is_refused_as_a_key_is_hidden_from_nobody(tmp_path: Path) -> None:
    name = "greeting of the world"
    root = project(tmp_path / "p", task(1, "test -f a.txt", title=f"Write the {name}"))
    server = ScriptedServer(script(attempt(1, turn(write("a.txt", "a\n")), turn(says()))), keep=None)
    async with server, at(root, named(HERE, server)) as runtime:
        assert isinstance(await runtime.set_key(KeyOrder(None, name), USER), Rejected)
        await given(runtime, f" {KEY}\n")
        await start(runtime)
        assert await finished(runtime) is RunOutcome.COMPLETED
        assert name in first_message(server, "1 at 1")
        assert sent(server) == {KEY, f"Bearer {KEY}"}


async def test_a_run_whose_key_is_gone_asks_and_goes_on_by_itself_once_one_is_set(tmp_path: Path) -> None:
    asked = Person(waits)
    async with story("second") as server, working(one_task(tmp_path, "test -f b.txt"), server) as runtime:
        with runtime.attach(asked):
            assert (await given(runtime, "")).kept == "nowhere"
            server.release("second")
            reason = await paused(runtime, PauseCause.KEY)
            assert reason.startswith(f"key needed: {named(HERE, server).removeprefix('http://')} needs a key")
            assert "specloom credential set" in reason
            await until(runtime, lambda state: bool(state.approvals))
            await given(runtime, OTHER)
            assert await finished(runtime) is RunOutcome.COMPLETED
        assert [question.subject for question in asked.questions if question.choices == AGAIN] == [reason]
        assert len(runtime.state.sessions) == 1
        assert not runtime.state.approvals
        assert sent(server) == {KEY, f"Bearer {KEY}", OTHER, f"Bearer {OTHER}"}
        server.check()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes a runtime waits a moment for the turn in flight."""
    monkeypatch.setattr("specloom.engine.runtime.CLOSE_DEADLINE", 0.5)


@pytest.mark.usefixtures("impatient")
async def test_a_run_that_is_resumed_after_a_restart_waits_for_its_key(tmp_path: Path) -> None:
    root = one_task(tmp_path, "test -f b.txt")
    async with story("second") as server:
        async with working(root, server):
            pass
        KEYS.clear()
        server.release("second")
        async with at(root, named(HERE, server)) as runtime:
            assert run_of(runtime.state).cause is PauseCause.OTHER, "who closed it says when it goes on"
            refused = await runtime.resume(USER, unattended=True)
            assert isinstance(refused, Rejected), "nobody would set a key"
            with runtime.attach(Person(waits)):
                assert not isinstance(await runtime.resume(USER), Rejected)
                assert (await paused(runtime, PauseCause.KEY)).startswith("key needed")
        async with at(root, named(HERE, server)) as runtime:
            assert run_of(runtime.state).cause is PauseCause.KEY
            with runtime.attach(Person(waits)):
                await given(runtime, KEY)
                assert await finished(runtime) is RunOutcome.COMPLETED


@pytest.mark.usefixtures("impatient")
async def test_a_run_that_was_cut_off_is_paused_for_its_key_and_one_that_nobody_ordered_here_is_asked_about(
    tmp_path: Path,
) -> None:
    root, copy = one_task(tmp_path, "test -f b.txt"), tmp_path / "copy" / "p"
    async with story("second") as server:
        async with working(root, server):
            # As a kill at this moment would leave it.
            await asyncio.to_thread(shutil.copytree, root, copy)
        KEYS.clear()
        server.release("second")
        person = Person(agrees)
        async with at(copy, named(HERE, server)) as runtime:
            assert (await paused(runtime, PauseCause.KEY)).startswith("key needed")
            assert runtime.health(0.0).status != "ok"
            await until(runtime, lambda state: bool(state.approvals))
            needs = set(runtime.state.approvals.keys())
            await given(runtime, KEY)
            # The key takes that question back, and another is put: who came in between would see both.
            await until(runtime, lambda state: bool(state.approvals) and needs.isdisjoint(state.approvals.keys()))
            with runtime.attach(person):
                assert await finished(runtime) is RunOutcome.COMPLETED
        assert [question.choices for question in person.questions].count(AGAIN) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_key_is_no_word_to_go_on_where_git_wrote_files_meanwhile(tmp_path: Path) -> None:
    root, aside = repository(tmp_path / "p", task(1, "test -f b.txt")), tmp_path / "aside"
    async with story("second") as server:
        async with working(root, server):
            # As a kill at this moment would leave it.
            await asyncio.to_thread(shutil.copytree, root / ".specloom", aside)
        await asyncio.to_thread(shutil.rmtree, root / ".specloom")
        await asyncio.to_thread(aside.rename, root / ".specloom")
        KEYS.clear()
        server.release("second")
        await asyncio.to_thread(git, root, "switch", "-q", "other")
        async with at(root, named(HERE, server)) as runtime:
            await given(runtime, KEY)
            await runtime.endpoint.settled()
            assert run_of(runtime.state).state is RunState.PAUSED
            with runtime.attach(Person(waits)):
                assert not isinstance(await runtime.resume(USER), Rejected)
                assert await finished(runtime) is RunOutcome.COMPLETED


@asynccontextmanager
async def working(root: Path, server: ScriptedServer) -> AsyncGenerator[ProjectRuntime]:
    """A run with a key, in its second turn."""
    async with at(root, named(HERE, server)) as runtime:
        await given(runtime, KEY)
        with runtime.attach(Person(waits)):
            await start_watched(runtime)
            assert await server.until(lambda known: known.total == 2)
            yield runtime


def waits(question: Question) -> str | None:
    """Yes to whatever the agent does; no word about endpoints."""
    return None if question.choices == AGAIN else question.choices[0]


async def start_watched(runtime: ProjectRuntime) -> None:
    """Starts a run that somebody may be asked about."""
    assert not isinstance(await runtime.start_run(Scope(), Budget(), USER), Rejected)


async def test_a_person_may_stop_a_run_that_needs_a_key(tmp_path: Path) -> None:
    async with story("second") as server, working(one_task(tmp_path), server) as runtime:
        await given(runtime, "")
        server.release("second")
        await paused(runtime, PauseCause.KEY)
        with runtime.attach(Person(denies)):
            assert await finished(runtime) is RunOutcome.FAULT
        assert "key needed" in run_of(runtime.state).reason


async def test_a_refused_key_that_is_set_anew_is_tried_at_once(tmp_path: Path) -> None:
    refused = turn(write("a.txt", "a\n"), fault={"status": 401, "message": "invalid x-api-key", "times": 1})
    server = ScriptedServer(script(attempt(1, refused, turn(says()))), keep=None)
    async with server, at(one_task(tmp_path, "test -f a.txt"), named(HERE, server)) as runtime:
        await given(runtime, KEY)
        with runtime.attach(Person(waits)):
            await start_watched(runtime)
            await paused(runtime, PauseCause.PROVIDER)
            await given(runtime, OTHER)
            assert await finished(runtime) is RunOutcome.COMPLETED


@pytest.mark.parametrize(("own", "elsewhere"), [({}, True), ({"ANTHROPIC_API_KEY": KEY}, False)])
async def test_a_key_for_another_endpoint_or_one_that_is_not_sent_is_no_reason_to_try_again(
    tmp_path: Path, own: Mapping[str, str], elsewhere: bool
) -> None:
    refused = turn(write("a.txt", "a\n"), fault={"status": 401, "message": "invalid x-api-key", "times": 9})
    server = ScriptedServer(script(attempt(1, refused)), keep=None)
    async with server, at(one_task(tmp_path), named(HERE, server), own, planner=f"http://{THERE}") as runtime:
        await given(runtime, KEY, named(HERE, server))
        await given(runtime, KEY, f"http://{THERE}")
        with runtime.attach(Person(waits)):
            await start_watched(runtime)
            await paused(runtime, PauseCause.PROVIDER)
            await given(runtime, OTHER, f"http://{THERE}" if elsewhere else named(HERE, server))
            for _ in range(3):
                # What would go on is in the log before these.
                await runtime.tell_settings(("nothing",))
            assert await events_of(runtime, runs.RunResumed) == []


async def test_a_key_of_the_environment_comes_first_and_the_answer_says_so(tmp_path: Path) -> None:
    async with story() as server:
        own = {"ANTHROPIC_API_KEY": OTHER}
        async with at(one_task(tmp_path, "test -f b.txt"), named(HERE, server), own) as runtime:
            answer = await given(runtime, KEY)
            assert answer.source == "environment"
            assert "environment comes first" in answer.message
            await start(runtime)
            assert await finished(runtime) is RunOutcome.COMPLETED
        assert sent(server) == {OTHER, f"Bearer {OTHER}"}


async def test_who_set_a_key_stands_in_the_log_and_an_order_counts_once(tmp_path: Path) -> None:
    async with story() as server, at(one_task(tmp_path), named(HERE, server)) as runtime:
        first = await runtime.set_key(KeyOrder(None, KEY), USER, "one")
        assert isinstance(first, KeyAnswer)
        await given(runtime, "")
        again = await runtime.set_key(KeyOrder(None, KEY), USER, "one")
        assert isinstance(again, KeyAnswer)
        assert (first.repeated, again.repeated, again.kept) == (False, True, "nowhere")
        changed = await events_of(runtime, documents.SettingsChanged)
        assert [event.keys for event in changed] == [(f"key for {named(HERE, server)}",)] * 2
        assert KEYS.known == ()
