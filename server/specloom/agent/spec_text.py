"""A spec as the first message of a session shows it. Refuses to summarise: what is shown stands in the file."""

from specloom.domain.documents.lines import front_matter_end
from specloom.domain.lines import split_lines


def whole_spec(text: str, beside: tuple[tuple[str, str], ...] = ()) -> str:
    """The whole text but its front matter, which is Specloom's own bookkeeping.

    `beside`: path and text of the other files that make up a spec in the layouts of other tools.
    """
    rows = [line.text for line in split_lines(text)]
    own = "\n".join(rows[front_matter_end(rows or [""]) :]).strip()
    return "\n\n".join([*(f"From {path}:\n\n{other.strip()}" for path, other in beside), own])
