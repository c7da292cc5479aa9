"""Records what executors do in the demo and the examples, as trajectories. Refuses to play a model: scripts do.

`python benchmarks/trajectories/record.py FOLDER` writes one file of JSON lines a session. A file's content is what
stands on disk when the result is in the log: after several edits of it in one turn, that after the last of them.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specloom.compose import open_runtime
from specloom.domain.events import agents
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState
from specloom.domain.runs import Budget, Scope
from specloom.engine.api import Published
from specloom.llm.scripted.server import ScriptedServer

ROOT = Path(__file__).parents[2]
EXAMPLES = {
    "demo": (ROOT / "server/specloom/demo/project", ROOT / "server/specloom/demo/scripts"),
    "web-service": (ROOT / "examples/web-service", ROOT / "examples/web-service/script"),
}
KINDS = {"read_file": "read", "edit_file": "edit", "write_file": "edit"}
Turn = dict[str, Any]


@dataclass
class Recording:
    """The sessions of executors in one root, as they happen."""

    root: Path
    sessions: dict[str, list[Turn]] = field(default_factory=dict[str, list[Turn]])
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def heard(self, published: Published, state: ProjectState) -> None:
        """Takes what belongs to an executor."""
        del state
        event = published.event
        if isinstance(event, agents.SessionStarted) and event.role == "executor":
            self.sessions[event.session] = []
        elif isinstance(event, agents.TurnFinished) and event.session in self.sessions:
            blocks = json.loads(event.content)
            self.inputs |= {block["id"]: block["input"] for block in blocks if block["type"] == "tool_use"}
            said = [block["text"] for block in blocks if block["type"] == "text"]
            self.sessions[event.session].append({"assistant": "\n".join(said), "results": []})
        elif isinstance(event, agents.ToolSettled) and event.session in self.sessions:
            self.sessions[event.session][-1]["results"].append(self._result(event))

    def _result(self, event: agents.ToolSettled) -> Mapping[str, str]:
        values = self.inputs.get(event.call, {})
        path = str(values.get("path", ""))
        if event.name in KINDS and not event.is_error and (self.root / path).is_file():
            return {"kind": KINDS[event.name], "path": path, "content": (self.root / path).read_text()}
        content = json.loads(event.content)["content"]
        shown = content if isinstance(content, str) else json.dumps(content)
        return {"kind": "other", "path": str(values.get("command", event.name)), "content": shown}


def recorded(name: str) -> dict[str, list[Turn]]:
    """The sessions of one example, by name."""
    project, scripts = EXAMPLES[name]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        shutil.copytree(project, root, ignore=shutil.ignore_patterns("script", "__pycache__"))
        with ScriptedServer(*sorted(scripts.glob("*.json"))) as server:
            sessions = asyncio.run(_play(root, server))
    return {f"{name}-{number}": turns for number, turns in enumerate(sessions.values(), 1) if turns}


async def _play(root: Path, server: ScriptedServer) -> dict[str, list[Turn]]:
    recording = Recording(root)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    settings = {"models": {"default": {"model": server.player.script.model.id, "base_url": server.base_url}}}
    runtime = await open_runtime(root, environment={"PATH": path}, overrides=settings)
    with runtime.listen(recording.heard):
        await runtime.plan(None, "", Origin("user"), unattended=True)
        await runtime.wait_idle()
        await runtime.start_run(Scope(), Budget(), Origin("user"), unattended=True)
        await runtime.wait_idle()
    await runtime.close()
    return recording.sessions


def main() -> None:
    """Writes the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in EXAMPLES:
        for session, turns in recorded(name).items():
            (folder / f"{session}.jsonl").write_text("".join(f"{json.dumps(turn)}\n" for turn in turns))


if __name__ == "__main__":
    main()
