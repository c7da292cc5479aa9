"""URIs of files below a root, both ways. Refuses to touch the disk, and URIs of any other scheme."""

import os
from dataclasses import dataclass
from pathlib import Path

from pygls.uris import from_fs_path, to_fs_path


@dataclass(frozen=True, slots=True)
class Places:
    """One root as the client names it and as the system does; they differ where a link leads to it."""

    root: Path
    named: str
    """The root's path in the client's own words: URIs that we send start with it."""

    def path_of(self, uri: str) -> str | None:
        """The path below the root with forward slashes; `None` for anything outside or not a file."""
        file = to_fs_path(uri)
        if not file:
            return None
        absolute = os.path.normpath(file)
        for root in (self.named, str(self.root)):
            below = root.rstrip(os.sep) + os.sep
            if absolute.startswith(below):
                # Not `relpath`, which may ask the system for the working directory.
                return absolute.removeprefix(below).replace(os.sep, "/")
        return None

    def uri_of(self, path: str) -> str:
        """The URI of a path below the root."""
        return uri_of_file(str(Path(self.named, *path.split("/"))))


def uri_of_file(file: str) -> str:
    """The URI of an absolute path. Raises `ValueError` for what is no path."""
    uri = from_fs_path(file)
    if uri is None:
        raise ValueError(f"{file!r} has no URI")
    return uri
