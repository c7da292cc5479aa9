"""What we wrote ourselves, by path and digest, so that its echo from the file system is no news.

Refuses to remember more than the last write to a path.
"""

from dataclasses import dataclass, field

from specloom.domain.ids import Digest


@dataclass(slots=True)
class OwnWrites:
    """The last write of ours to each path. Used on the event loop alone."""

    _digests: dict[str, Digest] = field(default_factory=dict[str, Digest])

    def remember(self, path: str, digest: Digest) -> None:
        """Before the write, because the watcher may be faster than its return."""
        self._digests[path] = digest

    def forget(self, path: str) -> None:
        """The write did not happen."""
        self._digests.pop(path, None)

    def is_echo(self, path: str, digest: Digest) -> bool:
        """Whether this text at this path is ours. Another text ends the memory: what others write later is news."""
        if self._digests.get(path) == digest:
            return True
        self._digests.pop(path, None)
        return False
