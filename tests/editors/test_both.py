"""VS Code and Neovim at one project at once: the same tree, one queue of questions, a file that all have open."""

import queue
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import Stage, staged
from tests.editors.both_trees import neovim_tree, vscode_tree
from tests.editors.nvim_client.person import Person, person
from tests.editors.playing import must_all_end
from tests.editors.vscode_streaming import settings
from tests.editors.vscode_workbench import Home, Installed, Workbench, playing
from tests.integration.projects import greeter, session
from tests.unit.planning.planning_scripts import says

pytestmark = [
    pytest.mark.editor,
    pytest.mark.xdist_group("workbench"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux (apt install tmux)"),
]

DEADLINE = 240.0
"""Seconds, in which the workbench may have to start; one that has failed is heard of at once."""
POLL = 0.05
SPEC = """---
id: "01"
title: Greeter
depends_on: []
requirements: [R1.1, R1.2]
---

# Greeter

## Tasks

- [ ] 1 Greeting
  - [ ] 1.1 End with a mark
    - _Requirements: R1.2_
    - _Verify: `python3 -c "from greet import greet; assert greet('Ann').endswith('!')"`_
  - [ ] 1.2 Add a comma
    - _Requirements: R1.1_
    - _Verify: `python3 -c "from greet import greet; assert greet('Ann') == 'Hello, Ann!'"`_
"""
PLAIN = ["def greet(name):", '    return "Hello " + name']
MARK = [PLAIN[0], '    return "Hello " + name + "!"']
COMMA = [PLAIN[0], '    return "Hello, " + name + "!"']
ASKED = "{textDocument = vim.lsp.util.make_text_document_params(0)}"
VSCODE, NEOVIM = "# typed in VS Code", "# typed in Neovim"
READS = {"answer": [{"tool": "read_file", "input": {"path": "greet.py"}}]}
RUNS = {"answer": [{"tool": "run_command", "input": {"command": "python3 -c 'print(6 * 7)'"}}], "hold": "command"}


def edits(line: int, before: str, after: str, hold: str) -> dict[str, Any]:
    """A turn that changes one line of greet.py."""
    edit = {"start_line": line, "start_text": before, "end_line": line, "end_text": before, "new_text": after}
    return {"answer": [{"tool": "edit_file", "input": {"path": "greet.py", "edits": [edit]}}], "hold": hold}


def script() -> dict[str, Any]:
    """Two tasks that change one line each; held wherever somebody looks or types."""
    first = [READS, edits(2, PLAIN[1], MARK[1], "first"), RUNS, says("It ends with a mark.")]
    second = [READS, edits(3, MARK[1], COMMA[1], "second"), says("It has a comma.", hold="undone")]
    return {
        "sessions": [
            session("1.1", "# Task 01/1.1 (attempt 1)", turns=first),
            session("1.2", "# Task 01/1.2 (attempt 1)", turns=second),
        ]
    }


@dataclass
class Beside:
    """The workbench's story, heard from beside it; what was seen elsewhere is told back by files in `signs`."""

    signs: Path
    story: Workbench | None = None
    rows: str = "[]"
    said: queue.Queue[tuple[str, str]] = field(default_factory=queue.Queue[tuple[str, str]])

    def verbs(self) -> dict[str, Callable[[str], None]]:
        """What the story says."""

        def kept(verb: str) -> Callable[[str], None]:
            return lambda word: self.said.put((verb, word))

        return {"tree": self.tree} | {verb: kept(verb) for verb in ("asked", "typed", "edited", "looked", "proven")}

    def tree(self, rows: str) -> None:
        """The rows are these now."""
        self.rows = rows

    def until(self, *wanted: str) -> None:
        """Waits until the story says that next."""
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                assert self.said.get(timeout=POLL) == wanted
                return
            except queue.Empty:
                self.must_go_on(f"the workbench does not say {wanted}", deadline)

    def seen(self, what: str) -> None:
        """Lets the story go on."""
        (self.signs / what).touch()

    def same(self, at: Person, *wanted: str) -> None:
        """Waits until both trees tell just this."""
        deadline = time.monotonic() + DEADLINE
        while not (vscode_tree(self.rows) == neovim_tree(at) == list(wanted)):
            told = f"VS Code: {vscode_tree(self.rows)}\nNeovim: {neovim_tree(at)}\nwanted: {list(wanted)}"
            self.must_go_on(told, deadline)
            time.sleep(POLL)

    def must_go_on(self, what: str, deadline: float) -> None:
        """Fails with the story's own log where it has ended."""
        assert self.story is not None
        if self.story.is_over:
            self.story.must_pass()
        assert time.monotonic() < deadline, what


@contextmanager
def workbench_at(
    root: Path, workbench: Installed, extension: Path, shots: Path, server: ScriptedServer, stage: Stage
) -> Generator[Beside]:
    """The workbench, which plays its part of the story."""
    folder = root.parent
    beside = Beside(folder / "signs")
    beside.signs.mkdir()
    home = Home(folder / "home", workbench, settings(server), **stage.own)
    home.install(extension)
    told = {"root": str(root), "signs": str(beside.signs)}
    with (
        home.serving() as address,
        playing("both", workbench, shots, beside.verbs(), address=address, **told) as beside.story,
    ):
        yield beside


def open_all(*people: Person) -> None:
    """The file, and the tree beside it."""
    for at in people:
        at.open("greet.py")
        at.command("Specloom tree")
        at.until("vim.bo.filetype", "specloom-tree")
        at.command("wincmd p")
        at.until("vim.fn.expand('%:t')", "greet.py")


def shows(at: Person, *lines: str, unsaved: bool = False) -> None:
    """Waits until the file's buffer reads so."""
    at.until("vim.api.nvim_buf_get_lines(vim.fn.bufnr('greet.py'), 0, -1, false)", list(lines))
    at.until("vim.bo[vim.fn.bufnr('greet.py')].modified", unsaved)


def answered_in_neovim(beside: Beside, new: Person, old: Person) -> None:
    """The question goes from the two others."""
    beside.until("asked", "verify commands")
    for at in (new, old):
        at.screen.until("Specloom asks", "2 verify commands", "2  Allow in this project")
    beside.same(
        new, "project greeter 0/2 running", "1 waits", "01 Greeter 0/2", "1 Greeting ready",
        "1.1 End with a mark ready", "1.2 Add a comma pending",
    )  # fmt: skip
    new.screen.press("2")
    for at in (new, old):
        at.screen.until("01 Greeter", gone="Specloom asks")


def typed_in_vscode(beside: Beside, server: ScriptedServer, *people: Person) -> None:
    """Where somebody types is edited; elsewhere, and on disk, it is not to be seen before it is saved."""
    beside.until("typed", "here")
    server.release("first")
    beside.until("edited", "here")
    for at in people:
        shows(at, *PLAIN)
    assert (people[0].root / "greet.py").read_text().splitlines() == PLAIN


def answered_in_vscode(beside: Beside, server: ScriptedServer, *people: Person) -> None:
    """The next question goes from Neovim, and what VS Code saved is read there."""
    server.release("command")
    beside.until("asked", "command")
    for at in people:
        at.screen.until("Specloom asks", "print(6 * 7)")
    beside.seen("all are asked")
    for at in people:
        at.screen.until("01 Greeter", gone="Specloom asks")
    beside.until("proven", "first")
    for at in people:
        shows(at, VSCODE, *MARK)


def typed_in_neovim(beside: Beside, server: ScriptedServer, new: Person, old: Person) -> None:
    """The same the other way round; one undo takes back what the agent did, and nothing else."""
    beside.same(
        new, "project greeter 1/2 running", "01 Greeter 1/2", "1 Greeting in progress",
        "1.1 End with a mark proven", "1.2 Add a comma in progress", "1 at work",
    )  # fmt: skip
    new.screen.press("ggO" + NEOVIM, "Escape")
    shows(new, NEOVIM, VSCODE, *MARK, unsaved=True)
    # Neovim tells of typing a moment later, but always before it asks.
    new.until(f"vim.lsp.buf_request_sync(0, 'textDocument/documentSymbol', {ASKED}, 5000) ~= nil")
    server.release("second")
    shows(new, NEOVIM, VSCODE, *COMMA, unsaved=True)
    new.screen.press("u")
    shows(new, NEOVIM, VSCODE, *MARK, unsaved=True)
    new.screen.press("C-r")
    shows(new, NEOVIM, VSCODE, *COMMA, unsaved=True)
    shows(old, VSCODE, *MARK)
    beside.seen("edited in Neovim")
    beside.until("looked", "here")
    server.release("undone")
    beside.until("proven", "second")
    for at in (new, old):
        shows(at, NEOVIM, VSCODE, *COMMA)


def test_two_editors_show_ask_and_edit_as_one(
    workbench: Installed,
    extension: Path,
    neovim: Callable[[str], Path],
    shots: Path,
    tmp_path: Path,
) -> None:
    root = greeter(tmp_path / "greeter", SPEC)
    (root / "greet.py").write_text("\n".join([*PLAIN, ""]))
    with (
        ScriptedServer(script()) as server,
        staged() as stage,
        person(neovim("forky"), root, tmp_path / "new", server, stage) as new,
        person(neovim("trixie"), root, tmp_path / "old", server, stage) as old,
        workbench_at(root, workbench, extension, shots, server, stage) as beside,
    ):
        open_all(new, old)
        beside.seen("all opened")
        answered_in_neovim(beside, new, old)
        typed_in_vscode(beside, server, new, old)
        answered_in_vscode(beside, server, new, old)
        typed_in_neovim(beside, server, new, old)
        for at in (new, old):
            beside.same(
                at, "project greeter 2/2", "01 Greeter 2/2", "1 Greeting done",
                "1.1 End with a mark proven", "1.2 Add a comma proven",
            )  # fmt: skip
        beside.seen("all compared")
        assert beside.story is not None
        beside.story.must_pass()
        new.leave()
        old.leave()
        server.check()
    must_all_end(root)
