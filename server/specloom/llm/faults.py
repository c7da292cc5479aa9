"""Turns what an endpoint or a connection did into a `ProviderError`. Refuses to wait or to ask again.

Types and statuses: https://docs.anthropic.com/en/api/errors.
"""

import json
import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, cast

from specloom.domain.redact import Redactor
from specloom.llm.endpoint import Credential, Endpoint
from specloom.llm.errors import KEY_STEP, ProviderError, ProviderFault

_BY_TYPE = {
    "authentication_error": ProviderFault.KEY,
    "permission_error": ProviderFault.KEY,
    "billing_error": ProviderFault.BILLING,
    "not_found_error": ProviderFault.NOT_FOUND,
    "request_too_large": ProviderFault.TOO_LARGE,
    "rate_limit_error": ProviderFault.RATE_LIMITED,
    "overloaded_error": ProviderFault.OVERLOADED,
    "api_error": ProviderFault.SERVER,
    "timeout_error": ProviderFault.SERVER,
    "gateway_timeout_error": ProviderFault.SERVER,
    "invalid_request_error": ProviderFault.INVALID,
}
_BY_STATUS = {
    401: ProviderFault.KEY,
    402: ProviderFault.BILLING,
    403: ProviderFault.KEY,
    404: ProviderFault.NOT_FOUND,
    408: ProviderFault.SERVER,
    409: ProviderFault.SERVER,
    413: ProviderFault.TOO_LARGE,
    429: ProviderFault.RATE_LIMITED,
    529: ProviderFault.OVERLOADED,
}
_NEXT_STEP = {
    ProviderFault.UNREACHABLE: "check the network and the base URL",
    ProviderFault.BROKEN_STREAM: "check the network, and what stands between here and the endpoint",
    ProviderFault.RATE_LIMITED: "go on later, or have the account's limits raised",
    ProviderFault.OVERLOADED: "go on later, or choose another model or endpoint",
    ProviderFault.SERVER: "the fault is on that side: go on later, or choose another endpoint",
    ProviderFault.KEY: "check the key and what it may do",
    ProviderFault.NO_KEY: KEY_STEP,
    ProviderFault.BILLING: "settle the account's billing, waiting does not help",
    ProviderFault.NOT_FOUND: "check the model setting and the base URL",
    ProviderFault.TOO_LARGE: "shorten what is sent, or choose a model with a larger window",
    ProviderFault.INVALID: "report this as a bug of Specloom with the message above",
}
_BILLING = re.compile(
    r"credit balance|insufficient[ _](?:balance|quota|credits?|funds)|current quota|spend(?:ing)?[ _]limit",
    re.IGNORECASE,
)
_BILLING_WORD = re.compile(r"\bbilling\b|\bpayment\b", re.IGNORECASE)
_CONTEXT = re.compile(
    r"prompt is too long|exceeds?[ _](?:the )?(?:available )?context|context[ _]length|maximum context", re.IGNORECASE
)
_UNKNOWN_MODEL = re.compile(
    r"\bmodel\b.{0,80}(?:not[ _]found|not exist)|(?:unknown|unsupported|invalid) model", re.IGNORECASE
)
_PAGE = re.compile(r"\s*<(?:!doctype html|html)\b(?:.*?<(?:title|h1)[^>]*>([^<]*)<)?", re.IGNORECASE | re.DOTALL)
"""A web page and, if it has one, its title or first heading."""
_OTHERS = Redactor()
_SHOWN = 600
"""Characters of the endpoint's own words in a message."""


