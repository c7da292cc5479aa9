"""How long `specloom lsp` takes to answer `initialize`, cold, against a bare pygls server on the same machine.

Starts both in turn and prints one JSON line: medians in milliseconds, their ratio, and the spread of the pairs' ratios.
The aim is a ratio of at most 1.2. Usage: `python benchmarks/startup.py [--repeats N]`
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = "from pygls.lsp.server import LanguageServer; LanguageServer('bare', '1').start_io()"
SPECLOOM = [str(Path(sys.executable).parent / "specloom"), "lsp", "--standalone"]
DEADLINE = 30.0


def answered(command: list[str], root: Path) -> float:
    """Seconds from the spawn of a server to the first byte of its answer."""
    params: dict[str, object] = {"processId": None, "rootUri": root.as_uri(), "capabilities": {}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()
    start = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        server.stdin.flush()
        line = server.stdout.readline()
        elapsed = time.perf_counter() - start
        server.kill()
    if not line.startswith(b"Content-Length"):
        raise SystemExit(f"{command} answered {line!r}")
    return elapsed


def main() -> None:
    """Measures pairs, one of each in turn, so that a busy moment hits both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=21)
    repeats: int = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        bare_command = [sys.executable, "-c", BARE]
        pairs = [(answered(SPECLOOM, root), answered(bare_command, root)) for _ in range(repeats)]
    ours, bare = statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)
    ratios = sorted(pair[0] / pair[1] for pair in pairs)
    figures = {
        "benchmark": "startup",
        "specloom_ms": round(ours * 1000, 1),
        "bare_pygls_ms": round(bare * 1000, 1),
        "ratio": round(ours / bare, 3),
        "quartiles": [round(ratios[len(ratios) // 4], 3), round(ratios[3 * len(ratios) // 4], 3)],
        "repeats": repeats,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
