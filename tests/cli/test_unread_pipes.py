"""A command whose output nobody reads can still be ended."""

import fcntl
import json
import os
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from specloom.cli.failures import Exit
from tests.cli.conftest import SPECLOOM, Project

DEADLINE = 40.0
POLL = 0.1
RECORDS = 20_000


def waiting(pipe: int) -> int:
    """Bytes in a pipe."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]


def until(condition: Callable[[], bool], between: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        between()
        time.sleep(POLL)


def ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_writes_into_a_pipe_that_nobody_reads_is_ended_by_the_second_signal(
    empty: Project, tmp_path: Path, number: signal.Signals
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    line = json.dumps({"level": "INFO", "message": "of many"}) + "\n"
    (logs / "2026-01-01.jsonl").write_text(line * RECORDS)
    reader, writer = os.pipe()
    room = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    environment = {**empty.environment, "SPECLOOM_LOG_DIR": str(logs)}
    words = [SPECLOOM, "logs", "--all", "--json", "--follow"]
    with subprocess.Popen(words, cwd=empty.root, env=environment, stdout=writer, stderr=writer) as process:
        os.close(writer)
        try:
            until(lambda: waiting(reader) > room * 0.95, lambda: None)
            until(lambda: ended(process), lambda: process.send_signal(number))
            assert process.returncode == Exit.INTERRUPTED
        finally:
            process.kill()
            os.close(reader)
