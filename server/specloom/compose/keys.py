"""Keys that a person set in this process, or keeps in the keyring: each for one endpoint, in memory alone.

Refuses to tell one, to write one into a file, and to wait for a keyring without a deadline.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from specloom.compose.options import Loaded
from specloom.domain.ports import Clock
from specloom.settings.addresses import Origin, address_of, origin_of
from specloom.settings.credentials import Credentials, sendable
from specloom.store.private_file import HOMES, state_home
from specloom.store.system import SystemClock
from specloom.store.system_keyring import KeyringError, SystemKeyring
from specloom.workspace.shielding import to_the_end

LOG = logging.getLogger(__name__)
SET = "credential/set"
KEYRING = "keyring"
READ_DEADLINE = 15.0
"""Seconds that opening a project waits for the keyring, for all its endpoints together."""
CHANGE_DEADLINE = 45.0
"""Seconds that an order waits for it: a person may have to type a password."""
ASK_AGAIN = 60.0
"""Seconds after which a keyring that gave nothing is asked again, when a key is needed: it may be unlocked by then."""

Reload: TypeAlias = Callable[[], Awaitable[None]]
Where: TypeAlias = Literal["keyring", "memory", "nowhere"]
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Put:
    """Where a key is now."""

    where: Where
    trouble: str = ""
    """Why the keyring did not do its part; empty: it did, or was not asked."""


class KeyBox:
    """All of them, by origin. Belongs to one event loop."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._keys: dict[Origin, Credentials] = {}
        self._silent: dict[str, float] = {}
        """Endpoints whose keys the keyring did not give, and when: it is not asked for them again and again."""
        self._shut: float | None = None
        """When the keyring was found locked, or without an answer: for a while it is asked for nothing then."""
        self._newest: dict[str, object] = {}
        """The newest order about each endpoint: what began before it, and ends later, counts no more."""
        self._keeping = threading.Lock()
        """One key is kept at a time: of two for one endpoint the later stays."""
        self._followers: dict[object, Reload] = {}

    @property
    def known(self) -> tuple[Credentials, ...]:
        """What there is."""
        return tuple(self._keys.values())

    def follow(self, who: object, reload: Reload) -> None:
        """`reload` is called from now on when a key came or went."""
        self._followers[who] = reload

    def leave(self, who: object) -> None:
        """It is not called any more."""
        self._followers.pop(who, None)

    def clear(self) -> None:
        """Forgets all of them, as the end of the process does."""
        self._keys.clear()
        self._opened()
        self._newest.clear()

    def _opened(self) -> None:
        self._silent.clear()
        self._shut = None

    async def put(self, url: str, key: str, keyring: SystemKeyring, *, keep: bool) -> Put:
        """Holds a key for the origin of `url`, also in the keyring if `keep`; an empty one takes it out of both."""
        origin = origin_of(url)
        if origin is None:
            raise ValueError("no endpoint")
        name = address_of(origin)
        self._silent.pop(name, None)
        order = self._newest[name] = object()
        if key:
            self._keys[origin] = Credentials(name, SET, key)
        else:
            self._keys.pop(origin, None)
        try:
            return await self._kept(name, key, keyring, order) if keep or not key else Put("memory")
        finally:
            # Also where who ordered it is gone before the keyring has answered: the key is held, or is not any more.
            await to_the_end(self._tell())

    async def _kept(self, name: str, key: str, keyring: SystemKeyring, order: object) -> Put:
        def wanted() -> bool:
            return self._newest.get(name) is order

        def keep() -> None:
            with self._keeping:
                keyring.keep(name, key, wanted)

        try:
            await _beside(keep if key else lambda: keyring.forget(name), CHANGE_DEADLINE)
        except KeyringError as error:
            return Put("memory" if any(held.endpoint == name for held in self.known) else "nowhere", str(error))
        if key:
            self._opened()
        return Put("keyring" if key else "nowhere")

    async def _tell(self) -> None:
        told = await asyncio.gather(*(reload() for reload in self._followers.values()), return_exceptions=True)
        for error in told:
            if isinstance(error, BaseException):
                # Each project loads its settings for itself: one that cannot is no reason for the others.
                LOG.error("settings were not loaded again", exc_info=error)

    async def fetch(self, urls: Sequence[str], keyring: SystemKeyring) -> bool:
        """Takes what is kept for these endpoints out of the keyring; whether there is anything else than before."""
        kept = await asyncio.to_thread(keyring.endpoints)
        gone = [at for at, key in self._keys.items() if key.source == KEYRING and key.endpoint not in kept]
        for origin in gone:
            del self._keys[origin]
        wanted = {at: address_of(at) for at in map(origin_of, urls) if at is not None and at not in self._keys}
        clock = asyncio.get_running_loop().time
        end = clock() + READ_DEADLINE
        found = [await self._read(at, name, keyring, end - clock()) for at, name in wanted.items() if name in kept]
        return bool(gone) or any(found)

    def may_give(self, urls: Sequence[str]) -> bool:
        """Whether the keyring gave nothing for one of these, and it is time to ask it again."""
        names = [address_of(at) for at in map(origin_of, urls) if at is not None]
        refused = (name for name in names if self._shut is not None or name in self._silent)
        return any(not self._rests(name) for name in refused)

    def _rests(self, name: str) -> bool:
        """Whether it was asked in vain a moment ago."""
        now = self.clock.monotonic()
        return any(at is not None and now - at < ASK_AGAIN for at in (self._shut, self._silent.get(name)))

    async def _read(self, origin: Origin, name: str, keyring: SystemKeyring, deadline: float) -> bool:
        if self._rests(name):
            return False
        order = self._newest.get(name)
        try:
            # What others may have changed there is looked at as if somebody typed it.
            key = sendable(await _beside(lambda: keyring.read(name), deadline) or "")
        except KeyringError as error:
            LOG.warning("the key for %s was not read, and no other is looked for: %s", name, error)
            key, self._shut = None, self.clock.monotonic()
        else:
            self._shut = None
        if self._newest.get(name) is not order:
            return False
        if key is None:
            self._silent[name] = self.clock.monotonic()
            return False
        self._silent.pop(name, None)
        self._keys.setdefault(origin, Credentials(name, KEYRING, key))
        return True