class Faults:
    """Makes the errors of one endpoint; its key is in none of them."""

    def __init__(self, endpoint: Endpoint, credential: Credential) -> None:
        self._endpoint = endpoint
        self._credential = credential

    def _redact(self, text: str) -> str:
        """Without its own key, and without those of others that an endpoint may repeat."""
        return _OTHERS(self._credential.redact(text))

    def status(self, status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
        """An HTTP status that is no success; `body` is decoded JSON or text."""
        kind, said = _error_of(body)
        if 300 <= status < 400:
            return self._redirect(status, headers.get("location", ""))
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            step = "put the proxy's login into HTTPS_PROXY"
            return self._error(
                ProviderFault.KEY, "is behind a proxy that wants a login", said, status=status, step=step
            )
        fault = _fault_of(status, kind, said)
        return self._error(fault, f"answered {status}", said, status=status, retry_after=_retry_after(headers, fault))

    def streamed(self, error: Mapping[str, Any]) -> ProviderError:
        """An `error` event in a stream that had begun well."""
        kind, said = _error_of({"error": error})
        return self._error(_fault_of(None, kind, said), f"broke off its answer ({kind or 'error'})", said)

    def unreachable(self, cause: str) -> ProviderError:
        """No connection: name, route, TLS, or nobody listens."""
        step = "check that the server runs and the base URL" if self._endpoint.loopback else ""
        return self._error(ProviderFault.UNREACHABLE, "could not be reached", cause, step=step)

    def broken(self, what: str, cause: str = "") -> ProviderError:
        """The answer did not come to its end."""
        return self._error(ProviderFault.BROKEN_STREAM, what, cause)

    def web_page(self) -> ProviderError:
        """Something answers, and it is no API."""
        step = "check the base URL; a proxy or a login page may stand before it"
        return self._error(ProviderFault.NOT_FOUND, "answered with a web page, so it is no Messages API", "", step=step)

    def no_key(self) -> ProviderError:
        """Nothing was sent, because there is nothing to send it with."""
        return self._error(ProviderFault.NO_KEY, "needs a key and none is set", "")

    def bad_url(self) -> ProviderError:
        """The base URL is none."""
        return ProviderError(
            ProviderFault.NOT_FOUND,
            self._redact(f"the base URL {self._endpoint.shown!r} names no http or https host"),
            step="write it like http://localhost:11434",
        )

    def unknown_model(self, error: ProviderError, model: str, near: tuple[str, ...]) -> ProviderError:
        """A 404 once more, now with the model and those that exist."""
        hint = f" (close to it: {', '.join(near)})" if near else ""
        step = f"correct the setting `model` (or --model), now {model!r}{hint}, or the base URL"
        return ProviderError(error.fault, error.what, step=self._redact(step), status=error.status)

    def _redirect(self, status: int, location: str) -> ProviderError:
        return self._error(
            ProviderFault.NOT_FOUND,
            f"answered {status}, a redirect",
            f"to {location or 'nowhere'}",
            status=status,
            step="redirects are not followed, the key is for this endpoint only; set the base URL that you mean",
        )

    def _error(
        self,
        fault: ProviderFault,
        what: str,
        said: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        step: str = "",
    ) -> ProviderError:
        words = " ".join(self._redact(said).split()).rstrip(".")
        shown = words if len(words) <= _SHOWN else words[: _SHOWN - 1] + "…"
        told = f"{self._endpoint.host} {what}{f': {shown}' if shown else ''}"
        return ProviderError(fault, told, step=step or _NEXT_STEP[fault], status=status, retry_after=retry_after)


def _fault_of(status: int | None, kind: str, said: str) -> ProviderFault:
    """The kind of failure; what the endpoint says outranks its status, since many endpoints say the same as 400."""
    text = f"{kind} {said}"
    client_side = status is None or 400 <= status < 500
    if client_side and (_BILLING.search(text) or (status in (400, 403) and _BILLING_WORD.search(text))):
        return ProviderFault.BILLING
    if (status == 400 or kind == "invalid_request_error") and _CONTEXT.search(text):
        return ProviderFault.TOO_LARGE
    if status == 400 and _UNKNOWN_MODEL.search(said):
        return ProviderFault.NOT_FOUND
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if status is None:
        return ProviderFault.BROKEN_STREAM
    return _BY_STATUS.get(status, ProviderFault.SERVER if status >= 500 else ProviderFault.INVALID)


def _error_of(body: object) -> tuple[str, str]:
    """Type and words of an error body, however deep it is nested."""
    try:
        return _type_and_words(body)
    except RecursionError:
        return "", body if isinstance(body, str) else "an error that is nested too deeply to be read"


def _type_and_words(body: object) -> tuple[str, str]:
    """In the shapes that endpoints use."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return "", _page_of(body) or body
    if not isinstance(body, dict):
        return "", "" if body is None else str(body)
    outer = cast("dict[str, Any]", body)
    error: object = outer.get("error", outer)
    if not isinstance(error, dict):
        return "", str(error)
    inner = cast("dict[str, Any]", error)
    code = _error_code(inner)
    message = str(inner.get("message") or "") or json.dumps(inner)
    return str(inner.get("type") or ""), f"{message} ({code})" if code and code not in message else message


def _page_of(text: str) -> str:
    """What a web page is, in place of its text; empty for other texts."""
    page = _PAGE.match(text)
    if page is None:
        return ""
    return f"a web page, {' '.join(page[1].split())!r}" if page[1] else "a web page"


def _error_code(error: Mapping[str, Any]) -> str:
    """Anthropic's `details.error_code`, or `code` as others write it."""
    details = error.get("details")
    code: object = cast("dict[str, Any]", details).get("error_code") if isinstance(details, dict) else None
    return str(code or error.get("code") or "")


def _retry_after(headers: Mapping[str, str], fault: ProviderFault) -> float | None:
    """Seconds as asked, uncapped; a date counts from the endpoint's own clock, so that ours need not be right."""
    if fault is ProviderFault.BILLING:
        return None
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _until(value, headers.get("date", ""))
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _until(then: str, now: str) -> float | None:
    try:
        return max((parsedate_to_datetime(then) - parsedate_to_datetime(now)).total_seconds(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return None
