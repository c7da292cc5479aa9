"""`specloom demo` as a process, with the scripted model."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from specloom.cli.failures import Exit
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import BOTH_TASKS, Project, empty_project, json_lines
from tests.cli.test_run import summary_of


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, subprocess.CompletedProcess[str]]:
    """The demo as it was played once, and its folder."""
    project = empty_project(tmp_path_factory.mktemp("demo"))
    return project, project.specloom("demo", "--workspace", str(project.root), deadline=110)


# It is played once for all of them.
played = pytest.mark.xdist_group("demo")
Shown = tuple[Project, subprocess.CompletedProcess[str]]


@played
@pytest.mark.timeout(120)
def test_the_demo_proves_everything_and_tells_where_to_look(shown: Shown) -> None:
    project, done = shown
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    assert done.stderr == ""
    assert "with a scripted model" in done.stdout
    assert "verification failed: " in done.stdout
    assert "its verification failed first and was mended in attempt 2" in done.stdout
    assert f"specloom status --workspace {project.root}" in done.stdout
    log = subprocess.run(["git", "log", "--oneline"], cwd=project.root, capture_output=True, text=True, check=True)
    assert len(log.stdout.splitlines()) == 1


@played
@pytest.mark.timeout(120)
def test_the_demo_has_three_specs_and_ten_proven_tasks_at_least(shown: Shown) -> None:
    project, done = shown
    tasks = json_lines(project.specloom("tasks", "--json").stdout)
    assert len(tasks) >= 10
    assert all(task["state"] == "done" and task["proven"] for task in tasks)
    (status,) = json_lines(project.specloom("status", "--json").stdout)
    assert len(status["specs"]) >= 3
    planning = status["planning"]["turns"]
    assert status["turns"] == status["run"]["turns"] + planning
    assert f" · {status['turns']} turns ({planning} of them planning) · " in done.stdout


@played
@pytest.mark.timeout(120)
def test_no_line_of_the_demo_tells_a_command_twice(shown: Shown) -> None:
    _, done = shown
    commands = [line.partition("$ ")[2] for line in done.stdout.splitlines() if "  $ " in line]
    assert any(command.endswith(" (allowed by --yes)") for command in commands)
    assert not [line for line in done.stdout.splitlines() if "allowed by --yes: python -m tally" in line]


def test_the_demo_in_json_ends_with_a_summary_whatever_came_of_it(
    empty: Project, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    server = scripted(BOTH_TASKS, key="right")
    empty.environment["ANTHROPIC_API_KEY"] = "sk-ant-wrong-key-0123456789"
    words = ("--workspace", str(tmp_path / "show"), "--model", "m", "--base-url", server.base_url)
    done = empty.specloom("demo", "--json", *words)
    assert done.returncode == Exit.INCOMPLETE
    assert summary_of(done.stdout)["tasks"]["total"] == 0
    assert "demo in" in done.stderr


def test_the_demo_refuses_a_folder_with_something_in_it(project: Project) -> None:
    done = project.specloom("demo", "--workspace", str(project.root))
    assert done.returncode == Exit.USAGE
    assert "not an empty folder" in done.stderr
    assert not (project.root / ".git").exists()


def test_a_model_that_was_named_is_used_and_the_folder_goes_if_asked(
    empty: Project, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    root = tmp_path / "show"
    server = scripted(BOTH_TASKS, key="right")
    empty.environment["ANTHROPIC_API_KEY"] = "sk-ant-wrong-key-0123456789"
    done = empty.specloom("demo", "--workspace", str(root), "--no-keep", "--model", "m", "--base-url", server.base_url)
    assert done.returncode != Exit.OK
    assert f"with a real model (m, {server.base_url})" in done.stdout
    assert "401" in done.stdout
    assert not root.exists()


def test_without_git_it_says_what_to_install(empty: Project) -> None:
    empty.environment["PATH"] = empty.environment["PATH"].partition(":")[0]
    done = empty.specloom("demo")
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert done.stderr.startswith("specloom: git is not installed; install it")
