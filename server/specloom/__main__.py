"""The `specloom` command: picks what to import by its first word, and hands the commands what compose makes.

Refuses to import anything that the word does not need: start-up is a feature.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from specloom.cli.ports import Endpoint, Inspection
    from specloom.compose.options import Loaded
    from specloom.lsp.standalone import Composition


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    # The language server needs no parser of arguments.
    if words[:1] == ["lsp"] and set(words[1:]) <= {"--standalone", "--stdio"}:
        return _serve()
    return _command(words)


def _serve() -> int:
    from specloom.lsp.server import serve_standalone

    return serve_standalone(_composition, os.environ)


def _composition() -> "Composition":
    # Imported when the first root is opened: `initialize` is answered before.
    from specloom import compose

    return compose


def _command(words: list[str]) -> int:
    from specloom.cli import arguments
    from specloom.cli.failures import CommandError

    try:
        parsed = arguments.parse(words)
    except CommandError as error:
        sys.stderr.write(f"specloom: {error}\n")
        return error.status
    if not parsed.command:
        arguments.print_help()
        return 2
    try:
        return _carry_out(parsed)
    except ImportError as error:
        sys.stderr.write(f"specloom: this installation is incomplete ({error}); install Specloom again\n")
        return 2


def _carry_out(parsed: "argparse.Namespace") -> int:
    from specloom.cli.main import carry_out
    from specloom.cli.ports import Composition
    from specloom.compose import open_reader, open_runtime

    return carry_out(parsed, Composition(open_runtime, open_reader, inspect), os.environ)


async def inspect(
    root: "Path", environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None
) -> "Inspection":
    """How a root is set up, for `specloom doctor`. Raises `ConfigurationError` for a root that is no folder."""
    import asyncio

    from specloom.cli.ports import Inspection
    from specloom.compose.files import read_root, state_directory
    from specloom.compose.options import loaded_options

    files = await asyncio.to_thread(read_root, root)
    loaded = loaded_options(files, environment, overrides, None, grant_proposals=False)
    return Inspection(
        state_directory(root, environment, loaded.state_dir),
        loaded.options.requirements,
        (*files.problems, *loaded.problems),
        _endpoints(loaded, environment, files.keys),
    )


def _endpoints(loaded: "Loaded", environment: Mapping[str, str], keys: Mapping[str, str]) -> tuple["Endpoint", ...]:
    """One a model and host, with all roles that use it."""
    from functools import partial

    from specloom.cli.ports import Endpoint
    from specloom.compose.options import is_loopback

    source, refusal = _key_source(environment, keys), loaded.options.refusal
    if refusal is not None and refusal.code == "no-key":
        source = ""
    found: dict[tuple[str, str], Endpoint] = {}
    for role, chosen in loaded.options.roles.items():
        # The adapter's `repr` is its host and nothing else.
        host = repr(chosen.endpoint).partition("(")[2].rstrip(")")
        key = "not needed" if is_loopback(f"http://{host}") else source
        known = found.get((chosen.model, host))
        roles = (*known.roles, role.value) if known else (role.value,)
        ask = partial(chosen.endpoint.facts, chosen.model)
        found[(chosen.model, host)] = Endpoint(roles, chosen.model, host, key, ask)
    return tuple(found.values())


def _key_source(environment: Mapping[str, str], keys: Mapping[str, str]) -> str:
    from specloom.settings.credentials import KEYS

    places = (("environment", environment), (".env", keys))
    return next((name for name, held in places if any(held.get(key) for key in KEYS)), "")


if __name__ == "__main__":
    sys.exit(main())
