"""The Neovim plugin as a person uses it: keys and screens of a real Neovim, the real server, a scripted model."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specloom.cli.roots import MARKS
from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import staged
from tests.editors.nvim_client.person import HERE, PLUGIN, Person, person
from tests.editors.playing import must_all_end
from tests.editors.test_neovim import BODY, OUTLINE, project
from tests.integration.projects import ENDS, WRITES, greeter, session
from tests.unit.planning.planning_scripts import says, script, submits
from tests.unit.planning.planning_scripts import session as planned

pytestmark = [
    pytest.mark.editor,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux (apt install tmux)"),
]

SUITES = ("trixie", "forky")
Neovim = Callable[[str], Path]

REQUIREMENTS = """# Greeter

- R1.1 THE greeting SHALL end with an exclamation mark.
- R1.2 THE program SHALL say what it is.
"""
TASKS = """- [ ] 1 Greeting
  - [ ] 1.1 End with an exclamation mark
    - _Requirements: R1.1_
    - _Depends: none_
    - _Verify: `python3 -c "from greet import greet; assert greet('Ann') == 'Hello Ann!'"`_
  - [ ] 1.2 Say what it is
    - _Requirements: R1.2_
    - _Verify: `test -s NOTES`_
"""
NOTES = {"answer": [{"tool": "write_file", "input": {"path": "NOTES", "content": "It greets.\n"}}], "hold": "opened again"}
CONNECTION = "require('specloom.client').all()[1]"
RUN = f"(({CONNECTION} or {{}}).projection or {{}}).run"
EDITED = 'return "Hello " + name + "!"'


def story() -> dict[str, Any]:
    """A plan of two tasks; the first edits an open file and hears what is said, the second outlives the editor."""
    edits = [ENDS[0], ENDS[1] | {"hold": "said"}, ENDS[2] | {"expect": ["use few words"]}]
    return script(
        planned("# Outline: requirements.md", submits(OUTLINE)),
        planned("# Write spec 01: Greeter", says(BODY)),
        planned("# Write the tasks of spec 01: Greeter", says(TASKS)),
        session("1.1", "# Task 01/1.1 (attempt 1)", turns=edits),
        session("1.2", "# Task 01/1.2 (attempt 1)", turns=[NOTES, says("Said.")]),
    )


def plan(at: Person) -> None:
    """What to press is said; the plan is made."""
    at.open("requirements.md")
    at.told(":Specloom plan turns the requirements into specs and tasks")
    at.command("Specloom plan")
    at.told("the plan is whole")


def run_into_a_modified_buffer(at: Person, server: ScriptedServer) -> None:
    """The exact commands are allowed, the edit lands beside unsaved words, and is saved when the check needs it."""
    at.command("edit greet.py")
    at.screen.press("O# my own line", "Escape")
    at.command("Specloom run")
    at.screen.until("Specloom asks", "2 verify commands from this repository would run", "test -s NOTES")
    at.screen.press("1")
    at.screen.until("# my own line", gone="Specloom asks")
    at.until(f"#{CONNECTION}.projection.agents", 1)
    at.command("Specloom say use few words")
    at.screen.until("the agent hears it at its next turn")
    server.release("said")
    at.screen.until(EDITED, "# my own line")
    at.until(f"{CONNECTION}.projection.tasks['01/1.1'].proven")
    assert (at.root / "greet.py").read_text() == f"# my own line\ndef greet(name):\n    {EDITED}\n"


def pause_and_resume(at: Person) -> None:
    """By two commands, and by name."""
    at.command("Specloom pause now")
    at.until(f"{RUN}.state", "paused")
    at.told("the run is paused")
    assert at.lua("require('specloom').statusline()").startswith("⏸ paused")
    at.command("Specloom resume")
    at.until(f"{RUN}.state", "running")


@pytest.mark.parametrize("suite", SUITES)
def test_a_run_is_planned_steered_left_and_found_again(suite: str, neovim: Neovim, tmp_path: Path) -> None:
    root = project(tmp_path / "greeter")
    with (
        ScriptedServer(story()) as server,
        staged() as stage,
        person(neovim(suite), root, tmp_path / "home", server, stage) as at,
    ):
        (root / "requirements.md").write_text(REQUIREMENTS)
        plan(at)
        run_into_a_modified_buffer(at, server)
        pause_and_resume(at)
        at.leave()
        at.open()
        at.told("a run is running here")
        at.until(f"{RUN}.state", "running")
        server.release("opened again")
        at.told("the run is over: 2 of 2 tasks done")
        at.leave()
        server.check()
    must_all_end(root)
