"""What git runs by itself in a real repository, against what git really runs."""

import os
import subprocess
from pathlib import Path

import pytest

from specloom.engine.repository import what_git_runs

MARK = "touch ran; cat"


def git(folder: Path, *words: str) -> None:
    """Runs git, which may fail."""
    quiet = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "a",
             "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.c"}  # fmt: skip
    subprocess.run(
        ["git", *words], cwd=folder, env={**os.environ, **quiet}, capture_output=True, timeout=30, check=False
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit and a change."""
    found = tmp_path.resolve() / "p"
    found.mkdir()
    git(found, "init", "-q")
    (found / "a.txt").write_text("a")
    git(found, "add", ".")
    git(found, "commit", "-qm", "one")
    (found / "a.txt").write_text("b")
    (found / ".gitattributes").write_text("*.txt filter=x diff=x\n")
    return found


def test_a_plain_repository_runs_nothing(root: Path) -> None:
    with (root / ".git" / "config").open("a") as file:
        file.write('[filter "lfs"]\n\tclean = git-lfs clean -- %f\n[user]\n\tname = x\n[core]\n\tfsmonitor = true\n')
    for subcommand in ("status", "commit", "checkout", "push"):
        assert what_git_runs(root, subcommand) == "", subcommand
    assert what_git_runs(root.parent, "status") == ""


CONFIGURED = {
    f'[filter "x"]\n clean = {MARK}\n': "add .",
    f'[filter "x"] clean = "{MARK}"': "status",
    f"[FILTER.x]\nclean = {MARK}": "diff",
    f'[diff "x"]\n textconv = {MARK}': "diff",
    f"[diff]\n external = {MARK} #": "diff",
    f"[alias]\n x = !{MARK} </dev/null": "x",
    "[include]\n path = ../other": "status",
    f'[user] name = x \\\n[filter "x"]\n clean = {MARK}': "status",
}


@pytest.mark.parametrize("text", CONFIGURED)
def test_programs_that_a_configuration_names_are_found(root: Path, text: str) -> None:
    (root / "other").write_text(f'[filter "x"]\n clean = {MARK}\n')
    with (root / ".git" / "config").open("a") as file:
        file.write(text)
    words = CONFIGURED[text].split()
    (root / "src").mkdir()
    assert "configuration" in what_git_runs(root / "src", words[0])
    git(root, *words)
    assert (root / "ran").exists() or text.startswith("[user]"), "git runs it, so the question is a right one"


def test_hooks_are_found_for_the_subcommands_that_run_them(root: Path) -> None:
    hooks = root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-commit", "pre-commit.sample", "pre-push"):
        (hooks / name).write_text("#!/bin/sh\ntouch ran\n")
    assert what_git_runs(root, "commit") == "", "git passes over what is not executable"
    (hooks / "pre-commit").chmod(0o755)
    (hooks / "pre-commit.sample").chmod(0o755)
    assert "pre-commit" in what_git_runs(root, "commit")
    assert what_git_runs(root, "status") == what_git_runs(root, "push") == ""
    (hooks / "post-index-change").write_text("")
    (hooks / "post-index-change").chmod(0o755)
    assert "post-index-change" in what_git_runs(root, "status")


def test_hooks_elsewhere_and_work_trees_are_followed(root: Path) -> None:
    git(root, "config", "core.hooksPath", ".own")
    (root / ".own").mkdir()
    assert what_git_runs(root, "commit") == ""
    (root / ".own" / "pre-commit").touch(0o755)
    assert "pre-commit" in what_git_runs(root, "commit")
    git(root, "config", "filter.x.clean", MARK)
    git(root, "worktree", "add", "../w")
    assert "filter.x.clean" in what_git_runs(root.parent / "w", "status")


def test_an_empty_repository_does_not_hide_the_one_above(root: Path) -> None:
    git(root, "config", "filter.x.clean", MARK)
    (root / "src" / ".git").mkdir(parents=True)
    assert "filter.x.clean" in what_git_runs(root / "src", "status")


def test_repositories_within_are_looked_into_as_git_does(root: Path) -> None:
    inner = root / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "a.txt").write_text("a")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "one")
    git(root, "add", "inner")
    assert what_git_runs(root, "status") == ""
    git(inner, "config", "filter.x.clean", MARK)
    assert "filter.x.clean" in what_git_runs(root, "status")


def test_what_cannot_be_read_counts_as_running_programs(root: Path) -> None:
    (root / ".git" / "config").write_text("[core\n")
    assert what_git_runs(root, "status")
    (root / ".git" / "config").write_text("x" * (1 << 21))
    assert "cannot be read" in what_git_runs(root, "status")


def test_a_watcher_counts_only_where_commands_do_not_switch_it_off(root: Path) -> None:
    git(root, "config", "core.fsmonitor", MARK)
    assert what_git_runs(root, "status") == ""
    within = root / ".git" / "modules" / "x"
    within.mkdir(parents=True)
    (within / "config").write_text(f"[core]\n fsmonitor = {MARK}\n")
    assert "core.fsmonitor" in what_git_runs(root, "status")
