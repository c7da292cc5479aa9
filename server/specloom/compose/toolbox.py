"""All tools that exist, in the order in which models are told of them."""

from specloom.domain.redact import Redactor
from specloom.tools.edit_file import EditFile
from specloom.tools.grep_search import GrepSearch
from specloom.tools.list_directory import ListDirectory
from specloom.tools.read_file import ReadFile
from specloom.tools.registry import ToolBox
from specloom.tools.report_blocked import ReportBlocked
from specloom.tools.run_command import RunCommand
from specloom.tools.search_files import SearchFiles
from specloom.tools.write_file import WriteFile


def all_tools(redactor: Redactor) -> ToolBox:
    """A box with every tool; roles take theirs out of it."""
    tools = (
        ReadFile(),
        ListDirectory(),
        SearchFiles(),
        GrepSearch(),
        EditFile(),
        WriteFile(),
        RunCommand(),
        ReportBlocked(),
    )
    return ToolBox(tools, redactor)
