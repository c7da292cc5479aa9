"""`specloom/health`: how the project does, when that changes and as a sign of life. Refuses to queue: now counts."""

import asyncio

from specloom.domain.project import ProjectState
from specloom.engine.api import Health
from specloom.lsp.protocol import to_json
from specloom.lsp.protocol_live import HealthGetParams, Queues, WireHealth
from specloom.lsp.serving import Hosted, Serving, Unhosted

TICK = 1.0
"""Seconds between looks, and so between two notices at least."""
MOST_QUEUED = 64 * 1024
"""Bytes waiting for the client beyond which it is told nothing: it would be outdated when it is read."""


async def get(serving: Serving, params: HealthGetParams) -> WireHealth:
    """`specloom/health/get`; of a root that is not hosted here, why not."""
    del params
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(0)
    if isinstance(serving, Unhosted):
        return await _unhosted(serving)
    return wire_health(serving.runtime.health(loop.time() - before), serving.state)


class HealthWatch:
    """Tells one client."""

    def __init__(self, hosted: Hosted, heartbeat: float) -> None:
        self._hosted = hosted
        self._heartbeat = heartbeat
        self._told: Health | None = None
        self._told_at = 0.0

    async def run(self) -> None:
        """Until it is cancelled."""
        loop, lag = asyncio.get_running_loop(), 0.0
        while True:
            self._look(loop.time(), lag)
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            lag = max(loop.time() - due, 0.0)

    def _look(self, now: float, lag: float) -> None:
        outgoing = self._hosted.connection.outgoing
        health = self._hosted.runtime.health(lag)
        if outgoing.waiting > MOST_QUEUED or (health == self._told and now < self._told_at + self._heartbeat):
            return
        self._told, self._told_at = health, now
        outgoing.notify("specloom/health", to_json(wire_health(health, self._hosted.state)))


def wire_health(health: Health, state: ProjectState) -> WireHealth:
    """As it is sent."""
    return WireHealth(
        project_id=state.id,
        status=health.status,
        message=health.message,
        quiescent=health.quiescent,
        queues=Queues(**health.queues),
        pending_prompts=health.prompts,
        pending_approvals=health.approvals,
        run_state=None if health.run is None else health.run.value,
        seq=state.seq,
    )


async def _unhosted(serving: Unhosted) -> WireHealth:
    state = await serving.refreshed()
    return WireHealth(
        project_id="" if state is None else state.id,
        status="warning",
        message=serving.refusal.message,
        quiescent=state is None,
        queues=Queues(orders=0, work=0, readings=0),
        pending_prompts=0 if state is None else len(state.prompts),
        pending_approvals=0 if state is None else len(state.approvals),
        run_state=None if state is None or state.run is None else state.run.state.value,
        seq=0 if state is None else state.seq,
    )
