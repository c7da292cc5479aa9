"""Both clients fold what a server tells into what it would say if it was asked again, and so need not ask."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specloom.llm.scripted.server import ScriptedServer
from tests.editors.installing import installed
from tests.editors.nvim_views.folds import written
from tests.editors.test_neovim_views import SUITES, VIEWS, plain_neovim
from tests.integration.projects import greeter, greeter_script
from tests.lsp.editor import EDITORS, editing
from tests.lsp.test_scenario import settings

pytestmark = pytest.mark.editor

CLIENT = Path(__file__).parents[2] / "clients" / "vscode"
DEADLINE = 120.0
LIVES = 24


async def two_tasks(root: Path) -> list[dict[str, Any]]:
    """A real run of two tasks as one life: a snapshot, the events after it, and the snapshot at their end."""
    async with (
        ScriptedServer(greeter_script()) as server,
        editing(root, EDITORS[0], options=settings(server)) as editor,
    ):
        before = await editor.request("specloom/project/get", {})
        await editor.subscribe(since=before["seq"])
        await editor.command("specloom.run.start", {"scope": {"kind": "project"}})
        await editor.event("runFinished", outcome="completed")
        after = await editor.request("specloom/project/get", {})
        await editor.until(lambda: editor.events[-1]["seq"] >= after["seq"], "all events")
        return [before, *(event for event in editor.events if event["seq"] <= after["seq"]), after]


def fold_in_vscode(lives: Path, folder: Path) -> None:
    """Fails where the extension's projection is not what the server says, or asks for more than it has to."""
    node = installed("install-vscode-deps", needed=False)[0]
    ran(node, "esbuild.mjs", "--units", f"--to={folder}", lives=lives)
    said = ran(node, "--test", str(folder / "lives.test.js"), lives=lives)
    assert re.search(r"^(# |ℹ )pass 1$", said, re.MULTILINE), said


def ran(*words: str, lives: Path) -> str:
    """What a program of the extension says when it succeeds."""
    told = {"PATH": os.environ["PATH"], "LIVES": str(lives)}
    done = subprocess.run(words, cwd=CLIENT, env=told, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_two_tasks_that_are_done_cost_no_client_a_snapshot(neovim: Callable[[str], Path], tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    lives.mkdir()
    life = await two_tasks(greeter(tmp_path / "greeter"))
    kinds = [event["type"] for event in life[1:-1]]
    assert kinds.count("taskDone") == 2
    assert kinds.count("specRead") >= 2, "boxes were ticked"
    (lives / "run.jsonl").write_text("\n".join(map(json.dumps, life)))
    plain_neovim(neovim(SUITES[0]), tmp_path / "home", "-l", VIEWS / "asks.lua", STORY_ROOT=str(lives))
    fold_in_vscode(lives, tmp_path / "built")


def test_what_vscode_folds_from_random_lives_is_what_the_server_says(tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    lives.mkdir()
    for seed in range(LIVES):
        written(seed, lives)
    fold_in_vscode(lives, tmp_path / "built")
