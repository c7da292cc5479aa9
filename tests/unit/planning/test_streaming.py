"""Specs grow in their files while they are written, and yield to whoever edits them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, TypeAlias

import pytest

from specloom.domain.documents.specs import parse_spec
from specloom.domain.events.agents import TurnFailed
from specloom.domain.events.planning import PlanFailed, SpecWritten
from specloom.domain.ids import SpecId
from specloom.domain.spec import SpecStatus
from specloom.llm.scripted.server import ScriptedServer
from specloom.planning.answers import whole_blocks
from specloom.planning.ports import NotPlanned, Planned, PlanResult
from specloom.workspace.ports import Applied, EditResult, FileChange
from tests.unit.planning.planning_desk import Desk
from tests.unit.planning.planning_scripts import (
    COMMANDS_LIST,
    COMMANDS_SPEC,
    COMMANDS_TASKS,
    OUTLINE,
    REQUIREMENTS,
    STORE_BODY,
    STORE_LIST,
    STORE_TASKS,
    says,
    script,
    session,
)

PATH = "specs/01-store.md"
HELD = session("# Write spec 01: Store", says(STORE_BODY, hold="half", hold_after_events=8))
FREE_LIST = session("# Write the tasks of spec 02: Commands", says(COMMANDS_TASKS.replace("01/2", "none")))
REST = (COMMANDS_SPEC, STORE_LIST, COMMANDS_LIST)

HalfWay: TypeAlias = tuple[asyncio.Task[PlanResult], ScriptedServer]


@asynccontextmanager
async def half_way(
    desk: Desk, *sessions: dict[str, Any]
) -> AsyncGenerator[tuple[asyncio.Task[PlanResult], ScriptedServer]]:
    """A plan that waits in the middle of spec 01, whose first blocks stand in the file."""
    async with ScriptedServer(script(OUTLINE, HELD, *sessions), delta_chars=16, pace_s=0.001) as server:
        planner, model = desk.planner(server.base_url)
        plan = asyncio.create_task(planner.plan(await desk.order(REQUIREMENTS)))
        try:
            async with asyncio.timeout(20):
                while "## Interfaces" not in await content(desk):
                    await desk.news.wait()
                    desk.news.clear()
            yield plan, server
        finally:
            plan.cancel()
            await asyncio.wait([plan])
            await model.close()


async def content(desk: Desk) -> str:
    """What stands in the file of spec 01; empty before there is one."""
    try:
        return await desk.read(PATH)
    except FileNotFoundError:
        return ""


async def test_a_spec_is_no_part_of_the_graph_while_it_streams_in(desk: Desk) -> None:
    async with half_way(desk, *REST) as (plan, server):
        spec = parse_spec(PATH, await desk.read(PATH))
        assert spec.status is SpecStatus.GENERATING
        assert spec.title == "Store"
        server.release("half")
        await plan
    assert parse_spec(PATH, await desk.read(PATH)).status is SpecStatus.READY


async def test_text_comes_in_whole_blocks(desk: Desk) -> None:
    async with half_way(desk, *REST) as (plan, server):
        server.release("half")
        await plan
    grown = list(accumulate(text for spec, text in desk.seen if spec == "01"))
    shown = [text for text in grown if STORE_BODY.startswith(text)]
    assert shown
    assert all(whole_blocks(STORE_BODY[: len(text) + 3]) == text for text in shown)


async def test_an_edit_elsewhere_is_kept_and_the_rest_is_merged_in(desk: Desk) -> None:
    async with half_way(desk, *REST) as (plan, server):
        mine = (await desk.read(PATH)).replace("# Store\n", "# Store of notes\n")
        await desk.write(PATH, mine)
        server.release("half")
        assert await plan == Planned((SpecId("01"), SpecId("02")))
    text = await desk.read(PATH)
    assert "# Store of notes\n" in text
    assert text.endswith(f"{STORE_BODY}\n## Tasks\n\n{STORE_TASKS}")
    assert parse_spec(PATH, text).status is SpecStatus.READY


async def test_an_edit_at_the_same_place_gets_the_text_as_an_offer(desk: Desk) -> None:
    async with half_way(desk, COMMANDS_SPEC, FREE_LIST) as (plan, server):
        mine = await desk.read(PATH) + "My own interfaces.\n"
        await desk.write(PATH, mine)
        server.release("half")
        assert await plan == Planned((SpecId("01"), SpecId("02")), offered=(SpecId("01"),))
    assert await desk.read(PATH) == mine
    written = next(event for event in desk.events if isinstance(event, SpecWritten))
    assert written.offered
    assert written.text.endswith(STORE_BODY)


async def test_a_deleted_file_is_not_made_again(desk: Desk) -> None:
    async with half_way(desk, COMMANDS_SPEC, FREE_LIST) as (plan, server):
        await asyncio.to_thread((desk.root / PATH).unlink)
        server.release("half")
        assert await plan == Planned((SpecId("01"), SpecId("02")), offered=(SpecId("01"),))
    assert not await content(desk)


async def test_cancelling_leaves_whole_lines_and_a_spec_that_says_so(desk: Desk) -> None:
    async with half_way(desk) as (plan, _):
        plan.cancel()
        with pytest.raises(asyncio.CancelledError):
            await plan
    text = await desk.read(PATH)
    assert text.endswith("\n")
    assert parse_spec(PATH, text).status is SpecStatus.GENERATING
    assert STORE_BODY.startswith(text.partition("# Store\n\n")[2].rstrip("\n"))
    assert desk.events[-1] == PlanFailed(desk.events[0].plan, "the plan was cancelled")


async def test_a_broken_stream_starts_again_without_a_trace(desk: Desk) -> None:
    broken = session("# Write spec 01: Store", says(STORE_BODY, fault={"cut_after_events": 8}))
    await desk.plan(script(OUTLINE, broken, *REST), await desk.order(REQUIREMENTS))
    assert (await desk.read(PATH)).count("## Purpose") == 1
    assert STORE_BODY in await desk.read(PATH)
    failed = [event for event in desk.recorded.events if isinstance(event, TurnFailed)]
    assert [event.usage.input > 0 for event in failed] == [True]


async def test_words_before_a_look_at_the_code_are_not_part_of_the_spec(desk: Desk) -> None:
    await desk.write("README.md", "A program for notes.\n")
    looks = {
        "answer": [{"text": "## Purpose\n\nLet me see.\n\n"}, {"tool": "read_file", "input": {"path": "README.md"}}]
    }
    looking = session("# Write spec 01: Store", looks, says(STORE_BODY, expect=["A program for notes."]))
    await desk.plan(script(OUTLINE, looking, *REST), await desk.order(REQUIREMENTS))
    assert "Let me see" not in await desk.read(PATH)


async def test_a_folder_that_cannot_be_written_ends_the_plan_before_the_model_is_asked(desk: Desk) -> None:
    await desk.write("specs", "a file where the folder should be")
    result = await desk.plan(script(OUTLINE), await desk.order(REQUIREMENTS))
    assert isinstance(result, NotPlanned)
    assert result.kind == "refused"
    assert "specs" in result.reason


@dataclass(slots=True)
class Editor:
    """A buffer owner that does what it is asked, and counts its undo steps."""

    desk: Desk
    steps: list[str] = field(default_factory=list[str])

    async def apply(self, change: FileChange) -> EditResult:
        """One undo step."""
        self.steps.append(change.label)
        self.desk.files.documents.change(change.path, change.new_text, len(self.steps) + 1, self)
        return Applied(await self.desk.files.read(change.path), in_buffer=True)

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        """Saves nothing."""
        _ = deadline
        return paths


async def test_a_spec_that_is_opened_meanwhile_goes_on_in_the_buffer(desk: Desk) -> None:
    async with half_way(desk, *REST) as (plan, server):
        editor, on_disk = Editor(desk), await desk.read(PATH)
        desk.files.documents.open(PATH, on_disk, 1, editor)
        server.release("half")
        assert await plan == Planned((SpecId("01"), SpecId("02")))
    document = desk.files.documents.find(PATH)
    assert document is not None
    assert document.text.endswith(f"{STORE_BODY}\n## Tasks\n\n{STORE_TASKS}")
    assert set(editor.steps) == {"Specloom: spec 01"}
    assert len(editor.steps) > 1
    assert await desk.read(PATH) == on_disk


async def test_an_editor_that_read_the_file_before_the_last_write_is_no_edit(desk: Desk) -> None:
    async with half_way(desk, *REST) as (plan, server):
        older = (await desk.read(PATH)).partition("## Purpose")[0]
        desk.files.documents.open(PATH, older, 1, Editor(desk))
        server.release("half")
        assert await plan == Planned((SpecId("01"), SpecId("02")))
    document = desk.files.documents.find(PATH)
    assert document is not None
    assert document.text.endswith(f"{STORE_BODY}\n## Tasks\n\n{STORE_TASKS}")
