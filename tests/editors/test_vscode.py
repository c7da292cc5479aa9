"""A real VS Code workbench in a real browser drives the whole job through our extension."""

import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import Stage, staged
from tests.editors.playing import must_all_end
from tests.editors.vscode_stories import project, whole_job
from tests.editors.vscode_workbench import Home, Installed, playing

pytestmark = [pytest.mark.editor, pytest.mark.xdist_group("workbench"), pytest.mark.timeout(300)]

SPECLOOM = Path(sys.executable).parent / "specloom"
Verbs: TypeAlias = dict[str, Callable[[str], None]]


def settings(server: ScriptedServer | None = None) -> dict[str, Any]:
    """Of a machine where the server is installed, with a model that answers from a script."""
    found: dict[str, Any] = {"specloom.server.path": str(SPECLOOM)}
    if server is not None:
        found |= {"specloom.models.default.model": "scripted-1", "specloom.models.default.base_url": server.base_url}
    return found


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
