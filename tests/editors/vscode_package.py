"""Our extension as a person gets it: the .vsix of this checkout, packaged once for all tests.

Refuses to build in the checkout: tests beside each other would take the files from each other.
"""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.editors.vscode_workbench import Installed

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "clients" / "vscode"
UNTOUCHED = ("--allow-missing-repository", "--no-rewrite-relative-links", "--readme-path", "dist/README.md")
"""The README keeps its links as they are."""
PARTS = ("src", "media", "package.json", "esbuild.mjs", "tsconfig.json", ".vscodeignore", "README.md")
DEADLINE = 120


def packaged(installed: Installed, cache: Path) -> Path:
    """The .vsix, built unless one of the same sources is there."""
    name = f"specloom-{_digest()}.vsix"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "package.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache / name).exists():
            for old in cache.glob("specloom-*.vsix"):
                old.unlink()
            with TemporaryDirectory(dir=cache) as checkout:
                shutil.copy(ROOT / "LICENSE", checkout)
                _package(installed, Path(checkout) / SOURCE.relative_to(ROOT), cache / name)
    return cache / name


def _package(installed: Installed, folder: Path, vsix: Path) -> None:
    folder.mkdir(parents=True)
    for part in filter(Path.exists, (SOURCE / name for name in PARTS)):
        if part.is_dir():
            shutil.copytree(part, folder / part.name)
        else:
            shutil.copy(part, folder)
    (folder / "node_modules").symlink_to(SOURCE / "node_modules")
    _run(installed, folder, "esbuild.mjs", "--production")
    vsce = str(SOURCE / "node_modules" / "@vscode" / "vsce" / "vsce")
    _run(installed, folder, vsce, "package", "--no-dependencies", *UNTOUCHED, "--out", str(vsix))


def _run(installed: Installed, folder: Path, *words: str) -> None:
    run = subprocess.run(
        [installed.node, *words], cwd=folder, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def _digest() -> str:
    """Of all that goes into the package, and of what builds it."""
    found = hashlib.sha256()
    for place in (SOURCE / part for part in (*PARTS, "package-lock.json")):
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file():
                found.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return found.hexdigest()[:16]
