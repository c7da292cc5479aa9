"""A log that is read for several clients at once, while another process writes it and after that has ended."""

import asyncio
import os
from pathlib import Path

from specloom.compose.reading import open_reader
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import greeter, greeter_script, hosted, run


async def test_who_asks_beside_another_sees_each_event_once(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer(greeter_script()) as server, hosted(root, server) as runtime:
        reader = await open_reader(root, os.environ)
        try:
            await run(runtime)
            states = await asyncio.gather(*(reader.refresh() for _ in range(5)))
            assert runtime.state.usage.output > 0
            assert {state.usage for state in states} == {runtime.state.usage}
            assert [state.seq for state in states] == [runtime.state.seq] * 5
        finally:
            await reader.close()


async def test_who_reads_is_answered_though_the_log_is_let_go_meanwhile(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer(greeter_script()) as server, hosted(root, server) as runtime:
        reader = await open_reader(root, os.environ)
        await run(runtime)
        listed, state, _, late = await asyncio.gather(
            reader.events(0), reader.refresh(), reader.close(), reader.refresh()
        )
        assert [item.seq for item in listed] == list(range(1, runtime.state.seq + 1))
        assert state.usage == late.usage == runtime.state.usage
