"""Recognises EARS sentences (Mavin et al. 2009) and what keeps a sentence from being one. Refuses to reject any.

Patterns: `The <system> SHALL …`, `WHEN <trigger> THE <system> SHALL …`, `WHILE <state> …`, `WHERE <feature> …`,
`IF <trigger> THEN the <system> SHALL …`. `MUST` in capitals counts as `SHALL`.
"""

import re

_SHALL = re.compile(r"\b(?:[Ss]hall|SHALL|MUST)\b")
_STARTER = re.compile(r"(when|while|where|if)\b", re.IGNORECASE)
_TRYING = re.compile(r"(?:WHEN|WHILE|IF)\b")
_CAPITAL_SHALL = re.compile(r"\bSHALL\b")
_THEN = re.compile(r"\bthen\b", re.IGNORECASE)
_MARKUP = str.maketrans("", "", "*_`")


def is_ears(text: str) -> bool:
    """Whether the text has the form of an EARS sentence."""
    return _fault(_plain(text)) == ""


def ears_fault(text: str) -> str:
    """What a sentence that tries to be EARS lacks; empty for EARS and for prose that does not try."""
    plain = _plain(text)
    tries = _TRYING.match(plain) is not None or _CAPITAL_SHALL.search(plain) is not None
    return _fault(plain) if tries else ""


def starts_sentence(line: str) -> bool:
    """Whether a line begins as EARS sentences do, so that a paragraph may hold one a line."""
    plain = _plain(line)
    return _STARTER.match(plain) is not None or plain[:4].casefold() == "the "


def _plain(text: str) -> str:
    return " ".join(text.translate(_MARKUP).split())


def _fault(plain: str) -> str:
    shall = _SHALL.search(plain)
    if shall is None:
        return "it has no SHALL"
    before, after = plain[: shall.start()].strip(" ,"), plain[shall.end() :].strip(" .,;:")
    if not after:
        return "nothing follows SHALL"
    if not before:
        return "no system is named before SHALL"
    starter = _STARTER.match(before)
    if starter is None:
        return ""
    if starter[1].casefold() == "if" and not _THEN.search(before):
        return "IF needs THEN before the system"
    return "" if len(before.split()) > 2 else f"{starter[1].upper()} needs a condition and a system before SHALL"
