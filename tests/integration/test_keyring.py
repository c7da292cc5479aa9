"""Keys in the keyring of a system, which may be locked, slow, lossy, or not there."""

import asyncio
from pathlib import Path

import pytest

from specloom.compose import inspect, keys
from specloom.compose.keys import KEYS, keyring_of
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, Scope
from specloom.engine.api import KeyOrder, Question
from specloom.store.system import SystemClock
from tests.integration.keys import (
    HERE,
    KEY,
    OTHER,
    PATH,
    THERE,
    FileKeyring,
    SlowKeyring,
    at,
    given,
    named,
    one_task,
    sent,
    story,
)
from tests.integration.people import Person
from tests.integration.projects import USER
from tests.integration.stage import DEADLINE, finished, start
from tests.integration.test_credentials import AGAIN, working

pytestmark = pytest.mark.usefixtures("names", "another_process")


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


async def kept_for_two(tmp_path: Path) -> Path:
    """A project whose roles ask two endpoints, each with a key in the keyring; the process that kept them has ended."""
    root = one_task(tmp_path)
    async with at(root, f"http://{HERE}", reviewer=f"http://{THERE}") as runtime:
        for host, key in ((HERE, KEY), (THERE, OTHER)):
            assert (await given(runtime, key, f"http://{host}", keep=True)).kept == "keyring"
    KEYS.clear()
    return root


async def test_keyring_that_does_not_answer_costs_a_process_one_deadline_whatever_it_keeps(
    tmp_path: Path, slow_system: SlowKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_system.unlocked.set()
    root = await kept_for_two(tmp_path)
    slow_system.unlocked.clear()
    slow_system.closed, slow_system.looked = True, []
    monkeypatch.setattr(keys, "READ_DEADLINE", 0.2)
    for _ in range(2):
        async with at(root, f"http://{HERE}", reviewer=f"http://{THERE}"):
            async with asyncio.timeout(DEADLINE):
                while not slow_system.looked:  # noqa: ASYNC110 - a thread looks
                    await asyncio.sleep(0.01)
            assert len(slow_system.looked) == 1
    assert KEYS.known == ()


async def test_keyring_that_is_locked_is_asked_once_and_again_when_it_has_taken_a_key(
    tmp_path: Path, system: FileKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = await kept_for_two(tmp_path)
    system.looked = []
    with monkeypatch.context() as shut:
        shut.setattr(FileKeyring, "locked", True)
        for _ in range(2):
            async with at(root, f"http://{HERE}", reviewer=f"http://{THERE}"):
                assert len(system.looked) == 1
    async with at(root, f"http://{HERE}", reviewer=f"http://{THERE}") as runtime:
        assert len(system.looked) == 1
        await given(runtime, KEY, f"http://{HERE}", keep=True)
        assert {key.api_key for key in KEYS.known} == {KEY, OTHER}


class Later(SystemClock):
    """Which can be put forward."""

    by = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.by


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    clock = Later()
    monkeypatch.setattr(KEYS, "clock", clock)
    return clock


@pytest.mark.usefixtures("system")
async def test_keyring_that_is_unlocked_is_asked_again_when_a_key_is_needed_a_minute_later(
    tmp_path: Path, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = one_task(tmp_path, "test -f a.txt")
    async with story() as server:
        async with at(root, named(HERE, server)) as runtime:
            await given(runtime, KEY, keep=True)
        KEYS.clear()
        monkeypatch.setattr(FileKeyring, "locked", True)
        async with at(root, named(HERE, server)) as runtime:
            monkeypatch.setattr(FileKeyring, "locked", False)
            refused = await runtime.start_run(Scope(), Budget(), USER, unattended=True)
            assert isinstance(refused, Rejected)
            assert refused.code == "no-key"
            later.by += keys.ASK_AGAIN
            await start(runtime)
            assert await finished(runtime) is RunOutcome.COMPLETED
        assert sent(server) == {KEY, f"Bearer {KEY}"}


@pytest.mark.usefixtures("system")
async def test_a_run_that_needs_a_key_finds_it_in_the_keyring_once_a_person_says_try_again(
    tmp_path: Path, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = one_task(tmp_path, "test -f b.txt")
    async with story("second") as server:
        async with working(root, server) as runtime:
            await given(runtime, KEY, keep=True)
            await runtime.pause(USER, at_once=True)
        KEYS.clear()
        server.release("second")
        monkeypatch.setattr(FileKeyring, "locked", True)

        def unlocks(question: Question) -> str | None:
            if question.choices == AGAIN:
                monkeypatch.setattr(FileKeyring, "locked", False)
                later.by += keys.ASK_AGAIN
            return question.choices[0]

        async with at(root, named(HERE, server)) as runtime:
            with runtime.attach(Person(unlocks)):
                assert not isinstance(await runtime.resume(USER), Rejected)
                assert await finished(runtime) is RunOutcome.COMPLETED
