"""Whatever a model, a person and commands do to files: the context stays true, lawful, cached and replayable."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from specloom.agent.replay import replay
from specloom.llm.messages import Message, ModelRequest
from specloom.llm.wire import WireEncoder
from tests.unit.agent.context_world import World, flat, live
from tests.unit.agent.drawn_calls import IMAGES, Dice

seeds = st.integers(0, 2**32)


def lived(folder: str, seed: int, turns: int, crashes: Sequence[int] = ()) -> World:
    """A world at the end of its session."""
    world = World(Path(folder), Dice(seed), turns)
    for name in ("a.py", "b.py"):
        (world.root / name).write_text(world.dice.text())
    for name, data in IMAGES.items():
        (world.root / name).write_bytes(data)
    world.conversation = asyncio.run(live(world, crashes))
    return world


@given(seeds, st.integers(3, 14))
def test_a_model_can_always_tell_the_present_text_from_what_it_sees(seed: int, turns: int) -> None:
    """Also: results follow their calls, answers stay, and between collections a request extends the one before."""
    with tempfile.TemporaryDirectory() as folder:
        assert len(lived(folder, seed, turns).asked) == turns


@given(seeds, st.integers(3, 10), st.lists(st.integers(0, 12), min_size=1, max_size=3))
@example(957364, 5, [0, 0, 4])
def test_a_session_goes_on_from_any_commit_as_the_log_has_it(seed: int, turns: int, crashes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = lived(folder, seed, turns, crashes)
    assert flat(replay(world.log.events).conversation.messages) == flat(world.conversation.messages)


@given(seeds, st.integers(3, 10))
def test_every_request_is_the_same_bytes_when_it_is_replayed(seed: int, turns: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = lived(folder, seed, turns)
    for messages, upto in zip(world.asked, world.at, strict=True):
        assert body(replay(world.log.events[:upto]).conversation.messages) == body(messages)


@example(85378, 5, [])
@given(seeds, st.integers(3, 8), st.lists(st.integers(0, 12), max_size=1))
def test_a_session_that_takes_over_open_files_knows_them_too(seed: int, turns: int, crashes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        before = lived(folder, seed, turns)
        after = World(before.root, Dice(seed + 1), turns)
        handed = [base for path, base in before.memory.bases.items() if (before.root / path).exists()]
        present = [asyncio.run(after.workspace.read(base.path)) for base in handed]
        asyncio.run(live(after, crashes, present))


def body(messages: tuple[Message, ...]) -> bytes:
    return WireEncoder().body(ModelRequest("m", "system", messages, cache=False))
