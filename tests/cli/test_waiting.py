"""What is shown while a model says nothing."""

import argparse
import io
import re
from collections.abc import Callable

import pytest
from rich.console import Console

from specloom import compose
from specloom.cli import run, work
from specloom.cli.failures import Exit
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.views.live import LiveView
from specloom.cli.views.view import JsonView, LineView
from specloom.domain.events import agents, runs
from specloom.domain.ids import SessionId
from specloom.domain.runs import PauseCause
from specloom.engine import waiting
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import Project
from tests.cli.stories import AGENT, RUN, Story, spec
from tests.cli.test_run import held

LOADED = (compose.preview, compose.open_runtime)
"""What the command would load on the loop, which is its own there and pytest's here."""
TEXT = "still waiting for m-1 at host:1 (16 s)"


def output(*, as_json: bool = False) -> tuple[Output, io.StringIO, io.StringIO]:
    """Streams that are kept."""
    out, err = io.StringIO(), io.StringIO()
    return Output(out, err, as_json=as_json), out, err


async def test_lines_tell_it_at_first_and_each_time_the_wait_has_doubled() -> None:
    kept, out, _ = output()
    view = LineView(kept)
    for seconds in range(15, 61):
        view.waiting(f"still waiting ({seconds} s)", seconds)
    view.waiting("", 0)
    view.waiting("still waiting (15 s)", 15)
    told = [line.partition(" ")[2] for line in out.getvalue().splitlines()]
    assert told == [f"still waiting ({seconds} s); Ctrl-C stops" for seconds in (15, 30, 60, 15)]


async def test_programs_hear_of_it_on_standard_error_alone() -> None:
    kept, out, err = output(as_json=True)
    JsonView(kept).waiting(TEXT, 16)
    assert (out.getvalue(), err.getvalue()) == ("", f"specloom: {TEXT}; Ctrl-C stops\n")


@pytest.mark.parametrize("columns", [60, 100])
async def test_the_picture_tells_it_in_the_place_of_the_words(columns: int) -> None:
    story = Story(spec(1, "Core", 2)).run()
    story.start("01/1.1")
    session = SessionId("s")
    story.tell(
        agents.SessionStarted(session, AGENT, "executor", None, None, "m-1", "", ()), agents.TurnRequested(session, 1)
    )
    console = Console(width=columns, height=12, file=io.StringIO(), force_terminal=False)
    view = LiveView(console, story.state, lambda: 0.0, "specloom run")
    for published, state in story.told:
        view.hear(published, state)
    view.waiting(TEXT, 16)
    with console.capture() as captured:
        console.print(view)
    assert "waiting for the model; Ctrl-C stops" in captured.get()
    assert TEXT in captured.get()
    view.waiting("", 0)
    with console.capture() as captured:
        console.print(view)
    assert "Ctrl-C" not in captured.get()


async def test_a_pause_that_ends_by_itself_is_told_and_nothing_turns_meanwhile() -> None:
    story = Story(spec(1, "Core", 2)).run()
    story.start("01/1.1")
    story.tell(runs.RunPaused(RUN, "offline: host:1 could not be reached", PauseCause.OFFLINE))
    console = Console(width=80, height=12, file=io.StringIO(), force_terminal=False)
    now = iter(range(100))
    view = LiveView(console, story.state, lambda: float(next(now)) / 10, "specloom run")
    with console.capture() as captured:
        view.hear(*story.told[-1])
    assert "paused: offline: host:1 could not be reached" in captured.get()
    frames: set[str] = set()
    for _ in range(3):
        with console.capture() as captured:
            console.print(view)
        assert "specloom run: paused" in captured.get()
        frames.update(line[:8] for line in captured.get().splitlines() if "Step 1 of Core" in line)
    assert len(frames) == 1


async def test_a_run_tells_whom_it_waits_for(
    project: Project, scripted: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SILENT_AFTER", 0.2)
    monkeypatch.setattr(work, "SILENCE_S", 0.05)
    server = scripted(held())

    class Listening(io.StringIO):
        """Lets the model answer once it was told that one waits."""

        def write(self, text: str) -> int:
            if "still waiting" in text:
                server.release("go")
            return super().write(text)

    stream = Listening()
    told = Output(stream, io.StringIO(), as_json=False)
    asked = argparse.Namespace(command="run", scope=None, budget_usd=None, yes=True)
    asked.model, asked.base_url = "scripted-1", server.base_url
    asked.estimate = asked.detach = asked.pause = asked.cancel = False
    status = await run.run(asked, Place(project.root, project.environment, compose), told)
    assert status is Exit.OK, stream.getvalue()
    host = server.base_url.removeprefix("http://")
    told_as = rf"still waiting for scripted-1 at {re.escape(host)} \(\d+ s\); Ctrl-C stops"
    assert re.search(told_as, stream.getvalue()), stream.getvalue()
