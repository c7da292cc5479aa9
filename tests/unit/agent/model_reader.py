"""Reads a conversation as a model does: what does it say about the present text of each file?

Written against what stands in the messages alone; knows nothing of how they were made.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from specloom.llm.messages import AssistantMessage, Message, Text, ToolResult, UserMessage

ROW = re.compile(r"^(\d+) \| (.*)$", re.MULTILINE)
SHIFT = re.compile(r"^Old lines? (\d+)(?:-(\d+))? → (\d+)(?:-\d+)?$", re.MULTILINE)
DELETED = re.compile(r"^old lines? (\d+)(?:-(\d+))? deleted$", re.MULTILINE)
END = re.compile(r"^The file ends with line (\d+) now$", re.MULTILINE)
LOST = re.compile(r"read the file again|as you sent them|read them again", re.MULTILINE)
TITLE = re.compile(r"(\S+) (as it stands now|was changed by|is gone)")

STUB = re.compile(r"^\[(?:view of|\w+) (\S+?)(?: \S+)?: (superseded, see the file below|closed|the file is gone)\]$")

Lines = dict[int, str]


@dataclass
class ModelReader:
    """What a model knows: by path the lines it has seen, by their present numbers."""

    files: dict[str, Lines] = field(default_factory=dict[str, Lines])
    calls: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict[str, tuple[str, Mapping[str, Any]]])
    edited: set[str] = field(default_factory=set[str])
    """Files whose numbers have moved within the message that is being read."""
    awaited: set[str] = field(default_factory=set[str])
    """Files of which it was said that they are shown below."""
    said: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """What single lines say of files that are not in sight any more."""
    known: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """What is so: files that the model closed, and those of which it was told that they are gone, or deleted itself."""

    def read(self, messages: Sequence[Message]) -> "ModelReader":
        """Takes in a whole request."""
        for message in messages:
            if isinstance(message, AssistantMessage):
                self.calls |= {call.id: (call.name, call.input) for call in message.tool_uses}
            else:
                self._ours(message)
        return self

    def faults(self) -> list[str]:
        """What single lines in the place of views say that is not so."""
        hidden = [f"{path} is to be seen below, and is not" for path in sorted(self.awaited)]
        return hidden + [f"nobody knows that {path} is {what}" for path, what in sorted(self.said - self.known)]

    def _stub(self, text: str) -> None:
        if (found := STUB.match(text)) is None:
            return
        path, what = found.groups()
        if what.startswith("superseded"):
            self.awaited.add(path)
        else:
            self.awaited.discard(path)
            self.said.add((path, what))

    def _ours(self, message: UserMessage) -> None:
        before = {path: dict(lines) for path, lines in self.files.items()}
        self.edited = set[str]()
        for block in message.blocks:
            if isinstance(block, ToolResult) and not block.is_error:
                name, values = self.calls[block.call]
                self._result(name, values, block.text, before)
            elif isinstance(block, Text):
                self._text(block.text)

    def _result(self, name: str, values: Mapping[str, Any], text: str, before: dict[str, Lines]) -> None:
        path = str(values.get("path", ""))
        if name in {"close_file", "delete_file"}:
            for gone in values.get("paths", [path]):
                self.files.pop(gone, None)
                before.pop(gone, None)
                self.known.add((gone, "closed" if name == "close_file" else "the file is gone"))
        elif text.startswith("["):
            self._stub(text)
        elif name == "read_file" and not path.endswith(".png"):
            self.awaited.discard(path)
            whole = "start_line" not in values and "end_line" not in values
            self.files[path] = ({} if whole else self.files.get(path, {})) | rows(text)
            if path not in self.edited:
                before[path] = dict(self.files[path])
        elif name == "edit_file" or "already reads like this" in text:
            if not text.endswith("nothing was changed"):
                self.files[path] = changed(before.get(path, {}), text)
                self.edited.add(path)
        elif name == "write_file":
            content = str(values["content"]).removesuffix("\n")
            self.files[path] = dict(enumerate(content.split("\n"), 1)) if values["content"] else {}
            before[path] = dict(self.files[path])
            self.edited.add(path)

    def _text(self, text: str) -> None:
        self._stub(text)
        found = TITLE.match(text)
        if found is None:
            return
        path = found[1]
        if found[2] == "is gone":
            self.known.add((path, "the file is gone"))
        if found[2] == "as it stands now":
            self.awaited.discard(path)
            self.files[path] = rows(text)
        elif found[2] == "is gone" or "shown of it no longer counts" in text:
            self.files.pop(path, None)
        else:
            self.files[path] = changed(self.files.get(path, {}), text)


def rows(text: str) -> Lines:
    """The numbered lines of a block."""
    return {int(number): line for number, line in ROW.findall(text)}


def changed(before: Lines, text: str) -> Lines:
    """The lines after a change of which only the changed places and the shifts are told."""
    assert not LOST.search(text), text
    after = dict(before)
    for first, last in DELETED.findall(text):
        for number in range(int(first), int(last or first) + 1):
            after.pop(number, None)
    shifts = [(int(first), int(last or first), int(to)) for first, last, to in SHIFT.findall(text)]
    after = {number: line for number, line in after.items() if not any(passed(number, *shift) for shift in shifts)}
    for first, last, to in shifts:
        after |= {number - first + to: before[number] for number in range(first, last + 1) if number in before}
    after |= rows(text)
    end = END.search(text)
    return {number: line for number, line in after.items() if end is None or number <= int(end[1])}


def passed(number: int, first: int, last: int, to: int) -> bool:
    """Whether an old line of which nothing is told cannot keep its number, since lines never pass each other."""
    if number < first:
        return number >= to
    return number <= last or number <= to + last - first
