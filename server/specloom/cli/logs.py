"""Where traces of the command line go: a file of this machine, made with its first record. Refuses stderr."""

import logging
import logging.handlers
import os
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path

SIZE = 1_000_000
"""Bytes of the file before it is put aside; one older file is kept."""


def log_file(environment: Mapping[str, str]) -> Path:
    """`SPECLOOM_LOG_DIR`, else `$XDG_STATE_HOME/specloom/logs`, else `~/.local/state/specloom/logs`."""
    if stated := environment.get("SPECLOOM_LOG_DIR"):
        return Path(stated).expanduser() / "cli.log"
    state = environment.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "specloom" / "logs" / "cli.log"


def set_up_log(environment: Mapping[str, str]) -> Path:
    """Sends warnings and worse of all floors there; returns the file."""
    path = log_file(environment)
    handler = LateFile(path, maxBytes=SIZE, backupCount=1, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("specloom")
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    # A log that cannot be written must not disturb what is logged.
    logging.raiseExceptions = False
    return path


class LateFile(logging.handlers.RotatingFileHandler):
    """Makes its folder and file, readable for their owner alone, with the first record."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
        return super()._open()
