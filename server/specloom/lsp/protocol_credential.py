"""Keys as they come over the wire; none ever goes back. Refuses what stands in settings: see `settings`."""

from typing import Literal

from specloom.lsp.protocol import Key, Order, OrderResult


class CredentialSetParams(Order):
    """A key for one of the endpoints that the settings name. It is sent to that scheme, host and port alone."""

    endpoint: str | None = None
    """The endpoint's address; by default the only one that the settings name."""
    key: Key
    """Empty: the key is forgotten, also in the keyring."""
    keep: bool = False
    """Also in the keyring of the system, for later processes."""


class CredentialSetResult(OrderResult):
    """Where the key is now; never the key."""

    endpoint: str
    """Scheme, host and, unless it goes without saying, port."""
    kept: Literal["keyring", "memory", "nowhere"]
    source: str
    """Where the key that is sent there comes from: `environment`, `.env`, `credential/set`, `keyring`; empty: none."""
    message: str
    """The same for people, with why the keyring did not do its part."""
