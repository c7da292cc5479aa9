"""A long answer streams into a real workbench: what that costs and how smooth it is, for the test and the benchmark.

Refuses to judge the figures.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import staged
from tests.editors.vscode_costs import Costs
from tests.editors.vscode_stories import DELTA, long_answer, streaming
from tests.editors.vscode_workbench import Home, Installed, playing

SPECLOOM = Path(sys.executable).parent / "specloom"


@dataclass(frozen=True, slots=True)
class Streamed:
    """CPU seconds by kind of process while it streamed; what the page told, where it was shown."""

    cpu_s: dict[str, float]
    page: dict[str, float]
    root: Path


def settings(server: ScriptedServer | None = None) -> dict[str, Any]:
    """Of a machine where the server is installed, with a model that answers from a script."""
    found: dict[str, Any] = {"specloom.server.path": str(SPECLOOM)}
    return found if server is None else found | model(server)


def model(server: ScriptedServer) -> dict[str, Any]:
    """Of a machine whose models answer from a script."""
    return {"specloom.models.default.model": "scripted-1", "specloom.models.default.base_url": server.base_url}


def stream(
    installed: Installed,
    extension: Path,
    folder: Path,
    shots: Path,
    *,
    deltas: int,
    pace_s: float,
    view: str,
    tasks: str = "untold",
    ends: bool = True,
) -> Streamed:
    """Streams `deltas` pieces, one in `pace_s` seconds; `view`: shown or hidden, `tasks`: traced or untold."""
    root, costs = streaming(folder / "greeter"), Costs()
    with ScriptedServer(long_answer(deltas, ends=ends), delta_chars=DELTA, pace_s=pace_s) as server, staged() as stage:
        home = Home(folder / "home", installed, settings(server), **stage.own)
        home.install(extension)

        def begin(_: str) -> None:
            costs.begin()
            server.release("begin")

        def end(_: str) -> None:
            costs.end()

        verbs = {"begin": begin, "end": end, "release": server.release}
        with home.serving() as address:
            told = {"address": address, "root": str(root), "view": view, "tasks": tasks}
            with playing("stream", installed, shots, verbs, **told) as story:
                said = story.must_pass()
    return Streamed(costs.seconds, _measured(said), root)


def _measured(said: str) -> dict[str, float]:
    lines = [line.partition(" measured ")[2] for line in said.splitlines() if " measured " in line]
    return json.loads(lines[0]) if lines else {}
