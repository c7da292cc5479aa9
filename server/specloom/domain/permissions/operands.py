"""Which paths a command reads, writes and removes, for programs that plainly do one of these.

Refuses to know every program: of one that it does not know it says nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from posixpath import join
from types import MappingProxyType

from specloom.domain.permissions.line import Word, WordKind, named
from specloom.domain.permissions.rules import Words
from specloom.domain.permissions.wrappers import GIT_VALUED


class Role(StrEnum):
    """What happens to a path."""

    READS = "reads"
    WRITES = "writes"
    REMOVES = "removes"


@dataclass(frozen=True, slots=True)
class Operand:
    """A path of a command."""

    word: Word
    role: Role
    deep: bool = False
    """With everything below it."""
    folder: Word | None = None
    """It counts only if this is a folder."""


READS, WRITES, REMOVES = Role.READS, Role.WRITES, Role.REMOVES
WHOLE = named("tar rg ag zip")
"""Programs that go into folders by themselves."""
PRINTS = re.compile(r"""[>|]\s*"([^"]+)\"""")
"""Where a program of awk writes."""
ALIKE: Mapping[str, Role] = MappingProxyType(
    {
        **dict.fromkeys(
            named("tee truncate touch mkdir chmod chown chgrp setfacl chattr sponge ed ex vi vim patch mktemp mkfifo"),
            WRITES,
        ),
        **dict.fromkeys(named("rm rmdir unlink shred trash"), REMOVES),
        **dict.fromkeys(
            named(
                """
                cat head tail less more nl od xxd hexdump strings base64 base32 wc cut sort uniq tac rev grep egrep
                fgrep rg ag diff cmp comm paste join fold fmt expand column md5sum sha1sum sha256sum sha512sum cksum
                file stat awk gawk mawk jq yq bat source . tar gzip bzip2 xz zip
                """
            ),
            READS,
        ),
    }
)
"""Programs that do the same with each of their operands."""
INTO: Mapping[str, Role] = MappingProxyType(
    {"cp": READS, "install": READS, "rsync": READS, "scp": READS, "split": READS, "mv": REMOVES, "ln": WRITES}
)
"""Programs that write their last operand, and what they do with the others; a link opens its file to writers."""
IN_PLACE: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "sed": re.compile(r"-[nErsuz]*i.*|--in-place.*"),
        "perl": re.compile(r"-[a-zA-Z0]*i.*"),
        "ruby": re.compile(r"-[a-zA-Z0]*i.*"),
        "awk": re.compile(r"-i|--include.*"),
        "gawk": re.compile(r"-i|--include.*"),
    }
)
TARGETS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **dict.fromkeys(("cp", "mv", "ln", "install"), named("-t --target-directory")),
        **dict.fromkeys(("curl", "gcc", "cc", "clang", "g++", "sort", "pandoc", "ld"), named("-o --output")),
        "wget": named("-O -P -o -a --output-document --directory-prefix --output-file"),
        "tar": named("-C --directory -f --file"),
        "unzip": named("-d"),
        "patch": named("-o --output -d --directory -r"),
        "git": named("--output -o --file -f"),
        "cpio": named("-D --directory -O"),
        "openssl": named("-out"),
        "7z": named("-o"),
        "find": named("-fprint -fprintf -fprint0 -fls"),
        "csplit": named("-f --prefix"),
    }
)
"""Options whose value is written."""
DEEP = re.compile(r"-[a-zA-Z]*[rRa][a-zA-Z]*|--(recursive|archive|delete.*|rec.*)")
GIT_FILES: Mapping[str, Role] = MappingProxyType(
    {
        **dict.fromkeys(("rm", "mv", "clean"), REMOVES),
        **dict.fromkeys(("checkout", "restore", "clone", "init", "worktree", "archive", "bundle"), WRITES),
    }
)
TEXT_FIRST = named("sed perl ruby awk gawk mawk grep egrep fgrep rg ag jq yq")
GIVES_TEXT = re.compile(r"-[a-zA-Z0-9.]*[eE]|--(expression|regexp)")
HERE = Word(".")
BUNDLED = re.compile(r"-[A-Za-z]{2,}")


def operands(words: Words) -> Iterator[Operand]:
    """What is known of the paths in these words; options are told apart as the programs do."""
    if not words or not words[0].literal:
        return
    name, rest = words[0].text.rpartition("/")[2], words[1:]
    yield from (Operand(word, WRITES) for word in _valued(name, rest))
    if name == "dd":
        yield from _of_dd(rest)
    elif name == "find":
        yield from _of_find(rest)
    elif name == "git":
        yield from _of_git(rest)
    elif name in INTO:
        yield from _of_last(name, rest)
    elif name in ALIKE or name in IN_PLACE:
        role = WRITES if name in IN_PLACE and _has(rest, IN_PLACE[name]) else ALIKE.get(name, READS)
        deep = name in WHOLE or _has(rest, DEEP)
        files = _without_text(name, rest)
        searches = deep and name in TEXT_FIRST
        yield from (Operand(word, role, deep) for word in files or ((HERE,) if searches else ()))
        yield from (Operand(Word(path), WRITES) for path in _printed(name, rest))


def plain(words: Words) -> Words:
    """Without options; what the shell has yet to expand counts as an operand."""
    end = next((place for place, word in enumerate(words) if word.literal and word.text == "--"), len(words))
    before = (word for word in words[:end] if not (word.literal and word.text.startswith("-") and len(word.text) > 1))
    return (*before, *words[end + 1 :])


def _without_text(name: str, rest: Words) -> Words:
    """Operands that are files: the first one is a program or a pattern, unless an option brings that."""
    if name not in TEXT_FIRST:
        return plain(rest)
    given = [place for place, word in enumerate(rest) if GIVES_TEXT.fullmatch(word.text)]
    if given:
        return plain(tuple(word for place, word in enumerate(rest) if place - 1 not in given))
    return plain(rest)[1:]


def _has(words: Words, option: re.Pattern[str]) -> bool:
    return any(option.fullmatch(word.text) for word in words)


def _valued(name: str, rest: Words) -> Iterator[Word]:
    """Values of the options that name a target, also in one word with it."""
    options = TARGETS.get(name, frozenset[str]())
    for place, word in enumerate(rest):
        last = f"-{word.text[-1:]}" if BUNDLED.fullmatch(word.text) else word.text
        if last in options and place + 1 < len(rest):
            yield rest[place + 1]
        head, separator, value = word.text.partition("=")
        if separator and len(head) > 2 and any(option.startswith(head) for option in options):
            yield Word(value, word.kind)
        elif word.text[:2] in options and len(word.text) > 2 and not word.text.startswith("--"):
            yield Word(word.text[2:], word.kind)


def _printed(name: str, rest: Words) -> Iterator[str]:
    """Files that a program text of awk, or the letters of tar, name for writing."""
    if name.endswith("awk"):
        yield from (path for word in rest for path in PRINTS.findall(word.text))
    elif name == "tar" and len(rest) > 1 and re.fullmatch(r"-?[a-zA-Z]*c[a-zA-Z]*f", rest[0].text):
        yield rest[1].text


def _of_dd(rest: Words) -> Iterator[Operand]:
    for word in rest:
        key, _, value = word.text.partition("=")
        if key in ("of", "if"):
            yield Operand(Word(value, word.kind), WRITES if key == "of" else READS)


def _of_find(rest: Words) -> Iterator[Operand]:
    end = next((n for n, word in enumerate(rest) if word.text.startswith(("-", "(", "!"))), len(rest))
    role = REMOVES if any(word.text == "-delete" for word in rest) else READS
    yield from (Operand(word, role, deep=True) for word in rest[:end] or (HERE,))


def _of_git(rest: Words) -> Iterator[Operand]:
    folder = ""
    while rest and rest[0].text.startswith("-"):
        valued = rest[0].text in GIT_VALUED
        folder = join(folder, rest[1].text) if rest[0].text == "-C" and len(rest) > 1 else folder
        rest = rest[2:] if valued else rest[1:]
    if not rest or rest[0].text not in GIT_FILES:
        return
    role, files = GIT_FILES[rest[0].text], tuple(_moved(word, folder) for word in plain(rest[1:]))
    if rest[0].text == "mv" and files:
        yield Operand(files[-1], WRITES)
        files = files[:-1]
    yield from (Operand(word, role, role is REMOVES) for word in files)


def _moved(word: Word, folder: str) -> Word:
    return Word(join(folder, word.text), word.kind) if folder else word


def _of_last(name: str, rest: Words) -> Iterator[Operand]:
    files, role, deep = plain(rest), INTO[name], _has(rest, DEEP) or name == "mv"
    targets = TARGETS.get(name, frozenset[str]())
    given = any(word.text.partition("=")[0] in targets or word.text[:2] == "-t" for word in rest if targets)
    sources = files if given else files[:-1]
    yield from (Operand(word, role, deep) for word in sources)
    # What is moved or linked can be read at another place.
    yield from (Operand(word, READS, deep=True) for word in sources if role is not READS)
    if name == "ln" and len(files) == 1 and not given:
        yield Operand(files[0], WRITES)
    elif not given and files:
        yield Operand(files[-1], WRITES, any(word.text.startswith("--del") for word in rest))
        yield from (Operand(_within(files[-1], source), WRITES, folder=files[-1]) for source in sources)


def _within(folder: Word, source: Word) -> Word:
    """Where the source comes to lie if the target is a folder."""
    kind = source.kind if folder.literal else WordKind.DYNAMIC
    return Word(f"{folder.text.rstrip('/')}/{source.text.rstrip('/').rpartition('/')[2]}", kind)
