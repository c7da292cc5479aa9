"""Keys that their user keeps in the system's keyring, by endpoint. Refuses to ask it for what was never kept there.

Which endpoints have a key there stands in a file of the user's own, without the keys: who keeps none is never asked to
unlock a keyring. The library is optional (`specloom[keyring]`). Everything here blocks, on a person's password perhaps.
"""

import contextlib
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from specloom.store.errors import StoreError, mapped_errors
from specloom.store.private_file import locked, read_private, replace_private

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "specloom"
"""What the entries are filed under; the user name of each is its endpoint."""
KEPT = "kept-keys"
NO_LIBRARY = "the keyring library is not installed; `pip install 'specloom[keyring]'` adds it"
OVERTAKEN = "a later order about this key came first"
NO_BACKEND = "this system has no keyring that can be used"


class KeyringError(Exception):
    """The keyring does not do what it was asked for; says why, in one line without a key."""


class SystemKeyring:
    """The keyring, and in `folder` the list of endpoints that have a key in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / KEPT

    def endpoints(self) -> tuple[str, ...]:
        """Those that a key was kept for; none where that cannot be read."""
        with contextlib.suppress(OSError, ValueError):
            return tuple((read_private(self._path) or b"").decode().split())
        return ()

    def read(self, endpoint: str) -> str | None:
        """The key of an endpoint. Raises `KeyringError`."""
        if endpoint not in self.endpoints():
            return None
        with _told():
            return _backend().get_password(SERVICE, endpoint) or None

    def keep(self, endpoint: str, key: str, wanted: Callable[[], bool] = lambda: True) -> None:
        """Keeps the key; it is there when this returns. Raises `KeyringError`.

        `wanted`: whether that still holds. A person may unlock the keyring long after he said something else.
        """
        if not wanted():
            raise KeyringError(OVERTAKEN)
        with _told():
            backend = _backend()
            backend.set_password(SERVICE, endpoint, key)  # pyright: ignore[reportUnknownMemberType] # is wrapped, untyped
            # There are keyrings that take everything and keep nothing.
            if backend.get_password(SERVICE, endpoint) != key:
                raise KeyringError(NO_BACKEND)
        self._list(lambda known: dict.fromkeys((*known, endpoint)))
        if not wanted():
            self.forget(endpoint)
            raise KeyringError(OVERTAKEN)

    def forget(self, endpoint: str) -> None:
        """Takes a key out, if one was kept; it is not read again even where that fails. Raises `KeyringError`."""
        if endpoint not in self.endpoints():
            return
        self._list(lambda known: (name for name in known if name != endpoint))
        with _told():
            backend = _backend()
            if backend.get_password(SERVICE, endpoint) is not None:
                backend.delete_password(SERVICE, endpoint)

    def _list(self, change: Callable[[tuple[str, ...]], Iterable[str]]) -> None:
        try:
            with mapped_errors(self._path), locked(self._folder, f"{KEPT}.lock"):
                replace_private(self._path, "".join(f"{name}\n" for name in change(self.endpoints())))
        except StoreError as error:
            raise KeyringError(str(error)) from error


def _backend() -> "KeyringBackend":
    try:
        import keyring
        from keyring.backends.fail import Keyring as NoKeyring
    except ImportError as error:
        raise KeyringError(NO_LIBRARY) from error
    backend = keyring.get_keyring()
    if isinstance(backend, NoKeyring):
        raise KeyringError(NO_BACKEND)
    return backend


@contextlib.contextmanager
def _told() -> Generator[None]:
    """Whatever a backend raises is said in its type alone: its words may repeat what it was given."""
    try:
        yield
    except KeyringError:
        raise
    except Exception as error:  # noqa: BLE001 - backends of other makers raise what they like
        raise KeyringError(f"the keyring refused ({type(error).__name__}); is it unlocked?") from None
