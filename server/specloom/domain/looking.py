"""Tells which files a call looks at and does nothing else, and which ones a command prints to.

Refuses to guess: a line that is not understood looks at nothing, and prints nowhere.
"""

from collections.abc import Iterator, Mapping
from posixpath import join, normpath
from typing import Any

from specloom.domain.no_progress import COMMAND
from specloom.domain.permissions.line import Redirect, ShellLine, SimpleCommand, named
from specloom.domain.permissions.shell import read

LOOKS = named("cat tail head grep egrep fgrep rg less more wc nl tac sort uniq cut tr awk sed ls stat file strings")
MEANWHILE = named("cd echo printf date true false test [ sleep timeout")
"""What stands beside a look and does nothing either."""
TOOLS = named("read_file grep_search")
NOWHERE = "/dev/null"


def looked_at(name: str, given: Mapping[str, Any], root: str, folder: str) -> frozenset[str]:
    """Absolute paths that a call may look at, if it does nothing else; `folder`: where its shell stands."""
    path, command = given.get("path"), given.get("command")
    if name in TOOLS and isinstance(path, str):
        return frozenset((normpath(join(root, path)),))
    if name != COMMAND or not isinstance(command, str):
        return frozenset()
    line = read(command)
    harmless = not line.unclear and all(map(_does_nothing, line.parts))
    return frozenset(_named(line, folder)) if harmless else frozenset()


def printed_to(command: str, folder: str) -> frozenset[str]:
    """Absolute paths of the files that a command in `folder` sends its output to."""
    line = read(command)
    written = {part.target.text for part in line.parts if isinstance(part, Redirect) and part.writes}
    tees = (part for part in line.commands if part.name == "tee")
    written |= {word.text for part in tees for word in part.words[1:] if not word.text.startswith("-")}
    return frozenset(normpath(join(folder, text)) for text in written - {NOWHERE})


def _does_nothing(part: SimpleCommand | Redirect) -> bool:
    if isinstance(part, Redirect):
        return not part.writes or part.target.text == NOWHERE
    if part.name == "sed" and any(word.text.startswith(("-i", "--in-place")) for word in part.words):
        return False
    return not part.words or part.name in LOOKS or part.name in MEANWHILE


def _named(line: ShellLine, folder: str) -> Iterator[str]:
    for part in line.parts:
        if isinstance(part, Redirect):
            yield normpath(join(folder, part.target.text))
        elif part.name == "cd" and len(part.words) == 2:
            folder = normpath(join(folder, part.words[1].text))
        elif part.name in LOOKS:
            yield from (normpath(join(folder, word.text)) for word in part.words[1:])
