"""From a spec to proven code: real files, real processes, a scripted model over real HTTP."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from specloom.domain.commands import Command, PauseRun, StartTask
from specloom.domain.evidence import EvidenceKind, is_proven
from specloom.domain.ids import TaskId
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome, RunState, Scope
from specloom.domain.states import TaskState
from specloom.engine.api import Accepted
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER, greeter, greeter_script, hosted, run

FIRST, SECOND = TaskId("01/1.1"), TaskId("01/1.2")


async def test_a_run_takes_tasks_in_order_and_proves_them(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer(greeter_script()) as server:
        async with hosted(root, server) as runtime:
            await run(runtime)
            state = runtime.state
            assert state.run is not None
            assert (state.run.outcome, state.run.reason) == (RunOutcome.COMPLETED, "")
            assert [state.record(task).state for task in (FIRST, SECOND)] == [TaskState.DONE, TaskState.DONE]
            for task in (FIRST, SECOND):
                evidence = runtime.evidence(task)
                assert is_proven(evidence)
                assert evidence[0].kind is EvidenceKind.COMMAND
                assert evidence[0].discriminating is True
                assert "greet.py" in {file.path for file in evidence[0].files}
            diff = await runtime.diff(SECOND)
            assert '+    return "Hello " + name + "!"' in diff
        server.check()
    text = (root / "specs" / "01-greeter.md").read_text()
    assert text.count("- [x]") == 3, text
    assert (root / "greet.py").read_text().endswith('"!"\n')


async def test_a_task_scope_runs_that_task_alone(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    script = {"sessions": greeter_script()["sessions"][:1]}
    async with ScriptedServer(script) as server:
        async with hosted(root, server) as runtime:
            await run(runtime, Scope("task", FIRST))
            assert runtime.state.record(FIRST).state is TaskState.DONE
            assert runtime.state.state_of(SECOND) is TaskState.READY
        server.check()


async def test_a_run_of_a_task_that_waits_for_another_one_says_for_which(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer({"sessions": []}) as server, hosted(root, server) as runtime:
        await run(runtime, Scope("task", SECOND))
        assert runtime.state.run is not None
        assert runtime.state.run.outcome is RunOutcome.INCOMPLETE
        assert f"{SECOND} pending (waits for {FIRST})" in runtime.state.run.reason


async def test_done_tasks_are_still_done_after_a_restart(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer(greeter_script()) as server:
        async with hosted(root, server) as runtime:
            await run(runtime)
            before = runtime.state
        async with hosted(root, server) as runtime:
            assert runtime.state.tasks == before.tasks
            assert runtime.state.usage == before.usage
            await run(runtime)
            assert runtime.state.run is not None
            assert runtime.state.run.outcome is RunOutcome.COMPLETED


async def test_a_pause_just_before_a_task_starts_pauses_and_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer(greeter_script()) as server, hosted(root, server) as runtime:
        mailbox = runtime.engine.mailbox
        submit, paused = mailbox.submit, asyncio.Event()

        async def pausing_first(command: Command, *rest: Any) -> Accepted | Rejected:
            if isinstance(command, StartTask) and not paused.is_set():
                paused.set()
                await submit(PauseRun())
            return await submit(command, *rest)

        monkeypatch.setattr(mailbox, "submit", pausing_first)
        await run(runtime)
        assert runtime.state.run is not None
        assert runtime.state.run.state is RunState.PAUSED
        await runtime.resume(USER, unattended=True)
        await runtime.wait_idle()
        assert runtime.state.run.outcome is RunOutcome.COMPLETED
