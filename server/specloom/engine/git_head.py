"""What git has checked out, and what it did since: read from HEAD, refs, the reflog and the index of a repository.

Refuses to start git, and to write: a repository that cannot be read has nothing checked out.
"""

import hashlib
import os
import stat
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from specloom.engine.git_index import entries, present, read_index
from specloom.engine.repository import Repository, nearest

LARGEST = 16 << 20
"""Bytes of packed refs that are read."""
TAIL = 256 << 10
"""Bytes at the end of a reflog that are looked through."""
BEGUN = (
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
)
"""What lies in the repository's folder while it goes on."""
HARMLESS = ("commit", "Branch:")
"""How the reflog's messages begin where HEAD moves over files that stand there already."""
WRITING = ("checkout:", "merge ", "pull", "rebase", "cherry-pick:", "revert:")
"""How they begin where git has written files before it moves HEAD."""

Stamp: TypeAlias = tuple[int, int, int]
"""Inode, size and time of change of a file."""


@dataclass(frozen=True, slots=True)
class GitHead:
    """What is checked out at one moment."""

    branch: str = ""
    """Empty: none (detached), or no repository."""
    commit: str = ""
    """Empty: none yet, or no repository."""
    begun: str = ""
    """What git is in the middle of: `rebase`, `merge`, `cherry-pick` or `revert`."""
    stash: str = ""
    """The newest stashed commit."""
    index: Stamp | None = None
    """Git replaces its index whenever it has written files."""
    lock: Stamp | None = None
    """Git is at work on files or index."""


def look(root: Path) -> GitHead:
    """What is checked out around `root`. Blocks."""
    found = nearest(root)
    if found is None:
        return GitHead()
    stated = _text(found.folder / "HEAD")
    ref = stated.removeprefix("ref:").strip() if stated.startswith("ref:") else ""
    return GitHead(
        ref.removeprefix("refs/heads/"),
        _commit(found, ref) if ref else stated.strip(),
        next((verb for name, verb in BEGUN if os.path.lexists(found.folder / name)), ""),
        _commit(found, "refs/stash"),
        _stamp(found.folder / "index"),
        _stamp(found.folder / "index.lock"),
    )


def git_folder(root: Path) -> Path | None:
    """Where HEAD and index of the repository around `root` lie. Blocks."""
    found = nearest(root)
    return None if found is None else found.folder


@dataclass(frozen=True, slots=True)
class Step:
    """One line of HEAD's reflog."""

    before: str
    after: str
    message: str


def steps_since(root: Path, commit: str) -> tuple[Step, ...] | None:
    """What HEAD did since it last came to `commit`; `None` where the reflog does not know that. Blocks."""
    found = nearest(root)
    steps = [] if found is None else list(_steps(_tail(found.folder / "logs" / "HEAD")))
    place = next((at for at in range(len(steps) - 1, -1, -1) if steps[at].after == commit), None)
    if place is not None:
        return tuple(steps[place + 1 :])
    return tuple(steps) if steps and not commit else None


def count_steps(root: Path) -> int:
    """Bytes of HEAD's reflog: it grows with each step. Blocks."""
    found = nearest(root)
    known = None if found is None else _stamp(found.folder / "logs" / "HEAD")
    return 0 if known is None else known[1]


def steps_from(root: Path, size: int) -> tuple[Step, ...] | None:
    """What HEAD did since its reflog had `size` bytes; `None` where it has become shorter. Blocks."""
    found = nearest(root)
    if found is None or count_steps(root) < size:
        return None
    return tuple(_steps(_tail(found.folder / "logs" / "HEAD", size)))


@dataclass(frozen=True, slots=True)
class Passage:
    """What is known of the way from one look to the next."""

    before: GitHead | None
    """`None`: not known."""
    now: GitHead
    steps: tuple[Step, ...] | None
    index: bytes
    """As it was before; empty: not known."""


def wrote_files(root: Path, passage: Passage) -> bool:
    """Whether git wrote files of the work tree. In doubt it did. Blocks."""
    before, now, steps = passage.before, passage.now, passage.steps
    if before is not None and before.index == now.index:
        # Whoever looked in between saw the files of it, and no HEAD yet that says whose they are.
        return not before.begun and any(_follows_files(step) for step in steps or ())
    began = now.begun != "" and (before is None or before.begun != now.begun)
    unstashed = before is not None and before.stash != now.stash
    if began or unstashed:
        return True
    if not steps:
        return (before is None or before.commit != now.commit) and _looks_written(root, passage.index)
    return any(_wrote(root, step, passage.index) for step in steps)


def _wrote(root: Path, step: Step, index: bytes) -> bool:
    if step.message.startswith(HARMLESS):
        return False
    if step.message.startswith("reset:"):
        return _looks_written(root, index)
    return step.before != step.after


def _follows_files(step: Step) -> bool:
    return step.before != step.after and step.message.startswith(WRITING)


def _looks_written(root: Path, index: bytes) -> bool:
    """Whether files are as the index has them now and as it had them not, as `reset --hard` leaves them.

    After `reset --mixed` the files that differ from before in the index differ from the index itself.
    """
    found = nearest(root)
    try:
        old, new = dict(entries(index)), dict(entries(read_index(root)))
    except (ValueError, struct.error):
        return True
    if found is None:
        return False
    gone = (path for path in old.keys() - new.keys() if present(found.top, path) is None)
    written = (path for path, entry in new.items() if old.get(path) != entry and present(found.top, path) == entry[1:])
    return next(gone, None) is not None or next(written, None) is not None


def _commit(found: Repository, ref: str) -> str:
    tables = found.common / "reftable" / "tables.list"
    if os.path.lexists(tables):
        # Refs stand in a binary table, whose list changes with every one of them.
        return hashlib.sha256(_text(tables).encode()).hexdigest()
    for folder in (found.folder, found.common):
        if text := _text(folder / ref).strip():
            return text
    packed = found.common / "packed-refs"
    return _packed(packed, _stamp(packed)).get(ref, "")


@lru_cache(maxsize=8)
def _packed(path: Path, stamp: Stamp | None) -> Mapping[str, str]:
    """Commits by ref, parsed once for each stamp: one looks each turn, and there may be thousands of refs."""
    del stamp
    # Lines of the header and of peeled tags name no ref.
    lines = (line.partition(" ") for line in _text(path).splitlines() if line[:1] not in ("#", "^"))
    return {ref: commit for commit, _, ref in lines}


def _steps(lines: bytes) -> Iterator[Step]:
    for line in lines.decode("utf-8", "replace").splitlines():
        head, _, message = line.partition("\t")
        commits = head.split(" ", 2)
        if len(commits) == 3:
            yield Step(commits[0], commits[1], message)


def _tail(path: Path, start: int = 0) -> bytes:
    if _stamp(path) is None:
        return b""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start, size - TAIL))
            return file.read(TAIL)
    except OSError:
        return b""


def _text(path: Path) -> str:
    """Empty where it cannot be read, is no file or is too large."""
    known = _stamp(path)
    if known is None or known[1] > LARGEST:
        return ""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None