KEYS = KeyBox(SystemClock())
"""Those of this process: a process belongs to one person."""


def held_keys() -> Mapping[str, str]:
    """Endpoints whose keys this process holds, with where each came from."""
    return {key.endpoint: key.source for key in KEYS.known}


def keyring_of(environment: Mapping[str, str]) -> SystemKeyring:
    """The keyring with the list of the client's user, else of this process."""
    own = {name: os.environ[name] for name in HOMES if name in os.environ}
    return SystemKeyring(state_home({**own, **environment}))


async def with_kept_keys(load: Callable[[], Loaded], environment: Mapping[str, str]) -> Loaded:
    """What `load` makes of the settings with what the keyring has for endpoints that have no other key."""
    loaded = load()
    unkeyed = [url for url, source in loaded.endpoints.items() if not source]
    fresh = await KEYS.fetch(unkeyed, keyring_of(environment))
    return load() if fresh else loaded


async def _beside(job: Callable[[], _Result], deadline: float) -> _Result:
    """The result of a job on a thread of its own, which may hang for good. Raises `KeyringError`."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def settle(result: _Result | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)  # pyright: ignore[reportArgumentType] # without an error there is a result
        else:
            done.set_exception(error)

    def work() -> None:
        result, failed = None, None
        try:
            result = job()
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            failed = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=work, name="keyring", daemon=True).start()
    try:
        async with asyncio.timeout(deadline):
            return await done
    except TimeoutError:
        raise KeyringError(f"the keyring did not answer within {deadline:g} s; unlock it, then try again") from None
