"""`specloom credential`: a key goes from the terminal into the daemon, and is shown and written nowhere."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.daemon.stage import DEADLINE, PYTHON, Stage, staged
from tests.integration.projects import greeter

ENDPOINT = "http://127.0.0.1:9"
KEY = "typed-key-7Rz2Wc9Lm4Xt6Vb8"


def credential(stage: Stage, root: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    return subprocess.run(
        [PYTHON, "-m", "specloom", "credential", *words, "--workspace", str(root)],
        env=stage.environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def test_a_key_of_standard_input_is_held_by_the_daemon_until_it_is_forgotten() -> None:
    with staged(ANTHROPIC_BASE_URL=ENDPOINT) as stage:
        root = greeter(stage.logs.parent / "root")
        told = credential(stage, root, "set", typed=f"{KEY}\n")
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout.startswith(f"the key for {ENDPOINT} is held in memory alone")
        known = json.loads(credential(stage, root, "set", ENDPOINT, "--json", typed=KEY).stdout)
        assert (known["kept"], known["source"]) == ("memory", "credential/set")
        wrong = credential(stage, root, "set", "http://127.0.0.1:10", typed=KEY)
        assert wrong.returncode == 2
        assert ENDPOINT in wrong.stderr
        forgotten = json.loads(credential(stage, root, "forget", "--json").stdout)
        assert (forgotten["kept"], forgotten["source"]) == ("nowhere", "")
        written = [path for path in stage.logs.parent.rglob("*") if path.is_file()]
        assert written
        assert [path for path in written if KEY.encode() in path.read_bytes()] == []
        assert KEY not in told.stdout + wrong.stderr


def doctor(stage: Stage, root: Path) -> dict[str, Any]:
    """What it says of the key."""
    told = subprocess.run(
        [PYTHON, "-m", "specloom", "doctor", "--json", "--offline", "--workspace", str(root)],
        env=stage.environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert KEY not in told.stdout + told.stderr
    return next(check for line in told.stdout.splitlines() if (check := json.loads(line))["name"] == "key")


def test_a_key_that_only_the_daemon_has_is_known_to_doctor_and_not_told() -> None:
    with staged() as stage:
        root = greeter(stage.logs.parent / "root")
        assert doctor(stage, root)["level"] == "fail", "there is no daemon"
        credential(stage, root, "set", typed=KEY)
        known = doctor(stage, root)
        assert (known["level"], known["message"]) == ("ok", "held by the daemon until it ends, for api.anthropic.com")
        assert stage.status()["keys"] == {"https://api.anthropic.com": "credential/set"}
        credential(stage, root, "forget")
        assert doctor(stage, root)["level"] == "fail"
        assert stage.status()["keys"] == {}


def test_without_a_key_there_is_no_order() -> None:
    with staged(ANTHROPIC_BASE_URL=ENDPOINT) as stage:
        root = greeter(stage.logs.parent / "root")
        told = credential(stage, root, "set")
        assert (told.returncode, told.stderr) == (
            2,
            "specloom: there was no key; type one, or give it on standard input\n",
        )
        assert credential(stage, root, "forget", "--keep").returncode == 2
