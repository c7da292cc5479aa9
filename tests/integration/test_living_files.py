"""What a session sees of its files through the whole engine: changes of others, collapses, outputs that come back."""

import json
from pathlib import Path
from typing import Any

from specloom.domain.events import agents
from specloom.domain.runs import RunOutcome, RunState
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    DEADLINE,
    attempt,
    ended,
    events_of,
    project,
    read,
    run_of,
    says,
    script,
    start,
    task,
    turn,
    until,
    write,
)
from tests.unit.tools.images import png

TEXT = "".join(f"line {number}\n" for number in range(1, 11))
CLAIMS = turn(says())


def last_user(body: dict[str, Any]) -> str:
    """Everything of ours since the newest answer, as JSON."""
    return json.dumps(body["messages"][-1], ensure_ascii=False)


def command(words: str) -> dict[str, Any]:
    return turn({"tool": "run_command", "input": {"command": words}})


async def test_what_a_command_changed_in_an_open_file_shows_at_the_next_turn(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -q LINE a.txt"))
    (root / "a.txt").write_text(TEXT)
    changes = command("sed -i 's/line 5/LINE 5/; 1i above' a.txt")
    async with ScriptedServer(script(attempt(1, turn(read("a.txt")), changes, CLAIMS)), keep=None) as server:
        async with hosted(root, server) as runtime:
            await start(runtime)
            await ended(runtime)
        third = next(item.body for item in server.requests if item.turn == 3)
    seen = last_user(third)
    assert "a.txt was changed by your command `sed -i" in seen
    assert "6 | LINE 5" in seen
    assert "Old lines 1-4 → 2-5" in seen


async def test_what_the_user_changed_while_the_run_was_stopped_shows_when_it_goes_on(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -q LINE a.txt"))
    (root / "a.txt").write_text(TEXT)
    held = turn(read("a.txt"), hold="reading")
    async with ScriptedServer(script(attempt(1, turn(read("a.txt")), held, CLAIMS)), keep=None) as server:
        async with hosted(root, server) as runtime:
            await start(runtime)
            assert await server.until(lambda known: known.total == 2, DEADLINE)
            await runtime.pause(USER)
            server.release("reading")
            await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        (root / "a.txt").write_text(TEXT.replace("line 5", "LINE 5"))
        async with hosted(root, server) as runtime:
            await runtime.resume(USER, unattended=True)
            await ended(runtime)
        third = next(item.body for item in server.requests if item.turn == 3)
    seen = last_user(third)
    assert "a.txt as it stands now (10 lines); it was changed by" in seen
    assert "5 | LINE 5" in seen


async def test_a_view_that_is_superseded_becomes_one_line_when_the_session_goes_on(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f b.txt"))
    (root / "a.txt").write_text("".join(f"line {number} of a long file\n" for number in range(400)))
    looks = [turn({"tool": "grep_search", "input": {"pattern": f"line {number} "}}) for number in range(24)]
    writes = turn({"tool": "write_file", "input": {"path": "b.txt", "content": "x\n"}})
    turns = [*looks[:10], turn(read("a.txt")), turn(read("a.txt")), *looks[10:], writes, CLAIMS]
    async with ScriptedServer(script(attempt(1, *turns)), keep=None) as server:
        async with hosted(root, server, limits={"turns": 200}) as runtime:
            await start(runtime)
            await ended(runtime)
            collapsed = await events_of(runtime, agents.ContextCollapsed)
        last = next(item.body for item in server.requests if item.turn == len(turns))
    assert [line for event in collapsed for _, line in event.collapsed] == [
        "[read_file a.txt: superseded, see the file below]"
    ]
    assert all(event.tokens_after < event.tokens_before for event in collapsed)
    told = [block.get("content", "") for message in last["messages"] for block in message["content"]]
    assert sum("400 | line 399" in text for text in told) == 1


async def test_a_session_survives_an_image_that_the_endpoint_does_not_take(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    (root / "a.png").write_bytes(png())
    refused = {"answer": [says()], "fault": {"status": 400, "message": "Could not process image", "times": "always"}}
    goes_on = {"expect": "the image was not shown", "answer": [write("a.txt", "a\n")]}
    looks = attempt(1, turn(read("a.png")), {"branches": [goes_on, refused]}, CLAIMS)
    async with ScriptedServer(script(looks), keep=None) as server, hosted(root, server) as runtime:
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        (collapsed,) = await events_of(runtime, agents.ContextCollapsed)
    assert [request.turn for request in server.requests if request.session] == [1, 2, 2, 3]
    assert "Could not process image" in collapsed.collapsed[0][1]
    sent = [block for message in server.requests[-1].body["messages"] for block in message["content"]]
    assert '"type": "image"' not in json.dumps(sent)
