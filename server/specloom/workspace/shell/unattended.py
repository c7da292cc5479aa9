"""How programs that ask a person are run without one: a table, and what tells that one of them has asked.

Refuses to judge a command by its name alone: it is what the program printed, or that it never ends, that shows it.
"""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """One way in which a program shows that it wanted somebody."""

    advice: str
    printed: str = ""
    """Pattern of its output; empty: it prints nothing that tells."""
    command: str = ""
    """Pattern of the command; empty: any."""
    code_tells: bool = True
    """Only with an exit code other than 0."""
    _printed: re.Pattern[str] = field(init=False)
    _command: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_printed", re.compile(self.printed, re.MULTILINE))
        object.__setattr__(self, "_command", re.compile(self.command))

    def fits(self, command: str, output: str, exit_code: int | None) -> bool:
        """Whether a command that ended asked in this way."""
        if not self.printed or (self.code_tells and exit_code == 0):
            return False
        return bool(self._command.search(command) and self._printed.search(output))

    def never_ends(self, command: str) -> bool:
        """Whether a command that runs on is of this kind."""
        return not self.printed and bool(self._command.search(command))


ASKED: tuple[Row, ...] = (
    Row("`git commit -m MESSAGE`", r"^Aborting commit due to empty commit message"),
    Row(
        "put the key or token into the remote's configuration, or use a remote that needs none; nobody can type one",
        r"terminal prompts disabled|could not read (Username|Password) for",
    ),
    Row("give git the change itself, for example `git apply --cached`", r"^\(\d+/\d+\) Stage ", code_tells=False),
    Row(
        "name whole files, or give the change itself to `git apply`, with `-R` to take it back",
        r"^\(\d+/\d+\) (Unstage|Discard|Apply|Stash) .*\?\]\? ",
        code_tells=False,
    ),
    Row(
        "`GIT_SEQUENCE_EDITOR=\"sed -i 's/^pick HASH/drop HASH/'\" git rebase -i BASE`; git's own list was taken now",
        r"^(.*\r|\s*)?Successfully rebased",
        r"\A(?!.*(SEQUENCE_EDITOR|sequence\.editor|--autosquash|--exec|\s-x)).*\brebase\s.*(-i\b|--interactive)",
        code_tells=False,
    ),
    Row("`sudo -n COMMAND`, where it may run without a password, else leave it out", r"^sudo: .*(terminal|password)"),
    Row(
        "`ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new` with a key that needs no passphrase",
        r"^Host key verification failed|^Permission denied \([a-z,-]*(password|publickey)",
    ),
    Row("`ssh-keygen -q -N '' -f FILE`", r"^Enter (file in which to save|passphrase)", r"\bssh-keygen\b"),
    Row(
        "`npm init -y`", r"^package name: |^This utility will walk you through", r"\b(npm|yarn|pnpm)\s+(init|create)\b"
    ),
    Row(
        "`npx --yes PACKAGE` or `npm create PACKAGE -- OPTIONS`", r"canceled due to missing packages and no YES option"
    ),
    Row("`docker run` and `docker exec` without `-t` and `-i`", r"the input device is not a TTY"),
    Row("`apt-get install -y`", r"^Do you want to continue\? \[Y/n\]"),
    Row("`pip uninstall -y`", r"^Proceed \(Y/n\)\?", r"\buninstall\b"),
    Row("`top -b -n 1`", r"^top: failed tty get"),
    Row("`tmux new-session -d`, or `blocking: false` instead of it", r"^open terminal failed: not a terminal"),
    Row("read and edit files with the file tools", r"Vim: Warning: (Output|Input) is not (to|from) a terminal"),
    Row("edit files with the file tools", r"^(Error opening terminal|Standard input is not a terminal)"),
    Row("`rm -f`, `cp -f` or `mv -f`", r"^(rm|cp|mv): .*\? *\Z", code_tells=False),
    Row("`python -c CODE` or a script in a file", r">>> *\n?\Z", r"\bpython", code_tells=False),
    Row(
        "pass the answers as arguments, or pipe them in: `printf 'yes\\n' | COMMAND`",
        r"^EOFError: EOF when reading a line|ERR_USE_AFTER_CLOSE|^#\? *\n?\Z|GetPassWarning",
    ),
    Row(
        "give it by an option or a file; there is no terminal",
        r"/dev/tty: No such device|cannot open '/dev/tty'|Enter PEM pass phrase:|a terminal is required"
        r"|[Ii]nappropriate ioctl for device|^New password: ",
    ),
    Row("run the watched command once, without `watch`", command=r"(^|[;&|]\s*)watch\s"),
    Row("`tail -n 50 FILE`, without `-f`", command=r"\btail\s+(-\w+\s+)*(-\w*[fF]\b|--follow)"),
    Row(
        "a server or watcher is started with `blocking: false`", command=r"\b(serve|server|dev|start|watch|runserver)\b"
    ),
)
"""From the particular to the general; the first that fits counts."""


def asked(command: str, output: str, exit_code: int | None) -> str:
    """How to run a command that wanted input and got none; empty: nothing shows that it did."""
    return next((row.advice for row in ASKED if row.fits(command, output, exit_code)), "")


def endless(command: str) -> str:
    """How to run a command that never ends; empty: nothing shows that it does not."""
    return next((row.advice for row in ASKED if row.never_ends(command)), "")
