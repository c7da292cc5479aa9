"""Takes keys out of texts before a model, a log or a screen sees them. Refuses to tell which key it was."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

REDACTED = "[redacted]"
SHORTEST = 8
"""Characters of the shortest known value that is looked for: shorter ones hit ordinary words."""

KEYS = (
    r"sk-ant-[A-Za-z0-9_-]{20,}",  # Anthropic
    r"sk-(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{20,}",  # OpenAI, OpenRouter
    r"sk-[A-Za-z0-9]{32,}",  # DeepSeek, OpenAI before 2024
    r"gh[pousr]_[A-Za-z0-9]{36,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{40,}",  # GitHub, fine-grained
    r"glpat-[A-Za-z0-9_-]{20,}",  # GitLab
    r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS
    r"AIza[A-Za-z0-9_-]{35}",  # Google
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"[rs]k_live_[A-Za-z0-9]{20,}",  # Stripe
    r"npm_[A-Za-z0-9]{36}",  # npm
    r"pypi-AgEI[A-Za-z0-9_-]{40,}",  # PyPI
    r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
)
SHAPES = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(KEYS)})")
KEY_START = "PRIVATE KEY-----"
PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?(?:-----END \1PRIVATE KEY-----|\Z)", re.DOTALL)


class Redactor:
    """Replaces known secret values, and whatever has the shape of a key, by `[redacted]`; deterministic."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted(
            {secret for secret in secrets if len(secret) >= SHORTEST}, key=lambda secret: (-len(secret), secret)
        )
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """The text without keys."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        if KEY_START in text:
            text = PRIVATE_KEY.sub(REDACTED, text)
        return SHAPES.sub(REDACTED, text)


@dataclass(slots=True)
class StreamRedactor:
    """Redacts a text that comes in pieces: holds back what may still be part of a key."""

    redact: Callable[[str], str]
    longest: int = 4096
    """Characters held back at most while no line ends."""
    _held: str = ""
    _inside: bool = field(default=False)

    def feed(self, piece: str) -> str:
        """What may be shown now: complete lines, or all but the last word of a very long line."""
        self._held += piece
        cut = self._held.rfind("\n") + 1
        if not cut and len(self._held) > self.longest:
            cut = max(self._held.rfind(" ") + 1, len(self._held) - self.longest)
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
