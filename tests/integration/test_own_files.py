"""After a restart a session is not told that somebody changed the files that it made itself."""

from pathlib import Path

import pytest

from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    Json,
    attempt,
    command,
    ended,
    newest_message,
    project,
    read,
    replace_line,
    says,
    script,
    start,
    task,
    turn,
    until_file,
    write,
)

STUCK = command("touch begun; sleep 300")
TEXT = "one\ntwo\n"
FIRST: dict[str, list[Json]] = {
    "written in the turn that is cut": [turn(write("a.txt", TEXT), STUCK)],
    "written in the turn before": [turn(write("a.txt", TEXT)), turn(STUCK)],
    "edited in the turn that is cut": [turn(write("a.txt", TEXT)), turn(replace_line("a.txt", 1, "one", "ONE"), STUCK)],
    "edited after it was read": [
        turn(write("a.txt", TEXT)),
        turn(read("a.txt")),
        turn(replace_line("a.txt", 1, "one", "ONE"), STUCK),
    ],
    "read in part in the turn that is cut": [
        turn(write("a.txt", TEXT)),
        turn({"tool": "read_file", "input": {"path": "a.txt", "start_line": 2}}, STUCK),
    ],
    "made by a command and read": [turn(command("printf 'one\\ntwo\\n' > a.txt")), turn(read("a.txt"), STUCK)],
}


@pytest.mark.parametrize("how", FIRST)
async def test_a_file_of_its_own_is_no_change_by_the_user(tmp_path: Path, how: str) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    turns = FIRST[how]
    async with ScriptedServer(script(attempt(1, *turns, turn(says()))), keep=None) as server:
        async with hosted(root, server) as runtime:
            await start(runtime)
            await until_file(root / "begun")
            await runtime.pause(USER, at_once=True)
        async with hosted(root, server) as runtime:
            assert not isinstance(await runtime.resume(USER, unattended=True), Rejected)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        told = newest_message(server, "1 at 1", len(turns) + 1)
    assert "changed by" not in told, told
