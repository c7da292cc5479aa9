"""`specloom tool`: the installed command, one call a line, one context for all of them."""

import base64
import json
import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.conftest import DEADLINE, SPECLOOM, until

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg=="
)
CALLS = 2000


class Hands:
    """Writes calls and reads results."""

    def __init__(self, process: "subprocess.Popen[str]", root: Path) -> None:
        self.process = process
        self.root = root

    def line(self, text: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def use(self, tool: str, **values: Any) -> dict[str, Any]:
        return self.line(json.dumps({"tool": tool, "input": values}))

    def result(self, tool: str, **values: Any) -> str:
        answer = self.use(tool, **values)
        assert answer["ok"], answer
        return answer["result"]

    def error(self, tool: str, **values: Any) -> str:
        answer = self.use(tool, **values)
        assert not answer["ok"], answer
        return answer["error"]


@contextmanager
def working(root: Path, *words: str, code: int = 0) -> Generator[Hands]:
    """The command on a root, ended by the end of its input."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(root.parent), "LANG": "C.UTF-8"}
    with subprocess.Popen(
        [SPECLOOM, "tool", "--workspace", root, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            yield Hands(process, root)
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(timeout=DEADLINE) == code
        finally:
            process.kill()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.py").write_text("one\ntwo\nthree\nfour\nfive\nsix\n")
    return root


def replaced(line: int, before: str, after: str) -> list[dict[str, Any]]:
    """One edit of one line."""
    return [{"start_line": line, "start_text": before, "end_line": line, "end_text": before, "new_text": f"{after}\n"}]


def test_what_was_read_stays_read(root: Path) -> None:
    with working(root) as hands:
        assert "read a.py first" in hands.error("edit_file", path="a.py", edits=replaced(1, "one", "ONE"))
        assert hands.result("read_file", path="a.py").endswith("6 | six")
        hands.result("edit_file", path="a.py", edits=replaced(1, "one", "ONE"))
        hands.result("edit_file", path="a.py", edits=replaced(2, "two", "TWO"))
        hands.result("close_file", paths=["a.py"])
        assert "read a.py first" in hands.error("edit_file", path="a.py", edits=replaced(3, "three", "THREE"))
    assert (root / "a.py").read_text() == "ONE\nTWO\nthree\nfour\nfive\nsix\n"
    assert not (root / ".specloom").exists(), "no log is opened, and none is needed"


def test_a_file_changed_behind_its_back_is_merged_or_refused(root: Path) -> None:
    with working(root) as hands:
        hands.result("read_file", path="a.py")
        (root / "a.py").write_text("zero\none\ntwo\nthree\nfour\nfive\nsix\n")
        assert "it had changed" in hands.result("edit_file", path="a.py", edits=replaced(5, "five", "FIVE"))
        assert (root / "a.py").read_text() == "zero\none\ntwo\nthree\nfour\nFIVE\nsix\n"
        (root / "a.py").write_text("zero\none\ntwo\nthree\nmine\nFIVE\nsix\n")
        assert "changed by others" in hands.error("edit_file", path="a.py", edits=replaced(5, "four", "FOUR"))
    assert (root / "a.py").read_text() == "zero\none\ntwo\nthree\nmine\nFIVE\nsix\n"


def test_a_line_that_is_no_call_is_answered_and_the_next_one_is_carried_out(root: Path) -> None:
    with working(root) as hands:
        assert "line 1: it is no JSON" in hands.line("nonsense")["error"]
        assert "line 2: it is no JSON object" in hands.line("[]")["error"]
        assert "unknown key 'inputs'" in hands.line('{"tool": "read_file", "inputs": {}}')["error"]
        assert '"tool" must be a text' in hands.line('{"tool": 1}')["error"]
        assert "did you mean 'read_file'" in hands.line('{"tool": "readfile"}')["error"]
        assert "path" in hands.line('{"tool": "read_file"}')["error"]
        assert "there is no tool 'report_blocked'" in hands.error("report_blocked", reason="none")
        assert "6 | six" in hands.result("read_file", path="a.py")


def test_an_image_comes_as_data(root: Path) -> None:
    (root / "logo.png").write_bytes(PNG)
    with working(root) as hands:
        answer = hands.use("read_file", path="logo.png")
    assert answer["ok"]
    assert answer["result"]["mediaType"] == "image/png"
    assert answer["result"]["data"]


def test_what_asks_is_denied_unless_it_was_allowed_at_the_start_and_a_deny_stays(root: Path) -> None:
    (root / "specloom.toml").write_text('[permissions]\ndeny = ["run_command(touch *)"]\n')
    with working(root) as hands:
        assert "--yes" in hands.error("run_command", command="python3 -c 'print(6 * 7)'")
    with working(root, "--yes") as hands:
        assert "42" in hands.result("run_command", command="python3 -c 'print(6 * 7)'")
        assert "denied" in hands.error("run_command", command="env touch b.py")
        assert "closed to tools" in hands.error("write_file", path=".env", content="")
    with working(root, "--yes", "--profile", "read-only") as hands:
        assert "denied" in hands.error("write_file", path="b.py", content="")
    assert not (root / "b.py").exists()


def test_a_shell_stays_and_nothing_of_it_outlives_the_input(root: Path) -> None:
    with working(root, "--yes") as hands:
        hands.result("run_command", command="mkdir sub; cd sub; export COLOUR=red")
        assert "sub\nred" in hands.result("run_command", command="pwd; echo $COLOUR")
        hands.result("run_command", command="sleep 300 & echo $! > pid", blocking=False)
        told = hands.result("command_jobs", action="list") if (root / "sub").exists() else ""
        assert "sleep 300" in told
        children = psutil.Process(hands.process.pid).children(recursive=True)
        assert children
    _, alive = psutil.wait_procs(children, timeout=DEADLINE)
    assert not alive


def test_what_left_the_shell_by_itself_ends_with_the_input_too(root: Path) -> None:
    with working(root, "--yes") as hands:
        hands.result("run_command", command="(setsid sleep 301.5 >/dev/null 2>&1 & echo $! > pid)")
        until(lambda: bool(sleeping("301.5")), "it sleeps, in a session of its own")
        found = sleeping("301.5")
    _, alive = psutil.wait_procs(found, timeout=DEADLINE)
    assert not alive


def sleeping(seconds: str) -> list[psutil.Process]:
    """Those that sleep for so long."""
    return [item for item in psutil.process_iter(["cmdline"]) if item.info["cmdline"] == ["sleep", seconds]]


def test_what_left_the_shell_and_cleared_its_environment_ends_with_a_killed_process_too(root: Path) -> None:
    with working(root, "--yes", code=-signal.SIGKILL) as hands:
        inner = "setsid env -i bash -c 'echo $$ >pid; exec sleep 271' >/dev/null 2>&1 &"
        hands.result("run_command", command=f"{inner} until [ -s pid ]; do sleep 0.02; done")
        pid = int((root / "pid").read_text())
        assert psutil.Process(pid).environ().get("SPECLOOM_COMMAND") is None
        hands.process.kill()
        hands.process.wait(DEADLINE)
        assert psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], DEADLINE)[1] == []


def test_git_runs_nothing_that_a_repository_names_for_looking_at_its_files(root: Path) -> None:
    subprocess.run(["git", "init", "-q", root], check=True)
    subprocess.run(["git", "-C", root, "config", "core.fsmonitor", "touch PWNED; false"], check=True)
    with working(root) as hands:
        assert "a.py" in hands.result("run_command", command="git status --short")
    assert not (root / "PWNED").exists()


def test_thousands_of_calls_in_one_process(root: Path) -> None:
    with working(root) as hands:
        hands.result("read_file", path="a.py")
        hands.result("edit_file", path="a.py", edits=replaced(1, "one", "0"))
        before = psutil.Process(hands.process.pid).memory_info().rss
        for number in range(1, CALLS):
            hands.result("edit_file", path="a.py", edits=replaced(1, str(number - 1), str(number)))
        grown = psutil.Process(hands.process.pid).memory_info().rss - before
    assert (root / "a.py").read_text().startswith(f"{CALLS - 1}\ntwo\n")
    assert grown < 30_000_000


def test_an_interrupt_ends_it_with_what_it_started(root: Path) -> None:
    with subprocess.Popen(
        [SPECLOOM, "tool", "--yes", "--workspace", root],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        hands = Hands(process, root)
        hands.result("read_file", path="a.py")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert errors.strip() == "specloom: interrupted"


def test_a_root_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    told = subprocess.run(
        [SPECLOOM, "tool", "--workspace", tmp_path / "none"], input="", capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert len(told.stderr.splitlines()) == 1
