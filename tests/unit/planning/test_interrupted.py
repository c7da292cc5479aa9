"""A plan that is stopped anywhere goes on where its log ends: nothing that was answered is asked again."""

import asyncio
from dataclasses import replace

import pytest

from specloom.domain.events import Event
from specloom.domain.events.agents import SessionStarted, TurnFinished
from specloom.domain.events.planning import OutlineAccepted, SpecWritten
from specloom.domain.ids import SpecId
from specloom.llm.scripted.server import ScriptedServer
from specloom.planning.history import interrupted_in, is_whole
from specloom.planning.ports import Planned, PlanOrder, Step
from tests.unit.planning.planning_desk import Desk
from tests.unit.planning.planning_scripts import (
    COMMANDS,
    COMMANDS_LIST,
    COMMANDS_SPEC,
    OUTLINE,
    REQUIREMENTS,
    STORE,
    STORE_BODY,
    STORE_LIST,
    STORE_TASKS,
    says,
    script,
    session,
    submits,
)

HALF = STORE_BODY.index("returns a list")
LINE = STORE_BODY.rindex("\n", 0, HALF) + 1
LOOK = {"answer": [{"tool": "list_directory", "input": {"path": "."}}]}
LONG = (
    session("# Outline: requirements.md", LOOK, submits(STORE), submits(STORE, COMMANDS, expect=["is not covered"])),
    session("# Write spec 01: Store", LOOK, says(STORE_BODY[:HALF], stop="max_tokens"), says(STORE_BODY[LINE:])),
    COMMANDS_SPEC,
    session(
        "# Write the tasks of spec 01: Store",
        says(STORE_TASKS.replace("R1.2", "R1.9")),
        says(STORE_TASKS, expect=["did you mean"]),
    ),
    COMMANDS_LIST,
)
TURNS = 10


async def order_after(desk: Desk, log: list[Event]) -> PlanOrder:
    """The order of a plan that goes on after `log`, as the engine gives it."""
    outlines = [event.outline for event in log if isinstance(event, OutlineAccepted)]
    written = {Step(event.spec, event.stage) for event in log if isinstance(event, SpecWritten)}
    return await desk.order(
        REQUIREMENTS,
        outline=outlines[-1] if outlines else "",
        written=frozenset(written),
        interrupted=interrupted_in(log),
    )


async def stopped_at(desk: Desk, server: ScriptedServer, asked: int) -> list[Event]:
    """Plans until the `asked`-th request is on its way, then stops; what a killed process leaves in the log."""
    planner, model = desk.planner(server.base_url)
    ask, count = model.ask, 0

    async def counted(*rest: object, **named: object) -> object:
        nonlocal count
        count += 1
        if count == asked:
            raise KilledError
        return await ask(*rest, **named)  # pyright: ignore[reportArgumentType] -- handed on as it came

    model.ask = counted  # pyright: ignore[reportAttributeAccessIssue] -- a process that is killed has no better place
    with pytest.raises(KilledError):
        await planner.plan(await desk.order(REQUIREMENTS))
    await model.close()
    return list(desk.recorded.log)


class KilledError(BaseException):
    """Stands for the end of the process: nothing is recorded any more."""


@pytest.mark.parametrize("asked", range(1, TURNS + 1))
async def test_no_turn_is_asked_twice_wherever_the_process_was_killed(desk: Desk, asked: int) -> None:
    async with ScriptedServer(script(*LONG)) as server:
        log = await stopped_at(desk, server, asked)
        desk.recorded.log.clear()
        planner, model = desk.planner(server.base_url)
        result = await planner.plan(await order_after(desk, log))
        await model.close()
        assert result == Planned((SpecId("01"), SpecId("02")))
        server.check()
        assert (server.total, server.repeats) == (TURNS, 0)
    assert (await desk.read("specs/01-store.md")).endswith(f"{STORE_BODY}\n## Tasks\n\n{STORE_TASKS}")


async def test_an_answer_whose_file_could_not_be_written_is_not_asked_for_again(desk: Desk) -> None:
    sessions = script(OUTLINE, session("# Write spec 01: Store", says(STORE_BODY)), COMMANDS_SPEC, STORE_LIST)
    async with ScriptedServer(script(*sessions["sessions"], COMMANDS_LIST)) as server:
        planner, model = desk.planner(server.base_url)
        await planner.plan(await desk.order(REQUIREMENTS))
        log = list(desk.recorded.log)
        written = next(at for at, event in enumerate(log) if isinstance(event, SpecWritten))
        await desk.write("specs/01-store.md", "")
        again = await planner.plan(await order_after(desk, log[:written]))
        await model.close()
        assert isinstance(again, Planned)
        assert server.repeats == 0
    assert STORE_BODY in await desk.read("specs/01-store.md")


async def test_an_outline_that_was_taken_and_not_written_down_is_not_asked_for_again(desk: Desk) -> None:
    async with ScriptedServer(script(*LONG)) as server:
        log = await stopped_at(desk, server, 4)
        accepted = next(at for at, event in enumerate(log) if isinstance(event, OutlineAccepted))
        await asyncio.to_thread((desk.root / "specs/01-store.md").unlink)
        planner, model = desk.planner(server.base_url)
        assert isinstance(await planner.plan(await order_after(desk, log[:accepted])), Planned)
        await model.close()
        assert (server.total, server.repeats) == (TURNS, 0)


@pytest.mark.parametrize("change", ["model", "requirements", "feedback"])
async def test_a_session_that_was_told_something_else_is_not_continued(desk: Desk, change: str) -> None:
    async with ScriptedServer(script(*LONG)) as server:
        log = await stopped_at(desk, server, 2)
    order = await order_after(desk, log)
    assert order.interrupted is not None
    if change == "model":
        first = log[next(at for at, event in enumerate(log) if isinstance(event, SessionStarted))]
        assert isinstance(first, SessionStarted)
        events = (replace(first, model="another"), *order.interrupted.events[1:])
        order = replace(order, interrupted=replace(order.interrupted, events=events))
    elif change == "feedback":
        order = replace(order, feedback="use SQLite")
    else:
        order = replace(order, text=f"{order.text}\nAll in one file.\n")
    desk.recorded.events.clear()
    async with ScriptedServer(script(*LONG)) as server:
        planner, model = desk.planner(server.base_url)
        await planner.plan(order)
        await model.close()
        assert server.total == TURNS
    turns = [event.turn for event in desk.recorded.events if isinstance(event, TurnFinished)]
    assert turns[:3] == [1, 2, 3]


def test_a_log_without_a_planner_holds_no_interrupted_session() -> None:
    assert interrupted_in([]) is None
    assert not is_whole([])
