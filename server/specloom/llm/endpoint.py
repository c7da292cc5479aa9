"""Where requests go and with which key. Refuses to show a key: `repr` hides it, `redact` takes it out of a text."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

OFFICIAL_URL = "https://api.anthropic.com"
PLACEHOLDER_KEY = "no-key-needed"
"""Sent to a loopback endpoint when no key is set: such servers ignore it, the SDK wants one."""

_KEY_LIKE = re.compile(r"\bsk-[A-Za-z0-9_-]{8,}")
_USER = re.compile(r"//[^/?#]*@")
_HIDDEN = "[key hidden]"
SHORTEST_KEY = 8
"""Characters; a shorter one is a dummy for a local endpoint, and stands in ordinary words."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A base URL, taken apart once. A trailing `/v1`, habit of OpenAI-shaped clients, is dropped: the path adds it."""

    url: str
    host: str
    """With port if one was given: what messages name."""
    scheme: str
    loopback: bool

    @classmethod
    def of(cls, base_url: str | None) -> "Endpoint":
        """The endpoint of a setting; `None` or blank is Anthropic's. A URL without host has an empty `host`."""
        url = (base_url or "").strip() or OFFICIAL_URL
        url = url.rstrip("/").removesuffix("/v1").rstrip("/")
        try:
            parts = urlsplit(url)
            name, port = parts.hostname or "", parts.port
        except ValueError:
            return cls(url, "", "", loopback=False)
        host = f"{name}:{port}" if port else name
        return cls(url, host, parts.scheme, _is_loopback(name))

    @property
    def shown(self) -> str:
        """The URL without a user's name and password, for messages."""
        return _USER.sub("//", self.url)

    @property
    def official(self) -> bool:
        """Whether it is Anthropic's own."""
        return self.url == OFFICIAL_URL

    @property
    def usable(self) -> bool:
        """Whether a request can be sent there at all."""
        return bool(self.host) and self.scheme in ("http", "https")


@dataclass(frozen=True, slots=True)
class Credential:
    """The key of one endpoint: an API key or a bearer token, or neither."""

    api_key: str | None = field(default=None, repr=False)
    auth_token: str | None = field(default=None, repr=False)

    @property
    def missing(self) -> bool:
        """Whether there is nothing to send."""
        return not self.api_key and not self.auth_token

    def redact(self, text: str) -> str:
        """`text` without this key and without anything that looks like a provider's key."""
        for secret in (self.api_key, self.auth_token):
            if secret and secret != PLACEHOLDER_KEY and len(secret) >= SHORTEST_KEY:
                text = text.replace(secret, _HIDDEN)
        return _KEY_LIKE.sub(_HIDDEN, text)


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
