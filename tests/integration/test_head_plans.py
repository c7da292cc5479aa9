"""What git checks out while a plan is at work: it stops before its next effect, and goes on when ordered again."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from specloom.domain.events.documents import HeadChanged
from specloom.domain.events.planning import OutlineAccepted, PlanFailed
from specloom.domain.rejection import Rejected
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER, hosted
from tests.integration.stage import DEADLINE, events_of, until, until_event
from tests.integration.test_head import branched, git
from tests.integration.test_planning import HELD, LOOK, SPEC, plan, streamed
from tests.integration.test_planning import project as planned_project
from tests.unit.planning.planning_scripts import (
    COMMANDS,
    COMMANDS_BODY,
    COMMANDS_LIST,
    COMMANDS_SPEC,
    OUTLINE,
    REQUIREMENTS,
    STORE,
    STORE_BODY,
    STORE_LIST,
    STORE_SPEC,
    says,
    script,
    session,
    submits,
)

STORE_HELD = session("# Write spec 01: Store", HELD)
REST = (COMMANDS_SPEC, STORE_LIST, COMMANDS_LIST)


def repository(root: Path, other: str = REQUIREMENTS) -> Path:
    """Requirements alone, committed, with a branch `other` whose requirements are these and which has a file more."""
    planned_project(root)
    branched(root, requirements=other)
    return root


async def ordered(runtime: ProjectRuntime) -> None:
    """A plan is on its way."""
    assert not isinstance(await runtime.plan(None, "", USER), Rejected)


async def switched(runtime: ProjectRuntime, root: Path) -> None:
    """Branch `other` is checked out, and the log knows."""
    await asyncio.to_thread(git, root, "switch", "-q", "other")
    await until_event(runtime, HeadChanged, lambda event: event.branch == "other")


async def stopped(runtime: ProjectRuntime) -> str:
    """Why the plan ended, once it has."""
    async with asyncio.timeout(DEADLINE):
        await runtime.wait_idle()
    (failed,) = await events_of(runtime, PlanFailed)
    return failed.reason


async def test_checkout_while_a_spec_streams_stops_its_plan_before_it_writes_and_what_was_asked_is_kept(
    tmp_path: Path,
) -> None:
    root = repository(tmp_path / "notes")
    sessions = script(OUTLINE, STORE_HELD, *REST)
    async with ScriptedServer(sessions, delta_chars=16, pace_s=0.001) as server, hosted(root, server) as runtime:
        await ordered(runtime)
        await streamed(root)
        await switched(runtime, root)
        written = (root / SPEC).read_text()
        server.release("half")
        reason = await stopped(runtime)
        assert reason.startswith("HEAD changed from main (")
        assert reason.endswith("; look at what stands there now, then plan again to go on")
        assert (root / SPEC).read_text() == written
        assert server.total == 2
        await plan(runtime)
        assert runtime.state.planning is not None
        assert runtime.state.planning.state == "finished"
        assert STORE_BODY in (root / SPEC).read_text()
        server.check()
        assert (server.total, server.repeats) == (5, 0), "neither outline nor text were asked for again"


async def test_checkout_during_a_turn_stops_a_plan_before_it_asks_again_and_its_session_goes_on(tmp_path: Path) -> None:
    root = repository(tmp_path / "notes")
    looks = session("# Write spec 01: Store", LOOK | {"hold": "look"}, says(STORE_BODY))
    async with ScriptedServer(script(OUTLINE, looks, *REST)) as server, hosted(root, server) as runtime:
        await ordered(runtime)
        assert await server.until(lambda now: now.total == 2)
        await switched(runtime, root)
        server.release("look")
        assert (await stopped(runtime)).startswith("HEAD changed")
        assert server.total == 2
        await plan(runtime)
        assert runtime.state.planning is not None
        assert runtime.state.planning.state == "finished"
        server.check()
        assert (server.total, server.repeats) == (6, 0)


async def test_plan_goes_on_from_the_documents_of_the_branch(tmp_path: Path) -> None:
    other = REQUIREMENTS.split("- R2.1")[0]
    root = repository(tmp_path / "notes", other)
    outline = session("# Outline: requirements.md", submits(STORE, hold="outline"))
    again = session("# Outline: requirements.md", submits(STORE)) | {"name": "again", "not_first": ["R2.1"]}
    first = session("# Outline: requirements.md", LOOK, *outline["turns"]) | {"name": "first"}
    first["first"] = [*first["first"], "R2.1"]
    async with (
        ScriptedServer(script(first, again, STORE_SPEC, STORE_LIST)) as server,
        hosted(root, server) as runtime,
    ):
        await ordered(runtime)
        await until(runtime, lambda state: any(item.turns for item in state.sessions.values()))
        await switched(runtime, root)
        server.release("outline")
        assert (await stopped(runtime)).startswith("HEAD changed")
        assert not await events_of(runtime, OutlineAccepted)
        await plan(runtime)
        assert runtime.state.planning is not None
        assert runtime.state.planning.state == "finished"
        assert list(runtime.state.graph.order) == ["01/1", "01/2"]
        server.check()


OLD = '---\nid: "01"\ntitle: Old\ndepends_on: []\nrequirements: []\n---\n\n# Old\n\n## Tasks\n'
REWRITTEN = session("# Outline: requirements.md", submits(STORE | {"rewrite": True}, COMMANDS))
COMMANDS_HELD = session("# Write spec 02: Commands", says(COMMANDS_BODY, hold="half"))


def again(known: dict[str, Any], mark: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A session, and one of the same kind that is told `mark`."""
    other = session(known["first"][0], says(known["turns"][0]["answer"][0]["text"]))
    return known | {"not_first": [mark]}, other | {"name": "again", "first": [*known["first"], mark]}


