"""Texts of documents that are not open. Refuses to raise: what cannot be read as text is `None`. Blocking."""

from pathlib import Path

from specloom.workspace.encoding import BinaryError, decode


def text_on_disk(file: Path) -> str | None:
    """The decoded text of a file."""
    try:
        return decode(file.read_bytes()).text
    except (OSError, BinaryError):
        return None
