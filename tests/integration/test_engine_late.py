"""What comes late: a plan that ends after it was given up, an endpoint of settings that no longer count."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from specloom.agent.roles import RoleName
from specloom.domain.events import planning, proof
from specloom.domain.ids import PlanId, SpecId
from specloom.domain.runs import Budget
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.anthropic_model import AnthropicModel
from tests.integration.stage import (
    DEADLINE,
    ONE,
    attempt,
    ended,
    project,
    says,
    staged,
    start,
    task,
    turn,
    write,
)

PLAN = PlanId("plan-1")


async def test_a_plan_that_was_given_up_stays_so_when_its_end_comes_late(tmp_path: Path) -> None:
    async with staged(project(tmp_path / "p", task(1, "true"))) as (runtime, _):
        record = runtime.engine.mailbox.record
        await record(planning.PlanStarted(PLAN, "requirements.md", planning.PlanStage.SPECS, ""))
        await record(planning.PlanFailed(PLAN, "cancelled by the user"))
        await record(planning.PlanFinished(PLAN, (SpecId("01"),)))
        assert runtime.state.planning is not None
        assert (runtime.state.planning.state, runtime.state.planning.reason) == ("failed", "cancelled by the user")


class Endpoint(AnthropicModel):
    """One that knows whether it was closed."""

    closed = False

    async def close(self) -> None:
        """As ever."""
        self.closed = True
        await super().close()


def reloads(runtime: ProjectRuntime, url: str) -> Endpoint:
    """Other settings, with an endpoint of their own for all roles."""
    endpoint, options = Endpoint(api_key=None, auth_token=None, base_url=url), runtime.engine.options
    roles = {name: replace(options.roles[name], endpoint=endpoint) for name in RoleName}
    runtime.use(replace(options, roles=roles), Budget(), ())
    return endpoint


async def comes(found: Callable[[], bool], pause: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not found():
            await pause()


async def a_moment() -> None:
    await asyncio.sleep(0)


async def test_an_endpoint_of_earlier_settings_is_closed_once_nothing_uses_it(tmp_path: Path) -> None:
    held = turn(write("a.txt", "a\n")) | {"hold": "go"}
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    async with staged(root, attempt(1, held, turn(says()))) as (runtime, server):
        first, second = reloads(runtime, server.base_url), reloads(runtime, server.base_url)
        await comes(lambda: first.closed, a_moment)
        assert not second.closed
        await start(runtime)
        assert await server.until(lambda known: known.total == 1)
        third = reloads(runtime, server.base_url)
        await a_moment()
        assert not second.closed, "a session in flight uses it"
        server.release("go")
        await ended(runtime)
        last = reloads(runtime, server.base_url)
        await comes(lambda: second.closed and third.closed, a_moment)
        assert not last.closed
    assert last.closed


async def test_a_check_that_is_cancelled_at_any_moment_has_its_end_in_the_log(tmp_path: Path) -> None:
    async with staged(project(tmp_path / "p", task(1, "true"))) as (runtime, _):
        for moments in range(16):
            checks = runtime.engine.checker().run(["true"], ONE, None, proof.CheckPhase.AFTER)
            working = asyncio.create_task(checks)
            for _ in range(moments):
                await a_moment()
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working
        log = [item.event for item in await runtime.events(0, 1000)]
        asked = [event.check for event in log if isinstance(event, proof.CheckRequested)]
        assert asked
        assert asked == [event.check for event in log if isinstance(event, proof.CheckSettled)]
