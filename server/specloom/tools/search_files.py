"""`search_files`: finds files by name. Refuses to look into them: that is `grep_search`."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from specloom.tools.globs import matching
from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import counted

MAX_RESULTS = 100


class SearchFiles:
    """The tool."""

    name = "search_files"
    description = (
        "Finds files by name in the whole project, best matches first. The query is part of a path, letters may "
        "be left out (`usrmod` finds `user_model.py`), or a glob such as `src/**/*.py`. Ignored files are left out. "
        f"Answers paths, at most {MAX_RESULTS}, and how many more there are."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "query": {"type": "string", "minLength": 1},
            "path": {"type": "string", "description": "Folder to look in, default: the whole project"},
        },
        "required": ["query"],
        "additionalProperties": False,
    }
    effect = Effect.READ

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Over the files that no ignore rule hides."""
        query: str = values["query"].strip()
        paths = await context.files.walk(values.get("path", ""))
        found = await asyncio.to_thread(_found, paths, query)
        if not found:
            return ToolOutcome(f"no file name matches {query!r} among {counted(len(paths), 'file')}")
        more = len(found) - MAX_RESULTS
        rest = [f"… and {counted(more, 'more file')}; narrow the query"] if more > 0 else []
        return ToolOutcome("\n".join([*found[:MAX_RESULTS], *rest]))


def _found(paths: Sequence[str], query: str) -> list[str]:
    if any(char in query for char in "*?["):
        return matching(paths, [query])
    return ranked(paths, query)


def ranked(paths: Sequence[str], query: str) -> list[str]:
    """Paths that hold the letters of the query in order, best first, case and blanks ignored."""
    letters = "".join(query.lower().split())
    loose = re.compile(".*?".join(map(re.escape, letters)))
    scored = [(_score(path.lower(), letters, loose), len(path), path) for path in paths]
    return [path for score, _, path in sorted(scored) if score[0] < _NONE]


_NONE = 9


def _score(path: str, letters: str, loose: re.Pattern[str]) -> tuple[int, int]:
    """Lower is better: whole name, start of the name, in the name, in the path, scattered in name or path."""
    name = PurePosixPath(path).name if "/" in path else path
    if letters in path:
        if letters in name:
            kinds = (name == letters or name.partition(".")[0] == letters, name.startswith(letters))
            return (0 if kinds[0] else 1 if kinds[1] else 2, 0)
        return (3, 0)
    match = loose.search(name)
    if match is not None:
        return (4, match.end() - match.start())
    match = loose.search(path)
    return (_NONE, 0) if match is None else (5, match.end() - match.start())
