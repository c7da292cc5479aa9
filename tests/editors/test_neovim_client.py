"""The Neovim plugin as a person uses it: keys and screens of a real Neovim, the real server, a scripted model."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specloom.cli.roots import MARKS
from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import staged
from tests.editors.installing import installed
from tests.editors.nvim_client.headless import headless
from tests.editors.nvim_client.person import DEADLINE, HERE, PLUGIN, Person, person
from tests.editors.playing import must_all_end
from tests.editors.test_neovim import BODY, OUTLINE, project
from tests.integration.projects import ENDS, WRITES, greeter, session
from tests.unit.planning.planning_scripts import says, script, submits
from tests.unit.planning.planning_scripts import session as planned

pytestmark = [
    pytest.mark.editor,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux (apt install tmux)"),
]

SUITES = ("trixie", "forky")
SCRIPTS = PLUGIN.parents[1] / "scripts"
Neovim = Callable[[str], Path]

REQUIREMENTS = """# Greeter

- R1.1 THE greeting SHALL end with an exclamation mark.
- R1.2 THE program SHALL say what it is.
"""
TASKS = """- [ ] 1 Greeting
  - [ ] 1.1 End with an exclamation mark
    - _Requirements: R1.1_
    - _Depends: none_
    - _Verify: `python3 -c "from greet import greet; assert greet('Ann') == 'Hello Ann!'"`_
  - [ ] 1.2 Say what it is
    - _Requirements: R1.2_
    - _Verify: `test -s NOTES`_
