"""Remembers outside the workspace which run its user ordered, so that it may go on by itself after a restart.

Refuses to believe the log: that can come with a repository, and an order in it is nobody's.
"""

import contextlib
import logging
import os
from pathlib import Path

from specloom.domain.ids import RunId, digest_of
from specloom.store.errors import mapped_errors

log = logging.getLogger(__name__)


class OrderFile:
    """One file a root, in a folder of the user's own. Blocking."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._path = folder / f"{digest_of(os.path.realpath(root))[:32]}.run"

    def keep(self, run: RunId) -> None:
        """This run was ordered here. Raises `StoreError`."""
        with mapped_errors(self._path):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.write_text(run, encoding="utf-8")

    def knows(self, run: RunId) -> bool:
        """Whether it was; what cannot be read was not."""
        with contextlib.suppress(OSError, ValueError):
            return self._path.stat().st_uid == os.getuid() and self._path.read_text(encoding="utf-8") == run
        return False
