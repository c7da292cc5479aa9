"""Settings that break while Specloom works from them: what counted before counts on until they are mended."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from specloom.compose.files import RootFiles, read_root
from specloom.domain.events import documents, runs
from specloom.domain.origin import Origin
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, Scope
from specloom.engine.runtime import ProjectRuntime
from tests.integration.people import Person, agrees
from tests.integration.stage import (
    DEADLINE,
    attempt,
    command,
    ended,
    events_of,
    finished,
    project,
    says,
    staged,
    start,
    task,
    turn,
    until,
    until_event,
    write,
)
from tests.integration.test_offline import at, free_port, left_offline, served

FILE = "specloom.toml"
SOUND = '[permissions]\ndeny = ["run_command(touch pushed *)"]\n[budget]\nturns = 40\n'
BROKEN = {
    "half typed": b'[permissions]\ndeny = ["run_command(touch',
    "a value of another type": b'[permissions]\ndeny = "run_command(touch pushed *)"\n[budget]\nturns = "4"\n',
    "no text": b"\xff\xfe\x00",
}


async def holding(runtime: ProjectRuntime, holds: Callable[[], bool]) -> None:
    """Returns once it holds: the file was read again."""
    async with asyncio.timeout(DEADLINE):
        while not holds():  # noqa: ASYNC110 - no event tells of a problem
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", BROKEN)
async def test_settings_that_break_in_the_middle_of_a_run_lift_no_rule_and_no_limit(tmp_path: Path, name: str) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    (root / FILE).write_text(SOUND)
    turns = (turn(write("a.txt", "a\n"), hold="on"), turn(command("touch pushed now")), turn(says()))
    async with staged(root, attempt(1, *turns)) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
        before = runtime.engine.options
        await asyncio.to_thread((root / FILE).write_bytes, BROKEN[name])
        await holding(runtime, lambda: bool(runtime.problems.get(FILE)))
        assert (runtime.default_budget.turns, runtime.engine.options.permissions) == (40, before.permissions)
        server.release("on")
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert not (root / "pushed").exists()
        refused = await runtime.start_run(Scope(), Budget(), Origin("user", "test"), unattended=True)
        assert isinstance(refused, Rejected)
        assert refused.code == "invalid-settings"
        await asyncio.to_thread((root / FILE).write_text, SOUND.replace("40", "50"))
        await holding(runtime, lambda: not runtime.problems.get(FILE))
        assert runtime.default_budget.turns == 50
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


def emptied(file: Path) -> None:
    """As VS Code does before it writes."""
    file.write_bytes(b"")


@pytest.mark.parametrize("begins", [emptied, Path.unlink])
async def test_settings_that_are_read_while_they_are_written_lift_no_rule_and_no_limit(
    tmp_path: Path, begins: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    (root / FILE).write_text(SOUND)

    def just_before(place: Path) -> RootFiles:
        found = read_root(place)
        if not found.settings:
            (root / FILE).write_text(SOUND.replace("40", "50"))
        return found

    async with staged(root, strict=False) as (runtime, _):
        with monkeypatch.context() as writing:
            writing.setattr("specloom.compose.given.read_root", just_before)
            await asyncio.to_thread(begins, root / FILE)
            await runtime.on_settings()
            assert runtime.default_budget.turns == 50
        # Who follows the file may have been there first, and tell of it a moment later.
        await until_event(runtime, documents.SettingsChanged, lambda event: event.keys == ("budget.turns",))
        told = [event.keys for event in await events_of(runtime, documents.SettingsChanged)]
        assert not [keys for keys in told if "permissions.deny" in keys]
        await asyncio.to_thread(begins, root / FILE)
        await runtime.on_settings()
        assert runtime.default_budget == Budget(), "who takes them away means it"


async def test_an_editor_setting_of_another_type_lifts_no_limit_and_what_the_file_says_counts(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    async with staged(root, strict=False) as (runtime, _):
        await runtime.configure({"budget": {"turns": 40}})
        await runtime.configure({"budget": {"turns": "forty"}})
        assert runtime.default_budget == Budget(turns=40)
        await asyncio.to_thread((root / FILE).write_text, "[budget]\ntokens = 9\n")
        await holding(runtime, lambda: runtime.default_budget == Budget(turns=40, tokens=9))
        refused = await runtime.start_run(Scope(), Budget(), Origin("user", "test"), unattended=True)
        assert isinstance(refused, Rejected)
        await runtime.configure({"budget": {"turns": 50}})
        assert runtime.default_budget == Budget(turns=50, tokens=9)


async def test_nothing_goes_on_by_itself_by_settings_that_were_broken_while_no_specloom_ran(tmp_path: Path) -> None:
    port, root = free_port(), project(tmp_path / "p", task(1, "test -f b.txt"))
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    await left_offline(root, port, state)
    (root / FILE).write_bytes(BROKEN["half typed"])
    async with served(port), at(root, port, state) as runtime:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await until_event(runtime, runs.RunResumed)
        with runtime.attach(Person(agrees)):
            await asyncio.to_thread((root / FILE).write_text, SOUND)
            assert await finished(runtime) is RunOutcome.COMPLETED
