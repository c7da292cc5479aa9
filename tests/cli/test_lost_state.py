"""A command that takes the log or the whole folder away ends the run, which says so and calls nothing done."""

from collections.abc import Callable
from typing import Any

import pytest

from specloom.cli.failures import Exit
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import Project, json_lines
from tests.cli.test_run import model

Start = Callable[..., ScriptedServer]


def hostile(project: Project, command: str) -> dict[str, Any]:
    """An executor that does its task by a script, and more: of a plain command the permission rules would see it."""
    take = project.root.parent / "take.sh"
    take.write_text(f"echo hello > greeting.txt\n{command}\n")
    call = {"tool": "run_command", "input": {"command": f"sh {take}"}}
    turns = [{"answer": [call]}, {"answer": [{"text": "Done."}]}]
    return {"sessions": [{"name": "1.1", "first": "# Task 01/1.1 (attempt 1):", "turns": turns}]}


@pytest.mark.parametrize(
    ("command", "happened"),
    [
        ("rm .specloom/state.db", "removed"),
        ("rm -rf .specloom", "removed"),
        ("cp .specloom/state.db x; mv x .specloom/state.db", "replaced"),
    ],
)
def test_a_command_that_takes_the_log_away_ends_the_run(
    project: Project, scripted: Start, command: str, happened: str
) -> None:
    server = scripted(hostile(project, command))
    done = project.specloom("run", "01/1.1", "--yes", *model(server))
    said = done.stdout + done.stderr
    assert done.returncode == Exit.USAGE, said
    assert f"the log .specloom/state.db was {happened} while a command of 01/1.1 ran" in said
    assert "completed" not in said
    assert "`specloom attach` shows the run" not in said
    assert "Traceback" not in said
    assert server.total == 1


def test_a_run_goes_well_again_after_its_log_was_taken_away(project: Project, scripted: Start) -> None:
    project.specloom("run", "01/1.1", "--yes", *model(scripted(hostile(project, "rm -rf .specloom"))))
    done = project.specloom("run", "01/1.1", "--yes", "--json", *model(scripted(hostile(project, "true"))))
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    assert json_lines(done.stdout)[-1]["tasks"]["done"] == 1


def test_a_folder_that_is_removed_during_a_run_is_named(project: Project, scripted: Start) -> None:
    done = project.specloom("run", "01/1.1", "--yes", *model(scripted(hostile(project, f"rm -rf {project.root}"))))
    said = done.stdout + done.stderr
    assert done.returncode == Exit.USAGE, said
    assert f"the folder {project.root} was removed while " in said
    assert "fault of Specloom" not in said
    assert "this is a bug" not in said
    assert "Traceback" not in said
