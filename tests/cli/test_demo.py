"""`specloom demo` as a process, with the scripted model."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from specloom.cli.failures import Exit
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import BOTH_TASKS, Project
from tests.cli.test_run import summary_of


@pytest.mark.timeout(120)
def test_the_demo_proves_everything_and_tells_where_to_look(empty: Project, tmp_path: Path) -> None:
    done = empty.specloom("demo", "--workspace", str(tmp_path / "show"))
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    assert done.stderr == ""
    assert "with a scripted model" in done.stdout
    assert "verification failed: " in done.stdout
    assert "its verification failed first and was mended in attempt 2" in done.stdout
    assert f"specloom status --workspace {tmp_path / 'show'}" in done.stdout
    log = subprocess.run(["git", "log", "--oneline"], cwd=tmp_path / "show", capture_output=True, text=True, check=True)
    assert len(log.stdout.splitlines()) == 1


@pytest.mark.timeout(120)
def test_the_demo_in_json_has_three_specs_and_ten_tasks_at_least(empty: Project, tmp_path: Path) -> None:
    root = tmp_path / "show"
    done = empty.specloom("demo", "--json", "--workspace", str(root))
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    summary = summary_of(done.stdout)
    assert summary["tasks"]["done"] == summary["tasks"]["total"] >= 10
    assert summary["wall_s"] < 60
    assert len(list((root / "specs").glob("*.md"))) >= 3


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
