"""Keys that a person sets: each goes to its own endpoint and nowhere else, and a run that lacks one waits for it.

Endpoints have names that need keys, as loopback needs none; a resolver of the test leads these names to loopback.
"""

import asyncio
import shutil
import socket
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import keyring
import keyring.errors
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail

from specloom.compose import inspect, open_runtime
from specloom.compose.keys import KEYS, keyring_of
from specloom.domain.events import documents, runs
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, PauseCause, RunOutcome, RunState, Scope
from specloom.engine.api import KeyAnswer, KeyOrder, Question
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.people import Person, agrees, denies
from tests.integration.projects import USER
from tests.integration.stage import (
    DEADLINE,
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

HERE, THERE = "keys-here.invalid", "keys-there.invalid"
KEY, OTHER = "set-key-7Rz2Wc9Lm4Xt", "other-key-6Vb8Np3Ks5Jd"
AGAIN = ("Try again", "Stop")
PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


class FileKeyring(KeyringBackend):
    """A keyring of the system, in a file; as one on a desktop it may be locked, or lose what it is given."""

    priority = 1  # pyright: ignore[reportAssignmentType] # a class property there
    locked: ClassVar[bool] = False
    loses: ClassVar[bool] = False

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def get_password(self, service: str, username: str) -> str | None:
        """The entry."""
        return self._entries().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Adds one."""
        if self.locked:
            raise keyring.errors.KeyringLocked(f"no {password} for you")
        if not self.loses:
            self._write({**self._entries(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        """Removes one."""
        self._write({name: value for name, value in self._entries().items() if name != f"{service} {username}"})

    def _entries(self) -> dict[str, str]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return dict(line.split("\t") for line in lines)

    def _write(self, entries: Mapping[str, str]) -> None:
        self.path.write_text("".join(f"{name}\t{value}\n" for name, value in entries.items()))


class SlowKeyring(FileKeyring):
    """One that waits for a person before it takes a key."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked, self.unlocked = threading.Event(), threading.Event()

    def set_password(self, service: str, username: str, password: str) -> None:
        """Adds one once it is unlocked."""
        self.asked.set()
        assert self.unlocked.wait(DEADLINE)
        super().set_password(service, username, password)  # pyright: ignore[reportUnknownMemberType] # wrapped there


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leads the endpoints of these tests to this machine."""
    real = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return real("127.0.0.1" if name in (HERE, THERE) else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[FileKeyring]:
    """A keyring that works."""
    before, backend = keyring.get_keyring(), FileKeyring(tmp_path / "keyring")
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def slow_system(tmp_path: Path) -> Iterator[SlowKeyring]:
    """A keyring that nobody has unlocked yet."""
    before, backend = keyring.get_keyring(), SlowKeyring(tmp_path / "keyring")
    keyring.set_keyring(backend)
    yield backend
    backend.unlocked.set()
    keyring.set_keyring(before)


@pytest.fixture
def no_system() -> Iterator[None]:
    """A machine without a keyring."""
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def another_process() -> Iterator[None]:
    """What one process holds ends with it."""
    KEYS.clear()
    yield
    KEYS.clear()


@asynccontextmanager
async def at(
    root: Path, default: str, environment: Mapping[str, str] | None = None, **models: str
) -> AsyncGenerator[ProjectRuntime]:
    """A runtime whose roles are asked at these addresses."""
    roles = {name: {"base_url": url} for name, url in models.items()}
    overrides = {"models": {"default": {"model": "scripted-1", "base_url": default}, **roles}}
    own = {"XDG_STATE_HOME": str(root.parent / "state")}
    runtime = await open_runtime(root, environment={**PATH, **own, **(environment or {})}, overrides=overrides)
    try:
        yield runtime
    finally:
        await runtime.close()


def named(name: str, server: ScriptedServer) -> str:
    """The server by a name that needs a key."""
    return server.base_url.replace("127.0.0.1", name)


def sent(server: ScriptedServer) -> set[str]:
    """Keys that any request came with."""
    headers = (request.headers for request in server.requests)
    return {value for each in headers for name in ("x-api-key", "authorization") if (value := each.get(name, ""))}


def one_task(tmp_path: Path, *verify: str) -> Path:
    return project(tmp_path / "p", task(1, *verify))


def story(hold: str = "") -> ScriptedServer:
    second = turn(write("b.txt", "b\n"), **({"hold": hold} if hold else {}))
    return ScriptedServer(script(attempt(1, turn(write("a.txt", "a\n")), second, turn(says()))), keep=None)


async def given(runtime: ProjectRuntime, key: str, endpoint: str | None = None, *, keep: bool = False) -> KeyAnswer:
    answer = await runtime.set_key(KeyOrder(endpoint, key, keep), USER)
    assert not isinstance(answer, Rejected), answer
    assert not key or key not in repr(answer)
    return answer


async def paused(runtime: ProjectRuntime, cause: PauseCause) -> str:
    state = await until(runtime, lambda s: s.run is not None and (s.run.state, s.run.cause) == (RunState.PAUSED, cause))
    return run_of(state).reason


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
            await given(runtime, KEY)
            with runtime.attach(person):
                assert await finished(runtime) is RunOutcome.COMPLETED
        assert [question.choices for question in person.questions].count(AGAIN) == 1


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


async def test_a_kept_key_is_there_for_the_next_process_until_it_is_forgotten(
    tmp_path: Path, system: FileKeyring
) -> None:
    root = one_task(tmp_path, "test -f b.txt")
    async with story() as server:
        environment = {**PATH, "XDG_STATE_HOME": str(tmp_path / "state")}
        overrides = {"models": {"default": {"model": "scripted-1", "base_url": named(HERE, server)}}}
        async with at(root, named(HERE, server)) as runtime:
            assert (await given(runtime, KEY, keep=True)).kept == "keyring"
        assert KEY in system.path.read_text()
        KEYS.clear()
        async with at(root, named(HERE, server)) as runtime:
            await start(runtime)
            assert await finished(runtime) is RunOutcome.COMPLETED
            assert sent(server) == {KEY, f"Bearer {KEY}"}
        told = await inspect(root, environment, overrides)
        assert {endpoint.key for endpoint in told.endpoints} == {"keyring"}
        assert KEY not in repr(told)
        async with at(root, named(HERE, server)) as runtime:
            assert (await given(runtime, "")).kept == "nowhere"
        assert KEY not in system.path.read_text()
        told = await inspect(root, environment, overrides)
        assert {endpoint.key for endpoint in told.endpoints} == {""}


async def test_without_a_keyring_the_key_lives_in_memory_and_that_is_said(tmp_path: Path, no_system: None) -> None:
    async with story() as server, at(one_task(tmp_path), named(HERE, server)) as runtime:
        answer = await given(runtime, KEY, keep=True)
        assert (answer.kept, answer.source) == ("memory", "credential/set")
        assert "no keyring" in answer.message
        assert "until the daemon" in answer.message
        assert keyring_of({"XDG_STATE_HOME": str(tmp_path / "state")}).endpoints() == ()


@pytest.mark.parametrize("trouble", ["locked", "loses"])
async def test_a_keyring_that_does_not_keep_is_told_and_its_words_are_not(
    tmp_path: Path, system: FileKeyring, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    monkeypatch.setattr(FileKeyring, trouble, True)
    async with story() as server, at(one_task(tmp_path), named(HERE, server)) as runtime:
        answer = await given(runtime, KEY, keep=True)
        assert answer.kept == "memory"
        assert "keyring" in answer.message
    assert not system.path.exists()


@pytest.mark.parametrize("later", ["", OTHER])
async def test_what_a_person_said_last_counts_when_the_keyring_is_unlocked_at_last(
    tmp_path: Path, slow_system: SlowKeyring, later: str
) -> None:
    async with at(one_task(tmp_path), f"http://{HERE}") as runtime:
        first = asyncio.create_task(given(runtime, KEY, keep=True))
        assert await asyncio.to_thread(slow_system.asked.wait, DEADLINE)
        second = asyncio.create_task(given(runtime, later, keep=bool(later)))
        async with asyncio.timeout(DEADLINE):
            while {key.api_key for key in KEYS.known} != ({later} if later else set()):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
        slow_system.unlocked.set()
        told = await first
        assert (told.kept, "a later order" in told.message) == ("memory" if later else "nowhere", True)
        assert (await second).kept == ("keyring" if later else "nowhere")
        kept = slow_system.path.read_text()
        assert (KEY in kept, OTHER in kept) == (False, bool(later))
        listed = await asyncio.to_thread(keyring_of({"XDG_STATE_HOME": str(tmp_path / "state")}).endpoints)
        assert bool(listed) == bool(later)


async def test_a_key_whose_sender_left_before_the_keyring_was_unlocked_is_used_all_the_same(
    tmp_path: Path, slow_system: SlowKeyring
) -> None:
    async with at(one_task(tmp_path), f"http://{HERE}") as runtime:
        order = asyncio.create_task(given(runtime, KEY, keep=True))
        assert await asyncio.to_thread(slow_system.asked.wait, DEADLINE)
        order.cancel()
        await asyncio.gather(order, return_exceptions=True)
        answer = await runtime.set_key(KeyOrder(None, "not a key"), USER)
        assert isinstance(answer, Rejected)
        assert runtime.health(0.0).status == "ok", "there is a key"


async def test_what_became_of_a_key_in_the_keyring_is_not_sent_where_it_is_none(
    tmp_path: Path, system: FileKeyring
) -> None:
    async with story() as server:
        root = one_task(tmp_path)
        async with at(root, named(HERE, server)) as runtime:
            await given(runtime, KEY, keep=True)
        KEYS.clear()
        system.path.write_text(system.path.read_text().replace(KEY, "a key: of others"))
        async with at(root, named(HERE, server)) as runtime:
            refused = await runtime.start_run(Scope(), Budget(), USER)
            assert isinstance(refused, Rejected)
            assert refused.code == "no-key"
        assert sent(server) == set()


async def test_a_keyring_is_not_asked_for_what_was_never_kept(tmp_path: Path, system: FileKeyring) -> None:
    system.path.write_text(f"specloom http://{HERE}\t{KEY}\n")
    async with at(one_task(tmp_path), f"http://{HERE}") as runtime:
        refused = await runtime.start_run(Scope(), Budget(), USER)
        assert isinstance(refused, Rejected)
        assert refused.code == "no-key"


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
