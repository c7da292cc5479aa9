"""Gives the daemon what makes runtimes, and the command line a way to it. Refuses to start one that nobody needs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal, cast

from specloom import compose
from specloom.cli.link import Link, LinkLostError, Notified
from specloom.daemon.client import DaemonClient, RefusedError, connected, order
from specloom.daemon.errors import NoDaemonError
from specloom.domain.rejection import Rejected
from specloom.lsp.standalone import Composition


async def serve_daemon(environment: Mapping[str, str], ready: Callable[[str], None]) -> None:
    """Serves until the daemon has ended. Raises `NoDaemonError`, `OSError`."""
    from specloom.daemon.process import serve_daemon as serve

    await serve(_loaded, environment, ready)


def _loaded() -> Composition:
    compose.load_hosting()
    return compose


async def ask_daemon(
    environment: Mapping[str, str], want: Literal["status", "stop"], *, force: bool = False
) -> Mapping[str, Any] | None:
    """What the daemon that is up answers; `None`: none is. Raises `NoDaemonError`, `OSError`."""
    answer = await order(environment, want, force=force)
    return None if answer is None else answer.members


async def is_hosted(root: Path, environment: Mapping[str, str]) -> bool:
    """Whether the user's daemon hosts the root now; one that cannot be asked hosts nothing."""
    roots = cast("list[Mapping[str, Any]]", (await _status(environment)).get("roots", []))
    own = str(await asyncio.to_thread(root.resolve))
    return any(known.get("root") == own for known in roots)


async def daemon_keys(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Endpoints whose keys the user's daemon holds, with where each came from; an older one does not tell."""
    return cast("Mapping[str, str]", (await _status(environment)).get("keys", {}))


async def _status(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """Nothing where no daemon is up, or none that can be asked."""
    try:
        return await ask_daemon(environment, "status") or {}
    except (NoDaemonError, OSError):
        return {}


@asynccontextmanager
async def connect_daemon(root: Path, environment: Mapping[str, str], *, start: bool) -> AsyncGenerator[Link]:
    """A connection that has named the root; `start`: also starts a daemon if there is none. Raises `LinkLostError`."""
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(connected(environment, start=start))
            await client.initialize(await asyncio.to_thread(root.resolve))
        except (NoDaemonError, OSError) as error:
            raise LinkLostError(str(error)) from error
        yield DaemonLink(client)


class DaemonLink:
    """Implements `cli.link.Link`."""

    def __init__(self, client: DaemonClient) -> None:
        self._client = client

    @property
    def ended(self) -> asyncio.Event:
        """Set when the daemon ended the connection."""
        return self._client.ended

    def hear(self, listener: Notified) -> None:
        """Hands on every notification."""
        self._client.on_notification = listener

    async def ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """The result, or `Rejected`."""
        try:
            return await self._client.request(method, params)
        except RefusedError as error:
            data = cast("Mapping[str, Any]", error.data or {})
            return Rejected(str(data.get("reason", "refused")), str(error), tuple(data.get("suggestions", ())))
        except NoDaemonError as error:
            raise LinkLostError(str(error)) from error
