"""The task tree and the output of agents in a real Neovim: pure parts, a crowd of updates, and what a person sees."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from specloom.llm.scripted.server import ScriptedServer
from tests.editors.nvim_views.folds import written
from tests.editors.playing import environment, must_all_end
from tests.editors.terminal import Terminal, terminal
from tests.integration.projects import WRITES, greeter, session

pytestmark = pytest.mark.editor

VIEWS = Path(__file__).parent / "nvim_views"
SUITES = ("trixie", "forky")
DEADLINE = 60.0
LIVES = 24
WAITS = "echo first line; until [ -e go ]; do sleep 0.05; done; echo last line"
TURNS: list[dict[str, Any]] = [
    {
        "answer": [
            {"thinking": "The greeting needs a function.\nThat is all."},
            {"text": "I write it with one function that takes the name.\nThen I look again."},
            WRITES[0]["answer"][1],
        ]
    },
    {"answer": [{"tool": "run_command", "input": {"command": WAITS}}]},
    {"answer": [{"text": "greet.py has greet."}], "hold": "said"},
]


def plain_neovim(neovim: Path, home: Path, *arguments: str | Path, **more: str) -> None:
    """Runs a file of Lua that says by its exit status whether all held; nothing of the machine's own is read."""
    home.mkdir()
    places = {f"XDG_{kind}_HOME": str(home) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    done = subprocess.run(
        [neovim, "--headless", "-u", "NONE", *arguments],
        env={"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | places | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("suite", SUITES)
def test_projection_tree_and_stream_hold_what_they_promise(
    suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    plain_neovim(neovim(suite), tmp_path / "home", "-l", VIEWS / "pure.lua")


def test_what_is_folded_from_events_is_what_the_server_says(neovim: Callable[[str], Path], tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    lives.mkdir()
    for seed in range(LIVES):
        written(seed, lives)
    plain_neovim(neovim(SUITES[0]), tmp_path / "home", "-l", VIEWS / "folds.lua", STORY_ROOT=str(lives))


def after_the_start(neovim: Path, tmp_path: Path, story: str) -> None:
    """Plays a file of Lua in an empty project, when Neovim scrolls and takes keys as it does for a person."""
    root = tmp_path / "root"
    root.mkdir()
    plain_neovim(neovim, tmp_path / "home", "-c", f"luafile {VIEWS / story}", STORY_ROOT=str(root))


@pytest.mark.parametrize("suite", SUITES)
def test_ten_thousand_tasks_and_twenty_thousand_pieces_move_nothing(
    suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    after_the_start(neovim(suite), tmp_path, "many.lua")


@pytest.mark.parametrize("suite", SUITES)
def test_tree_and_output_stand_on_the_screen_as_they_were_looked_at(
    suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    after_the_start(neovim(suite), tmp_path, "screens.lua")


@pytest.mark.parametrize("suite", SUITES)
def test_windows_and_options_of_people_break_nothing(suite: str, neovim: Callable[[str], Path], tmp_path: Path) -> None:
    after_the_start(neovim(suite), tmp_path, "manners.lua")


@pytest.mark.parametrize("suite", SUITES)
def test_questions_are_put_once_and_in_full_by_whatever_puts_them(
    suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    after_the_start(neovim(suite), tmp_path, "questions.lua")


@pytest.mark.parametrize("suite", SUITES)
def test_keys_go_open_and_order_what_they_say(suite: str, neovim: Callable[[str], Path], tmp_path: Path) -> None:
    after_the_start(neovim(suite), tmp_path, "keys.lua")


def run(screen: Terminal) -> None:
    """From the tree; the question shows what it would allow."""
    screen.press(":Specloom tree", "Enter")
    screen.until("○ 1.1 Write the greeting", "ready", "· 1.2 End with", "after 1.1", "no run yet")
    screen.press("/1.1", "Enter", "r")
    screen.until("Allow once", "from greet import greet", "? Waiting for you", "1 verify command")
    screen.press("1")
    screen.until("▶ 1.1 Write the greeting", "attempt 1", "running task 01/1.1", gone="Waiting for you")


def follow(screen: Terminal, server: ScriptedServer, root: Path) -> None:
    """Text as it streams, folded thinking, an edit as a diff, a command that prints while it runs."""
    screen.press(":Specloom output", "Enter")
    screen.until("── executor · 01/1.1 · scripted-1 ──", "▸ thinking", "I write it", gone="Then I look again.")
    server.release("half")
    screen.until("Then I look again.", "✓ write_file  greet.py", "+ def greet(name):", gone="That is all.")
    screen.until("Allow once", "until [ -e go ]")
    screen.press("1")
    screen.until("▶ run_command", "  first line", gone="Allow once")
    (root / "go").touch()
    screen.until("▸ ✓ run_command", "· 2 lines", gone="  first line")


def steer(screen: Terminal, server: ScriptedServer) -> None:
    """Words wait, are taken back, and others are heard."""
    screen.press("i")
    screen.until("Say to agent-1", "-- INSERT --")
    screen.press("never mind", "Enter")
    screen.until("» never mind  (unheard; x takes it back)", gone="Say to agent-1")
    screen.press("k", "x")
    screen.until("◆ executor works on 01/1.1", gone="never mind")
    server.release("said")


def prove(screen: Terminal) -> None:
    """In both views; then from a line of the diff to that line of the file, and back to what the server says."""
    screen.until("greet.py has greet.", "✓ verify", "exit 0", "✓ 01/1.1 is proven", "◆ idle")
    screen.until("✓ 1.1 Write the greeting", "proven", "○ 1.2 End", "run completed", "1/2")
    screen.press(":luafile " + str(VIEWS / "same.lua"), "Enter")
    screen.until("as the server says", gone="not as")
    screen.press("gg", "/return", "Enter", "gf")
    screen.until("greeter/greet.py", "2,1", '│    return "Hello " + name')


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux (apt install tmux)")
@pytest.mark.parametrize("suite", SUITES)
def test_a_person_runs_follows_and_steers_from_the_two_windows(
    suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter")
    turns = [{**TURNS[0], "hold": "half", "hold_after_events": 16}, *TURNS[1:]]
    script: Mapping[str, Any] = {"sessions": [session("1.1", "# Task 01/1.1 (attempt 1)", turns=turns)]}
    with ScriptedServer(script, delta_chars=8) as server:
        with terminal(environment(root, tmp_path / "home", server)) as screen:
            screen.start(root, neovim(suite), "-u", VIEWS / "init.lua", "specs/01-greeter.md")
            screen.until("# Greeter")
            run(screen)
            follow(screen, server, root)
            steer(screen, server)
            prove(screen)
            screen.press(":qa!", "Enter")
        server.check()
    must_all_end(root)
