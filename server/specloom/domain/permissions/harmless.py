"""Commands that need no rule: readers of what stands in the root, and what edits nothing but files in it.

Refuses an option that it does not know to be harmless: many readers have one that writes, or runs a program.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from specloom.domain.permissions.line import SimpleCommand, Word, WordKind, named
from specloom.domain.permissions.places import Place, Standing
from specloom.domain.permissions.rules import is_harmless_name

SIMPLE = r"-[A-Za-z0-9]+|--[a-z][a-z-]*(=[A-Za-z0-9_,.%+-]*)?"
COUNT = r"-[0-9]+|-[nc][0-9]*|--(lines|bytes)(=[0-9]+)?|-q|-v|--"
WORDS_ONLY: Mapping[str, str] = MappingProxyType(
    {"echo": ".*", "true": ".*", "false": ".*", ":": ".*", "pwd": "-[LP]",
     "test": ".*", "[": ".*", "basename": SIMPLE, "dirname": SIMPLE, "seq": ".*", "which": "-a", "type": "-[aptP]",
     "whoami": "(?!)", "id": "-[ugGn]+", "uname": "-[a-z]+", "nproc": "--all", "exit": ".*", "break": ".*",
     "continue": ".*", "tr": "-[cdst]+"}
)  # fmt: skip
"""Commands that open no file, whatever their words are; the options that they may have."""
READERS: Mapping[str, str] = MappingProxyType(
    {"ls": r"-[A-Za-z0-9]+|--(all|almost-all|human-readable|recursive|color(=[a-z]+)?)", "cat": "-[AbeEnstTuv]+|--",
     "head": COUNT, "tail": COUNT, "wc": "-[clmwL]+|--(lines|words|bytes|chars)", "stat": "-[Lft]+",
     "file": "-[bihL]+", "du": "-[abchkmsxd0-9]+", "df": "-[ahikmT]+", "nl": "-[a-z]+",
     "cut": r"-[a-z][A-Za-z0-9,.:;|_-]*",
     "cmp": "-[bls]+",
     "md5sum": "-[btz]+", "sha256sum": "-[btz]+", "realpath": "-[emsqz]+", "readlink": "-[efmnqz]+",
     "tree": "-[adfhipsugDL0-9]+",
     "grep": r"-[EFGPivwxcolqsnHhbABCm0-9]+|--(color(=[a-z]+)?|line-number|count|ignore-case|only-matching)|--"}
)  # fmt: skip
EDITORS: Mapping[str, str] = MappingProxyType(
    {"mkdir": "-[pv]+|--parents|--", "touch": "-[acm]+|--", "cp": "-[apfinvRr]+|--", "mv": "-[finv]+|--",
     "rm": "-[fiv]+|--", "rmdir": "-[pv]+"}
)  # fmt: skip
GIT_READS = named("status log diff show ls-files rev-parse blame shortlog describe")
GIT_OPTIONS = re.compile(
    r"-[0-9]+|-[bcfhilMnpqrsuvwzCLSU][0-9]*|-n[0-9]*|--(oneline|stat|numstat|shortstat|name-only|name-status|cached|staged|short"
    r"|porcelain(=v[12])?|branch|graph|all|decorate|no-color|abbrev-ref|show-toplevel|show-current|no-merges|merges"
    r"|untracked-files(=[a-z]+)?|others|exclude-standard|max-count=[0-9]+|word-diff|summary|follow|pretty=[a-z]+|format=.*"
    r"|no-patch|patch|verify|quiet|is-inside-work-tree|modified|deleted|no-ext-diff|stat=[0-9,]+)|--"
)
FIND_TESTS = named(
    """
    -name -iname -path -ipath -type -maxdepth -mindepth -size -mtime -mmin -newer -regex -not -a -o -and -or -print
    -print0 -empty -prune ! ( ) -user -perm -wholename
    """
)


READABLE = (Standing.OPEN, Standing.READ_ONLY)


def reads_only(command: SimpleCommand, look: Callable[[Word], Place]) -> bool:
    """Whether the command changes nothing and shows nothing but names and files of the root that tools may read."""
    if not all(map(is_harmless_name, command.assigned)):
        return False
    if not command.words:
        return True
    name, rest = command.name, command.words[1:]
    if any(word.kind is WordKind.GLOB and word.text[0] in "*?[-+" for word in rest):
        # A file may be called like an option.
        return False
    if name in ("test", "[") and any(word.text in ("-v", "-R") or "{" in word.text for word in rest):
        return False
    if name in WORDS_ONLY:
        return _plain(rest, WORDS_ONLY[name])
    if name == "printf":
        return bool(rest) and rest[0].literal and not rest[0].text.startswith("-")
    if name == "command":
        return True
    if name == "git":
        return _git(rest, look)
    if name == "find":
        return _find(rest, look)
    return name in READERS and _opens(rest, READERS[name], look, names=name in ("ls", "du", "tree"))


def edits_only(command: SimpleCommand, look: Callable[[Word], Place]) -> bool:
    """Whether the command changes nothing but files of the root that tools may write."""
    if not command.words or command.name not in EDITORS or not all(map(is_harmless_name, command.assigned)):
        return False
    options = re.compile(EDITORS[command.name])
    files = [word for word in command.words[1:] if not options.fullmatch(word.text)]
    return bool(files) and all(
        word.literal and not word.text.startswith("-") and look(word).standing is Standing.OPEN and look(word).path
        for word in files
    )


def _plain(words: Iterable[Word], options: str) -> bool:
    """Expansions are text here; what they substitute is judged by itself."""
    return all(not word.text.startswith("-") or re.fullmatch(options, word.text, re.DOTALL) for word in words)


def _opens(words: Iterable[Word], options: str, look: Callable[[Word], Place], *, names: bool) -> bool:
    """Every word that is no option counts as a path: a pattern of `grep` that looks like one asks once too often."""
    return all(
        re.fullmatch(options, word.text) if word.literal and word.text.startswith("-") and word.text != "-"
        else word.text == "-" or _readable(word, look, names=names)
        for word in words
    )  # fmt: skip


def _readable(word: Word, look: Callable[[Word], Place], *, names: bool) -> bool:
    if word.kind is WordKind.DYNAMIC:
        return False
    if word.kind is WordKind.GLOB and not names:
        # What a link or a key is called is only known when it runs.
        return False
    return look(word).standing in READABLE


def _git(words: tuple[Word, ...], look: Callable[[Word], Place]) -> bool:
    if not words or words[0].text not in GIT_READS:
        return [word.text for word in words] in (["branch"], ["branch", "-a"], ["--version"], ["remote", "-v"])
    for word in words[1:]:
        if word.kind is WordKind.DYNAMIC:
            return False
        if word.text.startswith("-"):
            if not GIT_OPTIONS.fullmatch(word.text):
                return False
        elif ":" in word.text or look(word).standing not in READABLE:
            return False
    return True


def _find(words: tuple[Word, ...], look: Callable[[Word], Place]) -> bool:
    paths, tests = True, words
    for place, word in enumerate(words):
        if word.text.startswith(("-", "(", "!")):
            tests = words[place:]
            break
        paths = paths and _readable(word, look, names=True)
    else:
        tests = ()
    return paths and all(
        word.kind is not WordKind.DYNAMIC
        and (not word.text.startswith("-") or word.text in FIND_TESTS or word.text[1:].isdigit())
        for word in tests
    )
