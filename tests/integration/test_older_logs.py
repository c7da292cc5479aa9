"""A run that an older Specloom began, and that was killed in the middle of it, is ended by this one.

`fixtures/logs/<commit>.sql` is the log of `crash_story` as that commit wrote it, killed when it was about to change
`a.txt`. All versions of events that ever were written must stand in one of them.
"""

import sqlite3
from pathlib import Path

import pytest

from specloom.domain.events import REGISTRY
from specloom.domain.ids import ProjectId
from specloom.domain.runs import RunOutcome, RunState
from specloom.llm.scripted.server import ScriptedServer
from specloom.lsp.wire_events import wire_event
from tests.integration.crash_story import FILES, crash_project, crash_script
from tests.integration.projects import hosted
from tests.integration.stage import run_of
from tests.integration.test_engine_crash import UNDISTURBED, end_of, resumes

LOGS = sorted((Path(__file__).parents[1] / "fixtures" / "logs").glob("*.sql"))


def lay(root: Path, log: Path) -> Path:
    """The root as the older process left it."""
    crash_project(root)
    (root / "a.txt").write_text("one\n")
    (root / "runs.txt").write_text("ran\n")
    (root / ".specloom").mkdir(mode=0o700)
    db = sqlite3.connect(root / ".specloom" / "state.db")
    db.executescript(log.read_text())
    db.close()
    return root


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
async def test_a_run_of_an_older_version_goes_on(tmp_path: Path, log: Path) -> None:
    root = lay(tmp_path / "p", log)
    async with ScriptedServer(crash_script()) as server:
        async with hosted(root, server) as runtime:
            assert run_of(runtime.state).state is RunState.PAUSED
            for item in await runtime.events(0, 100_000):
                assert wire_event(item, ProjectId("project")).seq == item.seq
            await resumes(runtime)
            assert run_of(runtime.state).outcome is RunOutcome.COMPLETED
            assert end_of(runtime, root) == UNDISTURBED
        assert server.failures == []
    assert {name: (root / name).read_text() for name in FILES} == FILES


def test_every_version_that_was_written_is_among_the_logs() -> None:
    written = {row for log in LOGS for row in _types(log)}
    older = {(name, v) for name, cls in REGISTRY.items() for v in range(1, cls.V)}
    assert older <= written, "keep a log of the version that is left behind before an event changes its version"


def _types(log: Path) -> list[tuple[str, int]]:
    db = sqlite3.connect(":memory:")
    db.executescript(log.read_text())
    found = [(str(name), int(v)) for name, v in db.execute("SELECT type, v FROM types")]
    db.close()
    return found
