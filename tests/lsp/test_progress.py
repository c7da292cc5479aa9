"""How far plans and runs are, and whom one waits for, as work-done progress tells it."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from lsprotocol import types

from specloom import compose
from specloom.domain.events import planning, runs
from specloom.domain.events.planning import PlanStage
from specloom.domain.ids import PlanId, SpecId
from specloom.domain.runs import BY_PERSON, Scope
from specloom.domain.scope import tasks_in
from specloom.engine import waiting
from specloom.llm.scripted.server import ScriptedServer
from specloom.lsp.features import progress
from specloom.lsp.features.progress import ALMOST, OUTLINE, Stand, plan_stand, run_stand
from specloom.lsp.frames import MOST_HEADER
from specloom.lsp.server import serve_connection
from specloom.lsp.standalone import StandaloneHost
from tests.cli import stories
from tests.cli.conftest import REQUIREMENTS
from tests.cli.plans import plan_script
from tests.cli.stories import RUN, Story
from tests.integration.projects import WRITES, greeter, session
from tests.lsp.editor import editing
from tests.lsp.test_scenario import settings
from tests.lsp.wire import DEADLINE, Wire

PLAN, ONE, TWO = PlanId("p"), SpecId("01"), SpecId("02")


def writes(spec: SpecId, stage: PlanStage) -> tuple[planning.SpecGenerating, planning.SpecWritten]:
    """A text of a plan begins and ends."""
    path = f"specs/{spec}.md"
    return (
        planning.SpecGenerating(PLAN, spec, path, stage),
        planning.SpecWritten(PLAN, spec, path, stage, "text"),
    )


def test_a_plan_goes_from_its_outline_over_texts_and_tasks_to_almost_all() -> None:
    story = Story().tell(planning.PlanStarted(PLAN, "requirements.md", PlanStage.SPECS))
    assert plan_stand(story.state) == Stand(0, "asking for the outline")
    story.tell(planning.OutlineAccepted(PLAN, '{"specs": []}', (), 4))
    assert plan_stand(story.state) == Stand(OUTLINE, "0/4")
    told = [plan_stand(story.state)]
    for spec in (ONE, TWO):
        for stage in PlanStage:
            began, ended = writes(spec, stage)
            story.tell(began)
            told.append(plan_stand(story.state))
            story.tell(ended)
    assert [stand.percentage for stand in told] == [OUTLINE, OUTLINE, 32, 54, 77]
    assert told[1].message == "0/4 writing specs/01.md"
    assert told[2].message == "1/4 writing the tasks of specs/01.md"
    assert plan_stand(story.state) == Stand(ALMOST, "4/4")


def test_a_run_that_is_paused_in_the_middle_of_a_task_says_so() -> None:
    story = Story(stories.spec(1, "Greeter", 2)).run()
    task = min(tasks_in(story.state.graph, Scope()))
    story.start(task)
    assert run_stand(story.state, Scope()) == Stand(0, f"0/2 {task}")
    story.tell(runs.RunPausing(RUN, BY_PERSON, "task"))
    assert run_stand(story.state, Scope()) == Stand(0, f"0/2 {task} pausing after this task")
    story.tell(runs.RunPaused(RUN, BY_PERSON))
    assert run_stand(story.state, Scope()) == Stand(0, f"0/2 {task} paused")
    story.tell(runs.RunPaused(RUN, "offline"))
    assert run_stand(story.state, Scope()) == Stand(0, f"0/2 {task} paused: offline")


def test_the_tasks_of_one_spec_are_a_plan_of_one_step() -> None:
    story = Story().tell(planning.PlanStarted(PLAN, "specs/01.md", PlanStage.TASKS))
    began, ended = writes(ONE, PlanStage.TASKS)
    story.tell(began)
    assert plan_stand(story.state).message == "0/1 writing the tasks of specs/01.md"
    story.tell(ended)
    assert plan_stand(story.state).percentage == ALMOST


async def test_an_editor_sees_the_steps_of_a_plan(tmp_path: Path) -> None:
    root = tmp_path / "greeter"
    root.mkdir()
    (root / "requirements.md").write_text(REQUIREMENTS)
    held = plan_script(hold="go")
    async with ScriptedServer(held) as server, editing(root, options=settings(server)) as editor:
        await editor.subscribe()
        await editor.request("specloom/spec/generate", {})
        reports = editor.client.progress_reports
        # Steps before the client took the token are told in one.
        await editor.until(lambda: any(reports.values()), "a progress")
        server.release("go")
        await editor.event("planFinished")
        await editor.until(
            lambda: any(
                isinstance(value, types.WorkDoneProgressEnd) for values in reports.values() for value in values
            ),
            "the progress' end",
        )
        (values,) = [cast("list[Any]", values) for values in reports.values() if values]
        shown: list[int] = [value.percentage for value in values if hasattr(value, "percentage")]
        assert shown == sorted(shown)
        assert len({number for number in shown if OUTLINE <= number <= ALMOST}) >= 3, shown


async def test_an_editor_is_told_whom_one_waits_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SILENT_AFTER", 0.2)
    monkeypatch.setattr(progress, "SILENCE_S", 0.1)
    held = session("1.1", "# Task 01/1.1 (attempt 1)", turns=[WRITES[0] | {"hold": "turn"}])
    root, place = greeter(tmp_path / "greeter"), str(tmp_path / "s")
    async with ScriptedServer({"sessions": [held]}) as server:
        ended = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            async def send(data: bytes) -> None:
                writer.write(data)
                await writer.drain()

            await serve_connection(lambda: StandaloneHost(lambda: compose, {"PATH": "/usr/bin:/bin"}), reader, send)
            writer.close()
            ended.set()

        async with await asyncio.start_unix_server(serve, place, limit=MOST_HEADER):
            wire = Wire(*await asyncio.open_unix_connection(place))
            shows = {"window": {"workDoneProgress": True}}
            options = settings(server)
            wire.ask(
                "init",
                "initialize",
                {"processId": None, "rootUri": root.as_uri(), "capabilities": shows, "initializationOptions": options},
            )
            await wire.answer("init")
            wire.tell("initialized", {})
            wire.ask("run", "specloom/run/start", {"scope": {"kind": "task", "id": "01/1.1"}})
            host = server.base_url.removeprefix("http://")
            assert f"01/1.1; still waiting for scripted-1 at {host} (" in await report(wire, "still waiting")
            wire.ask("cancel", "specloom/run/cancel", {})
            server.release("turn")
            await wire.leave()
            await asyncio.wait_for(ended.wait(), DEADLINE)
            wire.writer.close()


async def report(wire: Wire, words: str) -> str:
    """The first progress with these words; takes tokens and allows what is asked on the way."""
    while (message := await wire.next()) is not None:
        answer = _answer(message)
        if answer is not None:
            wire.send({"jsonrpc": "2.0", "id": message["id"], **answer})
        elif message.get("method") == "$/progress" and words in message["params"]["value"].get("message", ""):
            return message["params"]["value"]["message"]
    raise AssertionError(f"no progress with {words!r}")


def _answer(message: dict[str, Any]) -> dict[str, Any] | None:
    if "method" not in message or "id" not in message:
        return None
    asks = message["method"] == types.WINDOW_SHOW_MESSAGE_REQUEST
    return {"result": message["params"]["actions"][0] if asks else None}
