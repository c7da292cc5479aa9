"""A real VS Code workbench in a real browser drives the whole job through our extension."""

import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from specloom.daemon.place import is_held
from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import ENDING, POLL, Stage, staged
from tests.editors.playing import must_all_end
from tests.editors.vscode_stories import begun, folders, project, whole_job
from tests.editors.vscode_streaming import SPECLOOM, model, settings, stream
from tests.editors.vscode_workbench import Home, Installed, playing
from tests.integration.projects import greeter

pytestmark = [pytest.mark.editor, pytest.mark.xdist_group("workbench"), pytest.mark.timeout(300)]

MOST_NODES = 25_000
MOST_ACTIVATION_MS = 50
PACE_S = 0.0004
"""Between two deltas: some 1,500 a second, ten times as many as a fast model streams."""
Verbs: TypeAlias = dict[str, Callable[[str], None]]


@contextmanager
def machine(folder: Path, installed: Installed, extension: Path, stage: Stage, **told: Any) -> Generator[Home]:
    """A person's machine with our extension, whose daemon is that of the stage."""
    home = Home(folder, installed, told, **stage.own)
    home.install(extension)
    try:
        yield home
    finally:
        # A server that the extension brings is another installation, whose daemon the stage does not know.
        end_daemons(stage, signal.SIGTERM)


def activations_ms(home: Path) -> list[float]:
    """Of each window: the CPU that the extension's own part of its activation took, whatever else went on."""
    logs = (file.read_text() for file in (home / "data" / "logs").rglob("*Specloom.log"))
    return [float(took) for log in logs for took in re.findall(r"Activated in [\d.]+ ms, ([\d.]+) ms of CPU", log)]


def verbs(server: ScriptedServer, stage: Stage) -> Verbs:
    """What a story can ask for."""
    return {"release": server.release, **killing(stage)}


def killing(stage: Stage) -> Verbs:
    """Ends the daemon as a machine does."""
    return {"kill-daemon": lambda _: end_daemons(stage, signal.SIGKILL)}


def end_daemons(stage: Stage, how: signal.Signals) -> None:
    """Those that live, of whichever installation, by the notes that they leave."""
    for note in stage.place.folder.glob("*.json"):
        lock, deadline = note.with_suffix(".lock"), time.monotonic() + ENDING
        ended: int | None = None
        while is_held(lock):
            pid = pid_in(note)
            if None not in (ended, pid) and ended != pid:
                break  # Whoever lost it has started the next one already.
            if ended is None and pid is not None:
                ended = pid
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
            assert time.monotonic() < deadline, f"{note} does not end"
            time.sleep(POLL)


def pid_in(note: Path) -> int | None:
    """Of the daemon; `None` while that writes it, and once it has taken it away to end."""
    try:
        return json.loads(note.read_text())["pid"]
    except (OSError, ValueError):
        return None


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


def test_somebody_who_never_heard_of_it_begins(
    workbench: Installed, extension: Path, shots: Path, tmp_path: Path
) -> None:
    root = tmp_path / "garden"
    root.mkdir()
    (root / "notes.txt").write_text("Water!\n")
    workspace = folders(tmp_path)
    served: list[bool] = []

    def rests(_: str) -> None:
        served.append(is_held(stage.place.lock))

    with (
        ScriptedServer(begun()) as server,
        staged() as stage,
        machine(tmp_path / "home", workbench, extension, stage, **model(server)) as home,
        home.serving() as address,
    ):
        told = {"root": str(root), "workspace": str(workspace), "specloom": str(SPECLOOM), "address": address}
        with playing("first", workbench, shots, verbs(server, stage) | {"rests": rests}, **told) as story:
            story.must_pass()
    assert served == [False], "a server was started for a folder that has nothing for it"
    assert min(activations_ms(tmp_path / "home")) <= MOST_ACTIVATION_MS
    must_all_end(tmp_path)


@pytest.mark.parametrize("case", ["untrusted", "key"])
def test_what_is_missing_is_said_with_what_to_do(
    case: str, workbench: Installed, request: pytest.FixtureRequest, shots: Path, tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter")
    brought = request.getfixturevalue("extension" if case == "untrusted" else "extension_with_server")
    told = settings() if case == "untrusted" else {}
    with (
        staged() as stage,
        machine(tmp_path / "home", workbench, brought, stage, **told) as home,
        home.serving(trusted=case != "untrusted") as address,
        playing("missing", workbench, shots, killing(stage), address=address, root=str(root), case=case) as story,
    ):
        story.must_pass()
    must_all_end(root)


def test_twenty_thousand_deltas_stream_to_their_end_into_a_bounded_page(
    workbench: Installed, extension: Path, shots: Path, tmp_path: Path
) -> None:
    seen = stream(workbench, extension, tmp_path, shots, deltas=20_000, pace_s=PACE_S, view="shown")
    assert seen.page["nodes"] < MOST_NODES, "the page grows without bound"
    must_all_end(seen.root)
