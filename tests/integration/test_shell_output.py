"""What a command prints: whole on disk up to a limit, head and tail for the model, live for whoever watches."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from specloom.workspace.shell.agent_shell import AgentShell, ShellLimits
from tests.integration.shells import SECRET, ends, said, shell_in, until

KEY = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[AgentShell]:
    async with shell_in(tmp_path, tmp_path / "logs", ShellLimits(log_bytes=100_000)) as shell:
        yield shell


async def test_long_output_keeps_head_and_tail_and_is_whole_on_disk(shell: AgentShell) -> None:
    result = await ends(shell, "seq 1 10000; printf no-newline")
    whole = "".join(f"{n}\n" for n in range(1, 10_001)) + "no-newline"
    assert result.log.read_text() == whole
    assert result.printed.truncated
    assert result.printed.text.startswith("1\n2\n3\n")
    assert result.printed.text.endswith("9999\n10000\nno-newline")
    assert " characters left out …" in result.printed.text


async def test_log_ends_at_its_limit_with_a_note(shell: AgentShell) -> None:
    result = await ends(shell, "yes 0123456789 | head -c 3000000")
    size = result.log.stat().st_size
    assert 100_000 < size < 100_200
    assert result.log.read_text().endswith("… the log ends here: it may hold 100,000 bytes …\n")
    assert result.printed.text.endswith("0123456789\n012")


async def test_no_line_end_at_all_does_no_harm(shell: AgentShell) -> None:
    result = await ends(shell, "head -c 20000000 /dev/zero | tr '\\0' x")
    assert len(result.printed.text) < 31_000
    assert set(result.log.read_text()[:100_000]) == {"x"}


@pytest.mark.timeout(900)
async def test_a_gibibyte_passes_in_bounded_memory_while_the_loop_stays_awake(tmp_path: Path) -> None:
    """Not the whole of it in each run: the soak tier sends all."""
    mebibytes = 1024 if os.environ.get("SPECLOOM_TEST_TIER") == "soak" else 16
    # What the loop's thread computes between two of its turns: for how long a busy machine lets it wait says nothing.
    longest, last = 0.0, time.thread_time()
    size = 0

    def show(text: str) -> None:
        nonlocal size
        size = max(size, len(text))

    async with shell_in(tmp_path, tmp_path / "logs") as shell:
        running = asyncio.create_task(shell.run(f"head -c {mebibytes}M /dev/urandom | base64", 600, show))
        while not running.done():
            await asyncio.sleep(0.01)
            now = time.thread_time()
            longest, last = max(longest, now - last), now
        result = await running
    assert result.exit_code == 0
    assert size <= 65_536
    assert longest < 2.0
    assert result.log.stat().st_size < 64 * 1024 * 1024 + 200


async def test_binary_output_split_letters_and_odd_bytes_are_readable(shell: AgentShell) -> None:
    assert await said(shell, r"printf '\xc3'; sleep 0.05; printf '\xa4\xff\0a\tb\n'") == "ä\ufffd\ufffda\tb\n"
    assert await said(shell, r"printf '\xe2\x82'") == "\ufffd"
    assert "ELF" in await said(shell, "head -c 100 $(command -v bash)")


async def test_output_is_shown_while_the_command_runs(shell: AgentShell) -> None:
    shown: list[str] = []
    task = asyncio.create_task(
        shell.run("echo first; while [ ! -e go ]; do sleep 0.02; done; echo second", 20, shown.append)
    )
    await until(lambda: shown == ["first\n"])
    await asyncio.to_thread((shell.root / "go").touch)
    await task
    assert "".join(shown) == "first\nsecond\n"
    await said(shell, "echo unseen")
    assert "".join(shown) == "first\nsecond\n"


async def test_no_key_reaches_the_model_the_screen_or_the_disk(shell: AgentShell) -> None:
    shown: list[str] = []
    command = f"echo {SECRET}; printf 'ghp_'; sleep 0.1; echo {KEY[4:]}; printf '%s' '{SECRET}'"
    result = await shell.run(command, 20, shown.append)
    told = "[redacted]\n[redacted]\n[redacted]"
    assert (result.printed.text, result.log.read_text(), "".join(shown)) == (told, told, told)


async def test_log_that_cannot_be_written_is_told_and_costs_no_output(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.write_text("a file where the folder should be")
    async with shell_in(tmp_path, logs) as shell:
        result = await ends(shell, "echo seen")
    assert result.printed.text == "seen\n"
    assert "could not be written" in result.printed.fault
