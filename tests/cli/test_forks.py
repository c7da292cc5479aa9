"""Commands that are forked are what the installed command is: same words, same status, same folder and environment."""

import socket
import subprocess

import pytest

from tests.cli.conftest import DEADLINE, SPECLOOM, Project
from tests.forks import Forks


@pytest.fixture(scope="module")
def forks() -> Forks:
    return Forks()


@pytest.mark.parametrize(
    "words", [["--version"], ["status", "--json"], ["tasks"], ["doctor", "--offline", "--json"], ["run"], ["nothing"]]
)
def test_a_fork_says_what_a_new_process_says(forks: Forks, project: Project, words: list[str]) -> None:
    argv = [str(SPECLOOM), *words]
    forked = forks.run(argv, project.root, project.environment, DEADLINE)
    started = subprocess.run(
        argv,
        cwd=project.root,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)
    assert forked.stdout or forked.stderr


def test_a_fork_that_takes_too_long_is_ended(forks: Forks, project: Project) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        forks.run([str(SPECLOOM), "status"], project.root, project.environment, 0.001)


def test_who_is_gone_before_it_has_asked_for_a_command_is_in_nobodys_way(forks: Forks, project: Project) -> None:
    *_, place = forks.started([])
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + place)
    assert forks.run([str(SPECLOOM), "--version"], project.root, project.environment, DEADLINE).returncode == 0


def test_an_environment_that_only_a_new_interpreter_can_have_is_left_to_one(forks: Forks, project: Project) -> None:
    assert not forks.take(project.environment | {"PYTHONOPTIMIZE": "2"})
