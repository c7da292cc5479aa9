"""What people say to agents unasked. Refuses empty words, and to take back what was heard."""

from typing import assert_never

from specloom.domain import commands as c
from specloom.domain.events import Event, agents
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected

LONGEST = 100_000
"""Characters of one prompt: more than that belongs into a file."""
WAITING = 50
"""Prompts that one agent has not heard yet."""
IN_ALL = 200_000
"""Characters of what waits and what people said about the task at work: each session of it is told all of that."""


def decide_prompt(state: ProjectState, command: c.PromptCommand) -> tuple[Event, ...] | Rejected:
    """The event of a prompt that is queued or withdrawn."""
    match command:
        case c.QueuePrompt():
            return _queue(state, command)
        case c.WithdrawPrompt():
            if command.prompt not in state.prompts:
                message = f"There is no prompt {command.prompt!r} that waits; it may have been delivered"
                return Rejected("unknown-prompt", message)
            return (agents.PromptWithdrawn(command.prompt),)
        case _:
            assert_never(command)


def _queue(state: ProjectState, command: c.QueuePrompt) -> tuple[Event, ...] | Rejected:
    if not command.text.strip():
        return Rejected("empty-prompt", "The prompt is empty; say something")
    if len(command.text) > LONGEST:
        message = f"The prompt has {len(command.text)} characters, at most {LONGEST} are taken; put it into a file"
        return Rejected("long-prompt", message)
    waiting = sum(item.agent == command.agent for item in state.prompts.values())
    if waiting >= WAITING:
        message = f"{waiting} prompts wait for {command.agent} already; withdraw some, or let it work"
        return Rejected("many-prompts", message)
    if _said(state, command) > IN_ALL:
        message = f"What was said to {command.agent} would come to more than {IN_ALL} characters; put it into a file"
        return Rejected("long-prompt", message)
    return (agents.PromptQueued(command.prompt, command.agent, command.text),)


def _said(state: ProjectState, command: c.QueuePrompt) -> int:
    waiting = sum(len(item.text) for item in state.prompts.values() if item.agent == command.agent)
    heard = () if state.in_flight is None else state.record(state.in_flight).words
    return len(command.text) + waiting + sum(len(item.words) for item in heard)
