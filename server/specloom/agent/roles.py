"""The named roles: what each is told and which tools it has. Refuses roles that nobody wrote down."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources


class RoleName(StrEnum):
    """Who works."""

    PLANNER = "planner"
    EXECUTOR = "executor"
    REVIEWER = "reviewer"
    SAFETY = "safety"
    SUMMARISER = "summariser"
    SUBAGENT = "subagent"


@dataclass(frozen=True, slots=True)
class Role:
    """A role. A tool that it does not name is not registered for it at all."""

    name: RoleName
    tools: tuple[str, ...]
    may_write: bool = False
    may_run: bool = False


READING = ("read_file", "list_directory", "search_files", "grep_search")

ROLES: dict[RoleName, Role] = {
    RoleName.PLANNER: Role(RoleName.PLANNER, READING),
    RoleName.EXECUTOR: Role(
        RoleName.EXECUTOR,
        (
            *READING,
            "edit_file",
            "write_file",
            "delete_file",
            "close_file",
            "run_command",
            "command_jobs",
            "read_output",
            "ask_user",
            "subagent",
            "report_blocked",
            "continue_in_new_session",
        ),
        may_write=True,
        may_run=True,
    ),
    RoleName.REVIEWER: Role(RoleName.REVIEWER, (*READING, "submit_review")),
    RoleName.SAFETY: Role(RoleName.SAFETY, ()),
    RoleName.SUMMARISER: Role(RoleName.SUMMARISER, ()),
    RoleName.SUBAGENT: Role(RoleName.SUBAGENT, READING),
}


@cache
def prompt(name: str) -> str:
    """The system text `prompts/<name>.md`, read once. Raises `FileNotFoundError` for a name that does not exist."""
    return (resources.files("specloom.agent.prompts") / f"{name}.md").read_text(encoding="utf-8").strip()
