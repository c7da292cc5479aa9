"""The log says that a file will be changed before it is, and what came of it only afterwards."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from specloom.domain.ids import Digest, EditId
from specloom.workspace.ports import EditResult, FileChange, TextSnapshot
from specloom.workspace.workspace import Workspace


@dataclass
class DiskJournal:
    """Looks at the disk each time something is written down."""

    file: Path
    seen: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    async def requested(self, path: str, before: TextSnapshot | None, after: Digest, label: str) -> EditId:
        self.seen.append(("requested", await asyncio.to_thread(self.file.read_text)))
        return EditId("edit-1")

    async def settled(self, edit: EditId, result: EditResult) -> None:
        self.seen.append(("settled", await asyncio.to_thread(self.file.read_text)))


async def test_a_file_is_changed_between_its_two_records(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old\n")
    journal = DiskJournal(tmp_path / "a.txt")
    workspace = await asyncio.to_thread(Workspace.at, tmp_path, journal)
    await workspace.apply(FileChange("a.txt", "new\n", await workspace.read("a.txt")))
    assert journal.seen == [("requested", "old\n"), ("settled", "new\n")]
