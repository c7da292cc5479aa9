"""The texts that editors have open, pushed in by who owns them.

Refuses to read a disk: whether a text is saved is told, not guessed.
"""

from dataclasses import dataclass, field, replace

from specloom.workspace.ports import BufferOwner


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """One document in one editor."""

    path: str
    """Relative to the root, as `Workspace.path_of` gives it."""
    text: str
    version: int
    owner: BufferOwner
    changed: bool = False
    """Changed since it was opened or saved, as far as its owner told."""
    touched: int = 0
    """Grows with every event of any document: the higher one is the newer one."""


@dataclass(slots=True)
class OpenDocuments:
    """All open documents of a root. Used on the event loop alone; every method returns at once."""

    _open: dict[tuple[int, str], OpenDocument] = field(default_factory=dict[tuple[int, str], OpenDocument])
    _events: int = 0

    def open(self, path: str, text: str, version: int, owner: BufferOwner) -> OpenDocument:
        """A document was opened (or opened again, which replaces it)."""
        return self._put(OpenDocument(path, text, version, owner))

    def change(self, path: str, text: str, version: int, owner: BufferOwner) -> OpenDocument:
        """Its whole text is now `text`. A document that was never opened counts as opened."""
        return self._put(OpenDocument(path, text, version, owner, changed=True))

    def saved(self, path: str, owner: BufferOwner, text: str | None = None) -> OpenDocument | None:
        """Buffer and disk are one again; `text` if the owner sent it along."""
        known = self._open.get((id(owner), path))
        if known is None:
            return None
        kept = self._put(replace(known, changed=False, text=known.text if text is None else text))
        self.on_disk(path, kept.text)
        return kept

    def on_disk(self, path: str, text: str) -> None:
        """The file has this text now: who shows just that has nothing unsaved, and did not type it but read it."""
        for key, document in self._open.items():
            if document.path == path and document.changed and document.text == text:
                self._open[key] = replace(document, changed=False)

    def is_shared(self, path: str) -> bool:
        """Whether several editors have it open."""
        return sum(known == path for _, known in self._open) > 1

    def close(self, path: str, owner: BufferOwner) -> None:
        """The disk is the truth again, unless another owner has it open too."""
        self._open.pop((id(owner), path), None)

    def closed_owner(self, owner: BufferOwner) -> tuple[str, ...]:
        """The editor is gone with all its documents; returns their paths."""
        gone = tuple(path for known, path in self._open if known == id(owner))
        for path in gone:
            del self._open[id(owner), path]
        return gone

    def find(self, path: str) -> OpenDocument | None:
        """The document at a path; of several editors the one with changes, then the one touched last."""
        found = [document for (_, known), document in self._open.items() if known == path]
        return max(found, key=lambda document: (document.changed, document.touched), default=None)

    def paths(self) -> tuple[str, ...]:
        """Of all open documents, sorted, each once."""
        return tuple(sorted({path for _, path in self._open}))

    def dirty_paths(self) -> tuple[str, ...]:
        """Of documents changed since they were opened or saved. `Workspace.dirty_paths` compares with the disk."""
        return tuple(sorted({document.path for document in self._open.values() if document.changed}))

    def _put(self, document: OpenDocument) -> OpenDocument:
        self._events += 1
        kept = replace(document, touched=self._events)
        self._open[id(document.owner), document.path] = kept
        return kept
