"""Takes keys out of texts before a model, a log or a screen sees them. Refuses to tell which key it was."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"
SHORTEST = 8
"""Characters of the shortest known value that is looked for: shorter ones hit ordinary words."""

KEYS = (
    r"sk-ant-[A-Za-z0-9_-]{20,}",  # Anthropic
    r"sk-(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{20,}",  # OpenAI, OpenRouter
    r"sk-[A-Za-z0-9]{32,}",  # DeepSeek, OpenAI before 2024
    r"gh[pousr]_[A-Za-z0-9]{36,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{40,}",  # GitHub, fine-grained
    r"gl(?:pat|rt|dt|ptt|cbt|oas)-[A-Za-z0-9_-]{20,}",  # GitLab
    r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS
    r"AIza[A-Za-z0-9_-]{35}",  # Google
    r"ya29\.[A-Za-z0-9_-]{20,}",  # Google, for an hour
    r"GOCSPX-[A-Za-z0-9_-]{20,}",  # Google, of an OAuth client
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"xapp-[0-9]-[A-Za-z0-9-]{10,}",  # Slack, of an app
    r"(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{20,}",  # Stripe
    r"npm_[A-Za-z0-9]{36}",  # npm
    r"pypi-AgEI[A-Za-z0-9_-]{40,}",  # PyPI
    r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
)
SHAPES = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(KEYS)})")
_BEFORE = (
    r"(?<=\\)(?:[abefnrtv0]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[0-7]{3})",  # JSON, repr, printf
    r"(?<=%)[0-9A-Fa-f]{2}",  # URL
    r"(?<=[\[;0-9][mK])",  # colours of a terminal
)
ESCAPED = re.compile(rf"[\\%mK](?:{'|'.join(_BEFORE)})({'|'.join(KEYS)})")
"""Keys behind an escape that ends in a letter or a digit. It begins with a set of rare characters to be fast."""
NAMED = re.compile(
    r"(?i:aws_?secret_?(?:access_?)?key|secretaccesskey)\\{0,3}[\"']?\s{0,4}[=:]\s{0,4}\\{0,3}[\"']?"
    r"([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"
)
"""Keys that have no shape of their own, but a name before them."""
KEY_START = "PRIVATE KEY-----"
PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?(?:-----END \1PRIVATE KEY-----|\Z)", re.DOTALL)
_SEAMS = " \t\"'`,;:()[]{}<>|&"
"""Characters that are part of no key: a long line may be cut behind them."""


class Redactor:
    """Replaces known secret values, and whatever has the shape of a key, by `[redacted]`.

    It may learn further values while it is in use, and forgets none: what was a key once stays one.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values: frozenset[str] = frozenset()
        self._known: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Looks for these values too from now on, also where base64, JSON or a URL holds them."""
        values = self._values | {secret for secret in secrets if len(secret) >= SHORTEST}
        if values == self._values:
            return
        self._values = values
        forms = {form for value in values for form in _forms(value) if len(form) >= SHORTEST}
        self._known = re.compile("|".join(map(re.escape, sorted(forms, key=lambda form: (-len(form), form)))))

    def __call__(self, text: str) -> str:
        """The text without keys."""
        return self._replaced(text, lambda _: REDACTED)

    def in_place(self, text: str) -> str:
        """The text without keys, of as many lines: each line of a key is replaced by itself."""
        return self._replaced(text, lambda key: "\n".join([REDACTED] * (key.count("\n") + 1)))

    def _replaced(self, text: str, by: Callable[[str], str]) -> str:
        pieces: list[str] = []
        done = 0
        for start, end in self.spans(text):
            pieces += (text[done:start], by(text[start:end]))
            done = end
        return "".join((*pieces, text[done:])) if pieces else text

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where the text holds keys, in order and apart from each other."""
        found: list[tuple[int, int]] = []
        if self._known is not None:
            text = _blanked(text, [match.span() for match in self._known.finditer(text)], found)
        if KEY_START in text:
            text = _blanked(text, [match.span() for match in PRIVATE_KEY.finditer(text)], found)
        text = _blanked(text, [match.span(1) for match in NAMED.finditer(text)], found)
        text = _blanked(text, [match.span(1) for match in ESCAPED.finditer(text)], found)
        _blanked(text, [match.span() for match in SHAPES.finditer(text)], found)
        return tuple(_apart(found))


def _blanked(text: str, spans: list[tuple[int, int]], found: list[tuple[int, int]]) -> str:
    """The text with what was found blotted out, so that places stay and nothing else is found in it."""
    if not spans:
        return text
    found += spans
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        pieces += (text[done:start], "\0" * (end - start))
        done = end
    return "".join((*pieces, text[done:]))


def _apart(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """In order; those inside a private key are part of it."""
    reached = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= reached:
            yield start, end
            reached = end


def _forms(value: str) -> Iterator[str]:
    """The value as it is, and as JSON, URLs and base64 hold it."""
    yield value
    for ascii_alone in (True, False):
        yield json.dumps(value, ensure_ascii=ascii_alone)[1:-1]
    for written in (quote, quote_plus):
        yield written(value.encode("utf-8", "replace"), safe="")
    yield from _in_base64(value)


def _in_base64(value: str) -> Iterator[str]:
    """What base64 of any text with the value in it holds for sure, by where in three bytes it begins."""
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        whole = b"\0" * before + value.encode("utf-8", "replace")
        for coded in (base64.b64encode(whole), base64.urlsafe_b64encode(whole)):
            yield coded.decode()[skipped : len(whole) * 8 // 6]


@dataclass(slots=True)
class StreamRedactor:
    """Redacts a text that comes in pieces: holds back what may still be part of a key."""

    redact: Callable[[str], str]
    longest: int = 4096
    """Characters from which on a line is shown before it ends; of one without a seam, four times as many."""
    _held: str = ""
    _inside: bool = field(default=False)

    def feed(self, piece: str) -> str:
        """What may be shown now: complete lines, or all but the last word of a very long line."""
        self._held += piece
        cut = self._held.rfind("\n") + 1
        if not cut and len(self._held) > self.longest:
            cut = max(*(self._held.rfind(seam) + 1 for seam in _SEAMS), len(self._held) - 4 * self.longest)
        ready, self._held = self._held[:cut], self._held[cut:]
        return self._shown(ready)

    def rest(self) -> str:
        """What was still held back, at the end."""
        ready, self._held = self._held, ""
        return self._shown(ready)

    def _shown(self, text: str) -> str:
        """Without the lines of a private key that began in an earlier piece."""
        if self._inside:
            _, end, text = text.partition(KEY_START)
            self._inside = not end
        begun = text.rfind("-----BEGIN ")
        if begun >= 0 and KEY_START in text[begun:] and "-----END " not in text[begun:]:
            self._inside = True
        return self.redact(text) if text else ""
