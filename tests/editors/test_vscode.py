"""A real VS Code workbench in a real browser drives the whole job through our extension."""

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import Stage, staged
from tests.editors.playing import must_all_end
from tests.editors.vscode_stories import project, whole_job
from tests.editors.vscode_streaming import settings, stream
from tests.editors.vscode_workbench import Home, Installed, playing
from tests.integration.projects import greeter

pytestmark = [pytest.mark.editor, pytest.mark.xdist_group("workbench"), pytest.mark.timeout(300)]

MOST_NODES = 25_000
PACE_S = 0.0004
"""Between two deltas: some 1,500 a second, ten times as many as a fast model streams."""
Verbs: TypeAlias = dict[str, Callable[[str], None]]


@contextmanager
def machine(folder: Path, installed: Installed, extension: Path, stage: Stage, **told: Any) -> Generator[Home]:
    """A person's machine with our extension, whose daemon is that of the stage."""
    home = Home(folder, installed, told, **stage.own)
    home.install(extension)
    yield home


def verbs(server: ScriptedServer, stage: Stage) -> Verbs:
    """What a story can ask for."""
    return {
        "release": server.release,
        "kill-daemon": lambda _: os.kill(stage.pid(), signal.SIGKILL),
    }


def test_a_person_goes_from_requirements_to_proven_code(
    workbench: Installed, extension: Path, shots: Path, tmp_path: Path
) -> None:
    root = project(tmp_path / "greeter")
    with (
        ScriptedServer(whole_job(), delta_chars=16) as server,
        staged() as stage,
        machine(tmp_path / "home", workbench, extension, stage, **settings(server)) as home,
        home.serving() as address,
        playing("whole_job", workbench, shots, verbs(server, stage), address=address, root=str(root)) as story,
    ):
        story.must_pass()
        server.check()
    must_all_end(root)


@pytest.mark.parametrize("case", ["untrusted", "server", "key"])
def test_what_is_missing_is_said_with_what_to_do(
    case: str, workbench: Installed, extension: Path, shots: Path, tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter")
    told: dict[str, Any] = {} if case == "server" else settings()
    with (
        staged() as stage,
        machine(tmp_path / "home", workbench, extension, stage, **told) as home,
        home.serving(trusted=case != "untrusted") as address,
        playing("missing", workbench, shots, {}, address=address, root=str(root), case=case) as story,
    ):
        story.must_pass()
    must_all_end(root)


def test_twenty_thousand_deltas_stream_to_their_end_into_a_bounded_page(
    workbench: Installed, extension: Path, shots: Path, tmp_path: Path
) -> None:
    seen = stream(workbench, extension, tmp_path, shots, deltas=20_000, pace_s=PACE_S, view="shown")
    assert seen.page["nodes"] < MOST_NODES, "the page grows without bound"
    must_all_end(seen.root)
