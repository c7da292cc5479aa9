"""Reads what a root says about how it wants to be hosted. Refuses state that came with a checkout. Blocking."""

import errno
import os
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from specloom.compose.errors import ConfigurationError
from specloom.domain.problem import Problem
from specloom.settings.credentials import all_values, read_env, secret_values

SETTINGS = "specloom.toml"
ENV = ".env"
STATE = ".specloom"
STATE_DIR = "SPECLOOM_STATE_DIR"
LARGEST = 1024 * 1024
"""Bytes that are read of a file."""
GIT_DEADLINE = 5.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class RootFiles:
    """The name of a root, its settings text (`None`: no file) and its keys."""

    name: str
    """Of the folder."""
    settings: str | None
    keys: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    secrets: tuple[str, ...] = ()
    """Values of `.env` that look like keys of whatever else, to be kept from models and logs."""


def read_root(root: Path) -> RootFiles:
    """Reads `specloom.toml` and `.env`. Raises `ConfigurationError` for a root that is no readable folder."""
    if not root.is_dir():
        kind = "a file" if root.exists() else "missing"
        raise ConfigurationError(f"{root} is {kind}; name a folder with --workspace")
    problems: list[Problem] = []
    settings = _text(root / SETTINGS, SETTINGS, problems)
    env = _text(root / ENV, ENV, problems)
    keys, more = read_env(env or "", ENV)
    return RootFiles(root.resolve().name, settings, keys, (*problems, *more), secret_values(all_values(env or "")))


def _text(path: Path, name: str, problems: list[Problem]) -> str | None:
    try:
        return _bytes(path).decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        problems.append(Problem("unreadable-settings", f"{name} cannot be read: {why}; mend it or remove it", name))
        return None


def _bytes(path: Path) -> bytes:
    """Raises `OSError`, also for a link of a checkout to a pipe or a device, which may give no end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
            raise OSError(errno.EINVAL, f"it is no file, or larger than {LARGEST // 1024} KiB")
        return os.read(descriptor, LARGEST)
    finally:
        os.close(descriptor)


def state_directory(root: Path, environment: Mapping[str, str], configured: str | None) -> Path:
    """Where the log lives: `SPECLOOM_STATE_DIR`, else the setting, else `.specloom` in the root.

    Raises `ConfigurationError` for the home of somebody whom this machine does not know.
    """
    chosen = environment.get(STATE_DIR) or configured
    try:
        return Path(chosen).expanduser() if chosen else root / STATE
    except RuntimeError as error:
        raise ConfigurationError(
            f"{chosen}: nobody of that name has a home here; name the folder by its whole path"
        ) from error


def refuse_foreign_state(root: Path, directory: Path) -> None:
    """Raises `ConfigurationError` for a log that git tracks: it was written by somebody else, and may say anything."""
    if directory != root / STATE or not (directory / "state.db").exists() or not (root / ".git").exists():
        return
    # A checkout that came as an archive brings its own configuration: this asks without the program it may name.
    quiet = ("-c", "core.fsmonitor=false")
    command = ["git", *quiet, "-C", str(root), "ls-files", "--error-unmatch", f"{STATE}/state.db"]
    try:
        tracked = subprocess.run(command, capture_output=True, timeout=GIT_DEADLINE, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return
    if tracked:
        raise ConfigurationError(
            f"{STATE}/state.db is tracked by git, so it is somebody else's history; "
            f"remove it with `git rm -r --cached {STATE}` and delete the folder, or set {STATE_DIR}"
        )
