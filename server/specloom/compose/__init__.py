"""Floor 8: wires the floors together. Refuses logic: what is decided here is only who gets what.

The one place that reads settings, the `.env` of a root, and the environment that a client passed. Each name is
imported when it is first asked for: who only reads a log loads neither the engine nor what it works with.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from specloom.compose.errors import ConfigurationError

if TYPE_CHECKING:
    from specloom.compose.by_hand import open_tools
    from specloom.compose.daemons import ask_daemon, connect_daemon, daemon_keys, is_hosted, serve_daemon
    from specloom.compose.granting import open_grants
    from specloom.compose.hosting import open_runtime
    from specloom.compose.inspecting import estimating, inspect, preview
    from specloom.compose.keys import held_keys
    from specloom.compose.projects import MachineProjects
    from specloom.compose.reading import Reader, open_reader

__all__ = [
    "ConfigurationError",
    "MachineProjects",
    "Reader",
    "ask_daemon",
    "connect_daemon",
    "daemon_keys",
    "estimating",
    "held_keys",
    "inspect",
    "is_hosted",
    "load_hosting",
    "open_grants",
    "open_reader",
    "open_runtime",
    "open_tools",
    "preview",
    "serve_daemon",
]
_HOMES = {
    "open_runtime": "hosting",
    "open_grants": "granting",
    "ask_daemon": "daemons",
    "connect_daemon": "daemons",
    "daemon_keys": "daemons",
    "held_keys": "keys",
    "is_hosted": "daemons",
    "serve_daemon": "daemons",
    "open_tools": "by_hand",
    "estimating": "inspecting",
    "inspect": "inspecting",
    "preview": "inspecting",
    "Reader": "reading",
    "MachineProjects": "projects",
    "open_reader": "reading",
}


def load_hosting() -> None:
    """Imports what hosting a root takes, whole, on the thread that asks.

    Of the two the grammar would otherwise be loaded at the first judgement of a command, on the event loop, while a
    thread may import something else.
    """
    for name in (f"{__name__}.hosting", "tree_sitter_bash"):
        import_module(name)


def __getattr__(name: str) -> object:
    """The name from its module. Raises `AttributeError` for one that does not exist."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
