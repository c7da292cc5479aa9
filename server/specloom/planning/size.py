"""Tells before anything is asked whether a first message fits into the model's window. Refuses to shorten it."""

from dataclasses import dataclass

from specloom.agent.session import SessionSetup, say
from specloom.agent.window import window_of
from specloom.domain.problem import Problem
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.messages import ModelRequest
from specloom.llm.model import Model

FEWEST_BYTES = 2
USUAL_BYTES = 4
MOST_BYTES = 10
"""Bytes of text that make one token: English, code and other scripts lie between the first and the last."""
ROOM = 8
"""The share of the window, as 1/ROOM, that is left for the answer and for what is read on the way, at least."""


CHOOSE = "choose a model with a larger window"
SPLIT = f"split it and plan its parts one by one (`specloom plan --requirements FILE`), or {CHOOSE}"
SHORTEN = f"shorten this spec or those that it depends on, or {CHOOSE}"


@dataclass(frozen=True, slots=True)
class Document:
    """The document that is too large when a session about it does not fit."""

    path: str
    what: str
    """What of it the session is told."""
    step: str = SHORTEN

    @classmethod
    def of_requirements(cls, path: str, text: str) -> "Document":
        """The document that is planned."""
        return cls(path, f"its {text.count(chr(10)) + 1:,} lines", SPLIT)


@dataclass(frozen=True, slots=True)
class Excess:
    """By how much a session misses the window."""

    tokens: int
    window: int
    counted: bool
    """By the endpoint; else estimated."""


async def excess(model: Model, setup: SessionSetup, first: str) -> Excess | None:
    """`None` if `first` fits, or if nobody knows. Asks the endpoint only where an estimate decides nothing."""
    window = await window_of(model, setup.model)
    if window is None:
        return None
    size = sum(len(text.encode("utf-8", "replace")) for text in (setup.system, first, *map(str, setup.tools)))
    room = window - min(setup.max_tokens, window // ROOM)
    if size // FEWEST_BYTES <= room:
        return None
    if size // MOST_BYTES > room:
        return Excess(size // USUAL_BYTES, window, counted=False)
    tokens = await _counted(model, setup, first)
    known = size // USUAL_BYTES if tokens is None else tokens
    return Excess(known, window, tokens is not None) if known > room else None


def too_large(document: Document, found: Excess, model: str) -> Problem:
    """What the user is told, at the document."""
    size = f"{found.tokens:,} tokens" if found.counted else f"about {found.tokens:,} tokens (estimated)"
    message = (
        f"{document.path} is too large for {model}: with {document.what} a request takes {size}, "
        f"and the model's window holds {found.window:,}, its answer included; {document.step}"
    )
    return Problem("document-over-window", message, document.path)


def refused_as_too_large(document: Document, error: ProviderError) -> Problem | None:
    """The same for a window that only the endpoint knew; `None` for any other fault."""
    if error.fault is not ProviderFault.TOO_LARGE:
        return None
    message = f"{document.path} is too large: {error.what}; {document.step}"
    return Problem("document-over-window", message, document.path)


async def _counted(model: Model, setup: SessionSetup, first: str) -> int | None:
    request = ModelRequest(setup.model, setup.system, (say(first),), setup.tools, setup.max_tokens, setup.thinking)
    try:
        return await model.count_tokens(request)
    except ProviderError:
        return None
