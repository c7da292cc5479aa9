"""`list_directory`: what stands in one folder. Refuses to follow links and to show what is closed to tools."""

from collections.abc import Mapping
from typing import Any

from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import counted
from specloom.workspace.ports import FolderEntry

MAX_ENTRIES = 1000


class ListDirectory:
    """The tool."""

    name = "list_directory"
    description = (
        "Lists one folder: folders end in `/`, links in `@`, files come with their size in bytes; `(ignored)` marks "
        "what search_files and grep_search leave out. Not recursive: use search_files with a glob for that."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"path": {"type": "string", "description": "Relative to the project root, default: the root"}},
        "required": [],
        "additionalProperties": False,
    }
    effect = Effect.READ

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Names only."""
        path: str = values.get("path") or "."
        entries = await context.files.list_folder(path)
        if not entries:
            return ToolOutcome(f"{path} is empty")
        shown = [_line(entry) for entry in entries[:MAX_ENTRIES]]
        if len(entries) > MAX_ENTRIES:
            shown.append(f"… {counted(len(entries) - MAX_ENTRIES, 'more name')} left out; use search_files to find one")
        return ToolOutcome("\n".join([f"{path} ({counted(len(entries), 'name')})", *shown]))


def _line(entry: FolderEntry) -> str:
    ignored = " (ignored)" if entry.ignored else ""
    match entry.kind:
        case "folder":
            return f"{entry.name}/{ignored}"
        case "link":
            return f"{entry.name}@{ignored}"
        case "file":
            return f"{entry.name}  {entry.size:,}{ignored}"
        case "other":
            return f"{entry.name} (no regular file){ignored}"
