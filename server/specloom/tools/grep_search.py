"""`grep_search`: finds lines by a regular expression. Refuses to wait for a pattern that explodes."""

import asyncio
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import specloom
from specloom.tools.globs import matching
from specloom.tools.literals import required
from specloom.tools.ports import ToolContext
from specloom.tools.ripgrep import find_ripgrep, sieve
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import counted
from specloom.workspace.ports import WorkspaceError
from specloom.workspace.process_group import end_process
from specloom.workspace.shielding import to_the_end

MAX_MATCHES = 200
MOST_CONTEXT = 10
SECONDS = 20.0
WORTH_SIFTING = 200
"""Files from which on ripgrep, where there is one, saves more than its start costs."""

PATTERNS: Mapping[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}}


class GrepSearch:
    """The tool."""

    name = "grep_search"
    description = (
        "Finds lines that match a regular expression (Python syntax, line by line) in text files, unsaved changes in "
        "the user's editor included. Ignored, binary and very large files are left out. Answers `path` and below it "
        f"`12 | line` for each match, at most {MAX_MATCHES} lines, and how many matches there are in all."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "pattern": {"type": "string", "minLength": 1},
            "path": {"type": "string", "description": "Folder or file to search, default: the whole project"},
            "include": {**PATTERNS, "description": "Only paths that match one of these globs, for example `*.py`"},
            "exclude": {**PATTERNS, "description": "Not paths that match one of these globs"},
            "ignore_case": {"type": "boolean", "description": "Default false"},
            "context": {
                "type": "integer",
                "minimum": 0,
                "maximum": MOST_CONTEXT,
                "description": "Lines to show before and after each match as `11 - line`, default 0",
            },
        },
        "required": ["pattern"],
        "additionalProperties": False,
    }
    effect = Effect.READ

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """In a process of its own, with a deadline."""
        fault = _fault(values["pattern"])
        if fault:
            return ToolOutcome(
                f"the pattern is no regular expression: {fault}; escape literal characters", is_error=True
            )
        paths = await _paths(values.get("path", ""), context)
        paths = await asyncio.to_thread(matching, paths, values.get("include", []), values.get("exclude", []))
        ignore_case: bool = values.get("ignore_case", False)
        groups = required(values["pattern"], ignore_case=ignore_case)
        search = _Search(values["pattern"], ignore_case, groups, values.get("context", 0))
        try:
            async with asyncio.timeout(self._seconds):
                answer = await search.over(paths, context)
        except TimeoutError:
            message = f"the search took longer than {self._seconds:g} s; use a simpler pattern or a smaller path"
            return ToolOutcome(message, is_error=True)
        return _told(values["pattern"], len(paths), answer)


@dataclass(frozen=True, slots=True)
class _Search:
    pattern: str
    ignore_case: bool
    groups: tuple[tuple[str, ...], ...]
    around: int

    async def over(self, paths: Sequence[str], context: ToolContext) -> Mapping[str, Any]:
        """Runs the worker over the files that a match is possible in. Raises `WorkspaceError` if it fails."""
        root = context.files.root
        buffers = dict(await context.files.buffers())
        job = {
            "root": str(root),
            "paths": await self._sifted(paths, buffers, context),
            "buffers": buffers,
            "pattern": self.pattern,
            "ignore_case": self.ignore_case,
            "groups": self.groups,
            "limit": MAX_MATCHES,
            "around": self.around,
        }
        return json.loads(await _answer(job))

    async def _sifted(self, paths: Sequence[str], buffers: Mapping[str, str], context: ToolContext) -> Sequence[str]:
        if not self.groups or len(paths) < WORTH_SIFTING:
            return paths
        root = context.files.root
        program = await asyncio.to_thread(find_ripgrep, context.environment, root)
        if program is None:
            return paths
        found = await sieve(program, root, paths, self.groups, ignore_case=self.ignore_case)
        if found is None:
            return paths
        kept = {*found, *buffers}
        return [path for path in paths if path in kept]


def _fault(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return ""


async def _paths(path: str, context: ToolContext) -> tuple[str, ...]:
    """A folder's visible files, or the one file that is named, ignored or not."""
    real = await asyncio.to_thread(context.files.resolve, path or ".")
    if await asyncio.to_thread(real.is_file):
        return (real.relative_to(context.files.root).as_posix(),)
    return await context.files.walk(path)


async def _answer(job: Mapping[str, Any]) -> bytes:
    package = Path(specloom.__file__).parent.parent
    start = f"import sys; sys.path.insert(0, {str(package)!r}); from specloom.tools.grep_worker import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", "-c", start),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
    )
    try:
        output, errors = await process.communicate(json.dumps(job).encode())
    finally:
        await to_the_end(end_process(process))
    if process.returncode:
        raise WorkspaceError(f"the search failed: {errors.decode(errors='replace').strip()[-300:]}")
    return output


def _told(pattern: str, searched: int, answer: Mapping[str, Any]) -> ToolOutcome:
    skipped = (
        f"; {counted(answer['too_large'], 'file')} too large to search that may match" if answer["too_large"] else ""
    )
    if not answer["matches"]:
        return ToolOutcome(f"no line matches {pattern!r} in {counted(searched, 'file')}{skipped}")
    total = f"{_matches(answer['matches'])} in {counted(answer['files'], 'file')}{skipped}"
    parts = [total]
    for path, group in groupby(answer["shown"], key=lambda item: item[0]):
        parts += [path, *(f"{number} {'|' if hit else '-'} {line}" for _, number, line, hit in group)]
    if left := answer["matches"] - answer["shown_matches"]:
        parts.append(f"… {_matches(left)} left out; narrow the pattern, the path or include")
    return ToolOutcome("\n".join(parts))


def _matches(count: int) -> str:
    return f"{count:,} match" if count == 1 else f"{count:,} matches"
