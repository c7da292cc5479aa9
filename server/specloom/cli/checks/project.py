"""The folder, its requirements, its state and its settings. Blocking: for a thread."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from specloom.cli.checks.check import Check, Level
from specloom.cli.ports import Inspection
from specloom.cli.requirements import DOCUMENTS
from specloom.cli.views.endings import problem_line
from specloom.cli.views.formats import count
from specloom.domain.problem import Severity
from specloom.store.database import ASIDE, FILE_NAME, connect_reader
from specloom.store.errors import StoreError, StoreMissingError, mapped_errors
from specloom.store.lock import writer_of
from specloom.workspace.encoding import BinaryError, decode

FOREIGN = (".kiro/specs", "specs")
"""Where other layouts keep their requirements."""
PROBE = 64 * 1024
"""Bytes that must fit on the disk."""
UTF_8 = "utf-8"
LARGE = 1_000_000
"""Bytes of a requirements document that no model reads at once."""


def project_checks(root: Path, inspection: Inspection) -> Iterator[Check]:
    """All of them."""
    yield _folder(root)
    yield _requirements(root, inspection.requirements)
    yield _state(inspection.state_dir)
    yield from _settings(inspection)


def _folder(root: Path) -> Check:
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        return Check("workspace", Level.FAIL, f"{root} cannot be written", "mend its owner or modes")
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return Check("workspace", Level.WARN, f"{root} is not under git", "`git init` lets you see what was changed")
    return Check("workspace", Level.OK, str(root))


def _requirements(root: Path, stated: str | None) -> Check:
    names = (stated,) if stated else DOCUMENTS
    found = next((root / name for name in names if (root / name).exists()), None)
    if found is None:
        if not stated and any((root / name).is_dir() for name in FOREIGN):
            return Check("requirements", Level.OK, "none of its own; specs are there")
        step = "write it, or set `requirements` in specloom.toml"
        return Check("requirements", Level.WARN, f"no {' or '.join(names)} in {root}", step)
    return _document(found, found.relative_to(root).as_posix())


def _document(path: Path, name: str) -> Check:
    if path.is_dir():
        return Check("requirements", Level.FAIL, f"{name} is a folder", "name a file")
    try:
        data = path.read_bytes()
        decoded = decode(data)
    except OSError as error:
        return Check("requirements", Level.FAIL, f"{name} cannot be read: {error.strerror}", "mend its owner or modes")
    except BinaryError as error:
        return Check("requirements", Level.FAIL, f"{name} is no text: {error}", "save it as text in UTF-8")
    if not decoded.text.strip():
        return Check("requirements", Level.FAIL, f"{name} is empty", "write what is wanted, one item a line")
    if len(data) > LARGE:
        step = "split it into several documents"
        return Check("requirements", Level.WARN, f"{name} has {len(data) // 1000} kB, too much to read at once", step)
    lines = f"{name}, {count(len(decoded.text.splitlines()), 'line')}"
    if decoded.encoding == UTF_8:
        return Check("requirements", Level.OK, lines)
    found = f"{lines}, is not UTF-8 and is read as {decoded.encoding}"
    return Check("requirements", Level.WARN, found, "save it as UTF-8 if its letters come out wrong")


def _state(directory: Path) -> Check:
    if not directory.exists():
        return _parent_of_state(directory)
    if directory.is_file():
        return Check("state", Level.FAIL, f"{directory} is a file", "move it aside, or set SPECLOOM_STATE_DIR")
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        step = "mend its owner or modes, or set SPECLOOM_STATE_DIR"
        return Check("state", Level.FAIL, f"{directory} cannot be written", step)
    if fault := _no_room(directory) or _damage(directory):
        return Check("state", Level.FAIL, *fault)
    holder = writer_of(directory)
    if holder is not None:
        return Check("state", Level.OK, f"{directory}, in use by {holder}")
    if asides := sorted(path.name for path in directory.glob(f"{ASIDE}*")):
        message = f"{directory}; a damaged log was put aside in {', '.join(asides)}"
        return Check("state", Level.WARN, message, "remove it once you miss nothing")
    return Check("state", Level.OK, str(directory))


def _parent_of_state(directory: Path) -> Check:
    parent = next(folder for folder in directory.parents if folder.exists())
    if not os.access(parent, os.W_OK | os.X_OK):
        return Check("state", Level.FAIL, f"{directory} cannot be made", "mend the folder, or set SPECLOOM_STATE_DIR")
    if fault := _no_room(parent):
        return Check("state", Level.FAIL, *fault)
    return Check("state", Level.OK, f"{directory}, made by the first plan or run")


def _no_room(folder: Path) -> tuple[str, str] | None:
    """Whether a file can be written to the disk there: one without a name, which is gone at once."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(os.urandom(PROBE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"nothing can be written to {folder}: {error.strerror}", "make room, or set SPECLOOM_STATE_DIR"
    return None


def _damage(directory: Path) -> tuple[str, str] | None:
    """What is wrong with the log, which is read through."""
    try:
        db = connect_reader(directory)
        with contextlib.closing(db), mapped_errors(directory / FILE_NAME):
            found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except StoreMissingError:
        return None
    except StoreError as error:
        message, _, step = str(error).partition("; ")
        return message, step or "try again, or move it aside and start again"
    if found == "ok":
        return None
    damage = " ".join(found.split())
    return f"{directory / FILE_NAME} is damaged: {damage}", "move it aside and start again, or restore it from a backup"


def _settings(inspection: Inspection) -> Iterator[Check]:
    levels = {Severity.ERROR: Level.FAIL, Severity.WARNING: Level.WARN, Severity.INFORMATION: Level.OK}
    for problem in inspection.problems:
        step = "`specloom approve`, if you trust it" if problem.code == "proposal-ignored" else "mend that line"
        yield Check("settings", levels[problem.severity], problem_line(problem), step)
    if not inspection.problems:
        yield Check("settings", Level.OK, "no problems")
