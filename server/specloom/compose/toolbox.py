"""All tools that exist, in the order in which models are told of them."""

from specloom.domain.redact import Redactor
from specloom.tools.ask_user import AskUser
from specloom.tools.close_file import CloseFile
from specloom.tools.command_jobs import CommandJobs
from specloom.tools.continue_in_new_session import ContinueInNewSession
from specloom.tools.delete_file import DeleteFile
from specloom.tools.edit_file import EditFile
from specloom.tools.grep_search import GrepSearch
from specloom.tools.list_directory import ListDirectory
from specloom.tools.read_file import ReadFile
from specloom.tools.read_output import ReadOutput
from specloom.tools.registry import ToolBox
from specloom.tools.report_blocked import ReportBlocked
from specloom.tools.run_command import RunCommand
from specloom.tools.search_files import SearchFiles
from specloom.tools.subagent import Subagent
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
        DeleteFile(),
        CloseFile(),
        RunCommand(),
        CommandJobs(),
        AskUser(),
        Subagent(),
        ReadOutput(),
        ReportBlocked(),
        ContinueInNewSession(),
    )
    return ToolBox(tools, redactor)
