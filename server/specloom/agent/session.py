"""A session: what is fixed for its life, and its conversation. Refuses to rewrite answers.

Between two collections a conversation only grows; a collection replaces results and texts of ours by single lines.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from specloom.agent.context.book import Book
from specloom.agent.context.size import tokens_of
from specloom.domain.ids import AgentId, AttemptId, SessionId, TaskId
from specloom.domain.prices import TokenCounts
from specloom.llm.messages import (
    AnswerBlock,
    AssistantMessage,
    Message,
    ModelRequest,
    Text,
    ThinkingSetting,
    ToolSchema,
    ToolUse,
    UserMessage,
)


@dataclass(frozen=True, slots=True)
class SessionSetup:
    """What a session keeps to its end, since a change would bill the whole window again; only its limits may change."""

    id: SessionId
    agent: AgentId
    role: str
    model: str
    system: str
    tools: tuple[ToolSchema, ...]
    attempt: AttemptId | None = None
    task: TaskId | None = None
    max_tokens: int = 32_768
    thinking: ThinkingSetting = ThinkingSetting()
    max_turns: int = 30
    previous: SessionId | None = None
    """The session that this one continues."""
    number: int = 1
    """Which session of its attempt it is, in its role."""
    because: str = ""
    """Why the previous one had to end."""
    turns_before: int = 0
    """Turns of earlier sessions of the attempt, which `max_turns` does not count any more."""


class Conversation:
    """Messages in order. Appending is all that can be done to it, but for `collapse`."""

    def __init__(self, messages: Iterable[Message] = (), turns: int = 0) -> None:
        self._messages: list[Message] = []
        self._kept: int | None = None
        self.book = Book()
        """What stands where, and the size of it all."""
        self.turns = turns
        """Answers so far."""
        for message in messages:
            if isinstance(message, UserMessage):
                self.add_user(message)
            else:
                self._append_answer(message, None)

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages, oldest first."""
        return tuple(self._messages)

    @property
    def elided(self) -> Mapping[int, str]:
        """Outputs that stand there as one line, by the number that the line names. Grows with collections."""
        return self.book.elided

    def add_user(self, message: UserMessage, shows: Sequence[str] = ()) -> None:
        """Adds a message of ours; two of ours in a row go out as one, since roles must alternate.

        `shows`: the files that its blocks are about, block by block, where it was not a tool that showed them.
        """
        last = self._messages[-1] if self._messages else None
        if isinstance(last, UserMessage):
            self.book.user(message.blocks, (len(self._messages) - 1, len(last.blocks)), self.turns, shows)
            self._messages[-1] = UserMessage((*last.blocks, *message.blocks))
        else:
            self.book.user(message.blocks, (len(self._messages), 0), self.turns, shows)
            self._messages.append(message)

    def add_answer(self, message: AssistantMessage, usage: TokenCounts | None = None) -> None:
        """Adds the model's; one without blocks counts as a turn, but cannot be sent back. `usage`: as billed."""
        self._append_answer(message, usage)
        self.turns += 1
        self._kept = None

    def _append_answer(self, message: AssistantMessage, usage: TokenCounts | None) -> None:
        place = len(self._messages) if message.blocks else None
        self.book.answer(message, place, self.turns, usage)
        if message.blocks:
            self._messages.append(message)

    def text_of(self, number: int) -> str:
        """The text of an entry of the book that is ours."""
        return self.book.text(self._messages, number)

    def collapse(self, lines: Sequence[tuple[int, str]]) -> None:
        """Puts one line in the place of each numbered result or text; call ids, answers and order stay."""
        self._kept = self.book.collapse(self._messages, lines)

    def correct(self, call: str, corrected: Mapping[str, Any]) -> None:
        """Stores a call of the newest answer as it was understood, before that answer is sent back for the first time.

        The model then sees only calls that were right, and learns from them.
        """
        place = max(n for n, message in enumerate(self._messages) if isinstance(message, AssistantMessage))
        answer = self._messages[place]
        assert isinstance(answer, AssistantMessage)
        self._messages[place] = replace(
            answer, blocks=tuple(_corrected(item, call, corrected) for item in answer.blocks)
        )

    def request(self, setup: SessionSetup) -> ModelRequest:
        """The request that asks for the next answer."""
        return ModelRequest(
            model=setup.model,
            system=setup.system,
            messages=self.messages,
            tools=setup.tools,
            max_tokens=setup.max_tokens,
            thinking=setup.thinking,
            kept=self._kept,
        )


def _corrected(block: AnswerBlock, call: str, corrected: Mapping[str, Any]) -> AnswerBlock:
    if not isinstance(block, ToolUse) or block.id != call:
        return block
    return replace(block, input=corrected, raw={**block.raw, "input": dict(corrected)})


def head_tokens(setup: SessionSetup) -> int:
    """Estimated tokens of what each request of a session begins with."""
    return tokens_of(setup.system) + sum(tokens_of(f"{tool}") for tool in setup.tools)


def say(text: str) -> UserMessage:
    """A user message of one text block; `text` must not be blank."""
    return UserMessage((Text(text, {"type": "text", "text": text}),))


def content_json(message: Message) -> str:
    """The blocks of a message as the JSON text that events keep."""
    return json.dumps([block.raw for block in message.blocks], ensure_ascii=False, separators=(",", ":"))
