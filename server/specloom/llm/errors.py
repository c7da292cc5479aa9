"""What can go wrong with an endpoint, by who must act. Refuses prose only: errors carry data for the engine."""

from enum import StrEnum

from specloom.llm.messages import Usage


class ProviderFault(StrEnum):
    """The kinds of failure that the engine tells apart."""

    UNREACHABLE = "unreachable"
    """Name, connection or TLS failed before an answer began."""
    BROKEN_STREAM = "broken-stream"
    """The answer began and did not end: reset, stall, garbage, no message_stop."""
    RATE_LIMITED = "rate-limited"
    OVERLOADED = "overloaded"
    SERVER = "server"
    KEY = "key"
    """401 or 403: the key is wrong or not allowed."""
    NO_KEY = "no-key"
    """There is none, so nothing was sent."""
    BILLING = "billing"
    """Cannot be cured by waiting."""
    NOT_FOUND = "not-found"
    """404: wrong model id or base URL."""
    TOO_LARGE = "too-large"
    """413, or 400 for a prompt over the context window."""
    INVALID = "invalid"
    """400 otherwise: our request is wrong."""


KEY_STEP = (
    "set one with `specloom credential set`, put ANTHROPIC_API_KEY into the environment or the project's .env, "
    "or name a local endpoint"
)

RETRYABLE = frozenset(
    {
        ProviderFault.UNREACHABLE,
        ProviderFault.BROKEN_STREAM,
        ProviderFault.RATE_LIMITED,
        ProviderFault.OVERLOADED,
        ProviderFault.SERVER,
    }
)


class ProviderError(Exception):
    """An endpoint did not deliver an answer; says what happened, where, and the next step."""

    def __init__(
        self,
        fault: ProviderFault,
        what: str,
        *,
        step: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what)
        self.fault = fault
        self.what = what
        """What happened, and where: all that counts while it is tried again anyway."""
        self.step = step
        """What a person may do once nobody tries any more."""
        self.asked = 1
        """How often it was tried in all."""
        self.status = status
        self.retry_after = retry_after
        """Seconds that the endpoint asks to wait, uncapped, if it said so."""
        self.usage = Usage()
        """What an answer that broke off had cost by then, as far as the endpoint said it."""
        self.met = True
        """False: this endpoint has never answered in this process, so that its address is in doubt."""

    def __str__(self) -> str:
        """The whole message; the next step comes last."""
        told = self.what if self.asked == 1 else f"{self.what} (asked {self.asked} times)"
        return f"{told}; {self.step}" if self.step else told

    @property
    def retryable(self) -> bool:
        """Whether waiting may cure it."""
        return self.fault in RETRYABLE
