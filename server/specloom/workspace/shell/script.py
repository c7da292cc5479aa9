r"""The lines of bash that drive a shell which stays. Refuses to rely on a name that a command could redefine.

Bash reads them one at a time from its standard input, so no loop of ours encloses a command (`break` has nothing to
break), and what each line needs stands in it literally: no variable that a command could make unwritable. `\builtin`
is no alias; who makes a function of that name, or switches builtins off, has a shell that tells of nothing any more,
which is noticed (`shell_process`). While a command runs the shell has no descriptor of ours open but its input, which
is moved away: what tells of the end is a named pipe, opened afterwards.
"""

from pathlib import Path
from shlex import quote

NAME = "__specloom_name"
BEGUN, CODE, ENDED = "<", "=", ">"
"""Behind the token of a line: it was read, its command ended, it was carried out."""


def dump(file: Path, root: Path) -> str:
    """Writes down what a fresh shell needs: mask, environment, functions and directory, as a script of its own."""
    back = f"builtin cd -- %q 2>/dev/null || builtin cd -- {quote(str(root))}\\n".replace("'", "'\\''")
    return (
        "{ \\builtin umask -p; \\builtin export -p; \\builtin declare -f; "
        f"\\builtin printf '{back}' \"$PWD\"; }} >|{quote(str(file))}"
    )


def opening(leaving: str, state: Path | None, report: str) -> str:
    """The first line: takes over a state that another shell wrote down, and writes its own down when it must leave."""
    # Started with the environment of every shell, whose marks others look for; what the state unset is unset here.
    clear = f'for {NAME} in $(builtin compgen -e); do builtin unset -v "${NAME}"; done; ' if state is not None else ""
    restore = f"{clear}builtin . {quote(str(state))} </dev/null; " if state is not None else ""
    return f"{restore}\\builtin trap {quote(f'{{ {leaving}; }} 2>/dev/null')} EXIT; {report}"


def ended(token: str, status: Path) -> str:
    """Tells the exit code of a command; to be read right behind it."""
    return f"\\builtin printf '{token}{CODE} %s\\0' \"$?\" >|{quote(str(status))}"


def report(token: str, status: Path) -> str:
    """Tells that a line was carried out: newest background process, directory; NUL at the end."""
    return f'\\builtin printf \'{token}{ENDED} %s %s\\0\' "${{!:-0}}" "$PWD" >|{quote(str(status))}'


def begun(token: str, status: Path, root: Path) -> str:
    """Leaves a folder that was deleted, and tells that the line was read, and where its command will run.

    A command whose shell dies before that can be given to another.
    """
    return (
        f'{{ \\builtin test -d "$PWD" || \\builtin cd -- {quote(str(root))}; '
        f"\\builtin printf '{token}{BEGUN} %s\\0' \"$PWD\" >|{quote(str(status))}; }} 2>/dev/null"
    )


def turn(command: str | Path, output: Path, first: str, code: str, last: str) -> str:
    """Carries out a command, given in words or in a file: `first` before it, `code` right behind it, `last` at the end.

    `set -e`, `-u`, `-v` and `-x` count for one command: left on, the next that fails would take the shell along.
    """
    words = f'"$(<{quote(str(command))})"' if isinstance(command, Path) else quote(command)
    return (
        f"{first}; {{ \\builtin :; \\builtin eval {words}; }} </dev/null >{quote(str(output))} 2>&1; "
        f"{{ {code}; \\builtin set +euvx; {last}; }} 2>/dev/null"
    )
