"""`specloom daemon`: what it tells a person and a program."""

import asyncio
import json
import re
import subprocess
from typing import Any

from specloom.cli.daemon import status_lines
from tests.daemon.stage import DEADLINE, PYTHON, Stage, begin, bridge, result
from tests.integration.projects import greeter
from tests.lsp.wire import status_of


def daemon(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    return subprocess.run(
        [PYTHON, "-m", "specloom", "daemon", *words],
        env=stage.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def test_without_a_daemon_there_is_nothing_to_tell_and_nothing_to_stop(stage: Stage) -> None:
    for order in ("status", "stop"):
        told = daemon(stage, order)
        assert (told.returncode, told.stdout) == (0, "no daemon is running; the first editor starts one\n")
        assert json.loads(daemon(stage, order, "--json").stdout) == {"type": "daemon", "state": "none"}


def test_force_without_stop_is_a_usage_error(stage: Stage) -> None:
    told = daemon(stage, "--force")
    assert (told.returncode, told.stderr) == (2, "specloom: --force goes with `specloom daemon stop`\n")


def test_a_folder_that_cannot_be_had_is_one_line(stage: Stage) -> None:
    stage.place.folder.chmod(0o755)
    told = daemon(stage, "status")
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert "SPECLOOM_RUNTIME_DIR" in told.stderr


async def test_a_daemon_with_clients_tells_of_them_and_refuses_to_stop(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    async with bridge(stage) as (wire, process):
        await begin(wire, root)
        await result(wire, "specloom/project/get", {})
        told = await asyncio.to_thread(daemon, stage, "status")
        assert told.returncode == 0
        assert "clients: 1\n" in told.stdout
        assert f"{root}: nothing was run yet; 1 attached\n" in told.stdout
        known = json.loads((await asyncio.to_thread(daemon, stage, "status", "--json")).stdout)
        assert (known["state"], known["idleSince"], len(known["clients"])) == ("idle", None, 1)
        refused = await asyncio.to_thread(daemon, stage, "stop")
        assert refused.returncode == 2
        assert "1 client is attached" in refused.stderr
        assert "--force" in refused.stderr
        await wire.leave()
        assert await status_of(process) == 0
    assert "has ended" in (await asyncio.to_thread(daemon, stage, "stop")).stdout


def test_a_daemon_at_work_without_clients_is_not_called_idle() -> None:
    told: dict[str, Any] = {
        "version": "1",
        "pid": 7,
        "startedAt": "then",
        "clients": [],
        "roots": [],
        "idleSince": None,
    }
    assert "clients: none" in status_lines(told)
    assert "clients: none, idle since now" in status_lines(told | {"idleSince": "now"})
    full = {"root": "/p", "run": None, "plan": None, "clients": 0, "fault": "the disk takes no more; make room"}
    assert status_lines(told | {"roots": [full]})[-1] == "  the disk takes no more; make room"
    begun = status_lines(told | {"startedAt": "2026-11-21T22:36:15.123Z"})[0]
    assert re.fullmatch(r"specloom 1, pid 7, since 2026-11-2[12] \d\d:\d\d", begun), "to the minute, in local time"
