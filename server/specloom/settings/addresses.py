"""Takes the address of an endpoint apart. Refuses, as no address, what clients would read in different ways."""

import re
from ipaddress import IPv6Address
from typing import TypeAlias
from urllib.parse import urlsplit

LONGEST = 2048
"""Characters of an address."""
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?")
_USER = re.compile(r"//[^/?#\s\"]*@")

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host in lower case and as the network knows it, port."""


def origin_of(url: str) -> Origin | None:
    """Where a request to `url` goes; `None` for what is no http address with a host and a port from 1 to 65535."""
    if len(url) > LONGEST:
        return None
    try:
        parts = urlsplit(url)
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    port = _PORTS.get(parts.scheme) if port is None else port
    return (parts.scheme, host, port) if host and port and parts.scheme in _PORTS else None


def address_of(origin: Origin) -> str:
    """How an origin is written, each in one way alone; a port that goes without saying is left out."""
    scheme, host, port = origin
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port == _PORTS[scheme] else f"{scheme}://{name}:{port}"


def shown(text: str) -> str:
    """`text` without the user names and passwords of the addresses in it, for messages."""
    return _USER.sub("//", text)


def _host(name: str) -> str:
    """Empty for a name that no network has. Raises `ValueError`."""
    if ":" in name:
        return str(IPv6Address(name))
    # A name of other letters is looked up by its ASCII form, so that is the one to compare. Where that does not lead
    # back to the name, as with the German sharp s, others make another form of it (RFC 5894, section 7.2).
    ascii_name = name if name.isascii() else name.encode("idna").decode("ascii")
    if not name.isascii() and ascii_name.encode("ascii").decode("idna") != name:
        return ""
    return ascii_name if _NAME.fullmatch(ascii_name) else ""
