"""A shell that stays: what lasts between commands, and what a command cannot confuse."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specloom.workspace.process import DRAIN
from specloom.workspace.process_start import ProcessStartError
from specloom.workspace.shell.agent_shell import AgentShell
from tests.integration.shells import ENV, ends, gone, said, shell_in, until, words_of

SOON = 1.5
"""Seconds in which a shell has printed what it prints at once, on a busy machine, too."""
LINE = re.compile(r"(?<=bash: )line \d+: ")
STEPS = (
    "cd sub",
    "cd ..",
    "pwd -P | xargs basename",
    "A=${A:-0}; A=$((A + 1)); echo $A",
    "export B=$A$B",
    "f() { echo f$1$A; }",
    "f x",
    "printenv B",
    "false",
    "echo $?",
    "(exit 7)",
    "unset A",
    "alias x=y; shopt -s nullglob; echo *.none",
    "for i in 1 2; do echo $i; break; done",
    "umask 027; umask",
    "trap 'echo dbg >/dev/null' DEBUG",
    "IFS=:; v=a:b; echo $v; unset IFS",
    "cat <<'E'\nhere $A\nE",
)


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[AgentShell]:
    root = tmp_path / "root"
    await asyncio.to_thread(root.mkdir)
    async with shell_in(root, tmp_path / "logs") as shell:
        yield shell


async def test_directory_variables_functions_and_activated_tools_last(shell: AgentShell) -> None:
    await said(shell, "mkdir -p sub/bin; printf '#!/bin/sh\\necho tool\\n' >sub/bin/mytool; chmod +x sub/bin/mytool")
    await said(
        shell, "printf 'export PATH=$PWD/bin:$PATH\\n' >sub/activate; cd sub; source ./activate; x=1; f() { echo f; }"
    )
    assert await said(shell, "basename $PWD; echo $x; f; mytool") == "sub\n1\nf\ntool\n"
    assert shell.folder == "sub"


@settings(max_examples=15)
@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=8))
def test_calls_in_a_row_print_what_one_script_prints(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    place = tmp_path_factory.mktemp("same")
    (place / "root" / "sub").mkdir(parents=True)
    script = "".join(f"eval {_quoted(step)} 2>&1 </dev/null; printf '|%s|' $?\n" for step in steps)
    whole = subprocess.run(
        ["bash", "--norc"], input=script, cwd=place / "root", env=ENV, capture_output=True, text=True, check=False
    ).stdout

    async def in_calls() -> str:
        async with shell_in(place / "root", place / "logs") as shell:
            results = [await ends(shell, step) for step in steps]
        return "".join(f"{result.printed.text}|{result.exit_code}|" for result in results)

    assert LINE.sub("", asyncio.run(in_calls())) == LINE.sub("", whole)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        ("exec 2>&1 5>&1; echo x", 0, "x\n"),
        ("exec 0<&- 1>&- 2>&-; true", 0, ""),
        ("break", 0, None),
        ("if", 2, None),
        ("echo 'open", 2, None),
        ('read x; echo "<$x>" $?', 0, "<> 1\n"),
        ("PS1='# '; PROMPT_COMMAND='echo no'; echo y", 0, "y\n"),
        ("printf() { echo mine; }; eval() { :; }; export() { :; }; printf z", 0, "mine\n"),
        ("trap 'echo caught' ERR; false", 1, "caught\n"),
        ("exec 3>three; echo to three >&3; cat three", 0, "to three\n"),
        ("echo a; echo b >&2", 0, "a\nb\n"),
        ("ls /proc/self/fd | wc -l", 0, "4\n"),
        ("(exit 300)", 44, ""),
        ("return 5", 2, None),
        ("kill -9 $BASHPID & wait $!", 137, None),
        ("set -u", 0, ""),
        ("readonly __specloom_command= __specloom_code=5 __specloom_name; true", 0, ""),
        ("echo 'open quote", 2, None),
        ("((", 2, None),
        ("echo end\\", 0, None),
        ("shopt -s expand_aliases; alias eval=false printf=false set=false trap=false", 0, ""),
        ("PROMPT_COMMAND='exit 3'; PS4='$(exit 3)'; set -v; set -e", 0, ""),
        ("command_not_found_handle() { exit 4; }; IFS=0123456789; TMOUT=1; POSIXLY_CORRECT=1", 0, ""),
        ("trap '' PIPE TERM INT CHLD; stty sane", 1, None),
        ("trap 'exit 3' RETURN USR1; set -T; true", 0, ""),
        ("IFS=; unset PATH; declare -r IFS", 0, ""),
        ("set -o noclobber; echo 1 >one", 0, ""),
        ("{ exec >&-; } 2>/dev/null; echo", 1, None),
        ("false; echo $?", 0, "1\n"),
    ],
)
async def test_end_and_exit_code_are_known_whatever_a_command_does(
    shell: AgentShell, command: str, code: int, printed: str | None
) -> None:
    result = await ends(shell, command)
    assert (result.exit_code, result.notes) == (code, ())
    assert printed is None or result.printed.text == printed
    assert await said(shell, "builtin echo alive") == "alive\n"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("exit 3", 3),
        ("set -e; false; echo no", 1),
        ("set -u; echo $absent", 1),
        ("kill -9 $$", 137),
        ("kill $$; sleep 1", 143),
        ("exec bash -c 'exit 9'", 9),
        ("exec nosuch", 127),
        ("trap 'exit 4' EXIT; exit 1", 4),
    ],
)
async def test_dead_shell_is_replaced_where_it_stood_and_the_answer_says_so(
    shell: AgentShell, command: str, code: int
) -> None:
    await said(shell, "mkdir -p sub; cd sub; export KEPT=$'two\\nlines'; g() { echo g; }; unset LANG; own=1")
    result = await ends(shell, command)
    assert result.exit_code == code
    assert "a fresh shell took over in sub with exported variables and functions;" in result.notes[-1]
    assert await said(shell, 'basename $PWD; echo "$KEPT"; g; echo "${LANG-unset}${own-gone}"') == (
        "sub\ntwo\nlines\ng\nunsetgone\n"
    )


async def test_what_a_command_set_before_it_left_is_kept(shell: AgentShell) -> None:
    await ends(shell, "mkdir -p deep; cd deep; export LATE=yes; exit 1")
    assert await said(shell, "basename $PWD; echo $LATE") == "deep\nyes\n"


async def test_what_a_dead_shell_had_in_the_background_ends_with_it(shell: AgentShell) -> None:
    result = await ends(shell, "sleep 299 >/dev/null 2>&1 & echo $!; exit 0")
    assert "what it had left in the background ended with it" in result.notes[-1]
    assert gone(int(result.printed.text))


async def test_stall_goes_on_as_a_job_while_a_fresh_shell_takes_over(shell: AgentShell) -> None:
    await said(shell, "mkdir -p sub; cd sub; export KEPT=1; f() { echo f; }")
    result = await shell.run("echo begun; while [ ! -e ../go ]; do sleep 0.05; done; echo over; exit 6", SOON)
    assert (result.exit_code, result.job, result.printed.text) == (None, True, "begun\n")
    (note,) = result.notes
    assert note.startswith("a fresh shell took over in sub with exported variables and functions; other variables")
    assert await said(shell, "basename $PWD; echo $KEPT; f; touch ../go") == "sub\n1\nf\n"
    (job,) = shell.jobs
    await until(lambda: job.state == "ended")
    assert (job.exit_code, job.log.read_text()) == (6, "begun\nover\n")
    (news,) = shell.notices()
    assert news.startswith(f"job {result.number} (`echo begun; while")
    assert "ended with exit code 6" in news


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("set -n", None),
        ("builtin() { :; }; readonly -f builtin", None),
        ("enable -n printf", None),
        ("shopt -s extdebug; trap false DEBUG", None),
        ("trap 'set -n' DEBUG", 0),
        ("ulimit -n 3", None),
    ],
)
async def test_shell_that_tells_nothing_any_more_is_replaced_long_before_the_time_is_over(
    shell: AgentShell, command: str, code: int | None
) -> None:
    await said(shell, "export KEPT=1")
    result = await shell.run(command, 60)
    assert (result.exit_code, result.job) == (code, False)
    assert result.notes[0].startswith("the shell told nothing of this command's end")
    assert await said(shell, "echo back $KEPT") == "back 1\n"


async def test_job_whose_shell_tells_nothing_any_more_ends(shell: AgentShell) -> None:
    job = await shell.start("echo begun; set -n")
    assert job is not None
    await until(lambda: job.state == "ended")
    assert job.log.read_text() == "begun\n"


@pytest.mark.parametrize("forged", ["yes x | head -c 5M", "printf 'x> 0 1 /\\0'"])
async def test_what_else_writes_where_the_shell_tells_of_its_ends_grows_nothing_and_ends_the_shell(
    shell: AgentShell, forged: str
) -> None:
    await said(shell, "export KEPT=1; : >there")
    status = status_of(shell)
    result = await shell.run(f"{forged} >{status} & sleep 300", 60)
    assert (result.exit_code, result.job) == (None, False)
    assert result.notes[0].startswith("something wrote into the pipe")
    assert await said(shell, "echo back $KEPT") == "back 1\n"


def status_of(shell: AgentShell) -> Path:
    """As a program may find it that searches for it."""
    watchdogs = (words_of(child) for child in psutil.Process().children())
    folders = (Path(words[-1]) for words in watchdogs if "specloom-watchdog" in words)
    return next(status for folder in folders for status in folder.glob("*/status"))


async def test_deleted_folder_is_left_for_the_root(shell: AgentShell) -> None:
    await said(shell, "mkdir gone; cd gone; rmdir ../gone")
    result = await ends(shell, "pwd -P")
    assert result.printed.text == f"{shell.root}\n"
    assert result.notes == ("the shell's folder gone is gone, so it went back to the project root first",)


async def test_mask_and_exported_functions_survive_a_death(shell: AgentShell) -> None:
    await said(shell, "umask 077; e() { echo e; }; export -f e")
    await ends(shell, "exit")
    assert await said(shell, "umask; bash -c e") == "0077\ne\n"


async def test_limits_of_resources_last_while_the_shell_lives(shell: AgentShell) -> None:
    await said(shell, "ulimit -c 0; ulimit -n 64")
    assert await said(shell, "ulimit -n") == "64\n"


async def test_background_process_lives_on_and_prints_into_its_own_log(shell: AgentShell) -> None:
    first = await ends(shell, "(while [ ! -e go ]; do sleep 0.05; done; echo late) & echo $!")
    assert first.notes == (f"what it left in the background goes on and prints to {first.log}",)
    assert await said(shell, "jobs -p | wc -l; touch go; wait") == "1\n"
    await until(lambda: first.log.read_text().endswith("late\n"))


async def test_process_substitution_that_ends_late_is_heard(shell: AgentShell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert DRAIN > 0.1
    # It returns once all is heard; three programs have to start before.
    monkeypatch.setattr("specloom.workspace.shell.agent_shell.DRAIN", 20.0)
    assert "copied\n" in await said(shell, "echo copied > >(sleep 0.1; cat)")


@pytest.mark.parametrize("command", ["echo a\0b", "echo \ud800"])
async def test_command_that_no_shell_can_hear_is_an_error(shell: AgentShell, command: str) -> None:
    with pytest.raises(ProcessStartError):
        await shell.run(command, 5)


async def test_long_and_odd_commands_are_carried_out_as_they_are(shell: AgentShell) -> None:
    text = "ä€😀'\"\\$`\t" * 10_000
    assert await said(shell, f"cat <<'E' | md5sum\n{text}\nE") == await said(
        shell, f"x={_quoted(text)}; printf '%s\\n' \"$x\" | md5sum"
    )
    assert await said(shell, "echo one\r\necho two\n\n# end\n") == "one\r\ntwo\n"


async def test_missing_bash_and_missing_root_are_errors(tmp_path: Path) -> None:
    async with shell_in(tmp_path, tmp_path / "logs", PATH="/nonexistent") as shell:
        with pytest.raises(ProcessStartError, match="bash"):
            await shell.run("true", 5)
    async with shell_in(tmp_path / "absent", tmp_path / "logs") as shell:
        with pytest.raises(ProcessStartError, match="'absent'"):
            await shell.run("true", 5)


async def test_cancelled_command_is_gone_and_the_next_finds_a_fresh_shell(shell: AgentShell) -> None:
    running = asyncio.create_task(shell.run("sleep 298 & echo $! >new; mv new pid; wait", 60))
    pid = shell.root / "pid"
    await until(pid.exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert gone(int(pid.read_text()))
    assert await said(shell, "echo again") == "again\n"
    assert "the command that was cancelled" in shell.notices()[0]


async def test_cancel_at_any_moment_leaves_nothing_behind(tmp_path: Path) -> None:
    before = psutil.Process().num_fds()
    for steps in range(0, 40, 3):
        async with shell_in(tmp_path, tmp_path / "logs") as shell:
            task = asyncio.create_task(shell.run("sleep 296", 60))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert not [child for child in psutil.Process().children(recursive=True) if "296" in " ".join(words_of(child))]
    assert psutil.Process().num_fds() <= before + 2


async def test_nothing_is_left_when_it_is_closed(tmp_path: Path) -> None:
    own = psutil.Process()
    fds, before = own.num_fds(), set(own.children(recursive=True))
    async with shell_in(tmp_path, tmp_path / "logs", TMPDIR=str(tmp_path)) as shell:
        await said(shell, "sleep 295 & sleep 294 >/dev/null & trap '' TERM")
        await shell.start("trap '' TERM; while :; do sleep 1; done")
        lines = {child: words_of(child) for child in set(own.children(recursive=True)) - before}
        assert len(lines) >= 4
    assert not [line for child, line in lines.items() if not gone(child.pid)]
    assert psutil.Process().num_fds() <= fds


async def test_environment_is_the_given_alone(tmp_path: Path) -> None:
    os.environ["SPECLOOM_TEST_LEAK"] = "leaked"
    try:
        async with shell_in(tmp_path, tmp_path / "logs", GIVEN="yes") as shell:
            names = await said(shell, "env")
            await ends(shell, "exit")
            again = await said(shell, "env")
    finally:
        del os.environ["SPECLOOM_TEST_LEAK"]
    for told in (names, again):
        assert "GIVEN=yes" in told
        assert "leaked" not in told


async def test_first_answer_after_a_restart_says_that_all_is_fresh(tmp_path: Path) -> None:
    async with shell_in(tmp_path, tmp_path / "logs") as shell:
        shell.restarted = True
        first, second = await ends(shell, "pwd"), await ends(shell, "pwd")
    assert "Specloom was restarted" in first.notes[0]
    assert second.notes == ()


@pytest.mark.parametrize("command", ['for i in 10 11 12; do eval "exec $i>&-"; done', "(sleep 0.2; kill -9 $$) &"])
async def test_command_for_a_shell_that_has_died_meanwhile_is_run_by_the_next(shell: AgentShell, command: str) -> None:
    await said(shell, "export KEPT=1; n() { echo $((KEPT + 1)); }")
    await ends(shell, command)
    runs, noted = 0, False
    while not noted:
        result = await ends(shell, "n; echo once >>runs")
        if any("the shell ended with this command" in note for note in result.notes):
            # The kill came in its midst, so that nobody may run it again: once more from the beginning.
            await ends(shell, f"rm -f runs; {command}")
            runs = 0
            continue
        runs += 1
        assert runs < 2000
        assert result.printed.text == "2\n"
        noted = any("the shell had ended since the command before" in note for note in result.notes)
    assert await said(shell, "wc -l <runs") == f"{runs}\n"


async def test_command_that_a_dying_shell_had_not_read_is_run_by_the_next(shell: AgentShell) -> None:
    pid = int(await said(shell, "export KEPT=1; n() { echo $((KEPT + 1)); }; echo $$"))
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    before = shell.newest
    running = asyncio.create_task(ends(shell, "n; echo once >>runs"))
    await until(lambda: shell.newest > before)
    os.kill(pid, signal.SIGKILL)
    result = await running
    assert (result.exit_code, result.printed.text) == (0, "2\n")
    assert any("the shell had ended since the command before" in note for note in result.notes)
    assert await said(shell, "wc -l <runs") == "1\n"


async def test_shell_whose_own_folder_was_deleted_is_replaced_after_its_time(tmp_path: Path) -> None:
    async with shell_in(tmp_path, tmp_path / "logs", HOME="/nonexistent") as shell:
        await said(shell, "true")
        children = psutil.Process().children()
        (watchdog,) = [child for child in children if "specloom-watchdog" in words_of(child)]
        folder = Path(watchdog.cmdline()[-1])
        result = await shell.run(f"rm -rf {folder}; echo done", SOON)
        assert (result.exit_code, result.printed.text) == (None, "done\n")
        assert await said(shell, "echo back") == "back\n"
        await until(lambda: not watchdog.children())


async def test_cancel_while_a_stalled_command_becomes_a_job_loses_nothing(tmp_path: Path) -> None:
    for steps in range(0, 60, 6):
        async with shell_in(tmp_path, tmp_path / "logs") as shell:
            await said(shell, "true")
            task = asyncio.create_task(shell.run("sleep 275", 0.01))
            await asyncio.sleep(0.02)
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        left = [child for child in psutil.Process().children(recursive=True) if "275" in words_of(child)]
        assert not left, steps
