"""Between an order and its effect something else happens: nothing waits for ever, and nobody's work is undone."""

import asyncio
from pathlib import Path

from specloom.domain.commands import StartRun
from specloom.domain.events import agents, planning, proof, runs, tasks
from specloom.domain.ids import PlanId, RunId, SpecId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, RunState, Scope
from specloom.engine.api import Accepted, Published
from specloom.engine.journal import AttemptJournal
from specloom.workspace.ports import Applied, FileChange
from tests.integration.projects import USER
from tests.integration.stage import (
    DEADLINE,
    attempt,
    ended,
    events_of,
    project,
    run_of,
    says,
    staged,
    start,
    task,
    turn,
    until_event,
    write,
)

LOOKS = "until [ -f gone ]; do sleep 0.01; done; false"


async def test_a_run_that_was_ordered_by_a_client_who_hung_up_is_worked_on(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    async with staged(root, attempt(1, turn(write("a.txt", "a\n")), turn(says()))) as (runtime, _):

        def hangs_up(published: Published, state: ProjectState) -> None:
            del state
            if isinstance(published.event, runs.RunStarted):
                asked.cancel()

        with runtime.listen(hangs_up):
            asked = asyncio.create_task(runtime.start_run(Scope(), Budget(), USER, unattended=True))
            await asyncio.wait([asked], timeout=DEADLINE)
        assert asked.cancelled()
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_a_run_that_nobody_works_on_pauses_at_once(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    async with staged(root, strict=False) as (runtime, _):
        # As after a fault that the log could not take in.
        await runtime.engine.mailbox.submit(StartRun(RunId("run-1"), Scope()))
        assert not isinstance(await runtime.pause(USER), Rejected)
        assert run_of(runtime.state).state is RunState.PAUSED


async def test_a_task_that_is_removed_while_its_commands_are_looked_at_is_let_go(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, LOOKS), task(2, "true", depends="none"))
    spec = root / "specs" / "01-steps.md"
    async with staged(root, attempt(2, turn(says()))) as (runtime, _):
        await start(runtime)
        await until_event(runtime, proof.CheckRequested)
        spec.write_text(spec.read_text().replace("- [ ] 1 Step 1", "A word about 1"))
        await runtime.refresh()
        (root / "gone").touch()
        run = await ended(runtime)
        assert (run.outcome, run.reason) == (RunOutcome.COMPLETED, "")
        assert [event.reason for event in await events_of(runtime, tasks.TaskReleased)] == [
            "the task was removed from its spec"
        ]


async def test_giving_up_a_paused_run_leaves_the_plan_alone_that_goes_on(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    async with staged(root, strict=False) as (runtime, server):
        await runtime.engine.mailbox.submit(StartRun(RunId("run-1"), Scope()))
        await runtime.pause(USER)
        started = planning.PlanStarted(PlanId("plan-1"), "requirements.md", planning.PlanStage.SPECS, "")
        await runtime.engine.mailbox.start(started, USER, None)
        await runtime.cancel(USER)
        assert run_of(runtime.state).outcome is RunOutcome.CANCELLED
        assert runtime.state.planning is not None
        assert runtime.state.planning.state == "running"
        assert server.total == 0


async def test_the_tasks_of_a_spec_ordered_twice_under_one_id_are_derived_once(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    async with staged(root, strict=False) as (runtime, _):
        first = await runtime.extract_tasks(SpecId("01"), "", USER, "order-1")
        again = await runtime.extract_tasks(SpecId("01"), "", USER, "order-1")
        assert isinstance(first, Accepted)
        assert isinstance(again, Accepted)
        assert (again.id, again.repeated) == (first.id, True)
        await runtime.cancel_plan(USER)


async def test_a_spec_discarded_twice_under_one_id_is_discarded_once(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    torn = root / "specs" / "02-torn.md"
    text = '---\nid: "02"\ntitle: Torn\ndepends_on: []\nrequirements: [R1.1]\nstatus: generating\n---\n'
    async with staged(root, strict=False) as (runtime, _):
        files = runtime.engine.workspace.recorded(AttemptJournal(runtime.engine.ledger, runtime.engine.ids))
        assert isinstance(await files.apply(FileChange("specs/02-torn.md", text, None, "specs")), Applied)
        first = await runtime.settle_spec(SpecId("02"), "discard", USER, "order-1")
        again = await runtime.settle_spec(SpecId("02"), "discard", USER, "order-1")
        assert isinstance(first, Accepted)
        assert isinstance(again, Accepted)
        assert again.repeated
        assert not torn.exists()
        assert len([event for event in await events_of(runtime, proof.EditRequested) if not event.after_digest]) == 1


async def test_giving_up_a_run_again_does_not_cut_short_what_is_settled(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    held = turn(says(), hold="claim")
    async with staged(root, attempt(1, turn(write("a.txt", "a\n")), held), strict=False) as (runtime, server):
        asked: list[asyncio.Task[Accepted | Rejected]] = []

        def insists(published: Published, state: ProjectState) -> None:
            del state
            if isinstance(published.event, runs.RunCancelling | agents.SessionEnded):
                asked.append(asyncio.create_task(runtime.cancel(USER)))

        await start(runtime)
        assert await server.until(lambda known: known.total == 2)
        with runtime.listen(insists):
            await runtime.cancel(USER)
            await asyncio.gather(*asked)
        assert len(asked) == 2
        run = run_of(runtime.state)
        assert (run.state, run.outcome) == (RunState.FINISHED, RunOutcome.CANCELLED)
        assert len(await events_of(runtime, tasks.TaskReleased)) == 1
        assert len(await events_of(runtime, proof.ChangeSetRecorded)) == 1


async def test_giving_up_goes_on_when_the_client_who_asked_for_it_is_gone(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    async with staged(root, attempt(1, turn(says(), hold="claim")), strict=False) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 1)
        asked = asyncio.create_task(runtime.cancel(USER))
        await until_event(runtime, runs.RunCancelling)
        asked.cancel()
        await asyncio.wait([asked], timeout=DEADLINE)
        assert run_of(runtime.state).outcome is RunOutcome.CANCELLED
