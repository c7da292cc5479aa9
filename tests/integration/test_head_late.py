"""What git does while somebody is asked, and at the end of a run, when stale proofs are verified again."""

import asyncio
from pathlib import Path

from specloom.domain.events import proof
from specloom.domain.events.documents import HeadChanged
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, Scope
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from tests.integration.people import Editor, Person
from tests.integration.projects import USER
from tests.integration.stage import (
    DEADLINE,
    ONE,
    attempt,
    command,
    ended,
    events_of,
    finished,
    read,
    replace_line,
    says,
    staged,
    start,
    task,
    turn,
    until,
    until_event,
    until_file,
    write,
)
from tests.integration.test_head import git, paused, repository


async def test_checkout_under_a_late_verification_is_no_regression(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    waits = f"if test -f {flag}.on; then touch {flag}; while ! test -f {flag}.go; do sleep 0.02; done; fi"
    root = repository(tmp_path / "p", task(1, f"{waits}; test ! -f other.txt"), task(2, "true"))
    (root / ".git/info/exclude").write_text("a.txt\n")
    changes = (turn(read("a.txt")), turn(replace_line("a.txt", 1, "a", "b"), hold="on"), turn(says()))
    first = attempt(1, turn(write("a.txt", "a\n")), turn(says()))
    async with staged(root, first, attempt(2, *changes)) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: state.record(ONE).state is TaskState.DONE)
        await asyncio.to_thread(Path(f"{flag}.on").touch)
        server.release("on")
        await until_file(flag)
        await asyncio.to_thread(git, root, "switch", "-q", "other")
        await until_event(runtime, HeadChanged, lambda event: event.branch == "other")
        await asyncio.to_thread(Path(f"{flag}.go").touch)
        await until(runtime, paused)
        assert runtime.state.record(ONE).state is TaskState.DONE
        await asyncio.to_thread(git, root, "switch", "-q", "main")
        await until_event(runtime, HeadChanged, lambda event: event.branch == "main" and event.before_branch == "other")
        await runtime.resume(USER, unattended=True)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert runtime.state.record(ONE).stale == ()
        phases = [event.phase for event in await events_of(runtime, proof.CheckRequested) if event.task == ONE]
        assert phases.count(proof.CheckPhase.RECHECK) == 2


async def test_command_that_is_allowed_after_a_checkout_is_held_back(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", task(1, "test -f a.txt"))
    turns = (turn(command("touch made")), turn(write("a.txt", "a\n"), expect="not run: HEAD changed"), turn(says()))
    person = Person(lambda question: None if question.subject == "touch made" else question.choices[0])
    async with staged(root, attempt(1, *turns)) as (runtime, _):
        with runtime.attach(person):
            assert not isinstance(await runtime.start_run(Scope(), Budget(), USER), Rejected)
            state = await until(runtime, lambda state: any(a.subject == "touch made" for a in state.approvals.values()))
            await asyncio.to_thread(git, root, "switch", "-q", "other")
            await until_event(runtime, HeadChanged, lambda event: event.branch == "other")
            (asked,) = state.approvals.values()
            assert not isinstance(await runtime.answer(asked.id, asked.choices[0], USER), Rejected)
            await until(runtime, paused)
            assert not (root / "made").exists()
            assert not isinstance(await runtime.resume(USER), Rejected)
            assert await finished(runtime) is RunOutcome.COMPLETED


class SlowEditor(Editor):
    """Saves only once somebody lets it."""

    def __init__(self, runtime: ProjectRuntime) -> None:
        super().__init__(runtime)
        self.may_save = asyncio.Event()

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        self.saving.set()
        await self.may_save.wait()
        return await super().save(paths, deadline)


async def test_checkout_while_a_file_is_being_saved_is_looked_at_before_anything_is_verified(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    (root / "a.txt").write_text("bad\n")
    repository(root, task(1, "grep -q good a.txt"))
    turns = (turn(read("a.txt")), turn(replace_line("a.txt", 1, "bad", "good")), turn(says()))
    async with staged(root, attempt(1, *turns)) as (runtime, _):
        editor = SlowEditor(runtime)
        await asyncio.to_thread(editor.open, "a.txt")
        with runtime.attach(editor):
            await start(runtime)
            async with asyncio.timeout(DEADLINE):
                await editor.saving.wait()
            await asyncio.to_thread(git, root, "switch", "-q", "other")
            await until_event(runtime, HeadChanged, lambda event: event.branch == "other")
            editor.may_save.set()
            await until(runtime, paused)
            checks = await events_of(runtime, proof.CheckRequested)
            assert [event.phase for event in checks] == [proof.CheckPhase.BEFORE]
            await runtime.resume(USER, unattended=True)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
