"""`grep_search`: finds lines by a regular expression. Refuses to wait for a pattern that explodes."""

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import specloom
from specloom.tools.globs import matching
from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import counted
from specloom.workspace.ports import WorkspaceError
from specloom.workspace.shielding import to_the_end

MAX_MATCHES = 200
SECONDS = 20.0

PATTERNS: Mapping[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}}


class GrepSearch:
    """The tool."""

    name = "grep_search"
    description = (
        "Finds lines that match a regular expression (Python syntax, line by line) in text files, unsaved changes in "
        "the user's editor included. Ignored, binary and very large files are left out. Answers `path` and below it "
        f"`12 | line` for each match, at most {MAX_MATCHES} lines, and how many matches there are in all. "
        "To edit a file, read it with read_file first."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "pattern": {"type": "string", "minLength": 1},
            "path": {"type": "string", "description": "Folder or file to search, default: the whole project"},
            "include": {**PATTERNS, "description": "Only paths that match one of these globs, for example `*.py`"},
            "exclude": {**PATTERNS, "description": "Not paths that match one of these globs"},
            "ignore_case": {"type": "boolean", "description": "Default false"},
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
        job = {
            "root": str(context.files.root),
            "paths": paths,
            "buffers": dict(await context.files.buffers()),
            "pattern": values["pattern"],
            "ignore_case": values.get("ignore_case", False),
            "limit": MAX_MATCHES,
        }
        try:
            return _told(values["pattern"], len(paths), json.loads(await _answer(job, self._seconds)))
        except TimeoutError:
            message = f"the search took longer than {self._seconds:g} s; use a simpler pattern or a smaller path"
            return ToolOutcome(message, is_error=True)


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


async def _answer(job: Mapping[str, Any], seconds: float) -> bytes:
    """Runs the worker. Raises `TimeoutError`, and `WorkspaceError` if it fails."""
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
        async with asyncio.timeout(seconds):
            output, errors = await process.communicate(json.dumps(job).encode())
    finally:
        await to_the_end(_ended(process))
    if process.returncode:
        raise WorkspaceError(f"the search failed: {errors.decode(errors='replace').strip()[-300:]}")
    return output


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


def _told(pattern: str, searched: int, answer: Mapping[str, Any]) -> ToolOutcome:
    skipped = f"; {counted(answer['too_large'], 'file')} too large to search" if answer["too_large"] else ""
    if not answer["matches"]:
        return ToolOutcome(f"no line matches {pattern!r} in {counted(searched, 'file')}{skipped}")
    total = f"{_matches(answer['matches'])} in {counted(answer['files'], 'file')}{skipped}"
    parts = [total]
    for path, group in groupby(answer["shown"], key=lambda item: item[0]):
        parts += [path, *(f"{number} | {line}" for _, number, line in group)]
    if answer["matches"] > len(answer["shown"]):
        left = answer["matches"] - len(answer["shown"])
        parts.append(f"… {_matches(left)} left out; narrow the pattern, the path or include")
    return ToolOutcome("\n".join(parts))


def _matches(count: int) -> str:
    return f"{count:,} match" if count == 1 else f"{count:,} matches"
