"""What a killed process left beside the file that it was about to write."""

from pathlib import Path

from specloom.workspace.drafts import clear_drafts, draft_name
from specloom.workspace.jail import Jail


def test_only_drafts_beside_the_file_are_taken_away(tmp_path: Path) -> None:
    left, elsewhere = tmp_path / "src" / draft_name(), tmp_path / draft_name()
    folder, link = tmp_path / "src" / draft_name(), tmp_path / "src" / draft_name()
    kept = [elsewhere, tmp_path / "src" / ".specloom-mine.tmp", tmp_path / "src" / "a.py"]
    folder.mkdir(parents=True)
    link.symlink_to(elsewhere)
    for file in (left, *kept):
        file.write_text("x")
    clear_drafts(Jail(tmp_path), "src/a.py")
    clear_drafts(Jail(tmp_path), "gone/a.py")
    clear_drafts(Jail(tmp_path), "../outside.py")
    assert not left.exists()
    assert all(file.exists() for file in (*kept, folder, link))
