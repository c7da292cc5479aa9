"""Keys, where they come from and where they may go. Refuses to show a key, or to hand it to another endpoint.

A root's `.env` supplies keys only: an address in it would send the key of whoever opens that folder elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from specloom.domain.problem import Problem, Severity, Span
from specloom.settings.addresses import origin_of

ANTHROPIC = "https://api.anthropic.com"
KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
ENDPOINT = "ANTHROPIC_BASE_URL"

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*(?P<value>.*)\Z")
_QUOTED = re.compile(r"""(?:"(?P<double>(?:\\.|[^"\\])*+)"|'(?P<single>[^']*+)')\s*(?:#.*)?\Z""")
_KEY = re.compile(r"[\x21-\x7e]+")
_SECRET_NAME = re.compile(
    r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)(?:_?ID|_?\d+)?\Z", re.IGNORECASE
)
_SECRET_VALUE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])(?![./~])[\x21-\x7e]{12,4096}\Z")
"""Words, numbers and paths are none: whoever hides these hides half of a project."""
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and the one endpoint that it was given for. Neither `repr` nor `str` shows the key."""

    endpoint: str
    source: str
    """Where the key was found, for messages: `environment` or `.env`."""
    api_key: str | None = field(default=None, repr=False)
    auth_token: str | None = field(default=None, repr=False)

    def are_for(self, base_url: str) -> bool:
        """Whether `base_url` is the endpoint of this key: same scheme, host and port. No address is nobody's."""
        origin = origin_of(base_url)
        return origin is not None and origin == origin_of(self.endpoint)


def credentials(environment: Mapping[str, str], env_file: Mapping[str, str]) -> Credentials | None:
    """The key to use, `None` if there is none. The environment beats the file, and it alone names an endpoint."""
    endpoint = environment.get(ENDPOINT) or ANTHROPIC
    for source, values in (("environment", environment), (".env", env_file)):
        api_key, auth_token = (sendable(values.get(name, "")) for name in KEYS)
        if api_key or auth_token:
            return Credentials(endpoint, source, api_key, auth_token)
    return None


def unsendable(environment: Mapping[str, str]) -> str | None:
    """The name of a variable whose value can be no key; `None`: each that is set may be one."""
    return next((name for name in KEYS if environment.get(name, "").strip() and not sendable(environment[name])), None)


def sendable(value: str) -> str | None:
    """A key as it goes into a header, where line ends and other letters have no place."""
    key = value.strip()
    return key if _KEY.fullmatch(key) else None


def read_env(text: str, path: str = ".env") -> tuple[Mapping[str, str], tuple[Problem, ...]]:
    """The keys in a `.env` text: `KEY=VALUE` a line, with `export`, quotes and comments as shells have them.

    Names that are none of ours are nobody's business here. Problems never repeat a value.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines()):
        match = _LINE.match(line)
        if match is None or match["name"] not in (*KEYS, ENDPOINT):
            continue
        span = Span(number, match.start("name"), number, match.end("name"))
        value = _value(match["value"])
        if match["name"] == ENDPOINT:
            problems.append(Problem("env-endpoint", _ENDPOINT_IGNORED, path, span, Severity.WARNING))
        elif value is None:
            message = f"the value of `{match['name']}` has an opening quote only; close it, nothing was read"
            problems.append(Problem("env-quote", message, path, span))
        elif value.strip() and sendable(value) is None:
            problems.append(Problem("env-key", no_key(match["name"]), path, span))
        else:
            found[match["name"]] = value
    return MappingProxyType(found), tuple(problems)


def no_key(name: str) -> str:
    """What is said of a value that can be no key; it is never repeated."""
    return f"the value of `{name}` is no key: it has a space, a line end or a letter that is not ASCII; copy it again"


def all_values(text: str) -> Mapping[str, str]:
    """Whatever a `.env` text sets, by name; to be kept secret, and for nothing else."""
    lines = (_LINE.match(line) for line in text.removeprefix("\ufeff").splitlines())
    return {match["name"]: _value(match["value"]) or "" for match in lines if match is not None}


def secret_values(values: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables that are named like a key and look like one, whosever it is."""
    return tuple(
        value for name, value in values.items() if _SECRET_NAME.search(name) and _SECRET_VALUE.match(value.strip())
    )


_ENDPOINT_IGNORED = (
    f"`{ENDPOINT}` is ignored here, `.env` supplies keys only; set it in your environment, "
    "or `base_url` under `[models.default]` in specloom.toml"
)


def _value(text: str) -> str | None:
    """A value without its quotes or comment; `None` if a quote is not closed."""
    if text[:1] not in {"'", '"'}:
        return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
    quoted = _QUOTED.match(text)
    if quoted is None:
        return None
    if quoted["single"] is not None:
        return quoted["single"]
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), quoted["double"])
