"""Names the file that holds a new text until it is put in place, and takes away those that a killed process left.

Refuses to remove what does not bear such a name, and what is no plain file.
"""

import os
import re
import secrets
import stat
from contextlib import suppress

from specloom.workspace.jail import Jail, parent_of
from specloom.workspace.ports import WorkspaceError

_DRAFT = re.compile(r"\.specloom-[0-9a-f]{16}\.tmp")


def draft_name() -> str:
    """A new one, for a file in the folder of the one that it becomes."""
    return f".specloom-{secrets.token_hex(8)}.tmp"


def clear_drafts(jail: Jail, path: str) -> None:
    """Removes all drafts beside `path`; call while nobody writes there. Blocking."""
    with suppress(OSError, WorkspaceError), jail.folder(parent_of(jail.locate(path))) as folder:
        for name in os.listdir(folder):  # noqa: PTH208 - by descriptor, so that no link redirects it
            if _DRAFT.fullmatch(name):
                _remove(folder, name)


def _remove(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=folder)
