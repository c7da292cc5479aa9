"""Makes a process write its log. Refuses to fail: one without a log works all the same."""

import logging
import os
from collections.abc import Mapping
from typing import Literal

from specloom.logs.place import log_folder
from specloom.logs.record import Writing
from specloom.logs.writer import FileWriter, QueuedHandler

LEVEL = "SPECLOOM_LOG_LEVEL"
CONTENT = "SPECLOOM_LOG_CONTENT"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
OURS = ("specloom", "asyncio")
"""Loggers whose records are written."""


def write_logs(environment: Mapping[str, str], kind: Literal["cli", "lsp", "daemon", "bridge"]) -> QueuedHandler:
    """From now on records of this process go to its user's log files; a process that asks again has one log."""
    level = environment.get(LEVEL, "").upper()
    writing = Writing(kind, os.getpid(), content=environment.get(CONTENT) == "1")
    handler = QueuedHandler(writing, FileWriter(log_folder(environment)))
    for name in OURS:
        logger = logging.getLogger(name)
        for known in [known for known in logger.handlers if isinstance(known, QueuedHandler)]:
            logger.removeHandler(known)
            known.close()
        logger.addHandler(handler)
    logger = logging.getLogger("specloom")
    logger.setLevel(level if level in LEVELS else "INFO")
    if level and level not in LEVELS:
        logger.warning("%s is none of %s; INFO is used", LEVEL, ", ".join(LEVELS))
    return handler
