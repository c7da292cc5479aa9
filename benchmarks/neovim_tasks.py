"""How long Neovim takes, from opening a document, until its tree has all rows of 1,000 and of 10,000 tasks; no screen.

Prints a line of JSON for each Neovim and size: ms by the clock, and of Neovim's own CPU, until the snapshot and the
rows are there; `cold`: no server, no log; `warm`: the daemon has the root open. The server's part is told by
`project_start.py`. Refuses to judge. Usage: `python benchmarks/neovim_tasks.py`
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from documents import lay  # noqa: E402
from tests.daemon.stage import Stage, staged  # noqa: E402

SIZES = (1_000, 10_000)
SPECLOOM = Path(sys.executable).parent / "specloom"
DEADLINE = 90.0


def started(neovim: str, stage: Stage, root: Path) -> dict[str, Any]:
    """What the file of Lua beside this one found."""
    result = root.parent / "result.json"
    told = {"BENCH_ROOT": str(ROOT), "BENCH_RESULT": str(result), "BENCH_SPECLOOM": str(SPECLOOM)}
    script = Path(__file__).with_suffix(".lua")
    command = [neovim, "--headless", "-u", "NONE", "-c", f"luafile {script}", "-c", "qa!"]
    environment = {**stage.environment, "HOME": str(root.parent), **told}
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, timeout=DEADLINE)
    found: dict[str, Any] = json.loads(result.read_text())
    result.unlink()
    return found


def main() -> None:
    """Both versions, where they can be had."""
    for suite in ("trixie", "forky"):
        command = [ROOT / "scripts" / "install-neovim", suite]
        installed = subprocess.run(command, capture_output=True, text=True, check=False)
        if installed.returncode != 0:
            print(json.dumps({"benchmark": "neovim_tasks", "missing": installed.stderr.strip()}))
            continue
        for tasks in SIZES:
            with tempfile.TemporaryDirectory() as name, staged() as stage:
                root = Path(name) / "many"
                root.mkdir()
                lay(root, tasks)
                found = {start: started(installed.stdout.strip(), stage, root) for start in ("cold", "warm")}
            print(json.dumps({"benchmark": "neovim_tasks", "neovim": suite, "tasks": tasks, **found}))


if __name__ == "__main__":
    main()