def with_old_spec(root: Path) -> Path:
    """A repository both of whose branches have the same spec, which the plan is to rewrite."""
    repository(root)
    for branch in ("other", "main"):
        git(root, "switch", "-q", branch)
        (root / SPEC).parent.mkdir(exist_ok=True)
        (root / SPEC).write_text(OLD)
        git(root, "add", ".")
        git(root, "commit", "-qm", "an old spec")
    return root


async def test_text_of_the_plan_that_git_took_away_is_written_again(tmp_path: Path) -> None:
    root = with_old_spec(tmp_path / "notes")
    sessions = (REWRITTEN, *again(STORE_SPEC, "stashed.txt"), COMMANDS_HELD, STORE_LIST, COMMANDS_LIST)
    async with ScriptedServer(script(*sessions)) as server, hosted(root, server) as runtime:
        await ordered(runtime)
        assert await server.until(lambda now: now.total == 3)
        await asyncio.to_thread(git, root, "stash", "-q")
        await until_event(runtime, HeadChanged, lambda event: event.how.startswith("reset"))
        server.release("half")
        assert (await stopped(runtime)).startswith("HEAD changed")
        assert (root / SPEC).read_text() == OLD
        (root / "stashed.txt").touch()
        await plan(runtime)
        assert STORE_BODY in (root / SPEC).read_text()
        server.check()


async def test_text_of_the_plan_that_a_person_edited_before_a_checkout_is_kept(tmp_path: Path) -> None:
    root = with_old_spec(tmp_path / "notes")
    sessions = (REWRITTEN, STORE_SPEC, *again(COMMANDS_HELD, "Keeps my notes"), STORE_LIST, COMMANDS_LIST)
    async with ScriptedServer(script(*sessions)) as server, hosted(root, server) as runtime:
        await ordered(runtime)
        assert await server.until(lambda now: now.total == 3)
        written = (root / SPEC).read_text()
        (root / SPEC).write_text(written.replace("Keeps notes", "Keeps my notes"))
        await switched(runtime, root)
        server.release("half")
        assert (await stopped(runtime)).startswith("HEAD changed")
        await plan(runtime)
        assert "Keeps my notes" in (root / SPEC).read_text()
        server.check()


@pytest.mark.parametrize("verb", ["commit", "other tree"])
async def test_commit_on_the_branch_and_a_checkout_elsewhere_stop_no_plan(tmp_path: Path, verb: str) -> None:
    root = repository(tmp_path / "notes")
    sessions = script(OUTLINE, STORE_HELD, *REST)
    async with ScriptedServer(sessions, delta_chars=16, pace_s=0.001) as server, hosted(root, server) as runtime:
        await ordered(runtime)
        await streamed(root)
        if verb == "commit":
            await asyncio.to_thread(git, root, "add", ".")
            await asyncio.to_thread(git, root, "commit", "-qm", "half a spec")
        else:
            await asyncio.to_thread(git, root, "worktree", "add", "-q", str(tmp_path / "tree"), "other")
        server.release("half")
        async with asyncio.timeout(DEADLINE):
            await runtime.wait_idle()
        assert not await events_of(runtime, PlanFailed)
        server.check()
