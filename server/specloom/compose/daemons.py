"""Gives the daemon what makes runtimes, and the command line a way to it. Refuses to start one that nobody needs."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Literal

from specloom import compose
from specloom.daemon.client import order
from specloom.lsp.standalone import Composition


async def serve_daemon(environment: Mapping[str, str], ready: Callable[[str], None]) -> None:
    """Serves until the daemon has ended. Raises `NoDaemonError`, `OSError`."""
    from specloom.daemon.process import serve_daemon as serve

    await serve(_loaded, environment, ready)


def _loaded() -> Composition:
    # Whole, on the thread that asks: the first root is opened soon after.
    import_module("specloom.compose.hosting")
    return compose


async def ask_daemon(
    environment: Mapping[str, str], want: Literal["status", "stop"], *, force: bool = False
) -> Mapping[str, Any] | None:
    """What the daemon that is up answers; `None`: none is. Raises `NoDaemonError`, `OSError`."""
    answer = await order(environment, want, force=force)
    return None if answer is None else answer.members
