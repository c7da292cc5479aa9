"""Programs that ask a person: each ends within seconds, and the answer says how to run it without one."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from specloom.workspace.shell import agent_shell
from specloom.workspace.shell.agent_shell import AgentShell
from specloom.workspace.shell.unattended import asked, endless
from tests.integration.shells import ends, shell_in

LOOK = 0.25
"""Seconds between two looks, in place of a whole one."""
GIT = "git init -q . && git config user.email a@b.invalid && git config user.name A && echo x >f && git add f && "

HERE = (
    ("git", GIT + "git commit", "git commit -m"),
    ("git", GIT + "git commit -qm x && echo y >>f && git add -p", "git apply --cached"),
    ("git", GIT + "git commit -qm x && echo y >>f && git stash -p", "git apply"),
    ("git", GIT + "git commit -qm x && git commit -qm y --allow-empty && git rebase -i HEAD~1", "GIT_SEQUENCE_EDITOR="),
    ("vim", "vim notes", "file tools"),
    ("vi", "vi", "file tools"),
    ("top", "top", "top -b -n 1"),
    ("tmux", "tmux", "new-session -d"),
    ("npm", "npm init", "npm init -y"),
    ("python3", "python3 -c 'input(\"name? \")'", "printf 'yes\\n' |"),
    ("python3", "python3 -i", "python -c"),
    ("python3", "python3 -c 'import getpass; getpass.getpass()'", "pipe them in"),
    ("bash", "read x </dev/tty", "there is no terminal"),
    ("bash", "select x in a b; do echo $x; done", "pipe them in"),
    ("rm", "touch a; rm -i a", "rm -f"),
    ("ssh-keygen", "HOME=$PWD ssh-keygen", "ssh-keygen -q -N ''"),
    ("openssl", "openssl genrsa -aes256 512", "by an option or a file"),
)
QUIET = (
    ("less", "less /etc/hostname"),
    ("more", "more /etc/hostname"),
    ("man", "man ls"),
    ("git", GIT + "git commit -q -m x && git log"),
    ("bash", "read x"),
    ("bash", "bash"),
    ("bash", "bash -i"),
    ("python3", "python3"),
    ("node", "node"),
    ("cat", "cat"),
    ("gdb", "gdb"),
    ("su", "su nobody"),
    ("ssh", "ssh -o ConnectTimeout=3 127.0.0.1 true"),
    ("psql", "psql -h 127.0.0.1 -p 9"),
)


@pytest.fixture
async def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AgentShell]:
    monkeypatch.setattr(agent_shell, "LOOK", LOOK)
    root = tmp_path / "root"
    await asyncio.to_thread(root.mkdir)
    async with shell_in(root, tmp_path / "logs", HOME=str(root)) as shell:
        yield shell


@pytest.mark.parametrize(("program", "command", "advice"), HERE)
async def test_program_that_asks_is_answered_with_how_to_run_it(
    shell: AgentShell, program: str, command: str, advice: str
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    result = await ends(shell, command, 60)
    assert advice in result.advice, result


@pytest.mark.parametrize(("program", "command"), QUIET)
async def test_program_that_would_read_or_page_ends_by_itself(shell: AgentShell, program: str, command: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    await ends(shell, command, 60)


@pytest.mark.skipif(shutil.which("script") is None, reason="script is not installed")
@pytest.mark.parametrize("inside", ["read x", "vim", "python3 -i", "less /etc/passwd"])
async def test_program_at_a_terminal_of_its_own_is_ended_when_it_waits(shell: AgentShell, inside: str) -> None:
    if inside != "read x" and shutil.which(inside.partition(" ")[0]) is None:
        pytest.skip(f"{inside} is not installed")
    result = await ends(shell, f"mkfifo in; script -qc 'bash -c \"{inside}\"' /dev/null <>in; echo after", 50)
    assert any("waited for keys at a terminal" in note for note in result.notes), result
    assert result.advice


@pytest.mark.skipif(shutil.which("script") is None, reason="script is not installed")
async def test_program_at_a_terminal_that_works_or_sleeps_is_let_be(shell: AgentShell) -> None:
    sleeps = LOOK * (agent_shell.QUIET + 2)
    result = await ends(shell, f"script -qc 'sleep {sleeps}; echo slept' /dev/null", 30)
    assert "slept" in result.printed.text
    assert result.notes == ()


@pytest.mark.parametrize(
    ("command", "output", "code"),
    [
        ("pytest", "E  assert 1 == 2\n", 1),
        ("git commit -m x", "[main 1234] x\n", 0),
        ("grep -r 'sudo: a password' .", "docs.md:sudo: a password is required\n", 0),
        ("python3 x.py", "3 >> 2\n", 0),
        ("git rebase -i --autosquash main", "Successfully rebased and updated refs/heads/x.\n", 0),
        ("GIT_SEQUENCE_EDITOR='sed -i s/pick/edit/' git rebase -i HEAD~2", "Successfully rebased\n", 0),
    ],
)
def test_command_that_asked_nothing_gets_no_advice(command: str, output: str, code: int) -> None:
    assert asked(command, output, code) == ""


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("watch ls", "without `watch`"),
        ("tail -f log", "without `-f`"),
        ("npm run dev", "blocking: false"),
        ("sleep 1000", ""),
    ],
)
def test_command_that_never_ends_is_known_by_its_name(command: str, advice: str) -> None:
    assert advice in endless(command)
    assert bool(advice) == bool(endless(command))
