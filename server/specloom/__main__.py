"""The `specloom` command: picks what to import by its first word. Refuses to import anything else."""

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    # Start-up is a feature: the language server needs no parser of arguments.
    if words[:1] == ["lsp"] and set(words[1:]) <= {"--standalone", "--stdio"}:
        return _serve()
    return _command(words)


def _serve() -> int:
    from specloom import compose
    from specloom.lsp.server import serve_standalone

    return serve_standalone(compose.open_runtime, os.environ)


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
    from specloom import compose
    from specloom.cli.main import carry_out

    return carry_out(parsed, compose, os.environ)


if __name__ == "__main__":
    sys.exit(main())
