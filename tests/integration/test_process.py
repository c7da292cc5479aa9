"""Commands run with real processes: bounded output, deadlines, and nothing left behind."""

import asyncio
import hashlib
import os
from pathlib import Path

import psutil
import pytest

from specloom.workspace.process import GRACE, run
from specloom.workspace.process_group import is_alive
from specloom.workspace.process_start import ProcessStartError
from tests.integration.shells import gone, until, words_of

ENV = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
BEGUN = 2.0
"""Seconds in which a shell has begun to carry out its command on a busy machine, too."""


async def test_output_and_exit_code_are_told(tmp_path: Path) -> None:
    result = await run("echo out; echo err >&2; exit 3", tmp_path, ENV, 10)
    assert (result.exit_code, result.output, result.truncated, result.timed_out) == (3, "out\nerr\n", False, False)
    assert result.digest == hashlib.sha256(b"out\nerr\n").hexdigest()
    assert not result.left_behind


async def test_signal_reads_as_the_shell_tells_it(tmp_path: Path) -> None:
    assert (await run("kill -9 $$", tmp_path, ENV, 10)).exit_code == 137


async def test_command_runs_in_its_folder_with_its_environment_alone(tmp_path: Path) -> None:
    result = await run('pwd -P | xargs basename; echo "$SECRET-$PAGER-$GIVEN"', tmp_path, {**ENV, "GIVEN": "yes"}, 10)
    assert result.output == f"{tmp_path.name}\n-cat-yes\n"


async def test_nobody_stands_at_the_keyboard(tmp_path: Path) -> None:
    result = await run("read line; echo got=$line; exec 3</dev/tty || echo no terminal", tmp_path, ENV, 10)
    assert "got=\n" in result.output
    assert "no terminal" in result.output


async def test_long_output_keeps_head_and_tail(tmp_path: Path) -> None:
    result = await run("seq 1 100000", tmp_path, ENV, 30, limit=3_000)
    whole = "".join(f"{number}\n" for number in range(1, 100_001))
    assert result.truncated
    assert result.output.startswith(whole[:1000] + "\n… ")
    assert result.output.endswith(" characters left out …\n" + whole[-2000:])
    assert f"{len(whole) - 3000:,}" in result.output
    assert result.digest == hashlib.sha256(whole.encode()).hexdigest()


async def test_output_streams_while_the_command_runs(tmp_path: Path) -> None:
    chunks: list[str] = []
    go = tmp_path / "go"
    os.mkfifo(go)
    task = asyncio.create_task(run("echo first; read x <go; echo second", tmp_path, ENV, 10, on_output=chunks.append))
    await until(lambda: chunks == ["first\n"])
    await asyncio.to_thread(go.write_text, "x\n")
    await task
    assert "".join(chunks) == "first\nsecond\n"


async def test_split_and_broken_utf8_is_decoded(tmp_path: Path) -> None:
    result = await run(r"printf '\xc3'; sleep 0.05; printf '\xa4\xff'", tmp_path, ENV, 10)
    assert result.output == "ä\ufffd"


async def test_deadline_ends_the_whole_group(tmp_path: Path) -> None:
    result = await run("echo start; (sleep 300 & echo $! >child; wait) | cat", tmp_path, ENV, BEGUN)
    assert (result.exit_code, result.timed_out, result.output) == (None, True, "start\n")
    assert gone(int((tmp_path / "child").read_text()))


async def test_deadline_ends_what_ignores_the_polite_signal(tmp_path: Path) -> None:
    result = await run("trap '' TERM; echo $$ >pid; while :; do sleep 0.05; done", tmp_path, ENV, BEGUN)
    assert result.timed_out
    assert gone(int((tmp_path / "pid").read_text()))
    assert result.duration_s > BEGUN + GRACE, "it was asked politely first, and given time"


@pytest.mark.parametrize(
    "start", ["sleep 300 &", "(sleep 300 &);", "set -m; sleep 300 &", "nohup sleep 300 >log 2>&1 &"]
)
async def test_background_process_ends_with_its_command(tmp_path: Path, start: str) -> None:
    result = await run(f"{start} echo $$ >pid; echo done", tmp_path, ENV, 10)
    assert result.exit_code == 0
    assert "done\n" in result.output
    assert result.left_behind
    assert not await asyncio.to_thread(is_alive, int((tmp_path / "pid").read_text()))


async def test_cancelled_command_leaves_nothing_running(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    task = asyncio.create_task(run("(echo $$ >new; mv new pid; sleep 300) & wait", tmp_path, ENV, 60))
    await until(pid.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await asyncio.to_thread(is_alive, int(pid.read_text()))


async def test_cancel_at_any_moment_of_the_start_leaves_nothing_running(tmp_path: Path) -> None:
    for steps in range(12):
        task = asyncio.create_task(run(f"sleep 298.{steps}", tmp_path, ENV, 60))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    ours = [child for child in psutil.Process().children(recursive=True) if "298." in " ".join(words_of(child))]
    assert ours == []


async def test_second_cancel_does_not_cut_the_clean_up_short(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    task = asyncio.create_task(
        run("trap '' TERM; echo $$ >new; mv new pid; while :; do sleep 0.05; done", tmp_path, ENV, 60)
    )
    await until(pid.exists)
    task.cancel()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await asyncio.to_thread(is_alive, int(pid.read_text()))


@pytest.mark.parametrize("command", ["echo a\0b", "echo " + "x" * 3_000_000])
async def test_command_that_cannot_start_is_an_error(tmp_path: Path, command: str) -> None:
    with pytest.raises(ProcessStartError, match="could not start bash"):
        await run(command, tmp_path, ENV, 10)


async def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProcessStartError, match="'absent'"):
        await run("true", tmp_path / "absent", ENV, 10)


async def test_no_descriptor_leaks(tmp_path: Path) -> None:
    await run("true", tmp_path, ENV, 10)
    before = psutil.Process().num_fds()
    for _ in range(5):
        await run("true", tmp_path, ENV, 10)
    assert psutil.Process().num_fds() <= before
