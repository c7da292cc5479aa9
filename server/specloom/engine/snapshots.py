"""Keeps the projection now and then, so that long logs open fast. Refuses to be needed: the log alone is the truth."""

import asyncio
import logging

from specloom.domain.evolve import EMPTY
from specloom.domain.project import ProjectState
from specloom.store.errors import StoreError
from specloom.store.log import EventStore

log = logging.getLogger(__name__)

NAME = "project"
V = 1
"""To be raised when the same events come to mean something else; another shape of the state is noticed by itself."""
EVERY = 10_000
"""Events between two snapshots of a running project."""
WORTH = 1_000
"""Events that make a snapshot worth its while at the end; fewer are folded again in no time."""


async def load(store: EventStore) -> ProjectState:
    """The newest state that was kept; the empty one when there is none that this version can read."""
    try:
        found = await store.load_snapshot(NAME, V)
        state = None if found is None else await asyncio.to_thread(_unpack, found[1])
    except (StoreError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        log.warning("the snapshot is not used, the log is folded instead: %s", error)
        return EMPTY
    return state if state is not None and found is not None and state.seq == found[0] else EMPTY


async def save(store: EventStore, state: ProjectState) -> None:
    """Keeps `state`; a fault is logged and costs nothing but time at the next start."""
    try:
        await store.save_snapshot(NAME, state.seq, V, await asyncio.to_thread(_pack, state))
    except StoreError as error:
        log.warning("no snapshot was kept: %s", error)


def _pack(state: ProjectState) -> bytes:
    from specloom.store.state_codec import pack_state

    return pack_state(state)


def _unpack(data: bytes) -> ProjectState | None:
    from specloom.store.state_codec import unpack_state

    return unpack_state(data)
