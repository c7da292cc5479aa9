"""What is never allowed in silence, whatever profile and rules say. Refuses to be a list of everything that is bad."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from posixpath import normpath

from specloom.domain.permissions.line import Word, WordKind, named
from specloom.domain.permissions.rules import Verdict, Words

TOP = named(
    """
    bin boot dev etc home lib lib64 opt proc root run sbin srv sys usr var Users System Library Applications private
    """
)
EVERYTHING = re.compile(rf"/|/({'|'.join(sorted(TOP))})|/(home|Users)/[^/]+|~([^/]*|/\.\.(/.*)?)")
"""The root, what stands right below it, home folders, and what is above one of them."""
HOME = re.compile(r"""("?)(\$HOME|\$\{HOME[^}]*\})\1""")
SHALLOW = re.compile(r"/(\*|\.\*|\.?\[[^/]*|\?+\*?)$")
"""A last part that means all of a folder, or nearly so."""
DISKS = re.compile(r"/dev/(?!null$|zero$|full$|tty$|stdout$|stderr$|stdin$|fd/|tcp/|udp/|random$|urandom$).+")
SWITCHES_OFF = re.compile(
    r"shutdown|reboot|halt|poweroff|telinit|killall5|mkfs(\..+)?|wipefs|fdisk|sfdisk|parted|mkswap|cryptsetup"
)


@dataclass(frozen=True, slots=True)
class Danger:
    """One kind of command, told by its words."""

    verdict: Verdict
    name: str
    applies: Callable[[Words], bool]
    programs: frozenset[str] = frozenset()
    """Whose words may make it so once they are expanded."""

    def may_apply(self, words: Words) -> bool:
        """Whether what the shell expands could make it so."""
        if _name(words) not in self.programs or all(word.literal or _is_near(word) for word in words):
            return False
        harmless_git = _name(words) == "git" and words[1].literal and words[1].text != "push"
        return not harmless_git


def _is_near(word: Word) -> bool:
    """Whether a pattern can only mean files below the present folder, and no options."""
    return word.kind is WordKind.GLOB and re.match(r"[/~.-]|\w+=", word.text) is None and ".." not in word.text


def _name(words: Words) -> str:
    return words[0].text.rpartition("/")[2] if words else ""


def _short(words: Words, letters: str) -> bool:
    found = "".join(word.text[1:] for word in words if re.fullmatch(r"-[A-Za-z]+", word.text))
    return any(letter in found for letter in letters)


def _long(words: Words, *names: str) -> bool:
    """Long options count when cut short, too."""
    stated = [word.text.partition("=")[0] for word in words if word.text.startswith("--") and len(word.text) > 3]
    return any(name.startswith(text) for name in names for text in stated)


def is_everything(text: str) -> bool:
    """Whether a path, as it stands in a line, is the root, a home folder or something as large, in any spelling."""
    plain = text.replace('"', "") if text.startswith('"') else HOME.sub("~", text)
    known = HOME.sub("~", plain)
    folder = SHALLOW.sub("/", known) if known.startswith(("/", "~")) else known
    if not folder.startswith(("/", "~")):
        return False
    return EVERYTHING.fullmatch(_normal(folder)) is not None


def _normal(path: str) -> str:
    """Without `.`, doubled slashes, and `..` where it can be taken off."""
    found = normpath(re.sub(r"^/+", "/", path))
    return found if path.startswith("/") else _above_home(path)


def _above_home(path: str) -> str:
    """`normpath` would take `~/..` for the present folder."""
    home, _, rest = path.partition("/")
    below = normpath(rest) if rest else "."
    return home if below == "." else f"{home}/{below}"


def _everything(words: Words) -> bool:
    return any(is_everything(word.text) for word in words)


def _removes(words: Words) -> bool:
    name, rest = _name(words), words[1:]
    if name == "rm":
        return (_everything(rest) and (_short(rest, "rR") or _long(rest, "--recursive"))) or _long(
            rest, "--no-preserve-root"
        )
    return name == "find" and _everything(rest) and any(word.text == "-delete" for word in rest)


def _opens_all(words: Words) -> bool:
    rest = words[1:]
    return (
        _name(words) in ("chmod", "chown", "chgrp")
        and _everything(rest)
        and (_short(rest, "R") or _long(rest, "--recursive"))
    )


def _writes_disk(words: Words) -> bool:
    return _name(words) == "dd" and any(
        word.text.startswith("of=") and DISKS.fullmatch(word.text[3:]) is not None for word in words
    )


def _ends_everything(words: Words) -> bool:
    stops = _name(words) == "init" and len(words) == 2 and words[1].text in ("0", "1", "6")
    return (
        stops
        or SWITCHES_OFF.fullmatch(_name(words)) is not None
        or (_name(words) == "kill" and len(words) > 2 and words[-1].text == "-1")
    )


def _rewrites_history(words: Words) -> bool:
    texts = [word.text for word in words]
    if _name(words) != "git" or "push" not in texts:
        return False
    rest = words[texts.index("push") + 1 :]
    forced = _short(rest, "fd") or _long(rest, "--force", "--force-with-lease", "--mirror", "--delete", "--prune")
    return forced or any(_overwrites(word) for word in rest)


def _cleans_ignored(words: Words) -> bool:
    texts = [word.text for word in words]
    return _name(words) == "git" and "clean" in texts and _short(words[texts.index("clean") :], "xX")


def _overwrites(word: Word) -> bool:
    return re.match(r"[+:].", word.text) is not None


DANGERS = (
    Danger(Verdict.DENY, "removes the system or your home folder", _removes, frozenset({"rm", "find"})),
    Danger(
        Verdict.DENY,
        "changes the rights of the system or of your home folder",
        _opens_all,
        frozenset({"chmod", "chown", "chgrp"}),
    ),
    Danger(Verdict.DENY, "writes over a disk", _writes_disk, frozenset({"dd"})),
    Danger(Verdict.DENY, "ends or formats the machine", _ends_everything),
    Danger(Verdict.ASK, "removes what git ignores, and what Specloom keeps there", _cleans_ignored),
    Danger(Verdict.ASK, "pushes over what others may have", _rewrites_history, frozenset({"git"})),
)
