"""Whatever a command is wrapped in: what is denied is never allowed, and what is allowed runs nothing else.

The judge of the second promise is bash itself, with a folder of stubs as its path.
"""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specloom.domain.permissions.commands import judge_command
from specloom.domain.permissions.rules import Profile, Verdict
from specloom.domain.permissions.shell import read
from tests.unit.domain.permission_samples import Root, dressed, policy

PIECES = (
    "tidy ", "secretly ", "; ", "&& ", "| ", "\n", "'", '"', "\\", "$(", "`", ") ", "cat <<E\n", "cat <<'E'\n",
    "\nE\n", " #", "# ", "{ ", "; }", "( ", ">/dev/null ", "2>&1 ", "$X ", "sh -c ", "env ", "eval ", "\\\n",
    "$'", "<<<", "a=b ", "[[ ", " ]]", "if ", "then ", "fi ", "case a in a) ", ";; esac", "&", "!", "${x:-",
    "}", "tidy", "secretly", "<<E ", "2", ">", "\t",
)  # fmt: skip
"""From which lines are made that nobody would write."""
EVERYTHING = policy(allow=("run_command(tidy *)", "run_command(sudo *)"), deny=("run_command(shred *)",))
FULL = policy(Profile.FULL, deny=("run_command(shred *)",))
PLAIN = policy(allow=("run_command(tidy *)", "run_command(sudo *)", "run_command(trap *)"))


@given(dressed("shred", "file"))
def test_no_dress_lets_a_denied_command_through(line: str) -> None:
    for held in (EVERYTHING, FULL):
        found = judge_command(line, held, Root())
        assert found.verdict is not Verdict.ALLOW, line


@given(dressed("rm", "-rf", "/"))
def test_no_dress_lets_the_system_be_removed(line: str) -> None:
    assert judge_command(line, FULL, Root()).verdict is not Verdict.ALLOW, line


@pytest.mark.parametrize("line", ["nohup A=b $X -rf /", "timeout 5 A=b bash <<'E'\nrm -rf /\nE\n", "'A=b' $X"])
def test_an_assignment_in_the_place_of_a_program_is_asked_about(line: str) -> None:
    assert judge_command(line, FULL, Root()).verdict is Verdict.ASK


@given(dressed("git", "push", "--force"))
def test_no_dress_lets_history_be_overwritten(line: str) -> None:
    held = policy(Profile.FULL, allow=("run_command(git *)",))
    assert judge_command(line, held, Root()).verdict is not Verdict.ALLOW, line


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_text_is_read_without_an_error(line: str) -> None:
    judge_command(line, PLAIN, Root())


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path on which `secretly` leaves a mark, and what wraps commands is the real thing or hands over."""
    folder = tmp_path_factory.mktemp("stubs")
    mark = f'#!/bin/sh\n: > "{folder}/mark"\n'
    hands_over = '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n'
    for name, text in (
        ("secretly", mark),
        ("sudo", hands_over),
        ("tidy", "#!/bin/sh\n:\n"),
        ("echo", "#!/bin/sh\n:\n"),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(stat.S_IRWXU)
    return folder


def runs_secretly(line: str, stubs: Path) -> bool:
    """Whether bash, given this line, runs what it should not."""
    (stubs / "mark").unlink(missing_ok=True)
    environment = {"PATH": f"{stubs}:{os.environ['PATH']}"}
    command = ["bash", "-c", line]
    subprocess.run(
        command,
        cwd=stubs,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=False,
    )
    return (stubs / "mark").exists()


@settings(max_examples=40)
@given(dressed("secretly", "now"))
def test_what_bash_would_run_is_seen(stubs: Path, line: str) -> None:
    if judge_command(line, PLAIN, Root()).verdict is Verdict.ALLOW:
        assert not runs_secretly(line, stubs), line


@settings(max_examples=40)
@given(st.lists(st.sampled_from(PIECES), min_size=2, max_size=12).map("".join).filter(lambda line: "secretly" in line))
def test_what_bash_would_run_is_seen_in_any_text(stubs: Path, line: str) -> None:
    if judge_command(line, PLAIN, Root()).verdict is Verdict.ALLOW:
        assert not runs_secretly(line, stubs), line


def test_the_stubs_notice_what_runs(stubs: Path) -> None:
    assert runs_secretly("env secretly now", stubs)
    assert not runs_secretly("tidy secretly", stubs)


def test_a_line_without_end_is_unclear() -> None:
    assert read("x " * 40_000).unclear
    nested = "tidy"
    for _ in range(12):
        nested = f"eval {nested!r}" if "'" not in nested else f'eval "{nested}"'.replace("\\", "\\\\")
    assert judge_command(nested, PLAIN, Root()).verdict is not Verdict.DENY
