"""A wait between two tries: people end it with what they want, a time limit ends it, a restart goes on behind it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from specloom.domain.events import agents
from specloom.domain.ids import AgentId
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome, RunState
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.bad_network import BadNetwork, Trouble, bad_network
from tests.integration.projects import USER, opened
from tests.integration.stage import (
    DEADLINE,
    attempt,
    events_of,
    finished,
    newest_message,
    project,
    run_of,
    says,
    script,
    start,
    task,
    turn,
    until,
    until_event,
    write,
)

BUSY = b"HTTP/1.1 529 Overloaded\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbusy"
HOUR = 3600.0


@asynccontextmanager
async def hosted_at(root: Path, network: BadNetwork) -> AsyncGenerator[ProjectRuntime]:
    """A runtime that waits for an hour before it asks again."""
    runtime = await opened(root, f"http://127.0.0.1:{network.port}")
    retry = replace(runtime.engine.options.retry, first_wait=HOUR, longest_wait=HOUR)
    runtime.engine.options = replace(runtime.engine.options, retry=retry)
    try:
        yield runtime
    finally:
        await runtime.close()


@asynccontextmanager
async def overloaded(tmp_path: Path) -> AsyncGenerator[tuple[Path, BadNetwork, ScriptedServer]]:
    """A project of one task, and an endpoint that is busy when it is first asked."""
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    play = script(attempt(1, turn(write("a.txt", "a\n")), turn(says())))
    server = ScriptedServer(play, keep=None)
    async with server, bad_network(int(server.base_url.rpartition(":")[2])) as network:
        network.troubles = {1: [Trouble(reply=BUSY)]}
        yield root, network, server


async def waiting(runtime: ProjectRuntime) -> None:
    """Returns when the run waits for its second try."""
    await until_event(runtime, agents.TurnFailed)


async def test_words_for_the_agent_end_the_wait_and_are_part_of_the_next_try(tmp_path: Path) -> None:
    async with overloaded(tmp_path) as (root, network, server), hosted_at(root, network) as runtime:
        await start(runtime)
        await waiting(runtime)
        assert not isinstance(await runtime.prompt(AgentId("agent-1"), "Take tabs.", USER), Rejected)
        assert await finished(runtime) is RunOutcome.COMPLETED
        assert "Take tabs." not in newest_message(server, "1 at 1", 1)
        assert "Take tabs." in str(server.requests[-1].body["messages"])
        assert (server.total, server.failures) == (3, [])


@pytest.mark.parametrize("order", ["pause", "cancel"])
async def test_an_order_ends_the_wait(tmp_path: Path, order: str) -> None:
    async with overloaded(tmp_path) as (root, network, _), hosted_at(root, network) as runtime:
        await start(runtime)
        await waiting(runtime)
        async with asyncio.timeout(DEADLINE):
            await (runtime.pause(USER) if order == "pause" else runtime.cancel(USER))
        if order == "cancel":
            assert run_of(runtime.state).outcome is RunOutcome.CANCELLED
            return
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        await runtime.resume(USER)
        assert await finished(runtime) is RunOutcome.COMPLETED


async def test_no_wait_outlasts_the_time_that_a_budget_leaves(tmp_path: Path) -> None:
    async with overloaded(tmp_path) as (root, network, server), hosted_at(root, network) as runtime:
        for minutes in (0.1, 0.5):
            await start(runtime, minutes=minutes)
            assert await finished(runtime) is RunOutcome.BUDGET
            if server.total:
                break  # Else a busy machine had not come to the first request.
        assert server.total == 1


async def test_the_next_process_asks_again_in_the_same_session(tmp_path: Path) -> None:
    async with overloaded(tmp_path) as (root, network, _):
        async with hosted_at(root, network) as runtime:
            await start(runtime)
            await waiting(runtime)
        async with hosted_at(root, network) as runtime:
            await runtime.resume(USER, unattended=True)
            assert await finished(runtime) is RunOutcome.COMPLETED
            assert len(runtime.state.sessions) == 1
            assert [event.fault for event in await events_of(runtime, agents.TurnFailed)] == ["overloaded"]
