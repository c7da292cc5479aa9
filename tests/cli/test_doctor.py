"""`specloom doctor`: each check can be green and red."""

import os
import resource
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specloom.cli.checks.project import project_checks
from specloom.cli.failures import Exit
from specloom.cli.ports import Inspection
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import BOTH_TASKS, REQUIREMENTS, Project, Running, json_lines, until
from tests.cli.plans import plan_script
from tests.cli.test_run import model

Start = Callable[..., ScriptedServer]


def checks(project: Project, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status and checks by name."""
    done = project.specloom("doctor", "--json", *words)
    lines = json_lines(done.stdout)
    assert all(list(line) == ["type", "name", "level", "message", "mend"] for line in lines)
    assert all(line["mend"] or line["level"] == "ok" for line in lines)
    return done.returncode, {line["name"]: line for line in lines}


def test_everything_well_is_status_0(project: Project, scripted: Start) -> None:
    server = scripted(BOTH_TASKS)
    status, found = checks(project, *model(server))
    assert status == Exit.OK
    assert {name for name, check in found.items() if check["level"] == "fail"} == set()
    assert found["requirements"]["message"] == "requirements.md, 4 lines"
    assert found["key"]["message"].startswith("not needed, for 127.0.0.1")
    assert "200,000 tokens of context" in found["endpoint"]["message"]
    assert server.total == 0


def test_a_missing_key_fails_and_tells_the_ways_out(project: Project) -> None:
    status, found = checks(project, "--offline")
    assert status == Exit.INCOMPLETE
    assert found["key"]["level"] == "fail"
    assert "endpoint" not in found
    for way in ("ANTHROPIC_API_KEY", ".env", "--base-url"):
        assert way in found["key"]["mend"]


@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_key_is_told_by_its_place_and_never_shown(project: Project, place: str) -> None:
    key = "sk-ant-secret-0123456789"
    if place == ".env":
        (project.root / ".env").write_text(f"ANTHROPIC_API_KEY={key}\n")
    else:
        project.environment["ANTHROPIC_API_KEY"] = key
    done = project.specloom("doctor", "--offline")
    assert f"from {place}, for api.anthropic.com" in done.stdout
    assert key not in done.stdout + done.stderr


def test_an_endpoint_that_is_away_fails(project: Project) -> None:
    status, found = checks(project, "--model", "m", "--base-url", "http://127.0.0.1:9")
    assert status == Exit.INCOMPLETE
    assert found["endpoint"]["level"] == "fail"
    assert "127.0.0.1:9" in found["endpoint"]["message"]


def test_wrong_settings_are_named_with_their_line(project: Project) -> None:
    (project.root / "specloom.toml").write_text("\n[limits]\nattemps = 3\n")
    status, found = checks(project, "--offline")
    assert status == Exit.INCOMPLETE
    assert found["settings"]["message"].startswith("specloom.toml:3:1: error: `attemps`")
    assert found["settings"]["mend"] == "mend that line"


def test_what_only_waits_for_its_grant_is_not_to_be_mended(project: Project) -> None:
    (project.root / "specloom.toml").write_text("[models.default]\nbase_url = 'http://localhost:1'\n")
    found = checks(project, "--offline")[1]
    assert found["settings"]["mend"].startswith("`specloom approve`")


@pytest.mark.parametrize(
    ("content", "level", "said"),
    [
        (None, "warn", "no requirements.md"),
        (b"", "fail", "is empty"),
        (b"\xff\xfe\x00", "fail", "is no text: it starts like UTF-16-LE"),
        ("R1 é".encode("latin-1"), "warn", "1 line, is not UTF-8 and is read as latin-1"),
        ("R1 é".encode("utf-16"), "warn", "is read as utf-16-le"),
        (b"a\x00b", "fail", "is no text"),
        (b"x\n" * 600_000, "warn", "too much to read at once"),
    ],
)
def test_requirements_are_looked_into(tmp_path: Path, content: bytes | None, level: str, said: str) -> None:
    if content is not None:
        (tmp_path / "requirements.md").write_bytes(content)
    inspection = Inspection(tmp_path / ".specloom", None, (), ())
    (check,) = (check for check in project_checks(tmp_path, inspection) if check.name == "requirements")
    assert check.level.value == level
    assert said in check.message
    assert check.mend


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_what_doctor_takes_for_requirements_is_planned_from(empty: Project, scripted: Start, encoding: str) -> None:
    text = REQUIREMENTS.replace("says hello", "says hello, né")
    (empty.root / "requirements.md").write_bytes(text.encode(encoding))
    _, found = checks(empty, "--offline")
    assert found["requirements"]["level"] == ("ok" if encoding == "utf-8-sig" else "warn")
    done = empty.specloom("plan", *model(scripted(plan_script())))
    assert done.returncode == Exit.OK, done.stdout + done.stderr


def test_a_holder_of_the_lock_is_named(
    project: Project, scripted: Start, running: Callable[[Project], Callable[..., Running]]
) -> None:
    script: dict[str, Any] = {"sessions": [dict(BOTH_TASKS["sessions"][0])]}
    first, second = script["sessions"][0]["turns"]
    script["sessions"][0]["turns"] = [{**first, "hold": "go"}, second]
    server = scripted(script)
    command = running(project)("run", "01/1.1", "--yes", *model(server))
    until(lambda: server.total == 1, "the first request")
    _, found = checks(project, "--offline")
    assert f"in use by specloom run in greeter (pid {command.process.pid})" in found["state"]["message"]
    server.release("go")
    assert command.end() == Exit.OK
    _, found = checks(project, "--offline")
    assert "in use" not in found["state"]["message"]


def test_old_and_new_editors_are_told_apart(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    project.environment["PATH"] = os.pathsep.join((str(folder), project.environment["PATH"]))
    for version, level in (("0.7.2", "warn"), ("0.12.4", "ok")):
        editor = folder / "nvim"
        editor.write_text(f"#!/bin/sh\necho NVIM v{version}\n")
        editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
        _, found = checks(project, "--offline")
        assert (found["editors"]["level"], f"NVIM v{version}" in found["editors"]["message"]) == (level, True)


def test_programs_of_the_repository_are_not_run(project: Project) -> None:
    program = project.root / "rg"
    program.write_text("#!/bin/sh\ntouch pwned; echo ripgrep 14\n")
    program.chmod(0o755)
    project.environment["PATH"] = f".{os.pathsep}{project.environment['PATH']}"
    _, found = checks(project, "--offline")
    assert "14" not in found["ripgrep"]["message"]
    assert not (project.root / "pwned").exists()


def test_people_get_what_to_do_below_what_is_wrong(project: Project) -> None:
    done = project.specloom("doctor", "--offline")
    lines = done.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("✗ fail key"))
    assert lines[place + 1].strip().startswith("set ANTHROPIC_API_KEY")
    assert lines[-1] == "1 check failed"


def test_a_log_that_is_damaged_fails(project: Project, scripted: Start) -> None:
    assert project.specloom("run", "--yes", *model(scripted(BOTH_TASKS))).returncode == Exit.OK
    log = project.root / ".specloom" / "state.db"
    assert checks(project, "--offline")[1]["state"]["level"] == "ok"
    whole = log.read_bytes()
    log.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
    status, found = checks(project, "--offline")
    assert (status, found["state"]["level"]) == (Exit.INCOMPLETE, "fail")
    assert "state.db" in found["state"]["message"]
    log.write_bytes(b"this is no database at all, and long enough")
    _, found = checks(project, "--offline")
    assert found["state"]["level"] == "fail"
    step = "restore it from a backup, or start a run here, which rebuilds it as far as it can be read"
    assert found["state"]["mend"] == step
    assert project.specloom("run", "--yes", *model(scripted(BOTH_TASKS))).returncode == Exit.OK
    _, found = checks(project, "--offline")
    assert found["state"]["level"] == "warn"
    assert "put aside in damaged-" in found["state"]["message"]


def test_a_disk_that_takes_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / ".specloom").mkdir()
    inspection = Inspection(tmp_path / ".specloom", None, (), ())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        (check,) = (check for check in project_checks(tmp_path, inspection) if check.name == "state")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert check.level.value == "fail"
    assert check.message.startswith(f"nothing can be written to {tmp_path / '.specloom'}: ")
    assert check.mend


def test_nothing_is_changed(project: Project) -> None:
    before = sorted(path.relative_to(project.root) for path in project.root.rglob("*"))
    project.specloom("doctor", "--offline")
    assert sorted(path.relative_to(project.root) for path in project.root.rglob("*")) == before
