"""What the tree and the output of the Neovim client cost, in a real Neovim of 120 by 40 cells.

One JSON line each for the oldest supported and the newest Neovim: CPU of Neovim's own process for the snapshot of
10,000 tasks, the first drawing, one update of a task at 60 a second, a line that is added above all others, and 1,000
of 20,000 pieces of output (4,000 a second, each a notification of its own, which the server would join), with the
longest time for which such a step, drawing included, keeps the main loop (`pieces_longest_ms`, of CPU). The process
of the terminal and the decoding of single notifications are not in it. Usage: `python benchmarks/neovim_views.py`
"""

import fcntl
import json
import os
import pty
import struct
import subprocess
import tempfile
import termios
import threading
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEADLINE = 180.0


def drained(terminal: int) -> None:
    """Reads a terminal until nobody writes to it."""
    with suppress(OSError):
        while os.read(terminal, 65536):
            pass


def measured(neovim: Path, home: Path) -> dict[str, object]:
    """What the file of Lua beside this one found."""
    result = home / "result.json"
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    places = {f"XDG_{kind}_HOME": str(home) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    told = {"BENCH_ROOT": str(ROOT), "BENCH_RESULT": str(result), "TERM": "xterm-256color", "HOME": str(home)}
    script = Path(__file__).with_suffix(".lua")
    with subprocess.Popen(
        [neovim, "-u", "NONE", "-c", f"luafile {script}"],
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | places | told,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        reader = threading.Thread(target=drained, args=(ours,))
        reader.start()
        try:
            process.wait(DEADLINE)
        finally:
            process.kill()
            process.wait()
            reader.join()
            os.close(ours)
    return json.loads(result.read_text())


def main() -> None:
    """Both versions, where they can be had."""
    for suite in ("trixie", "forky"):
        command = [ROOT / "scripts" / "install-neovim", suite]
        installed = subprocess.run(command, capture_output=True, text=True, check=False)
        if installed.returncode != 0:
            print(json.dumps({"benchmark": "neovim_views", "missing": installed.stderr.strip()}))
            continue
        with tempfile.TemporaryDirectory() as home:
            found = measured(Path(installed.stdout.strip()), Path(home))
        rounded = {name: round(value, 2) if isinstance(value, float) else value for name, value in found.items()}
        print(json.dumps({"benchmark": "neovim_views", **rounded}))


if __name__ == "__main__":
    main()
