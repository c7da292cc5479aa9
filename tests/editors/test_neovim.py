"""A real Neovim, with no plugin and no mock, drives the whole job through plain `vim.lsp.start`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import staged
from tests.editors.playing import must_all_end, playing
from tests.integration.projects import ENDS, WRITES, greeter, session
from tests.unit.planning.planning_scripts import says, script, submits
from tests.unit.planning.planning_scripts import session as planned

pytestmark = pytest.mark.editor

SUITES = ("trixie", "forky")

REQUIREMENTS = """# Greeter

- R1.1 THE greeting SHALL end with an exclamation mark.
- R1.2 THE greeting SHALL name the person.
- R1.2 THE greeting SHALL be short.
"""
CODE = 'def greet(name):\n    return "Hello " + name\n'
OUTLINE = {
    "id": "01",
    "slug": "greeter",
    "title": "Greeter",
    "summary": "Greets people.",
    "depends_on": [],
    "requirements": ["R1.1", "R1.2"],
}
BODY = """## Purpose

Greets people by name (R1.1, R1.2).

## Interfaces

`greet.py`: `greet(name)` returns the greeting.

## Use cases

Greet Ann: `Hello Ann!`.

## Dependencies

None; Python 3.11.
"""
TASKS = """- [ ] 1 Greeting
  - [ ] 1.1 End with an exclamation mark
    - `greet.py`: `greet` adds it
    - _Requirements: R1.1, R1.2_
    - _Depends: none_
    - _Verify: `python3 -c "from greet import greet; assert greet('Ann') == 'Hello Ann!'"`_
"""
EDITS = [ENDS[0], ENDS[1] | {"hold": "typed"}, *ENDS[2:]]


def job() -> dict[str, Any]:
    """A plan of one spec with one task, whose edit waits for the person to type."""
    return script(
        planned("# Outline: requirements.md", submits(OUTLINE)),
        planned("# Write spec 01: Greeter", says(BODY, hold="half", hold_after_events=8)),
        planned("# Write the tasks of spec 01: Greeter", says(TASKS)),
        session("1.1", "# Task 01/1.1 (attempt 1)", turns=EDITS),
    )


def project(root: Path) -> Path:
    """Requirements, and code that serves the half of them."""
    root.mkdir()
    (root / "requirements.md").write_text(REQUIREMENTS)
    (root / "greet.py").write_text(CODE)
    return root


@pytest.mark.parametrize("suite", SUITES)
def test_a_person_goes_from_requirements_to_proven_code_and_back(
    suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    root = project(tmp_path / "greeter")
    with ScriptedServer(job(), delta_chars=16) as server:
        with playing("main_job", neovim(suite), root, tmp_path / "home", server) as story:
            story.must_pass()
        server.check()
    must_all_end(root)


@pytest.mark.parametrize("suite", SUITES)
def test_a_run_goes_on_while_the_person_restarts_the_server(
    suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter")
    turns = [WRITES[0] | {"hold": "reloaded"}, *WRITES[1:]]
    with ScriptedServer(script(session("1.1", "# Task 01/1.1 (attempt 1)", turns=turns))) as server, staged() as stage:
        with playing("reload", neovim(suite), root, tmp_path / "home", server, stage) as story:
            story.must_pass()
        server.check()
    must_all_end(root)


def test_the_whole_job_is_done_through_the_daemon_too(neovim: Callable[[str], Path], tmp_path: Path) -> None:
    root = project(tmp_path / "greeter")
    with ScriptedServer(job(), delta_chars=16) as server, staged() as stage:
        with playing("main_job", neovim(SUITES[0]), root, tmp_path / "home", server, stage) as story:
            story.must_pass()
        server.check()
    must_all_end(root)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("name", ["denied", "dismissed"])
def test_a_command_of_the_repository_waits_for_a_yes(
    name: str, suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter")
    writes = script(session("1.1", "# Task 01/1.1 (attempt 1)", turns=WRITES))
    with ScriptedServer(writes) as server:
        with playing(name, neovim(suite), root, tmp_path / "home", server) as story:
            story.must_pass()
        server.check()
    must_all_end(root)


@pytest.mark.parametrize("suite", SUITES)
def test_the_first_line_that_is_typed_moves_no_edit_that_is_under_way(
    suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter")
    (root / "greet.py").write_text(CODE)
    turns = [ENDS[0], ENDS[1] | {"hold": "typed"}, ENDS[2] | {"hold": "never"}]
    with (
        ScriptedServer(script(session("1.1", "# Task 01/1.1 (attempt 1)", turns=turns))) as server,
        playing("late", neovim(suite), root, tmp_path / "home", server) as story,
    ):
        story.must_pass()
    must_all_end(root)


@pytest.mark.parametrize("suite", SUITES)
def test_a_line_end_that_the_editor_adds_is_no_refusal(
    suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter")
    (root / "greet.py").write_text("greet = str\n")
    writes = {"tool": "write_file", "input": {"path": "greet.py", "content": CODE.removesuffix("\n")}}
    turns = [ENDS[0], {"answer": [writes]}, {"not_expect": "changed in the editor", "answer": [{"text": "Written."}]}]
    with ScriptedServer(script(session("1.1", "# Task 01/1.1 (attempt 1)", turns=turns))) as server:
        with playing("unended", neovim(suite), root, tmp_path / "home", server) as story:
            story.must_pass()
        server.check()
    must_all_end(root)
