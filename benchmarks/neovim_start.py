"""What the Neovim plugin costs at start where it has nothing to do: a file in a folder without requirements or specs.

Starts Neovim without and with the plugin in turn and prints one JSON line for each suite: the medians of the plugin's
own lines of `--startuptime` and of the difference of the pairs until it has started, in milliseconds. The aim: 1 ms.
Usage: `python benchmarks/neovim_start.py [--repeats N] [SUITE …]`
"""

import argparse
import json
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "clients" / "neovim"
_LINE = re.compile(r"^(\d+\.\d+)  (?:\d+\.\d+  )?(?:(\d+\.\d+): )?(.*)$", re.MULTILINE)
DEADLINE = 30.0


def started(neovim: str, folder: Path, *words: str) -> tuple[float, float]:
    """Milliseconds until it has started, and those of the plugin's own lines."""
    log = folder / "startuptime"
    log.unlink(missing_ok=True)
    command = [neovim, "--clean", "--headless", *words, "--startuptime", str(log), "notes", "-c", "qa!"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=DEADLINE)
    lines: list[tuple[str, str, str]] = _LINE.findall(log.read_text())
    own = sum(float(alone) for _, alone, what in lines if alone and "specloom" in what)
    return max(float(clock) for clock, _, _ in lines), own


def measured(suite: str, repeats: int) -> dict[str, object]:
    """Pairs, one of each in turn, so that a busy moment hits both."""
    installer = [ROOT / "scripts" / "install-neovim", suite]
    neovim = subprocess.run(installer, check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "notes").write_text("plain\n")
        bare: list[float] = []
        plugged: list[float] = []
        own: list[float] = []
        for _ in range(repeats):
            bare.append(started(neovim, folder)[0])
            whole, ours = started(neovim, folder, "--cmd", f"set runtimepath^={PLUGIN}")
            plugged.append(whole)
            own.append(ours)
    return {
        "benchmark": f"start of Neovim with an unused plugin, {suite}",
        "own_ms": round(statistics.median(own), 3),
        "own_worst_ms": round(max(own), 3),
        "difference_ms": round(statistics.median(b - a for a, b in zip(bare, plugged, strict=True)), 2),
        "bare_ms": round(statistics.median(bare), 1),
        "repeats": repeats,
    }


def main() -> None:
    """Each suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", default=["trixie", "forky"])
    parser.add_argument("--repeats", type=int, default=21)
    chosen = parser.parse_args()
    for suite in chosen.suites:
        print(json.dumps(measured(suite, chosen.repeats)))


if __name__ == "__main__":
    main()