"""
NOTES = {
    "answer": [
        {"text": "I note what it says."},
        {"tool": "write_file", "input": {"path": "NOTES", "content": "It greets.\n"}},
    ],
    "hold": "opened again",
    "hold_after_events": 4,
}
CONNECTION = "require('specloom.client').all()[1]"
RUN = f"(({CONNECTION} or {{}}).projection or {{}}).run"
EDITED = 'return "Hello " + name + "!"'


def story() -> dict[str, Any]:
    """A plan of two tasks; the first edits an open file and hears what is said, the second outlives the editor."""
    edits = [ENDS[0], ENDS[1] | {"hold": "said"}, ENDS[2] | {"expect": ["use few words"]}]
    return script(
        planned("# Outline: requirements.md", submits(OUTLINE)),
        planned("# Write spec 01: Greeter", says(BODY)),
        planned("# Write the tasks of spec 01: Greeter", says(TASKS)),
        session("1.1", "# Task 01/1.1 (attempt 1)", turns=edits),
        session("1.2", "# Task 01/1.2 (attempt 1)", turns=[NOTES, says("Said.")]),
    )


def plan(at: Person) -> None:
    """What to press is said; the plan is made."""
    at.open("requirements.md")
    at.told(":Specloom plan writes specs and tasks")
    at.command("Specloom plan")
    at.told("the plan is whole")


def run_into_a_modified_buffer(at: Person, server: ScriptedServer) -> None:
    """The exact commands are allowed, the edit lands beside unsaved words, and is saved when the check needs it: where
    Neovim saves nothing, as soon as that is left.
    """
    at.command("edit greet.py")
    at.screen.press("O# my own line", "Escape")
    at.command("Specloom run")
    at.screen.until("Specloom asks", "2 verify commands from this repository would run", "test -s NOTES")
    at.screen.press("1")
    at.screen.until("# my own line", gone="Specloom asks")
    at.until(f"#{CONNECTION}.projection.agents", 1)
    at.command("Specloom say use few words")
    at.screen.until("the agent hears it at its next turn")
    at.command("Specloom pause task")
    at.screen.until("the run pauses after this task")
    at.screen.press("q:")
    at.until("vim.fn.getcmdwintype()", ":")
    server.release("said")
    at.screen.until(EDITED, "# my own line")
    at.until("#vim.api.nvim_get_autocmds({event = 'CmdwinLeave'})", 1)
    at.screen.press("C-c", "C-c")
    at.until(f"{CONNECTION}.projection.tasks['01/1.1'].proven")
    assert (at.root / "greet.py").read_text() == f"# my own line\ndef greet(name):\n    {EDITED}\n"


def pause_and_resume(at: Person) -> None:
    """The task came to its end, and no other began; now cuts the turn. What is told while a command is typed shows
    behind it.
    """
    at.until(f"{RUN}.state", "paused")
    at.until(f"{CONNECTION}.projection.tasks['01/1.2'].state", "ready")
    at.command("Specloom resume")
    at.until(f"#{CONNECTION}.projection.agents", 1)
    at.screen.press(":Specloom pause now")
    at.until("vim.fn.mode()", "c")
    at.lua("require('specloom.tell').say('told meanwhile')")
    at.screen.press("C-c")
    at.screen.until("Specloom: told meanwhile")
    at.command("Specloom pause now")
    at.until(f"{RUN}.state", "paused")
    at.told("the run is paused")
    at.until("vim.startswith(require('specloom').statusline(), '⏸ paused')")
    at.command("Specloom resume")
    at.until(f"{RUN}.state", "running")


@pytest.mark.parametrize("suite", SUITES)
def test_a_run_is_planned_steered_left_and_found_again(suite: str, neovim: Neovim, tmp_path: Path) -> None:
    root = project(tmp_path / "greeter")
    with (
        ScriptedServer(story()) as server,
        staged() as stage,
        person(neovim(suite), root, tmp_path / "home", server, stage) as at,
    ):
        (root / "requirements.md").write_text(REQUIREMENTS)
        plan(at)
        run_into_a_modified_buffer(at, server)
        pause_and_resume(at)
        at.leave()
        at.open()
        at.told("a run is running here")
        at.until(f"{RUN}.state", "running")
        at.command("Specloom output")
        # Nobody who watches now has heard its start.
        at.until("vim.fn.searchcount({ pattern = 'I note what it says', recompute = 1 }).total", 1)
        at.command("bwipeout!")
        server.release("opened again")
        at.told("the run is over: 2 of 2 tasks done")
        at.leave()
        server.check()
    must_all_end(root)


def spec_of(verify: str) -> str:
    """One task."""
    head = '---\nid: "01"\ntitle: Lines\ndepends_on: []\nrequirements: [R1.1]\n---\n\n# Lines\n\n## Tasks\n\n'
    return f"{head}- [ ] 1.1 Change the lines\n  - _Requirements: R1.1_\n  - _Verify: `{verify}`_\n"


def replaces(line: int, text: str, new: str) -> dict[str, Any]:
    """A call that puts lines in place of one of `lines.txt`."""
    edit = {"start_line": line, "start_text": text, "end_line": line, "end_text": text, "new_text": new}
    return {"tool": "edit_file", "input": {"path": "lines.txt", "edits": [edit]}}


READS = {"answer": [{"tool": "read_file", "input": {"path": "lines.txt"}}]}
SIGHT = (
    "{line = vim.api.nvim_get_current_line(), top = vim.fn.getline('w0'), mark = vim.fn.getline(vim.fn.line([['a]])),"
    " fold = vim.fn.getline(vim.fn.foldclosed(vim.fn.search('^line 62$', 'nw')))}"
)
WORDS = (
    "vim.tbl_filter(function(text) return vim.tbl_contains({[[first]], [[second]], [[line 3]], [[line 9]]}, text)"
    " or text:find([[^line 55]]) ~= nil end, vim.api.nvim_buf_get_lines(0, 0, -1, false))"
)
SEEN = {"line": "line 55", "top": "line 50", "mark": "line 52", "fold": "line 60"}


@pytest.mark.parametrize("suite", SUITES)
def test_each_edit_is_an_undo_step_and_what_the_person_looks_at_stays(
    suite: str, neovim: Neovim, tmp_path: Path
) -> None:
    root = greeter(tmp_path / "lines", spec_of("grep -q first lines.txt"))
    (root / "lines.txt").write_text("".join(f"line {number}\n" for number in range(1, 101)))
    two = {"answer": [replaces(3, "line 3", "first\nof\nthree"), replaces(9, "line 9", "second")], "hold": "typing"}
    turns = [READS, two, says("Changed.", hold="undone")]
    with (
        ScriptedServer(script(session("1.1", "# Task 01/1.1 (attempt 1)", turns=turns))) as server,
        person(neovim(suite), root, tmp_path / "home", server) as at,
    ):
        at.open("lines.txt")
        at.command("set foldmethod=manual scrolloff=0 | 60,65fold | 52mark a | normal! 50Gzt55G")
        at.until(SIGHT, SEEN)
        at.command("Specloom run")
        at.screen.until("Specloom asks")
        at.screen.press("1")
        at.until(f"#({CONNECTION}.projection or {{agents = {{}}}}).agents", 1)
        at.screen.press("A typed")
        # An edit that comes before these words would be another step.
        at.until("vim.api.nvim_get_current_line()", "line 55 typed")
        server.release("typing")
        at.until("vim.fn.search('^second$', 'nw')", 11)
        at.screen.press(" more", "Escape")
        at.until(SIGHT, SEEN | {"line": "line 55 typed more"})
        # Back through " more", the second edit, the first one and " typed", each by one key.
        at.until(WORDS, ["first", "second", "line 55 typed more"])
        for words in (
            ["first", "second", "line 55 typed"],
            ["first", "line 9", "line 55 typed"],
            ["line 3", "line 9", "line 55 typed"],
            ["line 3", "line 9", "line 55"],
        ):
            at.screen.press("u")
            at.until(WORDS, words)
        # What `.` repeats is what the person did last.
        at.screen.press(".")
        at.until("vim.api.nvim_get_current_line()", "line 55 typed more")
        at.leave()
    must_all_end(root)


def test_commands_show_in_buffers_and_a_file_that_changed_on_disk_is_not_overwritten(
    neovim: Neovim, tmp_path: Path
) -> None:
    root = greeter(tmp_path / "lines", spec_of("grep -q first lines.txt"))
    (root / "lines.txt").write_text("line 1\nline 2\nline 3\n")
    runs = {"answer": [{"tool": "run_command", "input": {"command": "sed -i 's/line 2/from a command/' lines.txt"}}]}
    turns = [
        runs,
        READS | {"hold": "seen"},
        {"answer": [replaces(3, "line 3", "first")]},
        says("Done.", hold="on disk"),
    ]
    with (
        ScriptedServer(script(session("1.1", "# Task 01/1.1 (attempt 1)", turns=turns))) as server,
        person(neovim(SUITES[1]), root, tmp_path / "home", server) as at,
    ):
        at.open("lines.txt")
        at.command("Specloom run")
        at.screen.until("Specloom asks", "grep -q first")
        at.screen.press("1")
        at.screen.until("sed -i", "Allow once", "for this task", "Deny")
        at.screen.press("1")
        at.until("vim.fn.getline(2)", "from a command")
        server.release("seen")
        at.until("vim.fn.getline(3)", "first")
        at.until("vim.bo.modified")
        (root / "lines.txt").write_text("somebody else\n")
        server.release("on disk")
        at.told("a check waits for lines.txt, whose file changed on disk")
        assert (root / "lines.txt").read_text() == "somebody else\n"
        at.command("write!")
        at.told("the run is over: 1 of 1 tasks done")
        at.leave()
    must_all_end(root)


@pytest.mark.parametrize("suite", SUITES)
def test_a_question_waits_until_nobody_types_and_closes_when_it_is_answered_elsewhere(
    suite: str, neovim: Neovim, tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter")
    turns = [ASKS, WRITES[0], WRITES[1] | {"hold": "never"}]
    writes = script(session("1.1", "# Task 01/1.1 (attempt 1)", turns=turns))
    with ScriptedServer(writes) as server, person(neovim(suite), root, tmp_path / "home", server) as at:
        at.open("requirements.md")
        at.screen.press("o")
        at.until("vim.fn.mode()", "i")
        at.until(f"{CONNECTION} ~= nil and {CONNECTION}.state", "live")
        at.lua(CONNECTION + ":order('specloom/run/start', {scope = {kind = 'project'}})")
        at.until("require('specloom').statusline()", "?1 ▶ running 0%")
        at.screen.press("R1.3 typed 1 2 3")
        assert "Specloom asks" not in at.screen.until("R1.3 typed 1 2 3")
        at.screen.press("Escape")
        at.screen.until("Specloom asks", "2 verify commands from this repository", "Allow in this project")
        answer_elsewhere(at, "Allow once")
        at.screen.until("R1.3 typed 1 2 3", gone="Specloom asks")
        at.until("#vim.api.nvim_list_wins()", 1)
        # A question without choices is a line of input.
        at.screen.until("Whom shall it greet?\n>")
        at.screen.press("half a na")
        at.screen.until("> half a na")
        answer_elsewhere(at, "Ann")
        at.until("vim.fn.mode()", "n")
        at.until(f"#{CONNECTION}.projection.approvals", 0)
        at.until(f"#{CONNECTION}.projection.agents", 1)
        at.command("Specloom cancel")
        at.told("the run is over")
        at.leave()
    must_all_end(root)


ASKS = {"answer": [{"tool": "ask_user", "input": {"question": "Whom shall it greet?"}}]}


def answer_elsewhere(at: Person, choice: str) -> None:
    """As another client would."""
    answer = f"approvalId = {CONNECTION}.projection.approvals[1].id, choice = '{choice}'"
    at.lua(f"{CONNECTION}:order('specloom/approval/answer', {{{answer}}})")


def test_a_swap_file_of_another_neovim_stops_nobody(neovim: Neovim, tmp_path: Path) -> None:
    root = greeter(tmp_path / "lines", spec_of("grep -q first lines.txt"))
    (root / "lines.txt").write_text("line 1\nline 2\nline 3\n")
    swaps = f"set swapfile directory={tmp_path}//"
    turns = [READS, {"answer": [replaces(3, "line 3", "first")]}, says("Done.")]
    command = [neovim(SUITES[0]), "--clean", "--headless", "-c", swaps, "-c", "edit lines.txt", "-c", "normal! x"]
    with (
        ScriptedServer(script(session("1.1", "# Task 01/1.1 (attempt 1)", turns=turns))) as server,
        person(neovim(SUITES[0]), root, tmp_path / "home", server) as at,
        subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as other,
    ):
        try:
            at.open("requirements.md")
            at.until(f"vim.uv.fs_stat('{tmp_path}/{str(root / 'lines.txt').replace('/', '%')}.swp') ~= nil")
            at.command(swaps)
            at.command("edit lines.txt")
            at.until("vim.fn.expand('%:t')", "lines.txt")
            at.command("Specloom run")
            at.screen.until("Specloom asks", "grep -q first")
            at.screen.press("1")
            at.told("the run is over: 1 of 1 tasks done")
            assert (root / "lines.txt").read_text() == "line 1\nline 2\nfirst\n"
            at.leave()
        finally:
            other.kill()
    must_all_end(root)


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_missing_or_wrong_is_said_with_its_remedy(suite: str, neovim: Neovim, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    said = headless(neovim(suite), root, "requirements.md")
    assert said.startswith("Specloom: no server: pipx install .")
    assert said.strip().endswith("… (:Specloom status)")
    assert len(said.splitlines()) == 1
    checked = headless(neovim(suite), root, "requirements.md", "-c", "checkhealth specloom", "-c", "%print")
    assert "uv tool install ." in checked
    wrong = "lua vim.g.specloom = {icons = 'emoji', colour = 1, cmd = {'/no/such/program'}}"
    told = headless(
        neovim(suite), root, "--cmd", wrong, "requirements.md", "-c", "checkhealth specloom", "-c", "%print"
    )
    assert 'icons must be "unicode" or "ascii", and is "emoji"; set vim.g.specloom.icons otherwise' in told
    assert "colour is no option; remove it (there are ask, autostart, cmd" in told
    assert "/no/such/program is no program that can be run; mend cmd in vim.g.specloom" in told


AS_0_9 = "lua local has = vim.fn.has; vim.fn.has = function(what) return what == 'nvim-0.10' and 0 or has(what) end"


@pytest.mark.parametrize(("suite", "before"), [("bookworm", "let g:as_it_is = 1"), (SUITES[0], AS_0_9)])
def test_an_old_neovim_is_told_once_and_left_alone(suite: str, before: str, neovim: Neovim, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    said = headless(neovim(suite), root, "--cmd", before, "requirements.md", "-c", "echo exists(':Specloom')")
    assert said.count("Specloom needs Neovim 0.10 or newer") == 1
    assert said.strip().endswith("0")


def test_a_check_of_an_old_neovim_says_what_is_wrong(neovim: Neovim, tmp_path: Path) -> None:
    checked = headless(neovim("bookworm"), tmp_path, "-c", "checkhealth specloom", "-c", "%print")
    assert "- ERROR: Specloom needs Neovim 0.10 or newer; this one is older" in checked
    assert "Exception" not in checked


def test_nothing_happens_in_a_folder_without_work_for_it(neovim: Neovim, tmp_path: Path) -> None:
    root = tmp_path / "plain"
    (root / ".git").mkdir(parents=True)
    (root / "main.py").write_text("pass\n")
    ours = "vim.tbl_filter(function(name) return vim.startswith(name, 'specloom') end, vim.tbl_keys(package.loaded))"
    loaded = headless(neovim(SUITES[1]), root, "main.py", "-c", f"lua print(vim.inspect({ours}))")
    assert loaded.strip() == '{ "specloom.root" }'


def test_the_root_of_a_file_is_the_one_of_the_command_line(neovim: Neovim, tmp_path: Path) -> None:
    found = re.search(r"M\.MARKS = \{ (.+) \}", (PLUGIN / "lua/specloom/root.lua").read_text())
    assert found is not None
    assert tuple(found[1].replace('"', "").split(", ")) == MARKS
    root = tmp_path / "root"
    for path in ("docs/requirements.md", ".kiro/specs/a/requirements.md", "specs/01-a.md", "src/deep/main.py"):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text("")
        (root / "specloom.toml").write_text("")
        ask = "lua print(require('specloom.root').of(0))"
        assert headless(neovim(SUITES[1]), root, "--cmd", "let g:loaded_specloom=1", path, "-c", ask).strip() == str(
            root
        )


def test_vim_lsp_enable_starts_it_where_autostart_is_off(neovim: Neovim, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    off = "lua vim.g.specloom = {autostart = false}"
    assert "no server" not in headless(neovim(SUITES[1]), root, "--cmd", off, "requirements.md")
    enabled = headless(
        neovim(SUITES[1]), root, "--cmd", off, "-c", "lua vim.lsp.enable('specloom')", "-c", "edit requirements.md"
    )
    assert "no server: pipx install" in enabled
    configured = "lua vim.lsp.config('specloom', {cmd = {'/no/such/program'}})"
    told = headless(neovim(SUITES[1]), root, "-c", configured, "-c", "edit requirements.md")
    assert "/no/such/program is no program" in told


def test_the_help_has_every_subcommand_and_option_and_no_tag_twice(neovim: Neovim, tmp_path: Path) -> None:
    written = (PLUGIN / "doc" / "specloom.txt").read_text()
    assert max(map(len, written.splitlines())) <= 78
    for suite in SUITES:
        (tmp_path / suite / "doc").mkdir(parents=True)
        (tmp_path / suite / "doc" / "specloom.txt").write_text(written)
        assert headless(neovim(suite), tmp_path, "-c", f"helptags {tmp_path}/{suite}/doc").strip() == ""
    tags = {line.split("\t")[0] for line in (tmp_path / SUITES[0] / "doc" / "tags").read_text().splitlines()}
    assert {f"specloom-{title}" for title in ("install", "commands", "options", "server")} < tags
    code = """lua local orders = require('specloom.orders')
    for name in pairs(vim.tbl_extend('error', orders.ALONE, orders.OF_PROJECT)) do print(name) end
    for name, each in pairs(require('specloom.config').OPTIONS) do print(name .. '\t' .. vim.inspect(each[1])) end"""
    (tmp_path / "tables.vim").write_text(code.replace("lua ", "lua << EOF\n", 1) + "\nEOF\n")
    told = headless(neovim(SUITES[1]), tmp_path, "-c", f"source {tmp_path}/tables.vim")
    rows = [line.strip().split("\t") for line in told.splitlines() if line.strip()]
    readme = (PLUGIN / "README.md").read_text()
    commands = {name for name, *default in rows if not default}
    assert commands == set(re.findall(r"^\| `:Specloom (\w+)", readme, re.MULTILINE))
    options = {(name, default[0]) for name, *default in rows if default}
    assert options == set(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", readme, re.MULTILINE))


def test_a_daemon_that_is_killed_is_found_again_and_its_run_goes_on(neovim: Neovim, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter", spec_of("test -s greet.py"))
    turns = [WRITES[0] | {"hold": "killed"}, WRITES[1]]
    with (
        ScriptedServer(script(session("1.1", "# Task 01/1.1 (attempt 1)", turns=turns))) as server,
        staged() as stage,
        person(neovim(SUITES[1]), root, tmp_path / "home", server, stage) as at,
    ):
        at.open("requirements.md")
        at.command("Specloom run")
        at.screen.until("Specloom asks")
        at.screen.press("2")
        at.until(f"#(({CONNECTION} or {{}}).projection or {{agents = {{}}}}).agents", 1)
        os.kill(stage.pid(), signal.SIGKILL)
        at.until(f"{CONNECTION}.state == 'live' and {RUN}.state", "paused")
        # The buffers of the server that was lost are served again.
        at.until("#vim.lsp.get_clients({bufnr = vim.fn.bufnr([[requirements.md]])})", 1)
        server.release("killed")
        at.command("Specloom resume")
        at.told("the run is over: 1 of 1 tasks done")
        before = at.lua(f"{CONNECTION}.lsp.id")
        at.command("Specloom restart")
        at.until(f"{CONNECTION}.state == 'live' and {CONNECTION}.lsp.id > {before}")
        at.command("Specloom stop")
        at.until(f"{CONNECTION}.state", "gone")
        # What a person ended does not start again by itself.
        at.command("edit specs/01-greeter.md")
        at.until("#vim.lsp.get_clients()", 0)
        at.leave()
    must_all_end(root)


def test_the_plugin_is_formatted_by_stylua() -> None:
    installed("install-stylua", needed=False)
    files = [*PLUGIN.rglob("*.lua"), *HERE.glob("*.lua"), *HERE.with_name("nvim_views").glob("*.lua")]
    written = [path for path in files if not path.name.endswith(".gen.lua")]
    command = ["node", SCRIPTS / "format-lua.mjs", "--check", *written]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (ran.returncode, ran.stdout) == (0, ""), f"node scripts/format-lua.mjs formats these\n{ran.stderr}"
