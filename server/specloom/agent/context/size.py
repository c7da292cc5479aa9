"""How much a text weighs in a request. Refuses to be exact: only an endpoint counts tokens, and after the fact.

Four characters a token is the estimate for English text and code; the policy compares sizes, so a steady error cancels.
"""

from specloom.llm.decode import CHARACTERS_A_TOKEN
from specloom.llm.messages import AnswerBlock, Text, Thinking, ToolUse


def tokens_of(text: str) -> int:
    """Estimated tokens of a text, rounded up."""
    return -(-len(text) // CHARACTERS_A_TOKEN)


def answer_tokens(blocks: tuple[AnswerBlock, ...]) -> int:
    """Estimated tokens of an answer when it is sent back."""
    return sum(_tokens(block) for block in blocks)


def _tokens(block: AnswerBlock) -> int:
    match block:
        case Text() | Thinking():
            return tokens_of(block.text)
        case ToolUse():
            return tokens_of(block.name) + tokens_of(str(dict(block.input)))
        case _:
            return tokens_of(str(dict(block.raw)))
