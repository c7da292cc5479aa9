"""Keys of ten providers and of the user, planted wherever a run reads, are found nowhere that it writes or sends."""

import asyncio
import base64
import json
import logging
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from specloom.cli.views.event_json import event_json
from specloom.domain.ids import AgentId
from specloom.domain.redact import REDACTED
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome
from specloom.domain.states import TaskState
from specloom.engine.api import KeyOrder
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from specloom.logs.place import files_in
from specloom.logs.setup import CONTENT, LEVEL, OURS, write_logs
from specloom.logs.writer import QueuedHandler
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    ONE,
    attempt,
    command,
    ended,
    log_of,
    project,
    read,
    replace_line,
    says,
    script,
    start,
    task,
    turn,
    until,
)
from tests.unit.planning.planning_scripts import REQUIREMENTS as PLANNED
from tests.unit.planning.planning_scripts import WHOLE

BODY = "q7Rz2Wc9Lm4Xt6Vb8Np3Ks5Jd1Hf0GyAeUiToBwQxCr"
"""Of no real key."""
KEYS = {
    "anthropic": "sk-ant-" + f"api03-{BODY}",
    "openai": "sk-" + f"proj-{BODY}",
    "aws": "AKIA" + "Q7RZ2WC9LM4XT6VB",
    "gcp": "AIza" + BODY[:35],
    "github": "ghp_" + BODY[:36],
    "gitlab": "glpat-" + BODY[:20],
    "slack": "xoxb-" + f"123456789012-{BODY[:24]}",
    "stripe": "sk_" + f"live_{BODY[:24]}",
    "hugging face": "hf_" + BODY[:34],
    "npm": "npm_" + BODY[:36],
    "pypi": "pypi-" + f"AgEI{BODY}{BODY}",
}
OWN = "own-endpoint-key-5Jd1Hf0GyAe"
ENV_VALUE = "plainly8secret2value"
FILE_VALUE = "dotenv4secret6value"
SET = "set-while-it-runs-6Vb8Np3Ks5Jd"
PLANTED = (*KEYS.values(), OWN, SET, ENV_VALUE, FILE_VALUE)
SAID = "It is done."
REQUIREMENTS = f"# Bot\n\n- R1.1 THE bot SHALL log in with {KEYS['slack']}.\n- R1.2 THE bot SHALL stop.\n"
CONFIG = "".join(f"{name.replace(' ', '_').upper()} = '{key}'\n" for name, key in KEYS.items())
SPLIT = """import sys, time
for at in range(0, len(text := open("config.py").read()), 7):
    sys.stdout.write(text[at:at + 7]); sys.stdout.flush(); time.sleep(0.001)
sys.exit("it failed with " + text)
"""


def forms(key: str) -> Iterator[str]:
    """The key, both its halves, and what base64 of any text around it holds."""
    half = len(key) * 3 // 5
    yield from (key, key[:half], key[-half:])
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + key.encode()).decode()
        yield coded[4 : len(coded) - 4]


ANY_FORM = re.compile("|".join(re.escape(form) for key in PLANTED for form in forms(key)))


def found(places: dict[str, str]) -> list[tuple[str, str]]:
    """Where a planted key stands, and in which form."""
    return [(place, match[0]) for place, text in places.items() if (match := ANY_FORM.search(text))]


