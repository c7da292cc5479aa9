"""The same answers with ripgrep and without it, on files that the two read differently."""

import fcntl
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from specloom.tools import grep_search
from specloom.tools.grep_search import GrepSearch
from specloom.tools.ports import ToolContext
from specloom.tools.ripgrep import find_ripgrep, sieve
from specloom.workspace.ports import EditResult, FileChange
from specloom.workspace.workspace import Workspace

ROOT = Path(__file__).parents[2]
WORD = "needle in a haystack"
FILES: dict[str, bytes] = {
    "plain.txt": f"one\n{WORD}\nNEEDLE\n".encode(),
    "crlf.txt": f"one\r\n{WORD}\r\n".encode(),
    "lone-cr.txt": f"one\r{WORD}\rneedle at the end".encode(),
    "utf16.txt": "\ufeff".encode("utf-16-le") + f"grün\n{WORD}\n".encode("utf-16-le"),
    "utf16be.txt": "\ufeff".encode("utf-16-be") + f"{WORD}\n".encode("utf-16-be"),
    "utf32.txt": "\ufeff".encode("utf-32-le") + f"{WORD}\n".encode("utf-32-le"),
    "utf32be.txt": "\ufeff".encode("utf-32-be") + f"{WORD}\n".encode("utf-32-be"),
    "bom.txt": b"\xef\xbb\xbf" + WORD.encode(),
    "latin1.txt": f"gr\xfcn {WORD} gr\xfcn\n".encode("latin-1"),
    "binary.bin": b"\0\1\2" + WORD.encode(),
    "late-binary.bin": WORD.encode() + b"\n" * 9000 + b"\0",
    "between.txt": b"needle \xff\xfe odd bytes, then a haystack\n",
    "two lines.txt": b"needle\nhaystack\n",
    "-dash.txt": WORD.encode(),
    "sub/nested/deep.txt": WORD.encode(),
    "kelvin.txt": "haystac\u212a and ne\u0131dle\n".encode(),
    "empty.txt": b"",
    "large.txt": b"x" * (9 * 1024 * 1024) + b"\nneedle\n",
    "large-other.txt": b"y" * (9 * 1024 * 1024),
    "é/ümlaut.txt": WORD.encode(),
}
PATTERNS = [
    "needle",
    "needle.*haystack",
    "^needle",
    "haystack$",
    "grün|needle in",
    r"needle\s+in",
    "n[e]+dle",
    r"\w+dle",
    "absent text",
    r"odd bytes\b",
    "needle at|haystack\r",
]


@pytest.fixture(scope="session")
def ripgrep() -> Path:
    """The path of a ripgrep, installed if need be."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "ripgrep.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        script = ROOT / "scripts" / "install-ripgrep"
        installed = subprocess.run([script], capture_output=True, text=True, timeout=240, check=False)
    if installed.returncode:
        pytest.skip(installed.stderr.strip() or f"install-ripgrep: exit status {installed.returncode}")
    return Path(installed.stdout.strip())


@dataclass(frozen=True)
class Context:
    """What a search needs of a tool context."""

    files: Workspace
    environment: dict[str, str]


@pytest.fixture
def tree(tmp_path: Path) -> Workspace:
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return Workspace.at(tmp_path)


async def found(tree: Workspace, path: str, pattern: str, *, ignore_case: bool = False) -> str:
    context: ToolContext = Context(tree, {"PATH": path})  # pyright: ignore[reportAssignmentType] # all that a search asks for
    return (await GrepSearch().run({"pattern": pattern, "ignore_case": ignore_case}, context)).text


@pytest.mark.parametrize("ignore_case", [False, True])
@pytest.mark.parametrize("pattern", PATTERNS)
async def test_ripgrep_changes_no_answer(
    tree: Workspace, ripgrep: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, ignore_case: bool
) -> None:
    alone = await found(tree, "", pattern, ignore_case=ignore_case)
    monkeypatch.setattr(grep_search, "WORTH_SIFTING", 0)
    assert await found(tree, str(ripgrep.parent), pattern, ignore_case=ignore_case) == alone


async def test_ripgrep_passes_over_what_cannot_match(tree: Workspace, ripgrep: Path) -> None:
    paths = sorted(FILES)
    kept = await sieve(str(ripgrep), tree.root, paths, [["needle", "haystack"]], ignore_case=False)
    assert kept is not None
    assert {"plain.txt", "crlf.txt", "lone-cr.txt", "-dash.txt", "between.txt", "utf16.txt", "utf32.txt"} <= set(kept)
    assert not {"two lines.txt", "empty.txt", "kelvin.txt", "large-other.txt"} & set(kept)


async def test_where_ripgrep_cannot_read_we_look_ourselves(tree: Workspace, ripgrep: Path) -> None:
    assert await sieve(str(ripgrep), tree.root, ["gone.txt", "plain.txt"], [["needle"]], ignore_case=False) is None
    assert await sieve(str(tree.root / "no-program"), tree.root, ["plain.txt"], [["needle"]], ignore_case=False) is None


async def test_names_that_need_several_processes_are_all_asked_for(tmp_path: Path, ripgrep: Path) -> None:
    names = [f"{number:05}-{'n' * 200}.txt" for number in range(4000)]
    for name in names[::1000]:
        (tmp_path / name).write_text("needle")
    for name in set(names) - set(names[::1000]):
        (tmp_path / name).touch()
    assert await sieve(str(ripgrep), tmp_path, names, [["needle"]], ignore_case=False) == names[::1000]


def test_a_ripgrep_of_the_repository_is_not_run(tmp_path: Path, ripgrep: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rg").write_text("#!/bin/sh\ntouch ran\n")
    (tmp_path / "bin" / "rg").chmod(0o755)
    assert find_ripgrep({"PATH": f"{tmp_path / 'bin'}{os.pathsep}{ripgrep.parent}"}, tmp_path) is None
    assert find_ripgrep({"PATH": str(ripgrep.parent)}, tmp_path) == str(ripgrep)
    assert find_ripgrep({"PATH": "bin"}, tmp_path) is None


async def test_unsaved_text_is_found_though_the_file_cannot_match(
    tree: Workspace, ripgrep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Editor:
        async def apply(self, change: FileChange) -> EditResult:
            raise AssertionError(change.path)

        async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
            raise AssertionError((paths, deadline))

    monkeypatch.setattr(grep_search, "WORTH_SIFTING", 0)
    tree.documents.open("empty.txt", "a thimble in the buffer\n", 1, Editor())
    assert await found(tree, str(ripgrep.parent), "a thimble") == (
        "1 match in 1 file\nempty.txt\n1 | a thimble in the buffer"
    )
