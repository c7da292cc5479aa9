"""What stands where in a conversation, and what was taken out of it. Refuses to renumber: a number is for life."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from posixpath import normpath

from specloom.agent.context import view
from specloom.agent.context.entry import GONE, OUTDATED, Entry, Kind, result_entry
from specloom.agent.context.prices import CacheTally
from specloom.agent.context.size import answer_tokens, tokens_of
from specloom.agent.context.view import LOST, shows_whole
from specloom.domain.prices import TokenCounts
from specloom.llm.messages import AssistantMessage, Message, Text, ToolResult, ToolUse, UserBlock, UserMessage


@dataclass(slots=True)
class Book:
    """Kept by a `Conversation` as it grows, so that it is the same after a replay."""

    entries: list[Entry] = field(default_factory=list[Entry])
    elided: dict[int, str] = field(default_factory=dict[int, str])
    """Outputs that stand there as one line, by number."""
    left: dict[str, str] = field(default_factory=dict[str, str])
    """Files of which the model has no text any more although it did not close them, and why."""
    sent: int = 0
    """Entries that the model has seen."""
    billed: TokenCounts | None = None
    """Of the newest answer, where the endpoint counted it."""
    tally: CacheTally = field(default_factory=CacheTally)
    _places: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Message and block of each entry."""
    _calls: Mapping[str, ToolUse] = field(default_factory=dict[str, ToolUse])
    _measured: int = 0
    _unmeasured: int = 0

    @property
    def tokens(self) -> int:
        """Size of the context now: what the endpoint counted last, and an estimate of what came and went since."""
        return max(self._measured + self._unmeasured, 0)

    @property
    def measured(self) -> bool:
        """Whether the endpoint has counted: before that, `tokens` knows nothing of tools and system text."""
        return self._measured > 0

    def answer(self, message: AssistantMessage, place: int | None, turn: int, usage: TokenCounts | None) -> None:
        """An answer came; `place`: its message, `None` where it was empty and is not sent back."""
        self.sent = len(self.entries)
        self._calls = {call.id: call for call in message.tool_uses}
        size = 0 if usage is None else usage.input + usage.cache_read + usage.cache_write + usage.output
        if usage is not None and size:  # Some endpoints count nothing, and say so with zeros.
            self.tally.count(usage)
            self.billed = usage
            self._measured = size
            self._unmeasured = 0
        if place is not None:
            tokens = answer_tokens(message.blocks)
            self._unmeasured += 0 if size else tokens
            self._add(Entry(Kind.ANSWER, tokens, turn), (place, 0), counted=False)
            self.sent = len(self.entries)

    def user(self, blocks: Sequence[UserBlock], place: tuple[int, int], turn: int, shows: Sequence[str]) -> None:
        """Blocks of ours came, the first one at `place`; `shows`: the files that they show whole, block by block."""
        for at, block in enumerate(blocks):
            path = shows[at] if at < len(shows) else ""
            self._add(self._entry(block, turn, path), (place[0], place[1] + at), counted=True)

    def _entry(self, block: UserBlock, turn: int, path: str) -> Entry:
        if isinstance(block, ToolResult):
            return self._result(block, turn)
        text = block.text if isinstance(block, Text) else str(dict(block.raw))
        first = text.partition("\n")[0]
        if path and LOST not in first:
            self.left.pop(path, None)
            return Entry(Kind.VIEW, tokens_of(text), turn, path, f"view of {path}", whole=shows_whole(path, text))
        if path:
            self.left[path] = GONE if view.GONE in first else OUTDATED
        return Entry(Kind.KEPT, tokens_of(text), turn)

    def _result(self, block: ToolResult, turn: int) -> Entry:
        call = self._calls.get(block.call)
        entry = result_entry(call, block, turn)
        if entry.kind is Kind.VIEW and not block.is_error:
            self.left.pop(entry.path, None)
        elif call is not None and call.name == "delete_file" and not block.is_error:
            below = normpath(str(call.input.get("path")))
            known = {entry.path for entry in self.entries if entry.path}
            self.left |= {path: GONE for path in known if path == below or path.startswith(f"{below}/")}
        return entry

    def _add(self, entry: Entry, place: tuple[int, int], *, counted: bool) -> None:
        self.entries.append(entry)
        self._places.append(place)
        self._unmeasured += entry.tokens if counted else 0

    def text(self, messages: Sequence[Message], number: int) -> str:
        """The text of an entry of ours."""
        at, block = self._places[number]
        found = messages[at].blocks[block]
        return found.text if isinstance(found, Text | ToolResult) else ""

    def collapse(self, messages: list[Message], lines: Sequence[tuple[int, str]]) -> int:
        """Puts lines in the place of entries; returns the first message that is another one now."""
        changed: dict[int, dict[int, str]] = {}
        for number, line in lines:
            at, block = self._places[number]
            changed.setdefault(at, {})[block] = line
            entry = self.entries[number]
            if entry.kind is Kind.OUTPUT:
                self.elided[number] = self.text(messages, number)
            self._unmeasured += tokens_of(line) - entry.tokens
            self.entries[number] = replace(entry, kind=Kind.KEPT, tokens=tokens_of(line), image=None)
        for at, blocks in changed.items():
            message = messages[at]
            assert isinstance(message, UserMessage), "answers stay byte for byte"
            messages[at] = UserMessage(
                tuple(_replaced(block, blocks.get(place)) for place, block in enumerate(message.blocks))
            )
        return min(changed, default=len(messages))


def _replaced(block: UserBlock, line: str | None) -> UserBlock:
    if line is None:
        return block
    if isinstance(block, ToolResult):
        return ToolResult(block.call, line, block.is_error, {**block.raw, "content": line})
    return Text.of(line)
