"""Measures how long a project takes to open with a long log. Refuses to judge: it prints one line of JSON.

`python benchmarks/fold.py [--events N] [--directory D]`. The log holds what runs write: tasks of 20 turns with one tool
call each, sessions, checks, edits, proofs. It is folded whole, as at a first start after an update that changed the
state's shape, and then opened once more from the snapshot that the first opening kept.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from specloom.domain.events import REGISTRY, Event, agents, documents, proof, runs, tasks
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.ids import AgentId, AttemptId, CallId, CheckId, EditId, RunId, SessionId, SpecId, TaskId, digest_of
from specloom.domain.origin import Origin
from specloom.domain.redact import Redactor
from specloom.domain.runs import Budget, Scope
from specloom.domain.spec import SpecDefinition, TaskDefinition
from specloom.domain.usage import UsageTotal
from specloom.engine import snapshots
from specloom.engine.ledger import Ledger
from specloom.store.log import EventStore
from specloom.store.record import NewEvent
from specloom.store.system import SystemClock

BY = Origin("agent", "neovim", AgentId("agent-1"))
AT = "2026-01-01T00:00:00.000Z"
SIZE = 100
"""Tasks of a spec."""
TURNS = 20
BATCH = 500
RUN, AGENT = RunId("run-1"), AgentId("agent-1")
USAGE = UsageTotal(1200, 350, 24_000, 900, 0.0125)
TEXT = "The session table needs an index by user; the migration adds it and the test asks for it. " * 6


def spec_of(number: int) -> SpecDefinition:
    """One spec of many tasks."""
    name = SpecId(f"{number:04}")
    members = tuple(TaskDefinition(TaskId(f"{name}/{place}"), f"{place}", f"Step {place}") for place in range(SIZE))
    return SpecDefinition(name, f"Part {number}", f"specs/{name}-part.md", tasks=members)


def events() -> Iterator[Event]:
    """What runs write, without an end."""
    yield runs.RunStarted(RUN, Scope(), Budget(), True)
    number = 0
    while True:
        spec = spec_of(number)
        yield documents.SpecRead(spec)
        for task in spec.tasks:
            yield from worked(task.id)
        number += 1


def worked(task: TaskId) -> Iterator[Event]:
    """One task, from its start to its proof."""
    attempt, session = AttemptId(f"attempt-{task}"), SessionId(f"session-{task}")
    yield tasks.TaskStarted(task, attempt, AGENT, RUN, 1, ("python -m pytest -q",))
    yield agents.SessionStarted(session, AGENT, "executor", attempt, task, "a-model", TEXT, ("read_file", "edit_file"))
    yield agents.MessageAdded(session, json.dumps([{"type": "text", "text": TEXT}]))
    for turn in range(1, TURNS + 1):
        yield from turned(task, session, turn)
    yield agents.SessionEnded(session, "claimed", "done as asked")
    check = CheckId(f"check-{task}")
    yield proof.CheckRequested(check, task, attempt, proof.CheckPhase.AFTER, "python -m pytest -q")
    yield proof.CheckSettled(check, task, 0, TEXT, 1.5)
    evidence = Evidence(EvidenceKind.COMMAND, AT, attempt, check, "python -m pytest -q", 0, digest_of(TEXT), TEXT[:200])
    yield tasks.TaskDone(task, (evidence,), attempt)


def turned(task: TaskId, session: SessionId, turn: int) -> Iterator[Event]:
    """One request with one call, which is an edit every fourth time."""
    call = CallId(f"call-{task}-{turn}")
    given = json.dumps({"path": "src/sessions.py", "old": TEXT[:80], "new": TEXT[80:160]})
    answer = [{"type": "text", "text": TEXT[:200]}, {"type": "tool_use", "id": call, "name": "edit_file"}]
    yield agents.TurnRequested(session, turn)
    yield agents.TurnFinished(session, turn, json.dumps(answer), "tool_use", USAGE, "a-model")
    yield agents.ToolRequested(session, call, "edit_file", given)
    if turn % 4 == 0:
        edit, before, after = EditId(f"edit-{task}-{turn}"), digest_of(TEXT), digest_of(given)
        yield proof.EditRequested(edit, None, "src/sessions.py", TEXT, before, after, task=task)
        yield proof.EditSettled(edit, "src/sessions.py", True, False, after)
    yield agents.ToolSettled(session, call, "edit_file", False, json.dumps({"type": "tool_result", "content": TEXT}))


async def fill(directory: Path, count: int) -> None:
    """A log of `count` events."""
    store = await EventStore.open(directory, REGISTRY, SystemClock(), holder="a benchmark")
    source = events()
    for first in range(0, count, BATCH):
        new = [NewEvent(next(source), BY) for _ in range(min(BATCH, count - first))]
        await store.append(f"stream{first // BATCH % 20}", None, new)
    await store.close()


async def loaded(directory: Path) -> tuple[float, int]:
    """Seconds until the whole state is there, and its last sequence number; keeps a snapshot of it."""
    start = time.perf_counter()
    store = await EventStore.open(directory, REGISTRY, SystemClock(), holder="a benchmark")
    ledger = Ledger(store, Redactor())
    await ledger.load()
    took = time.perf_counter() - start
    await snapshots.save(store, ledger.state)
    await store.close()
    return took, ledger.state.seq


async def measure(directory: Path, count: int) -> dict[str, float | str]:
    """All figures."""
    await fill(directory, count)
    folded, seq = await loaded(directory)
    kept, again = await loaded(directory)
    assert seq == again == count
    return {
        "benchmark": "fold",
        "events": seq,
        "open_and_fold_s": round(folded, 2),
        "folded_per_second": round(seq / folded),
        "open_from_snapshot_s": round(kept, 2),
        "bytes_per_event": round((directory / "state.db").stat().st_size / seq),
    }


def main() -> None:
    """Parses the arguments, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="size of the log")
    parser.add_argument("--directory", type=Path, help="where to make the log (default: the temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="specloom-benchmark-", dir=arguments.directory) as folder:
        print(json.dumps(asyncio.run(measure(Path(folder) / ".specloom", arguments.events))))


if __name__ == "__main__":
    main()
