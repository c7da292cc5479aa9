"""A run is killed at random moments, several times over: it ends as if nothing had been, and nothing happened twice."""

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from specloom.domain.events import REGISTRY, agents, runs
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.project import ProjectState
from specloom.domain.runs import RunOutcome
from specloom.llm.scripted.server import ScriptedServer
from specloom.store.log import EventStore
from specloom.store.record import EventRecord
from specloom.store.system import SystemClock
from tests.conftest import TIER
from tests.integration.kill_forker import HEARD
from tests.integration.kill_story import ANSWER, EFFECTS, WORDS, kill_project, kill_script
from tests.integration.stage import ONE, THREE, TWO

HERE = Path(__file__).parents[2]
KILLS = {"test": 40, "soak": 320}[TIER]
RUNS = {"test": 4, "soak": 32}[TIER]
EACH = KILLS // RUNS
MOST_LIVES = 4 * EACH
"""A life may end before its moment comes; the run is over then."""
WAIT = 90.0
MOMENTS: dict[str, tuple[int, float]] = {
    "start": (1, 1.0),
    "commit": (25, 0.003),
    "open": (25, 0.002),
    "rename": (3, 0.002),
    "spawn": (6, 0.04),
    "ApprovalAsked": (2, 0.02),
    "SessionEnded": (1, 0.01),
    "SessionStarted": (1, 0.01),
    "PromptQueued": (1, 0.01),
    "RunPaused": (1, 0.02),
    "TurnRequested": (3, 0.005),
    "ToolRequested": (3, 0.04),
    "CheckRequested": (2, 0.02),
}
"""What a life may be killed at: the highest ordinal of it, and the most seconds after it."""