def stored(state: Path) -> dict[str, str]:
    """Every file below the state folder as it is, and every compressed content of the log unpacked."""
    texts = {str(path): path.read_bytes().decode("latin-1") for path in state.rglob("*") if path.is_file()}
    with closing(sqlite3.connect(f"file:{state}/state.db?mode=ro", uri=True)) as database:
        tables = [row[0] for row in database.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for number, row in enumerate(database.execute(f"select * from {table}")):
                texts[f"{table} {number}"] = " ".join(_text(value) for value in row)
    return texts


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return zlib.decompress(value).decode("utf-8", "replace")
    except zlib.error:
        return value.decode("utf-8", "replace")


async def told(runtime: ProjectRuntime) -> dict[str, str]:
    """What clients and programs are told: events on the wire, and the events themselves."""
    published = await runtime.events(0, 100_000)
    wire = {f"wire {item.seq}": json.dumps(event_json(item, runtime.state.id)) for item in published}
    return wire | {f"event {number}": repr(event) for number, event in enumerate(await log_of(runtime))}


def sent(server: ScriptedServer) -> dict[str, str]:
    """All requests, as the endpoint got them."""
    return {f"request {number}": json.dumps(item.body) for number, item in enumerate(server.requests)}


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """Where this process writes all that it logs, with the words of users and models."""
    environment = {"SPECLOOM_LOG_DIR": str(tmp_path / "logs"), LEVEL: "DEBUG", CONTENT: "1"}
    level = logging.getLogger("specloom").level
    handler = write_logs(environment, "cli")
    yield tmp_path / "logs"
    for name in OURS:
        logging.getLogger(name).removeHandler(handler)
    logging.getLogger("specloom").setLevel(level)
    handler.close()


def logged(folder: Path) -> dict[str, str]:
    """All records, once the thread that writes them has ended."""
    (handler,) = (item for item in logging.getLogger("specloom").handlers if isinstance(item, QueuedHandler))
    handler.close()
    texts = {str(file.path): file.path.read_text() for file in files_in(folder)}
    assert "turn 1 answered" in "".join(texts.values())
    return texts


async def set_while_it_runs(runtime: ProjectRuntime) -> None:
    """A person sets a key, and puts it into the wrong place, too."""
    given = await runtime.set_key(KeyOrder(None, SET), USER)
    wrong = await runtime.set_key(KeyOrder(SET, SET), USER)
    assert not isinstance(given, Rejected)
    assert isinstance(wrong, Rejected)
    assert SET not in repr(given) + repr(wrong)


async def test_planted_keys_are_found_nowhere_after_a_run(tmp_path: Path, logs: Path) -> None:
    details = (
        task(1, "python3 -c \"print(open('config.py').read()[:2000])\"", title="Log in") + f"\n  - with {KEYS['npm']}"
    )
    root = project(tmp_path / "root", details, requirements=REQUIREMENTS)
    (root / "config.py").write_text(CONFIG)
    (root / "notes.txt").write_text(f"the key is {SET}\n")
    (root / "split.py").write_text(SPLIT)
    (root / "AGENTS.md").write_text(f"Deploy with {KEYS['stripe']}.\n")
    (root / ".env").write_text(f"SERVICE_TOKEN={FILE_VALUE}\nANTHROPIC_API_KEY={OWN}\n")
    overloaded = {"status": 529, "message": f"overloaded: {KEYS['openai']} {OWN}", "times": 1, "retry_after": "0"}
    line = "NPM = '[redacted]'"
    story = attempt(
        1,
        turn(read("config.py"), read(".env"), hold="said"),
        turn(command("python3 split.py"), command("env; cat .env; base64 -w0 .env"), fault=overloaded),
        turn(read("missing.txt"), read("notes.txt"), {"tool": "grep_search", "input": {"pattern": "_"}}),
        turn(replace_line("config.py", 10, line, f"{line}  # for the registry")),
        turn(says(SAID)),
    )
    environment = {"GITHUB_TOKEN": KEYS["github"], "DEPLOY_PASSWORD": ENV_VALUE}
    async with ScriptedServer(script(story), keep=None) as server, hosted(root, server, environment) as runtime:
        output: list[str] = []
        with runtime.watch_output(lambda chunk: output.extend((repr(chunk), repr(runtime.said_so_far())))):
            await set_while_it_runs(runtime)
            await start(runtime)
            await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
            answer = await runtime.prompt(AgentId("agent-1"), f"use {KEYS['hugging face']}", USER)
            assert not isinstance(answer, Rejected)
            server.release("said")
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert runtime.state.state_of(ONE) is TaskState.DONE
        assert found(sent(server) | await told(runtime) | {"output": "".join(output)}) == []
        server.check()
    assert found(await asyncio.to_thread(lambda: stored(root / ".specloom") | logged(logs))) == []
    assert (root / "config.py").read_text() == CONFIG.replace(
        f"NPM = '{KEYS['npm']}'", f"NPM = '{KEYS['npm']}'  # for the registry"
    )


async def test_planner_is_told_of_requirements_without_their_keys(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    text = PLANNED.rstrip() + "".join(f"\n  It logs in to {name} with {key}." for name, key in KEYS.items()) + "\n"
    (root / "requirements.md").write_text(text)
    (root / "AGENTS.md").write_text(f"Deploy with {KEYS['stripe']}.\n")
    async with ScriptedServer(WHOLE, keep=None) as server, hosted(root, server) as runtime:
        answer = await runtime.plan(None, f"log in with {KEYS['gitlab']}", USER)
        assert not isinstance(answer, Rejected)
        await runtime.wait_idle()
        assert runtime.state.planning is not None
        assert runtime.state.planning.state == "finished"
        assert REDACTED in "".join(sent(server).values())
        assert found(sent(server) | await told(runtime)) == []
    assert found(await asyncio.to_thread(stored, root / ".specloom")) == []
    assert (root / "requirements.md").read_text() == text
