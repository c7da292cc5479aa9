"""Commands that go on beside the others: started, read, stopped, bounded, told of when they end."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from specloom.workspace.shell.agent_shell import AgentShell, ShellLimits
from specloom.workspace.shell.jobs import REMEMBERED, Job
from specloom.workspace.shell.log_pages import LogPage, page
from tests.integration.shells import SECRET, ends, gone, said, shell_in, until, words_of


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[AgentShell]:
    root = tmp_path / "root"
    await asyncio.to_thread(root.mkdir)
    async with shell_in(root, tmp_path / "logs", ShellLimits(jobs=3)) as shell:
        yield shell


async def started(shell: AgentShell, command: str) -> Job:
    job = await shell.start(command)
    assert job is not None
    return job


async def test_job_starts_as_the_shell_stands_and_changes_nothing_there(shell: AgentShell) -> None:
    await said(shell, "mkdir sub; cd sub; export KEPT=1; f() { echo f$KEPT; }")
    job = await started(shell, "f; basename $PWD; cd ..; export KEPT=2; exit 4")
    await until(lambda: job.state == "ended")
    assert (job.exit_code, job.log.read_text()) == (4, "f1\nsub\n")
    assert await said(shell, "basename $PWD; echo $KEPT") == "sub\n1\n"


async def test_log_of_a_job_is_there_at_once_and_for_nobody_else(shell: AgentShell) -> None:
    job = await started(shell, "while [ ! -e go ]; do sleep 0.05; done")
    assert job.log.stat().st_mode & 0o777 == 0o600
    assert job.log.parent.stat().st_mode & 0o777 == 0o700
    printed = await shell.look(job)
    assert printed is not None
    assert printed.text == ""


async def test_job_runs_beside_other_commands_and_its_end_is_told_once(shell: AgentShell) -> None:
    job = await started(shell, f"while [ ! -e go ]; do sleep 0.05; done # {SECRET}\nexit 2")
    assert shell.busy
    assert await said(shell, "echo beside; touch go") == "beside\n"
    await until(lambda: job.state == "ended")
    (told,) = shell.notices()
    assert told.startswith(f"job {job.number} (`while")
    assert told.endswith(f"ended with exit code 2; its output: {job.log}")
    assert SECRET not in told
    assert shell.notices() == ()
    assert not shell.busy


async def test_it_is_known_where_jobs_print_while_they_run_and_after(shell: AgentShell) -> None:
    await said(shell, "mkdir sub; cd sub")
    job = await started(shell, "while [ ! -e go ]; do sleep 0.05; done > out.txt")
    files = frozenset((str(job.log), f"{shell.cwd}/out.txt"))
    assert shell.cwd.endswith("/sub")
    assert shell.printing() == (files, frozenset())
    await said(shell, "touch go")
    await until(lambda: job.state == "ended")
    assert shell.printing() == (frozenset(), files)


async def test_half_a_line_can_be_read_while_the_job_waits(shell: AgentShell) -> None:
    job = await started(shell, "printf 'Ready? '; while [ ! -e go ]; do sleep 0.05; done")
    running = job.running
    assert running is not None
    await until(lambda: running.stream.log.seen > 0)
    printed = await shell.look(job)
    assert printed is not None
    assert printed.text == "Ready? "
    assert job.log.read_text() == "Ready? "


async def test_stopped_job_is_gone_with_all_its_children_and_nothing_is_told(shell: AgentShell) -> None:
    job = await started(shell, "trap '' TERM; (sleep 293 & sleep 292 & wait) & echo up; wait")
    await until(lambda: job.log.read_text() == "up\n")
    assert job.running is not None
    children = psutil.Process(job.running.shell.process.pid).children(recursive=True)
    stopped = await shell.stop(job.number)
    assert stopped is job
    assert job.status.startswith("stopped")
    assert all(gone(child.pid) for child in children)
    assert shell.notices() == ()
    assert await shell.stop(99) is None


async def test_what_a_job_leaves_in_the_background_ends_with_it_and_is_told(shell: AgentShell) -> None:
    job = await started(shell, "sleep 291 & echo $!")
    await until(lambda: job.state == "ended")
    assert gone(int(job.log.read_text()))
    assert "what it had left in the background ended with it" in shell.notices()[0]


async def test_no_more_jobs_run_than_are_allowed(shell: AgentShell) -> None:
    jobs = [await started(shell, "sleep 290") for _ in range(3)]
    assert await shell.start("echo no") is None
    result = await shell.run("echo begun; sleep 289", 1.5)
    assert (result.exit_code, result.job, result.printed.text) == (None, False, "begun\n")
    assert not [p for p in psutil.Process().children(recursive=True) if "289" in words_of(p)]
    await shell.stop(jobs[0].number)
    assert await shell.start("true") is not None


async def test_many_jobs_at_once_keep_their_outputs_apart(tmp_path: Path) -> None:
    async with shell_in(tmp_path, tmp_path / "logs", ShellLimits(jobs=12)) as shell:
        jobs = [await started(shell, f"for i in $(seq 200); do echo {n}; done") for n in range(12)]
        await until(lambda: all(job.state == "ended" for job in jobs))
        assert [set((await asyncio.to_thread(job.log.read_text)).split()) for job in jobs] == [
            {str(n)} for n in range(12)
        ]
        assert len(shell.notices()) == 12


async def test_ended_jobs_cost_no_memory_and_their_logs_can_still_be_found(tmp_path: Path) -> None:
    async with shell_in(tmp_path, tmp_path / "logs") as shell:
        for number in range(1, REMEMBERED + 6):
            job = await started(shell, f"seq 9999; echo job {number}")
            await until(lambda job=job: job.state == "ended")
        shell.notices()
        gc.collect()
        kept = Counter(type(item).__name__ for item in gc.get_objects())
        assert [kept[kind] for kind in ("Running", "ShellProcess", "Excerpt", "CommandLog")] == [0, 1, 0, 0]
        assert len(shell.jobs) == REMEMBERED + 1
        first = shell.log(1)
        assert first is not None
        assert first.read_text().endswith("9999\njob 1\n")
        assert shell.log(REMEMBERED + 6) is None


async def test_log_is_found_where_the_session_of_its_command_has_it(tmp_path: Path) -> None:
    async with shell_in(tmp_path, tmp_path / "one") as shell:
        await said(shell, "true")
        shell.logs = tmp_path / "two"
        await said(shell, "true")
        assert [shell.log(1), shell.log(2)] == [tmp_path / "one" / "1.log", tmp_path / "two" / "2.log"]


async def test_numbers_go_on_where_an_earlier_process_left_them(tmp_path: Path) -> None:
    for expected in (1, 2):
        async with shell_in(tmp_path, tmp_path / "logs") as shell:
            assert (await ends(shell, "echo x")).number == expected
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["1.log", "2.log"]


def test_lines_of_a_log_are_found_by_number_and_from_the_end(tmp_path: Path) -> None:
    log = tmp_path / "1.log"
    log.write_text("".join(f"line {n}\n" for n in range(1, 101)))
    assert page(log, None, 2, 1000) == LogPage(99, 100, 100, "line 99\nline 100\n")
    assert page(log, 3, 2, 1000) == LogPage(3, 4, 100, "line 3\nline 4\n")
    assert page(log, 200, 5, 1000) == LogPage(0, 0, 100, "")
    assert page(tmp_path / "absent", None, 5, 1000) == LogPage(0, 0, 0, "")
    assert len(page(log, 1, 100, 90).text) < 150
