"""Path patterns as ignore files write them. Refuses negation: a tool has `exclude` for that."""

from collections.abc import Iterable, Sequence


def matching(paths: Iterable[str], include: Sequence[str], exclude: Sequence[str] = ()) -> list[str]:
    """The paths that some `include` pattern takes (none given: all) and no `exclude` pattern does."""
    from pathspec import GitIgnoreSpec

    wanted = GitIgnoreSpec.from_lines(map(_literal, include))
    unwanted = GitIgnoreSpec.from_lines(map(_literal, exclude))
    return [path for path in paths if (not include or wanted.match_file(path)) and not unwanted.match_file(path)]


def _literal(pattern: str) -> str:
    return f"\\{pattern}" if pattern.startswith(("!", "#")) else pattern.removeprefix("./")
