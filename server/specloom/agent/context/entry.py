"""What each block of a conversation is, told from the call and its result. Refuses to look at anything unrecorded."""

import json
from dataclasses import dataclass
from enum import StrEnum
from posixpath import normpath

from specloom.agent.context.pictures import Picture, picture_in
from specloom.agent.context.size import tokens_of
from specloom.llm.messages import ToolResult, ToolUse
from specloom.tools.changes import KEPT, UNCHANGED
from specloom.tools.read_file import IN_PARTS
from specloom.tools.view import counted

VIEWING = frozenset({"read_file", "edit_file", "write_file"})
"""Tools whose results show a file, or part of it, with line numbers."""
SAID = frozenset({"ask_user"})
"""Tools whose results are a person's words: they stay."""
CLOSED = "closed"
GONE = "the file is gone"
OUTDATED = "outdated, the file was changed since"
"""What a view says whose file the model has no text of any more."""
LABEL = 80
"""Characters of what a call was about."""
LINE_AROUND = 60
"""Characters of a one-line stand-in beside what the call was about."""


class Kind(StrEnum):
    """What may become of an entry."""

    ANSWER = "answer"
    """The model's: stays byte for byte."""
    KEPT = "kept"
    """Words of ours or of a person, and what has been collapsed already."""
    VIEW = "view"
    """Lines of a file with their numbers: superseded by a later view of the same file."""
    OUTPUT = "output"
    """What a tool found or a command printed: may be elided, since `read_output` gives it back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer, or one block of ours; numbered by its place in the conversation."""

    kind: Kind
    tokens: int
    turn: int = 0
    """Answers before it."""
    path: str = ""
    """Of a view."""
    what: str = ""
    """The call in a few words: `read_file src/a.py 1-80`."""
    whole: bool = False
    """A view of all that the session knows of its file: earlier ones are superseded by it alone."""
    vague: bool = False
    """May show lines of a text that others had changed, without a word of what moved elsewhere: a part, a refusal."""
    moved: bool = False
    """Tells what others changed, as seen from before its turn."""
    image: Picture | None = None
    """What it shows beside its text."""

    @property
    def gain(self) -> int:
        """Tokens less once it is one line."""
        return self.tokens - (len(self.what) + LINE_AROUND) // 4


def result_entry(call: ToolUse | None, result: ToolResult, turn: int) -> Entry:
    """The entry of a tool result; one with an image is kept, since no text stands for it."""
    tokens = tokens_of(result.text)
    if (image := picture_in(result)) is not None:
        what = label(call) if call is not None else "image"
        return Entry(Kind.KEPT, tokens + image.tokens, turn, what=what, image=image)
    if call is None or call.name in SAID or not isinstance(result.raw.get("content", ""), str):
        return Entry(Kind.KEPT, tokens, turn)
    what, path = label(call), call.input.get("path")
    if call.name == "edit_file" and result.text.partition("\n")[0].endswith(UNCHANGED):
        # Beside a read in the same turn it would pass for the last that was shown.
        return Entry(Kind.KEPT, tokens, turn, what=what)
    if call.name in VIEWING and isinstance(path, str) and not (call.name == "read_file" and _is_no_base(result)):
        whole = _is_whole(call, result)
        vague = result.is_error or (call.name == "read_file" and not whole)
        return Entry(Kind.VIEW, tokens, turn, normpath(path), what, whole, vague, KEPT in result.text)
    return Entry(Kind.OUTPUT, tokens, turn, what=what)


def label(call: ToolUse) -> str:
    """A call in a few words, on one line."""
    subject = next((value for value in call.input.values() if isinstance(value, str | int)), "")
    first, last = call.input.get("start_line"), call.input.get("end_line")
    span = f" {first or 1}-{last or 'end'}" if first or last else ""
    words = " ".join(f"{call.name} {subject}".split())
    return (words if len(words) <= LABEL else f"{words[: LABEL - 1]}…") + span


def _is_no_base(result: ToolResult) -> bool:
    """Whether a read leaves nothing that could be edited: it was refused, or the file is shown in parts alone."""
    return result.is_error or result.text.partition("\n")[0].endswith(IN_PARTS)


def _is_whole(call: ToolUse, result: ToolResult) -> bool:
    if call.name != "read_file" or call.input.get("start_line") or call.input.get("end_line"):
        return False
    # Not the last line alone: news of jobs stand behind a view, and each line of a file behind its number.
    return "\n… lines " not in result.text


def superseded(entry: Entry, left: str = "") -> str:
    """The line that stands for a view whose file is shown again, or, as `left` says, is not in sight any more."""
    return f"[{entry.what}: {left or 'superseded, see the file below'}]"


def elided(number: int, entry: Entry, text: str) -> str:
    """The line that stands for an output: what it was, how it ended, how much it was, how to get it back."""
    first = text.partition("\n")[0]
    ended = f"{first[:LABEL]}, " if first.startswith("exit code") else ""
    size = f"{counted(text.count(chr(10)) + 1, 'line')}, {counted(len(text), 'character')}"
    return f"[{entry.what}: {ended}{size}; read_output {json.dumps({'output': number})} shows it]"
