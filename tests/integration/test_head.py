"""What git checks out while an agent works, and while nobody does: told once, read as a whole, believed by digests."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from specloom.domain.events import runs
from specloom.domain.events.documents import HeadChanged
from specloom.domain.project import ProjectState
from specloom.domain.runs import RunOutcome, RunState, Scope
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.killing import working
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    ONE,
    TWO,
    attempt,
    codes,
    command,
    ended,
    events_of,
    newest_message,
    project,
    run_of,
    says,
    script,
    staged,
    start,
    task,
    turn,
    until,
    until_event,
    until_file,
    write,
)
from tests.integration.test_engine_crash import resumes
from tests.integration.watches import AWATCH, without_watches

SPEC = "specs/01-steps.md"
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def git(root: Path, *words: str, fails: bool = False) -> None:
    """Runs one command of the real git."""
    done = subprocess.run(["git", *words], cwd=root, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) is fails, done.stderr


def branched(root: Path, **others: str) -> None:
    """Commits what stands there as `main`, with a branch `other` beside it that has one file more, and these texts."""
    (root / ".gitignore").write_text(".specloom/\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-qm", "begin")
    git(root, "switch", "-qc", "other")
    (root / "other.txt").write_text("other\n")
    for name, text in others.items():
        (root / f"{name}.md").write_text(text)
    git(root, "add", ".")
    git(root, "commit", "-qm", "other")
    git(root, "switch", "-q", "main")


def repository(root: Path, *tasks: str) -> Path:
    """A project whose branch `main` is committed, with a branch `other` beside it that has one file more."""
    project(root, *(tasks or (task(1, "test -f a.txt"), task(2, "test -f b.txt"))))
    branched(root)
    return root


def paused(state: ProjectState) -> bool:
    """Whether the newest run is."""
    return state.run is not None and state.run.state is RunState.PAUSED


async def told(runtime: ProjectRuntime) -> list[HeadChanged]:
    """What git did, but for the first look."""
    return [event for event in await events_of(runtime, HeadChanged) if event.before]


async def test_checkout_in_the_middle_of_a_turn_holds_back_its_effects_and_pauses_until_somebody_resumes(
    tmp_path: Path,
) -> None:
    root = repository(tmp_path / "p")
    flag = tmp_path / "flag"
    waits = f"touch {flag}; while ! test -f {flag}.go; do sleep 0.02; done"
    first = attempt(
        1,
        turn(command(waits), write("a.txt", "a\n")),
        turn(write("a.txt", "a\n")),
        turn(says()),
    )
    second = attempt(2, turn(write("b.txt", "b\n")), turn(says()))
    async with staged(root, first, second) as (runtime, server):
        await start(runtime)
        await until_file(flag)
        await asyncio.to_thread(git, root, "switch", "-q", "other")
        await asyncio.to_thread(Path(f"{flag}.go").touch)
        state = await until(runtime, paused)
        assert run_of(state).reason.startswith("HEAD changed from main (")
        assert not (root / "a.txt").exists()
        (change,) = await told(runtime)
        assert (change.before_branch, change.branch, change.files) == ("main", "other", True)
        await runtime.resume(USER)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "not run: HEAD changed since your last turn" in newest_message(server, "1 at 1", 2)
        assert len(await told(runtime)) == 1
        assert "other.txt" not in await runtime.diff(ONE)


DOES_NOT_PAUSE = {
    "commit": [("add", "."), ("commit", "-qm", "work")],
    "amend": [("commit", "-q", "--amend", "-m", "said better")],
    "new branch": [("switch", "-qc", "new")],
    "soft reset": [("reset", "-q", "--soft", "HEAD~1")],
    "mixed reset": [("reset", "-q", "HEAD~1")],
    "add": [("add", ".")],
    "renamed branch": [("branch", "-m", "trunk")],
    "tag": [("tag", "v1")],
    "fetch": [("fetch", "-q", ".")],
}
PAUSES = {
    "checkout": [("checkout", "-q", "other")],
    "detached": [("switch", "-q", "--detach", "other")],
    "hard reset": [("reset", "-q", "--hard", "HEAD~1")],
    "merge": [("merge", "-q", "other", "-m", "merged")],
    "fast-forward": [("pull", "-q", "--ff-only", ".", "ahead")],
    "rebase": [("rebase", "-q", "other")],
    "cherry-pick": [("cherry-pick", "other")],
    "revert": [("revert", "--no-edit", "HEAD")],
    "stash": [("stash", "-q", "-u")],
}


def busy_tree(root: Path) -> Path:
    """On `main` a commit of its own, and a change that is not committed."""
    repository(root)
    (root / "own.txt").write_text("own\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "own")
    git(root, "switch", "-qc", "ahead")
    git(root, "rm", "-q", "own.txt")
    git(root, "commit", "-qm", "ahead")
    git(root, "switch", "-q", "main")
    return root


@pytest.mark.parametrize("name", [*DOES_NOT_PAUSE, *PAUSES])
async def test_every_verb_of_git_pauses_if_it_writes_files_and_is_one_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "stash":
        # Several processes one after the other, of which each takes its time to start on a busy machine.
        monkeypatch.setattr("specloom.engine.head.QUIET", 2.0)
    root = busy_tree(tmp_path / "p")
    async with staged(root, strict=False) as (runtime, _):
        head = runtime.engine.head
        if name in ("stash", "commit"):
            await asyncio.to_thread((root / "requirements.md").write_text, "# R\n\n- R1.1 A.\n- R1.2 B.\n")
        for words in (DOES_NOT_PAUSE | PAUSES)[name]:
            await asyncio.to_thread(git, root, *words)
        await head.look()
        changes = await told(runtime)
        assert [change.files for change in changes if change.files] == [True] * (name in PAUSES)
        assert len(changes) <= 1


@pytest.mark.parametrize("verb", ["checkout: moving from main to other", "moved by a tool"])
async def test_checkout_that_is_looked_at_before_it_moves_head_has_written_files(tmp_path: Path, verb: str) -> None:
    root = repository(tmp_path / "p")
    async with staged(root, strict=False) as (runtime, _):
        # What `switch` does, with a pause between its two steps; a busy machine makes one, too.
        await asyncio.to_thread(git, root, "read-tree", "-m", "-u", "HEAD", "other")
        await runtime.engine.head.look()
        assert await told(runtime) == []
        await asyncio.to_thread(git, root, "symbolic-ref", "-m", verb, "HEAD", "refs/heads/other")
        await runtime.engine.head.look()
        (change,) = await told(runtime)
        assert (change.branch, change.files) == ("other", verb.startswith("checkout"))


async def test_unstashing_is_a_change_though_head_stays(tmp_path: Path) -> None:
    root = busy_tree(tmp_path / "p")
    (root / "own.txt").write_text("mine\n")
    git(root, "stash", "-q")
    async with staged(root, strict=False) as (runtime, _):
        await asyncio.to_thread(git, root, "stash", "pop", "-q")
        await runtime.engine.head.look()
        (change,) = await told(runtime)
        assert change.files
        assert change.before == change.after


async def test_rebase_that_stops_for_a_person_is_one_event_and_its_end_another(tmp_path: Path) -> None:
    root = busy_tree(tmp_path / "p")
    git(root, "switch", "-q", "other")
    (root / "own.txt").write_text("theirs\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "theirs")
    git(root, "switch", "-q", "main")
    async with staged(root, strict=False) as (runtime, _):
        await asyncio.to_thread(git, root, "rebase", "-q", "other", fails=True)
        await runtime.engine.head.look()
        assert len(await told(runtime)) == 1
        await asyncio.to_thread(git, root, "rebase", "--abort")
        await runtime.engine.head.look()
        assert [change.branch for change in await told(runtime)] == ["", "main"]


async def test_tick_that_comes_or_goes_with_a_checkout_is_nobodys_hand(tmp_path: Path) -> None:
    root = repository(tmp_path / "p")
    spec = root / SPEC
    git(root, "switch", "-q", "other")
    spec.write_text(spec.read_text().replace("- [ ] 1", "- [x] 1"))
    git(root, "commit", "-qam", "ticked")
    git(root, "switch", "-q", "main")
    async with staged(root, strict=False) as (runtime, _):
        await asyncio.to_thread(git, root, "switch", "-q", "other")
        await until_event(runtime, HeadChanged, lambda event: event.branch == "other")
        await runtime.refresh()
        assert runtime.state.record(ONE).state is TaskState.PENDING
        assert "box-differs" in codes(runtime)
        await asyncio.to_thread(spec.write_text, spec.read_text().replace("- [ ] 2", "- [x] 2"))
        await until(runtime, lambda state: state.record(TWO).state is TaskState.DONE)
        await asyncio.to_thread(git, root, "commit", "-qam", "by hand")
        await asyncio.to_thread(git, root, "switch", "-q", "main")
        await until_event(runtime, HeadChanged, lambda event: event.branch == "main" and event.files)
        await runtime.refresh()
        assert runtime.state.record(TWO).state is TaskState.DONE


async def test_tick_holds_on_the_branches_where_it_stands_and_is_carried_to_no_other(tmp_path: Path) -> None:
    root = repository(tmp_path / "p")
    first = attempt(1, turn(write("a.txt", "a\n")), turn(says()))
    async with staged(root, first) as (runtime, _):
        ticked = (root / SPEC).read_text().replace("- [ ] 2", "- [x] 2")
        await asyncio.to_thread((root / SPEC).write_text, ticked)
        await until(runtime, lambda state: state.record(TWO).state is TaskState.DONE)
        await asyncio.to_thread(git, root, "commit", "-qam", "by hand")
        await asyncio.to_thread(git, root, "switch", "-q", "other")
        await until(runtime, lambda state: state.record(TWO).stale == (SPEC,))
        assert codes(runtime) == ["proof-stale"]
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "- [x] 1" in (root / SPEC).read_text()
        assert "- [ ] 2" in (root / SPEC).read_text(), "nobody said that it is done on this branch"
        await asyncio.to_thread(git, root, "checkout", "-q", "--", ".")
        await asyncio.to_thread(git, root, "switch", "-q", "main")
        await until(runtime, lambda state: state.record(TWO).stale == ())
        assert runtime.state.record(TWO).state is TaskState.DONE


async def test_checkout_while_no_specloom_ran_is_told_at_the_next_start(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", task(1, "test -f a.txt"))
    first = attempt(1, turn(write("a.txt", "a\n")), turn(says()))
    async with staged(root, first) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        await runtime.close()
        git(root, "add", ".")
        git(root, "commit", "-qm", "done")
        git(root, "switch", "-q", "other")
        async with hosted(root, server) as again:
            (change,) = await told(again)
            assert (change.branch, change.files) == ("other", True)
            assert again.state.record(ONE).state is TaskState.DONE
            assert again.state.record(ONE).stale == ("a.txt",)
            await again.close()
        git(root, "switch", "-q", "main")
        async with hosted(root, server) as back:
            assert back.state.record(ONE).stale == ()
            assert codes(back) == []


async def test_checkout_is_noticed_and_health_warns_where_the_system_has_no_watches_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AWATCH, without_watches)
    root = repository(tmp_path / "p", task(1, "true"))
    async with staged(root) as (runtime, _):
        await asyncio.to_thread(git, root, "switch", "-q", "-c", "another")
        await until_event(runtime, HeadChanged)
        health = runtime.health(0.0)
        assert (health.status, "raise fs.inotify.max_user_watches" in health.message) == ("warning", True)


async def test_linked_work_tree_follows_its_own_head(tmp_path: Path) -> None:
    main = repository(tmp_path / "p")
    git(main, "worktree", "add", "-q", "-b", "aside", str(tmp_path / "tree"))
    async with staged(tmp_path / "tree", strict=False) as (runtime, _):
        await asyncio.to_thread(git, main, "switch", "-q", "other")
        await runtime.engine.head.look()
        assert await told(runtime) == []
        await asyncio.to_thread(git, tmp_path / "tree", "switch", "-q", "--detach", "other")
        await until_event(runtime, HeadChanged, lambda event: event.files)


async def test_commit_of_the_agent_does_not_pause_its_run(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", task(1, "test -f a.txt"))
    commits = "git -c user.name=A -c user.email=a@example.org commit -qm work"
    first = attempt(1, turn(write("a.txt", "a\n")), turn(command(f"git add a.txt && {commits}")), turn(says()))
    async with staged(root, first, permissions={"allow": ["run_command(git:*)"]}) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert not await events_of(runtime, runs.RunPaused)


async def test_checkout_under_a_verification_has_it_done_again_on_the_tree_that_stands(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    waits = f"test -f a.txt || exit 1; echo x >> {flag}; while ! test -f {flag}.go; do sleep 0.02; done"
    root = repository(tmp_path / "p", task(1, waits))
    async with staged(root, attempt(1, turn(write("a.txt", "a\n")), turn(says()))) as (runtime, _):
        await start(runtime)
        await until_file(flag)
        await asyncio.to_thread(git, root, "switch", "-q", "other")
        await until_event(runtime, HeadChanged, lambda event: event.files)
        await asyncio.to_thread(Path(f"{flag}.go").touch)
        await until(runtime, paused)
        assert runtime.state.record(ONE).state is TaskState.IN_PROGRESS
        await runtime.resume(USER)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert flag.read_text() == "x\nx\n"
        assert runtime.state.record(ONE).stale == ()


async def test_task_that_the_branch_lacks_is_let_go_and_is_back_with_its_own(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    root = repository(tmp_path / "p", task(1, "test -f a.txt", title="Write the letter a"))
    git(root, "switch", "-q", "other")
    (root / SPEC).write_text((root / SPEC).read_text().replace("Write the letter a", "Paint everything green"))
    git(root, "commit", "-qam", "another task of the same number")
    git(root, "switch", "-q", "main")
    waits = f"touch {flag}; while ! test -f {flag}.go; do sleep 0.02; done"
    async with staged(root, attempt(1, turn(command(waits))), strict=False) as (runtime, _):
        await start(runtime, Scope("task", ONE))
        await until_file(flag)
        await asyncio.to_thread(git, root, "switch", "-q", "other")
        await until_event(runtime, HeadChanged, lambda event: event.files)
        await asyncio.to_thread(Path(f"{flag}.go").touch)
        await until(runtime, lambda state: paused(state) and state.record(ONE).attempt is None)
        await runtime.cancel(USER)
        await ended(runtime)
        assert runtime.state.record(ONE).attempts == 0
        await asyncio.to_thread(git, root, "switch", "-q", "main")
        await until_event(runtime, HeadChanged, lambda event: event.branch == "main" and event.files)
        await runtime.refresh()
        assert (runtime.state.record(ONE).attempts, runtime.state.state_of(ONE)) == (1, TaskState.READY)


async def test_checkout_after_a_kill_in_the_middle_of_a_command_is_told_and_its_files_are_nobodys_change(
    tmp_path: Path,
) -> None:
    root = repository(tmp_path / "p", task(1, "test -f a.txt"))
    turns = (turn(command("echo $$ > pid; exec sleep 300")), turn(write("a.txt", "a\n")), turn(says()))
    async with ScriptedServer(script(attempt(1, *turns))) as server:
        process = await working(root, server.base_url)
        await until_file(root / "pid", lambda text: text.endswith("\n"))
        process.kill()
        await process.wait()
        await asyncio.to_thread(git, root, "switch", "-q", "other")
        async with hosted(root, server) as runtime:
            (change,) = await told(runtime)
            assert (change.branch, change.files) == ("other", True)
            assert paused(runtime.state)
            await resumes(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert "other.txt" not in await runtime.diff(ONE)
        server.check()
