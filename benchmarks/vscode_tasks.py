"""What an event about one of 10,000 tasks costs the VS Code client, without the editor: the fold and the row.

One JSON line: ms of the first fold of the snapshot, and of an event (median, 99th percentile of 2,000); no drawing.
Usage: `python benchmarks/vscode_tasks.py`
"""

import json
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLIENT = ROOT / "clients" / "vscode"


def main() -> None:
    """Says why where the client's packages cannot be installed."""
    script = ROOT / "scripts" / "install-vscode-deps"
    installed = subprocess.run([script], capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        print(json.dumps({"benchmark": "vscode_tasks", "skipped": installed.stderr.strip()}))
        return
    node = installed.stdout.splitlines()[0]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([node, "esbuild.mjs", "--units", f"--to={folder}"], cwd=CLIENT, check=True)
        command = [node, Path(folder) / "tasks.bench.js"]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    print(json.dumps({"benchmark": "vscode_tasks", **json.loads(ran.stdout)}))


if __name__ == "__main__":
    main()
