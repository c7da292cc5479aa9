"""How long a VS Code window takes until the tree shows a project of 1,000 and of 10,000 tasks, in a real workbench.

Prints a line of JSON for each size: ms until the workbench, our container and the rows are there, of a first window
(`cold`: no daemon, no log) and of the next (`warm`: the daemon has the root open); what lies between container and
rows, and the CPU seconds of extension host, pages and the rest meanwhile. What the extension host needs to start is in
it; the server's own time is told by `project_start.py`. Refuses to judge. Usage: `python benchmarks/vscode_start.py`
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
from tests.daemon.stage import staged  # noqa: E402
from tests.editors.vscode_costs import Costs  # noqa: E402
from tests.editors.vscode_package import packaged  # noqa: E402
from tests.editors.vscode_streaming import settings  # noqa: E402
from tests.editors.vscode_workbench import Home, Installed, playing  # noqa: E402

SIZES = (1_000, 10_000)


def window(workbench: Installed, place: Path, address: str, root: Path) -> dict[str, Any]:
    """One window, from its address to the rows."""
    costs = Costs()

    def shown(_: str) -> None:
        costs.begin()

    def rows(_: str) -> None:
        costs.end()

    verbs = {"shown": shown, "rows": rows}
    with playing("many", workbench, place / "shots", verbs, address=address, root=str(root)) as story:
        said = story.must_pass()
    marks = json.loads(next(line for line in said.splitlines() if " measured " in line).partition(" measured ")[2])
    return {**marks, "ours": marks["rows"] - marks["container"], "cpu_s": costs.seconds}


def windows(workbench: Installed, extension: Path, tasks: int) -> dict[str, Any]:
    """The first window of a person, and the next."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, staged() as stage:
        place, root = Path(name), Path(name) / "many"
        root.mkdir()
        lay(root, tasks)
        home = Home(place / "home", workbench, settings(), **stage.own)
        home.install(extension)
        with home.serving() as address:
            return {start: window(workbench, place, address, root) for start in ("cold", "warm")}


def main() -> None:
    """Says why where the workbench cannot be installed."""
    script = ROOT / "scripts" / "install-vscode"
    installed = subprocess.run([script], capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        print(json.dumps({"benchmark": "vscode_start", "skipped": installed.stderr.strip()}))
        return
    workbench = Installed(*map(Path, installed.stdout.splitlines()))
    extension = packaged(workbench, ROOT / ".cache" / "editors" / "extension")
    for tasks in SIZES:
        print(json.dumps({"benchmark": "vscode_start", "tasks": tasks, **windows(workbench, extension, tasks)}))


if __name__ == "__main__":
    main()
