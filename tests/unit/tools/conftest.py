"""An agent's hands on a real folder: real files, real processes, and somebody who answers questions."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from specloom.domain.ids import AgentId, CallId, SessionId, TaskId
from specloom.domain.redact import Redactor
from specloom.tools.close_file import CloseFile
from specloom.tools.command_jobs import CommandJobs
from specloom.tools.delete_file import DeleteFile
from specloom.tools.edit_file import EditFile
from specloom.tools.grep_search import GrepSearch
from specloom.tools.list_directory import ListDirectory
from specloom.tools.ports import Decision, ReadMemory, Reply, ToolContext, Wanted
from specloom.tools.read_file import ReadFile
from specloom.tools.registry import ToolBox
from specloom.tools.report_blocked import ReportBlocked
from specloom.tools.run_command import RunCommand
from specloom.tools.search_files import SearchFiles
from specloom.tools.tool import ToolOutcome
from specloom.tools.write_file import WriteFile
from specloom.workspace.shell.agent_shell import AgentShell
from specloom.workspace.workspace import Workspace

PASSWORD = "correct horse battery"
PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass
class Person:
    """Answers each question the same way, and remembers it."""

    answer: Decision = field(default_factory=lambda: Decision(True))
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Commands, and the folders in which they would run."""
    reply: Reply = field(default_factory=lambda: Reply("", answered=False))
    questions: list[tuple[str, tuple[str, ...]]] = field(default_factory=list[tuple[str, tuple[str, ...]]])

    async def may_call(self, wanted: Wanted) -> Decision:
        if wanted.command is None:
            return Decision(True, rule=f"by hand: {wanted.tool}")
        self.asked.append((wanted.command, wanted.folder))
        return self.answer

    async def ask(self, question: str, choices: tuple[str, ...]) -> Reply:
        self.questions.append((question, choices))
        return self.reply


@dataclass
class Screen:
    """What a command printed while it ran."""

    chunks: list[str] = field(default_factory=list[str])

    def chunk(self, text: str) -> None:
        self.chunks.append(text)


@dataclass
class Hands:
    """A tool box with one agent's context; `box` and `context` may be replaced."""

    box: ToolBox
    context: ToolContext
    person: Person
    screen: Screen
    root: Path

    async def use(self, tool: str, **values: Any) -> ToolOutcome:
        return await self.box.run(tool, values, self.context)

    async def text(self, tool: str, **values: Any) -> str:
        outcome = await self.use(tool, **values)
        assert not outcome.is_error, outcome.text
        return outcome.text

    async def refusal(self, tool: str, **values: Any) -> str:
        outcome = await self.use(tool, **values)
        assert outcome.is_error, outcome.text
        return outcome.text

    def changed(self, **values: Any) -> "Hands":
        """The same hands with another context."""
        return replace(self, context=replace(self.context, **values))

    def grow(self, tree: Mapping[str, str]) -> None:
        for path, text in tree.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(text.encode())


@pytest.fixture
async def shell(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AgentShell]:
    logs = tmp_path_factory.mktemp("state") / "outputs"
    shell = AgentShell(tmp_path, {"PATH": PATH, "LANG": "C.UTF-8"}, logs, Redactor([PASSWORD]))
    yield shell
    await shell.close()


@pytest.fixture
def hands(tmp_path: Path, shell: AgentShell) -> Hands:
    person, screen = Person(), Screen()
    context = ToolContext(
        files=Workspace.at(tmp_path),
        asker=person,
        output=screen,
        memory=ReadMemory(),
        agent=AgentId("agent-1"),
        session=SessionId("session-1"),
        attempt=None,
        task=TaskId("01/2.1"),
        call=CallId("call-1"),
        environment=shell.environment,
        read_only=("specs", "specloom.toml", "*.lock"),
        shell=shell,
    )
    tools = [
        ReadFile(),
        WriteFile(),
        EditFile(),
        DeleteFile(),
        CloseFile(),
        ListDirectory(),
        SearchFiles(),
        GrepSearch(),
        RunCommand(),
        CommandJobs(),
        ReportBlocked(),
    ]
    return Hands(ToolBox(tools), context, person, screen, tmp_path)
