"""What a person sees of it in Neovim's own windows, and does with real keys, in a real terminal."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from specloom.llm.scripted.server import ScriptedServer
from tests.editors.playing import HERE, environment, must_all_end
from tests.editors.terminal import Terminal, terminal
from tests.integration.projects import ENDS, SPEC, greeter, session

pytestmark = [
    pytest.mark.editor,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux (apt install tmux)"),
]

MENU = "Type number and <Enter>"
CODE = 'def greet(name):\n    return "Hello " + name\n'
EDITED = 'return "Hello " + name + "!"'
FAULTY = SPEC.replace("- [ ] 1.1", "- [x] 1.1").replace("_Requirements: R1.2_", "_Requirements: R1.3_")

HELD = [*ENDS[:-1], {**ENDS[-1], "hold": "seen"}]


def choose(screen: Terminal, title: str) -> None:
    """Opens the menu of code actions at the cursor, and takes one by its number."""
    screen.press(":lua vim.lsp.buf.code_action()", "Enter")
    lines = screen.until(title, MENU).splitlines()
    number = next(line.partition(":")[0] for line in reversed(lines) if line.endswith(f": {title}"))
    screen.press(number, "Enter")


def look(screen: Terminal) -> None:
    """States as lenses, and a problem beside its line."""
    screen.until("1 of 2 tasks done", "done before | Reset", "ready | Run | Skip", "R1.3, which does not exist")
    screen.press("/R1.3", "Enter")
    choose(screen, "Replace with R1.2")
    screen.until("_Requirements: R1.2_", gone="does not exist")
    screen.press(":w", "Enter", "/1.2 End", "Enter")


def run(screen: Terminal, server: ScriptedServer) -> None:
    """The question shows the exact command; the edit lands beside what was typed.

    The turn behind the edit waits until it is seen: Neovim draws nothing anew while it shows a question.
    """
    screen.press(":split greet.py", "Enter")
    screen.until("def greet")
    screen.press("O# my own line", "Escape", "C-w", "j")
    choose(screen, "Run")
    screen.until("1 verify command from this repository would run", "endswith('!')\":", "1: Allow once", "3: Deny")
    screen.press("1", "Enter")
    screen.until("# my own line", EDITED)
    server.release("seen")
    screen.until("Save 1 file so that verification can run: greet.py", "# my own line", EDITED)


def prove(screen: Terminal) -> None:
    """Saved when asked, proven, undone with one key, stale."""
    screen.press("1", "Enter", "C-w", "k", ":w", "Enter")
    screen.until("proven | Reset", "[x] 1.2 End")
    screen.press("u")
    screen.until("proven, stale | Verify again | Reset", "# my own line", gone=EDITED)


def test_a_person_sees_states_questions_and_problems_where_they_belong(
    neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter", FAULTY)
    (root / "greet.py").write_text(CODE)
    with (
        ScriptedServer({"sessions": [session("1.2", "# Task 01/1.2 (attempt 1)", turns=HELD)]}) as server,
        terminal(environment(root, tmp_path / "home", server)) as screen,
    ):
        screen.start(root, neovim("forky"), "-u", HERE / "init.lua", "specs/01-greeter.md")
        look(screen)
        run(screen, server)
        prove(screen)
        screen.press(":qa!", "Enter")
        server.check()
    must_all_end(root)