@dataclass(slots=True)
class Tally:
    """The line that is reported."""

    kills: int = 0
    lost: int = 0
    repeats: int = 0
    differing: int = 0
    at: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class End:
    """What all runs must agree on."""

    states: tuple[str, ...]
    evidence: tuple[tuple[Any, ...], ...]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Forker:
    """The process that forks and kills."""

    process: asyncio.subprocess.Process

    async def lives(self, root: Path, url: str, kind: str = "never", ordinal: int = 1, delay: float = 0.0) -> bool:
        """One life of the run; whether it ended by itself."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {"root": str(root), "url": url, "kind": kind, "ordinal": ordinal, "delay": delay}
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(WAIT):
            status = json.loads(await self.process.stdout.readline())["status"]
        assert status in (0, 9), "a life ends well or by the kill"
        return status == 0


@asynccontextmanager
async def forking() -> AsyncGenerator[Forker]:
    """Ready to fork."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.kill_forker", stdin=pipe, stdout=pipe, cwd=HERE
    )
    try:
        yield Forker(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(WAIT):
            await process.wait()


async def log_of(root: Path) -> list[EventRecord]:
    """The whole log, from outside."""
    store = await EventStore.open(root / ".specloom", REGISTRY, SystemClock(), mode="read")
    records = await store.read()
    await store.close()
    return records


def folded(records: list[EventRecord]) -> ProjectState:
    """The state at its end."""
    state = EMPTY
    for record in records:
        state = evolve(state, record.event, record.at, record.seq)  # pyright: ignore[reportArgumentType] - of the registry
    return state


def end_of(root: Path, state: ProjectState) -> End:
    """How it ended."""
    pieces = [piece for name in (ONE, TWO, THREE) for piece in state.record(name).evidence]
    files = sorted(path for path in root.rglob("*") if path.is_file() and ".specloom" not in path.parts)
    return End(
        states=tuple(state.record(name).state.value for name in (ONE, TWO, THREE)),
        evidence=tuple(
            (item.kind, item.command, item.exit_code, item.output_digest, item.files, item.discriminating)
            for item in pieces
        ),
        files={path.relative_to(root).as_posix(): path.read_text() for path in files},
    )


def lost(root: Path, records: list[EventRecord]) -> list[str]:
    """What was published in some life and is not in the log, or what is missing between two events of it."""
    known = {f"{record.seq} {record.type}" for record in records}
    told = root.with_name(HEARD).read_text().split("\n")[:-1]
    gaps = [f"gap at {n}" for n, record in enumerate(records, 1) if record.seq != n]
    return [line for line in told if line not in known] + gaps


def check_order(records: list[EventRecord]) -> None:
    """What the log says of one run that was cut many times."""
    events = [record.event for record in records]
    assert made_again(events) == [], "a call that may have had its effect is not made a second time"
    delivered = [item.text for item in events if isinstance(item, agents.PromptDelivered)]
    assert delivered in ([WORDS], [WORDS, ANSWER], [ANSWER, WORDS]), "words are delivered once, as they were said"
    assert sum(isinstance(item, runs.RunStarted) for item in events) == 1


EFFECTIVE = {"write_file", "edit_file", "run_command"}


def made_again(events: list[object]) -> list[str]:
    """Calls that were started twice, but for those that did nothing the first time but ask whether they may."""
    started: set[str] = set()
    again: list[str] = []
    newest, allowed = "", False
    asked: set[str] = set()
    for event in events:
        match event:
            case agents.ToolRequested() if event.name in EFFECTIVE:
                if event.call in started and not (newest == event.call and asked and not allowed):
                    again.append(event.call)
                started.add(event.call)
                newest, allowed = event.call, False
                asked.clear()
            case agents.ApprovalAsked() if event.agent is not None and event.kind == "command":
                asked.add(event.approval)
            case agents.ApprovalAnswered() if event.approval in asked:
                allowed = allowed or event.allowed
            case _:
                pass
    return again


async def killed_often(forker: Forker, root: Path, url: str, chance: random.Random, tally: Tally) -> None:
    """Lives of one run, all but the last of which are killed."""
    most_kills = tally.kills + EACH
    for _ in range(MOST_LIVES):
        kind = chance.choice([*MOMENTS])
        most, longest = MOMENTS[kind]
        ordinal, delay = chance.randint(1, most), chance.uniform(0, longest)
        if await forker.lives(root, url, kind, ordinal, delay):
            return
        tally.kills += 1
        tally.at[kind] = tally.at.get(kind, 0) + 1
        if tally.kills == most_kills:
            break
    assert await forker.lives(root, url)


@pytest.mark.timeout(1800 if TIER == "soak" else 240)
async def test_a_run_that_is_killed_again_and_again_ends_as_if_nothing_had_been(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("SPECLOOM_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    chance, tally = random.Random(seed), Tally()
    async with forking() as forker:
        async with ScriptedServer(kill_script(), keep=None) as server:
            root = kill_project(tmp_path / "undisturbed" / "p")
            assert await forker.lives(root, server.base_url)
            undisturbed = end_of(root, folded(await log_of(root)))
            assert (server.failures, server.repeats) == ([], 0)
        number = 0
        while tally.kills < KILLS:
            number += 1
            root = kill_project(tmp_path / str(number) / "p")
            async with ScriptedServer(kill_script(), keep=None) as server:
                await killed_often(forker, root, server.base_url, chance, tally)
                assert server.failures == [], f"seed {seed}, run {number}"
            compare(root, await log_of(root), undisturbed, tally, f"seed {seed}, run {number}")
    with capsys.disabled():
        sys.stdout.write(f"\nkill test, seed {seed}: {report(tally, number)}\n")
    assert (tally.lost, tally.repeats, tally.differing) == (0, 0, 0), f"seed {seed}"


def compare(root: Path, records: list[EventRecord], undisturbed: End, tally: Tally, where: str) -> None:
    """Counts what differs; says what and where."""
    state = folded(records)
    assert state.run is not None
    assert state.run.outcome is RunOutcome.COMPLETED, where
    check_order(records)
    end, gone = end_of(root, state), lost(root, records)
    effects = end.files[EFFECTS].split("\n")[:-1]
    repeats = len(effects) - len(set(effects))
    tally.lost += len(gone)
    tally.repeats += repeats
    tally.differing += end != undisturbed
    if gone or repeats or end != undisturbed:
        sys.stdout.write(f"{where}: lost {gone}\n{end}\n{undisturbed}\n")


def report(tally: Tally, number: int) -> str:
    """As it stands in docs/benchmarks.md."""
    at = ", ".join(f"{kind} {times}" for kind, times in sorted(tally.at.items()))
    return (
        f"{tally.kills} kills in {number} runs, {tally.lost} events lost, {tally.repeats} unasked repeats, "
        f"{tally.differing} differing results (killed at: {at})"
    )
