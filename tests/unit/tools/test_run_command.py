"""What a model is told of its commands and jobs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from specloom.tools.ports import ToolContext
from specloom.tools.tool import ToolOutcome
from specloom.workspace.shell.agent_shell import KEPT, AgentShell, ShellLimits


class Hands(Protocol):
    root: Path
    context: ToolContext

    async def use(self, tool: str, **values: Any) -> ToolOutcome: ...
    async def text(self, tool: str, **values: Any) -> str: ...
    async def refusal(self, tool: str, **values: Any) -> str: ...
    def changed(self, **values: Any) -> "Hands": ...


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, "the condition never held"
        await asyncio.sleep(0.02)


async def test_what_one_call_sets_the_next_finds(hands: Hands) -> None:
    await hands.text("run_command", command="mkdir sub; cd sub; export A=1; b=2; f() { echo f; }")
    assert await hands.text("run_command", command="basename $PWD; echo $A$b; f") == "exit code 0\nsub\n12\nf\n"


async def test_shell_that_ends_with_its_command_is_told_of(hands: Hands) -> None:
    assert await hands.text("run_command", command="echo out; exit 3") == (
        "exit code 3\n"
        "(the shell ended with this command (`exit`, `exec`, `set -e`); a fresh shell took over in the project root "
        "with exported variables and functions; other variables, aliases and `set`/`shopt` options are gone)\n"
        "out\n"
    )


async def test_command_that_takes_too_long_goes_on_as_a_job(hands: Hands) -> None:
    outcome = await hands.use("run_command", command="echo begun; until [ -e go ]; do sleep 0.05; done", timeout_s=1)
    first, second, third, *output = outcome.text.split("\n")
    assert outcome.is_error
    assert first == "not done after 1 s (timeout): it goes on as job 1"
    assert second.startswith("It prints to /")
    assert second.endswith("; `command_jobs` reads its output or stops it")
    assert third == f"(a fresh shell took over in the project root with {KEPT})"
    assert output == ["begun", ""]
    assert "running" in await hands.text("command_jobs", action="list")
    await hands.text("run_command", command="touch go")

    async def ended() -> bool:
        return "ended with exit code 0" in await hands.text("command_jobs", action="list")

    await until(ended)


async def test_job_is_started_read_and_stopped(hands: Hands) -> None:
    started = await hands.text("run_command", command="seq 1 500; sleep 288", blocking=False)
    first, _, second = started.partition("\n")
    assert first == "job 1 was started"
    log = Path(second.removeprefix("It prints to ").partition(";")[0])
    assert await asyncio.to_thread(log.exists)

    async def printed() -> bool:
        return "of 500" in await hands.text("command_jobs", action="read", job=1)

    await until(printed)
    assert await hands.text("command_jobs", action="read", job=1, lines=2) == (
        "job 1 (`seq 1 500; sleep 288`) running: lines 499-500 of 500\n499\n500\n"
    )
    assert await hands.text("command_jobs", action="read", job=1, from_line=10, lines=2) == (
        "job 1 (`seq 1 500; sleep 288`) running: lines 10-11 of 500\n10\n11\n"
    )
    assert (await hands.text("command_jobs", action="read", job=1, from_line=501)).endswith(
        "it has 500 lines, none from there on"
    )
    stopped = await hands.text("command_jobs", action="stop", job=1)
    assert stopped.startswith("job 1 (`seq 1 500; sleep 288`) was stopped; its last lines:\n481\n")
    assert "had stopped already" in await hands.text("command_jobs", action="stop", job=1)


async def test_whole_output_of_an_earlier_command_can_be_read(hands: Hands) -> None:
    told = await hands.text("run_command", command="seq 1 20000")
    assert "`command_jobs` with action read and job 1" in told
    assert await hands.text("command_jobs", action="read", job=1, from_line=9000, lines=1) == (
        "command 1: lines 9000-9000 of 20000\n9000\n"
    )


async def test_jobs_that_do_not_exist_are_refused_with_those_that_do(hands: Hands) -> None:
    assert await hands.text("command_jobs", action="list") == "there are no jobs"
    assert await hands.refusal("command_jobs", action="stop", job=4) == "there is no job 4; jobs: none"
    assert "needs `job`" in await hands.refusal("command_jobs", action="read")
    assert "there is no job 7" in await hands.refusal("command_jobs", action="read", job=7)
    assert "must be one of 'list', 'read', 'stop'" in await hands.refusal("command_jobs", action="start")


async def test_one_job_too_many_is_refused_with_the_names_of_the_others(hands: Hands, shell: AgentShell) -> None:
    narrow = AgentShell(hands.root, shell.environment, shell.logs, shell.redact, ShellLimits(jobs=1))
    hands = hands.changed(shell=narrow)
    try:
        await hands.text("run_command", command="sleep 287", blocking=False)
        refusal = await hands.refusal("run_command", command="true", blocking=False)
        assert refusal == "not run: no more jobs may run; stop one of 1 (`sleep 287`) with `command_jobs`"
    finally:
        await narrow.close()


async def test_command_that_asks_is_an_error_that_says_how_to_run_it(hands: Hands) -> None:
    told = await hands.refusal("run_command", command="python3 -c 'input(\"name? \")'")
    assert told.startswith(
        "exit code 1; it wanted input, which nobody can give\nUnattended: pass the answers as arguments"
    )


@pytest.mark.parametrize("tool", ["run_command", "command_jobs"])
async def test_role_without_a_shell_runs_nothing(hands: Hands, tool: str) -> None:
    values = {"command": "true"} if tool == "run_command" else {"action": "list"}
    assert "this role has no shell" in await hands.changed(shell=None).refusal(tool, **values)


async def test_command_with_a_nul_is_refused_in_words(hands: Hands) -> None:
    assert "NUL" in await hands.refusal("run_command", command="echo \0")


async def test_command_after_which_the_shell_tells_nothing_is_no_job_and_not_overdue(hands: Hands) -> None:
    text = (await hands.use("run_command", command="echo out; set -n")).text
    assert text.startswith("ended; its exit code is not known\n(the shell told nothing of this command's end")
    assert text.endswith("\nout\n")
