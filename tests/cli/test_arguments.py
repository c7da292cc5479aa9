"""What the command understands, and what it says when it does not."""

import subprocess
import sys

import pytest

from specloom import __version__
from specloom.cli.arguments import parse
from specloom.cli.failures import CommandError, Exit
from tests.cli.conftest import Project


def test_version_is_told(empty: Project) -> None:
    done = empty.specloom("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"specloom {__version__}\n", "")


def test_help_lists_the_commands_that_exist(empty: Project) -> None:
    done = empty.specloom("--help")
    assert done.returncode == 0
    for command in ("demo", "plan", "run", "status", "tasks", "events", "approve", "doctor", "daemon", "lsp"):
        assert f"\n    {command} " in done.stdout


def test_no_command_is_a_usage_error_with_the_overview(empty: Project) -> None:
    done = empty.specloom()
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert done.stderr.startswith("usage: specloom")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rnu"], "there is no command 'rnu'; did you mean `run`?"),
        (["serve"], "there is no command 'serve'"),
        (["run", "--budget-usd", "-1"], "'-1' is no amount above 0"),
        (["run", "--budget-usd", "nan"], "'nan' is no amount above 0"),
        (["run", "--budget-usd", "1e300"], "'1e300' is no amount above 0, at most 1000000000"),
        (["events", "--since", "x"], "'x' is no event number"),
        (["events", "--since", "9" * 22], "'9999999999999999999999' is no event number"),
        (["events", "--since", "²"], "'²' is no event number"),
        (["tasks", "--state", "finished"], "invalid choice: 'finished'"),
        (["status", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["run", "01", "02"], "unrecognized arguments: 02; see `specloom run --help`"),
        (
            ["run", "--modle", "x"],
            "unrecognized arguments: --modle (did you mean `--model`?); see `specloom run --help`",
        ),
        (
            ["credential", "set", "https://api.example.org", "sk-ant-word"],
            "a key is no argument, where others could read it",
        ),
        (["credential", "set", "sk-ant-word"], "is no address with http:// or https://; a key is no argument"),
        (["--verion"], "unrecognized arguments: --verion (did you mean `--version`?); see `specloom --help`"),
    ],
)
def test_what_is_not_understood_gets_one_line_and_status_2(words: list[str], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse(words)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "sk-ant-word" not in str(caught.value)
    assert caught.value.status == Exit.USAGE


def test_a_usage_error_of_the_process_is_one_line_on_stderr(empty: Project) -> None:
    done = empty.specloom("rnu")
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert done.stderr == "specloom: there is no command 'rnu'; did you mean `run`?\n"


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_workspace_that_is_no_folder_is_refused(empty: Project, folder: str) -> None:
    (empty.root / "file").write_text("")
    done = empty.specloom("status", "--workspace", folder)
    assert done.returncode == Exit.USAGE
    assert done.stderr.startswith("specloom: --workspace ")
    assert done.stderr.count("\n") == 1


def test_in_a_folder_that_was_removed_another_one_can_be_named(empty: Project) -> None:
    def status(*words: str) -> subprocess.CompletedProcess[str]:
        code = "import os, sys\nos.rmdir(os.getcwd())\nfrom specloom.__main__ import main\nsys.exit(main(sys.argv[1:]))"
        gone = empty.root / "gone"
        gone.mkdir()
        return subprocess.run(
            [sys.executable, "-c", code, "status", *words],
            cwd=gone,
            env=empty.environment,
            capture_output=True,
            text=True,
            timeout=45,
            check=False,
        )

    lost = status()
    assert (lost.returncode, lost.stderr.count("\n")) == (Exit.USAGE, 1)
    assert "the folder that you are in was removed" in lost.stderr
    assert status("--workspace", str(empty.root)).returncode == Exit.OK


def test_a_state_folder_in_the_home_of_nobody_is_refused(empty: Project) -> None:
    empty.environment["SPECLOOM_STATE_DIR"] = "~nobody-of-this-name/state"
    done = empty.specloom("status")
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert "nobody of that name has a home here" in done.stderr


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["rnu"]])
def test_what_needs_nothing_imports_nothing(words: list[str]) -> None:
    code = (
        "import sys\nfrom specloom.__main__ import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} "
        "& {'anthropic', 'asyncio', 'pydantic', 'pygls', 'rich', 'sqlite3', 'rpds'}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=45, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
