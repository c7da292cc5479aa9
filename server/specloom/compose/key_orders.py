"""Carries out what a person says about the key of an endpoint. Refuses to repeat what was said: it may be a key."""

from collections.abc import Callable, Mapping

from specloom.compose.keys import KEYRING, KEYS, SET, Put, Where
from specloom.domain.rejection import Rejected
from specloom.engine.api import KeyAnswer, KeyOrder
from specloom.settings.addresses import address_of, origin_of
from specloom.settings.credentials import sendable
from specloom.store.system_keyring import SystemKeyring

LIVES = "in memory alone: it lives until the daemon, or the server of one editor alone, ends"


async def carry_out(
    order: KeyOrder, sources: Callable[[], Mapping[str, str]], keyring: SystemKeyring
) -> KeyAnswer | Rejected:
    """`sources`: the endpoints that the settings name, with where the key of each comes from, as they are then."""
    name = _meant(order.endpoint, sources())
    if isinstance(name, Rejected):
        return name
    if order.key and sendable(order.key) is None:
        message = "This is no key: it has a space, a line end or a letter that is not ASCII; copy it again"
        return Rejected("invalid-key", message)
    if order.key is None:
        held = next((key.source for key in KEYS.known if key.endpoint == name), "")
        put = Put(_WHERE.get(held, "nowhere"))
    else:
        put = await KEYS.put(name, sendable(order.key) or "", keyring, keep=order.keep)
    source = next((source for url, source in sources().items() if _name(url) == name), "")
    return KeyAnswer(name, put.where, source, _told(name, put, source, forget=order.key == ""))


_WHERE: Mapping[str, Where] = {SET: "memory", KEYRING: "keyring"}


def _name(url: str) -> str | None:
    origin = origin_of(url)
    return None if origin is None else address_of(origin)


def _meant(stated: str | None, sources: Mapping[str, str]) -> str | Rejected:
    known = tuple(dict.fromkeys(name for url in sources if (name := _name(url)) is not None))
    if stated is None and len(known) == 1:
        return known[0]
    listed = ", ".join(known) or "none"
    if stated is None:
        return Rejected("endpoint-needed", f"Say for which endpoint the key is; the settings name {listed}", known)
    name = _name(stated)
    if name is None or name not in known:
        why = "The settings name no such endpoint, and a key goes only where it is meant to go"
        return Rejected("unknown-endpoint", f"{why}; they name {listed}", known)
    return name


def _told(name: str, put: Put, source: str, *, forget: bool) -> str:
    trouble = f"; {put.trouble}" if put.trouble else ""
    other = source if source not in ("", SET, KEYRING) else ""
    if forget:
        left = f"; the keyring may still hold it, and is not asked for it: {put.trouble}" if put.trouble else ""
        return f"the key for {name} is forgotten{left}" + (f"; the one from {other} is used" if other else "")
    first = f"; the one from {other} comes first" if other else ""
    if put.where == "nowhere":
        return f"no key for {name} is held{trouble}{first}"
    where = "kept in the keyring of this system" if put.where == "keyring" else f"held {LIVES}"
    return f"the key for {name} is {where}{trouble}{first}"
