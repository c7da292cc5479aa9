"""Somebody takes the log away while Specloom works: the run ends and says so, and nothing is written to nowhere."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, RunState, Scope
from specloom.domain.states import TaskState
from specloom.engine.api import Published
from specloom.store.errors import StoreLostError
from tests.integration.people import Person, agrees
from tests.integration.projects import USER
from tests.integration.stage import (
    ONE,
    attempt,
    ended,
    project,
    run_of,
    says,
    staged,
    start,
    task,
    turn,
    until,
    write,
)


def removed(state: Path) -> None:
    """As `git clean -xfd` does."""
    # A transcript may be written meanwhile.
    while state.exists():
        shutil.rmtree(state, ignore_errors=True)


def replaced(state: Path) -> None:
    """As a restored backup does."""
    shutil.copy(state / "state.db", state / "copy")
    (state / "copy").replace(state / "state.db")


@pytest.mark.parametrize(("happens", "word"), [(removed, "moved or removed"), (replaced, "replaced")])
async def test_a_log_that_is_taken_away_between_two_turns_ends_the_run(
    tmp_path: Path, happens: Callable[[Path], None], word: str
) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    held = turn(says(), hold="claim")
    async with staged(root, attempt(1, turn(write("a.txt", "a\n")), held), strict=False) as (runtime, server):
        person, names = Person(agrees), list[str]()

        def heard(published: Published, state: ProjectState) -> None:
            del state
            names.append(type(published.event).__name__)

        with runtime.attach(person), runtime.listen(heard):
            await start(runtime)
            assert await server.until(lambda known: known.total == 2)
            happens(root / ".specloom")
            server.release("claim")
            run = await ended(runtime)
        assert run.outcome is RunOutcome.FAULT
        assert f"state.db was {word} while it was open" in run.reason
        assert ("error", run.reason) in person.told
        assert names[-1] == "RunFinished"
        assert runtime.state.record(ONE).state is not TaskState.DONE
        assert "- [ ] 1" in (root / "specs" / "01-steps.md").read_text()


async def test_nothing_is_taken_for_done_once_the_log_is_gone(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    async with staged(root, attempt(1, turn(says())), strict=False) as (runtime, server):
        removed(root / ".specloom")
        before = runtime.state
        with pytest.raises(StoreLostError):
            await runtime.start_run(Scope(), Budget(), USER, unattended=True)
        assert runtime.state is before
        assert server.total == 0


async def test_a_paused_run_whose_log_is_gone_does_not_go_on(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    held = turn(write("a.txt", "a\n"), hold="turn")
    async with staged(root, attempt(1, held, turn(says())), strict=False) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 1)
        assert not isinstance(await runtime.pause(USER), Rejected)
        server.release("turn")
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        removed(root / ".specloom")
        with pytest.raises(StoreLostError):
            await runtime.resume(USER, unattended=True)
        assert run_of(runtime.state).state is RunState.PAUSED
        assert server.total == 1
