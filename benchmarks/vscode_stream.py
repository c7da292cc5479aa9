"""CPU of the VS Code client while 20,000 deltas stream: in a real workbench, with the Agent view and without it.

Counts the processes of the workbench and its browser alone: `stream.py` and `fanout.py` measure our server.
The difference between the two runs is what the view costs; `pages` holds the workbench's own page, too, which shares
its thread with the view. `task_ms` is the longest task of that thread by the clock, `task_cpu_ms` what the longest
had of a CPU: their difference is the machine's load.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.editors.vscode_package import packaged  # noqa: E402
from tests.editors.vscode_stories import DELTA  # noqa: E402
from tests.editors.vscode_streaming import stream  # noqa: E402
from tests.editors.vscode_workbench import Installed  # noqa: E402


def main() -> None:
    """Prints one line of JSON; one that says why where the workbench cannot be installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deltas", type=int, default=20_000)
    parser.add_argument("--pace-s", type=float, default=0.0004)
    parser.add_argument("--one-line", action="store_true", help="an answer without a line's end")
    asked = parser.parse_args()
    script = ROOT / "scripts" / "install-vscode"
    installed = subprocess.run([script], capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        print(json.dumps({"benchmark": "vscode_stream", "skipped": installed.stderr.strip()}))
        return
    workbench = Installed(*map(Path, installed.stdout.splitlines()))
    extension = packaged(workbench, ROOT / ".cache" / "editors" / "extension")
    found: dict[str, Any] = {}
    for view in ("hidden", "shown"):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            place, pace = Path(name), asked.pace_s
            told: dict[str, Any] = {"deltas": asked.deltas, "pace_s": pace, "view": view, "ends": not asked.one_line}
            seen = stream(workbench, extension, place, place / "shots", tasks="traced", **told)
        found[view] = {"cpu_s": seen.cpu_s, **seen.page}
    print(
        json.dumps({"benchmark": "vscode_stream", "deltas": asked.deltas, "characters": asked.deltas * DELTA, **found})
    )


if __name__ == "__main__":
    main()
