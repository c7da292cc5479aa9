"""How long `specloom lsp` takes to answer `initialize`, against a bare pygls server on the same machine.

Starts both in turn and prints one JSON line each for the standalone server (cold) and for the bridge with a daemon up:
medians in milliseconds, their ratio, and the spread of the pairs' ratios. The aims are ratios of at most 1.2 and 0.25.
Usage: `python benchmarks/startup.py [--repeats N]`
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = "from pygls.lsp.server import LanguageServer; LanguageServer('bare', '1').start_io()"
BRIDGE = [str(Path(sys.executable).parent / "specloom"), "lsp"]
SPECLOOM = [*BRIDGE, "--standalone"]
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


def compared(name: str, command: list[str], root: Path, repeats: int) -> dict[str, object]:
    """Measures pairs, one of each in turn, so that a busy moment hits both."""
    bare_command = [sys.executable, "-c", BARE]
    pairs = [(answered(command, root), answered(bare_command, root)) for _ in range(repeats)]
    ours, bare = statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)
    ratios = sorted(pair[0] / pair[1] for pair in pairs)
    return {
        "benchmark": name,
        "specloom_ms": round(ours * 1000, 1),
        "bare_pygls_ms": round(bare * 1000, 1),
        "ratio": round(ours / bare, 3),
        "quartiles": [round(ratios[len(ratios) // 4], 3), round(ratios[3 * len(ratios) // 4], 3)],
        "repeats": repeats,
    }


def main() -> None:
    """Both ways to start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=21)
    repeats: int = parser.parse_args().repeats
    with tempfile.TemporaryDirectory(prefix="sl-") as folder:
        root = Path(folder)
        print(json.dumps(compared("startup", SPECLOOM, root, repeats)))
        os.environ |= {"SPECLOOM_RUNTIME_DIR": folder, "SPECLOOM_LOG_DIR": folder}
        try:
            answered(BRIDGE, root)
            print(json.dumps(compared("attach", BRIDGE, root, repeats)))
        finally:
            subprocess.run([BRIDGE[0], "daemon", "stop", "--force"], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
