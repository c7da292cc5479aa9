"""What an agent's commands change is in its change set, and the documents that it works from stay as they were."""

from pathlib import Path

from specloom.domain.ids import TaskId
from specloom.domain.runs import Scope
from specloom.domain.states import TaskState
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import SPEC, greeter, hosted, run, session

FIRST, SECOND = TaskId("01/1.1"), TaskId("01/1.2")
CODE = 'def greet(name):\n    return "Hello " + name\n'


def by_command(command: str) -> dict[str, object]:
    return {
        "sessions": [
            session(
                "1.1",
                "# Task 01/1.1 (attempt 1)",
                turns=[
                    {"answer": [{"tool": "run_command", "input": {"command": command}}]},
                    {"answer": [{"text": "Done by a command."}]},
                ],
            )
        ]
    }


async def test_what_a_command_writes_is_in_the_change_set_with_its_before_image(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    (root / "old.txt").write_text("as it was\n")
    (root / "gone.txt").write_text("to be deleted\n")
    command = "printf 'def greet(name):\\n    return \"Hello \" + name\\n' > greet.py; echo new > old.txt; rm gone.txt"
    async with ScriptedServer(by_command(command)) as server, hosted(root, server) as runtime:
        await run(runtime, Scope("task", FIRST))
        assert runtime.state.record(FIRST).state is TaskState.DONE
        diff = await runtime.diff(FIRST)
        assert "-as it was" in diff
        assert "-to be deleted" in diff
        assert "+def greet(name):" in diff
        assert "greet.py" in {file.path for piece in runtime.evidence(FIRST) for file in piece.files}


async def test_a_command_cannot_rewrite_the_spec_or_tick_a_box(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    command = (
        "sed -i 's/- \\[ \\]/- [x]/' specs/01-greeter.md; "
        "printf 'def greet(name):\\n    return \"Hello \" + name\\n' > greet.py"
    )
    async with ScriptedServer(by_command(command)) as server, hosted(root, server) as runtime:
        await run(runtime, Scope("task", FIRST))
        assert runtime.state.record(SECOND).state is TaskState.PENDING
        told = server.requests[-1].body
        assert "it was put back" in str(told)
    text = (root / "specs" / "01-greeter.md").read_text()
    assert text == SPEC.replace("- [ ] 1.1", "- [x] 1.1")
