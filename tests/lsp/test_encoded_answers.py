"""Answers go out as they were encoded, once: what they hold is not taken apart again, however much it is."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from specloom import compose
from specloom.lsp import protocol as p
from specloom.lsp.frames import MOST_HEADER, answered
from specloom.lsp.protocol_project import WritingSpec
from specloom.lsp.rpc import Encoded, SpecloomProtocol
from specloom.lsp.server import serve_connection
from specloom.lsp.standalone import StandaloneHost
from tests.integration.projects import greeter
from tests.lsp.wire import DEADLINE, Wire

TASKS = 300
SPEC = '---\nid: "01"\ntitle: Many\nrequirements: [R1.1]\n---\n\n# Many\n\n## Tasks\n\n'


async def test_many_tasks_are_answered_without_taking_one_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tasks = "".join(f"- [ ] {number} Task Nº {number}\n  - _Depends: none_\n" for number in range(1, TASKS + 1))
    root = greeter(tmp_path / "root", SPEC + tasks)
    taken_apart, ended = list[Any](), asyncio.Event()
    before = SpecloomProtocol._serialize_message  # pyright: ignore[reportPrivateUsage] # what pygls does to all else

    def counted(self: SpecloomProtocol, data: Any) -> dict[str, Any]:
        taken_apart.append(data)
        return before(self, data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        await serve_connection(lambda: StandaloneHost(lambda: compose, {}), reader, send)
        writer.close()
        ended.set()

    monkeypatch.setattr(SpecloomProtocol, "_serialize_message", counted)
    listening = await asyncio.start_unix_server(serve, tmp_path / "s", limit=MOST_HEADER)
    async with listening:
        wire = Wire(*await asyncio.open_unix_connection(tmp_path / "s"))
        await wire.initialize(root)
        wire.ask(1, "specloom/project/get")
        project = (await wire.answer(1))["result"]
        assert [task["title"] for task in project["tasks"]] == [f"Task Nº {number}" for number in range(1, TASKS + 1)]
        wire.ask("two", "workspace/executeCommand", {"command": "specloom.task.skip", "arguments": [SKIP]})
        assert "seq" in (await wire.answer("two"))["result"]
        wire.ask(3, "specloom/project/get")
        assert [task["state"] for task in (await wire.answer(3))["result"]["tasks"]].count("skipped") == 1
        await wire.leave()
        wire.writer.close()
        await asyncio.wait_for(ended.wait(), DEADLINE)
    assert taken_apart, "nothing else was sent either, so this counts nothing"
    assert not [message for message in taken_apart if "Task Nº" in str(message) or "seq" in str(message)]


SKIP = {"commandId": "c-1", "taskId": "01/3", "reason": "not wanted"}


@pytest.mark.parametrize("name", ["naïve 📝\u2028", "not UTF-8: \udcff", 'quoted "\\'])
def test_an_answer_holds_every_character_that_a_name_can_have(name: str) -> None:
    told = WritingSpec(spec_id="01", path=name)
    head, _, body = answered("id \u2028", Encoded.of(told).data).partition(b"\r\n\r\n")
    assert int(head.removeprefix(b"Content-Length: ")) == len(body)
    assert json.loads(body) == {"jsonrpc": "2.0", "id": "id \u2028", "result": p.to_json(told)}
