"""What an agent's commands change is in its change set, and the documents that it works from stay as they were."""

import asyncio
import time
from pathlib import Path

from specloom.domain.ids import TaskId
from specloom.domain.runs import Scope
from specloom.domain.states import TaskState
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.killing import working
from tests.integration.projects import greeter, hosted, run, session
from tests.integration.stage import DEADLINE, attempt, command, project, says, script, task, turn, until_file, write
from tests.integration.stage import ONE as FIRST_OF_ONE
from tests.integration.test_engine_crash import resumes

FIRST, SECOND = TaskId("01/1.1"), TaskId("01/1.2")
TICK_ALL = "sed -i 's/- \\[ \\]/- [x]/' specs/01-greeter.md"
WEAKEN = "sed -i 's/assert greet(.Ann.).endswith(.!.)/pass/' specs/01-greeter.md"
CODE = 'def greet(name):\n    return "Hello " + name\n'


def wait_for(file: Path) -> None:
    """Until the file is there."""
    end = time.monotonic() + DEADLINE
    while not file.exists():
        assert time.monotonic() < end, f"{file} did not come"
        time.sleep(0.02)


def unseen(root: Path, line: str) -> str:
    """A command that carries out a line which the permission rules do not see, and would deny."""
    (root / "tool.sh").write_text(line)
    return "sh tool.sh"


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


async def test_a_box_that_changes_while_a_command_runs_is_no_proof_and_no_part_of_the_change_set(
    tmp_path: Path,
) -> None:
    root = greeter(tmp_path / "greeter")
    command = f"{unseen(root, TICK_ALL)}; printf 'def greet(name):\\n    return \"Hello \" + name\\n' > greet.py"
    async with ScriptedServer(by_command(command)) as server, hosted(root, server) as runtime:
        await run(runtime, Scope("task", FIRST))
        assert runtime.state.record(SECOND).state is TaskState.PENDING
        assert "changed while the command ran" in str(server.requests[-1].body)
        assert "specs/01-greeter.md" not in await runtime.diff(FIRST)


async def test_what_a_person_saves_while_a_command_runs_stays(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    requirements = root / "requirements.md"
    writes = "printf 'def greet(name):\\n    return \"Hello \" + name\\n' > greet.py"
    command = f"touch running; while [ ! -e go ]; do sleep 0.05; done; {writes}"
    async with ScriptedServer(by_command(command)) as server, hosted(root, server) as runtime:
        running = asyncio.create_task(run(runtime, Scope("task", FIRST)))
        await asyncio.to_thread(wait_for, root / "running")
        text = await asyncio.to_thread(requirements.read_text)
        await asyncio.to_thread(requirements.write_text, text + "- R1.3 Mine, typed meanwhile\n")
        await asyncio.to_thread((root / "go").touch)
        await running
        assert runtime.state.record(FIRST).state is TaskState.DONE
    assert "typed meanwhile" in requirements.read_text()


async def test_a_verify_command_that_appears_while_an_agent_works_is_not_covered_by_yes(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    command = f"{unseen(root, WEAKEN)}; printf 'def greet(name):\\n    return \"Hello \" + name\\n' > greet.py"
    async with ScriptedServer(by_command(command)) as server, hosted(root, server) as runtime:
        await run(runtime)
        record = runtime.state.record(SECOND)
        assert record.state is TaskState.BLOCKED
        assert "--yes does not cover" in record.reason


async def test_what_a_command_had_changed_when_specloom_was_killed_is_in_the_change_set(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -q cut cut.txt"))
    (root / "cut.txt").write_text("before\n")
    (root / "gone.txt").write_text("to be deleted\n")
    (root / "other.txt").write_text("mine\n")
    turns = (
        turn(write("mine.txt", "by a tool\n")),
        turn(command("sed -i s/mine/theirs/ other.txt")),
        turn(command("echo cut >cut.txt; rm gone.txt; echo new >new.txt; touch up; sleep 270")),
        turn(says()),
    )
    async with ScriptedServer(script(attempt(1, *turns))) as server:
        process = await working(root, server.base_url)
        await until_file(root / "up")
        process.kill()
        await process.wait()
        assert list(root.glob(".specloom/sessions/*/outputs/before.pack"))
        async with hosted(root, server) as runtime:
            await resumes(runtime)
            assert runtime.state.record(FIRST_OF_ONE).state is TaskState.DONE
            diff = await runtime.diff(FIRST_OF_ONE)
        for piece in ("-before\n+cut", "-to be deleted", "+new", "+by a tool", "-mine\n+theirs"):
            assert diff.count(piece) == 1, diff
        assert not list(root.glob(".specloom/sessions/*/outputs/before.pack"))


async def test_what_a_person_changes_between_a_kill_without_a_command_and_the_next_start_is_theirs(
    tmp_path: Path,
) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    (root / "mine.txt").write_text("before\n")
    turns = (turn(command("touch made.txt")), turn(command("touch held"), hold="answer"), turn(says()))
    async with ScriptedServer(script(attempt(1, *turns))) as server:
        process = await working(root, server.base_url)
        await until_file(root / "made.txt")
        assert await server.until(lambda known: known.total == 2, DEADLINE)
        process.kill()
        await process.wait()
        server.release("answer")
        await asyncio.to_thread((root / "mine.txt").write_text, "by a person\n")
        async with hosted(root, server) as runtime:
            await resumes(runtime)
            diff = await runtime.diff(FIRST_OF_ONE)
        assert "made.txt" in diff
        assert "by a person" not in diff
