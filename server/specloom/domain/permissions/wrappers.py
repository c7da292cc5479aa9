"""Takes off what stands around a command: `env`, `sudo`, `xargs`, `sh -c`, `find -exec` and their like.

Refuses options that it does not know: who cannot tell where the wrapper ends cannot tell what it runs.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import TypeAlias

from specloom.domain.permissions.interpreters import INPUT, brings_code
from specloom.domain.permissions.line import SimpleCommand, Word, WordKind, named

Words: TypeAlias = tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """Text that a shell is given to run."""

    text: str


@dataclass(frozen=True, slots=True)
class Unfolded:
    """What a command comes to."""

    parts: tuple[SimpleCommand | Script, ...] = ()
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wrapper:
    """How a program finds the command that it is to run, in its own words."""

    plain: str = ""
    """Options that stand alone, by blanks."""
    valued: str = ""
    """Options that take a value."""
    operands: int = 0
    """Words between the options and the command."""
    assigns: bool = False
    """`NAME=value` may stand before the command."""
    needs_rule: bool = False
    """It changes who runs the command: a rule for the command alone is not enough."""
    feeds: bool = False
    """Adds words of its own to the command."""


_MORE_RIGHTS = {
    "sudo": Wrapper(
        "-n -E -H -S -k -A -b -P --non-interactive --preserve-env --set-home --stdin",
        "-u -g -h -p -C -r -t -T -U --user --group --prompt",
        assigns=True,
        needs_rule=True,
    ),
    "doas": Wrapper("-n -s -L", "-u -C", needs_rule=True),
    "pkexec": Wrapper("--keep-cwd", "--user -u", needs_rule=True),
    "setpriv": Wrapper("--no-new-privs --clear-groups", "--reuid --regid", needs_rule=True),
}
WRAPPERS: Mapping[str, Wrapper] = MappingProxyType(
    {
        **_MORE_RIGHTS,
        "env": Wrapper("-i - -0 -v --ignore-environment --null --debug", "-u --unset", assigns=True),
        "nohup": Wrapper(),
        "timeout": Wrapper(
            "--foreground --preserve-status -v --verbose -p -f", "-k -s --kill-after --signal", operands=1
        ),
        "nice": Wrapper("", "-n --adjustment"),
        "ionice": Wrapper("-t --ignore", "-c -n --class --classdata"),
        "chrt": Wrapper("-b -f -i -o -r", "", operands=1),
        "taskset": Wrapper("-c --cpu-list", "", operands=1),
        "stdbuf": Wrapper("", "-i -o -e --input --output --error"),
        "setsid": Wrapper("-c -f -w --ctty --fork --wait"),
        "time": Wrapper("-p -v --verbose --portability", "-f --format"),
        "command": Wrapper("-p"),
        "builtin": Wrapper(),
        "exec": Wrapper("-c -l", "-a"),
        "chronic": Wrapper("-v -e"),
        "unbuffer": Wrapper("-p"),
        "flock": Wrapper("-s -x -e -n -o -u --shared --exclusive --nonblock", "-w -E --timeout", operands=1),
        "strace": Wrapper("-f -q -c -v -y", "-e -s -p"),
        "xvfb-run": Wrapper("-a", "-s -n"),
        "busybox": Wrapper(),
        "xargs": Wrapper(
            "-0 -r -t -p -x --null --no-run-if-empty --verbose --exit",
            "-I -n -P -L -d -E -s --max-args --max-procs --max-lines --delimiter --replace --max-chars",
            feeds=True,
        ),
    }
)
SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "mksh", "fish", "rbash"})
SHELL_FLAGS = re.compile(r"-[abefhiklmnptuvxBCEHP]*c?[abefhiklmnptuvxBCEHPc]*")
SHELL_VALUED = re.compile(r"-[abefhiklmnptuvxBCEHPc]*o")
SHELL_LONG = frozenset({"--login", "--norc", "--noprofile", "--posix", "--verbose", "--noediting", "--restricted"})
SCHEDULERS = frozenset({"at", "batch", "crontab"})
"""They run later what they are given now."""
CHANGES_LATER_LINES = frozenset(
    {"alias", "unalias", "trap", "enable", "hash", "coproc", "function", "bind", "complete"}
)
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\+?=.*", re.DOTALL)
LATER, FROM_INPUT, ANY_PROGRAM = (
    "is only known when it runs",
    "reads what it runs from its input",
    "may run any program",
)
HIDING = (LATER, FROM_INPUT, ANY_PROGRAM)
"""Ends of the reasons for which a line may run what is nowhere in its text."""
ANYTHING = Word("…", WordKind.DYNAMIC)
GIT_PLAIN = named("--no-pager -P -p --paginate --bare --no-replace-objects --literal-pathspecs --no-optional-locks")
GIT_ASKING = frozenset({"--version", "--help", "-h", "-v"})
GIT_VALUED = frozenset({"-C", "--git-dir", "--work-tree", "--namespace"})


def unfold(words: Words, assigned: tuple[str, ...] = ()) -> Unfolded:
    """The commands and scripts that these words run. Never raises."""
    first = words[0]
    if not first.literal:
        return Unfolded((SimpleCommand(words, assigned, words),), (f"what `{first.text[:40]}` runs {LATER}",))
    name = first.text.rpartition("/")[2]
    if name in SHELLS:
        return _shell(words, assigned)
    if name in SPECIAL:
        return SPECIAL[name](words, assigned)
    if name == "command" and len(words) > 1 and words[1].text in ("-v", "-V"):
        return _only(words, assigned)
    if name in WRAPPERS:
        return _wrapped(words, assigned, WRAPPERS[name])
    doubts = (f"`{name}` changes what later lines mean",) if name in CHANGES_LATER_LINES else ()
    if name in SCHEDULERS or (name in ("make", "gmake") and any(INPUT.match(word.text) for word in words[1:])):
        doubts = (f"`{name}` {FROM_INPUT}",)
    if ASSIGNMENT.fullmatch(first.text):
        # Whoever writes `nohup A=b rm x` means `rm`; the system looks for a program of that name.
        doubts = (f"what `{first.text[:40]}` runs {LATER}",)
    if name.startswith("git-") and len(name) > 4:
        return replace(_git((Word("git"), Word(name[4:]), *words[1:]), assigned), parts=(own_git(words, assigned),))
    return Unfolded((SimpleCommand(words, assigned, words, brings_code(name, words)),), doubts)


def own_git(words: Words, assigned: tuple[str, ...]) -> SimpleCommand:
    """`/usr/lib/git-core/git-push` is `git push` to rules that forbid."""
    name = words[0].text.rpartition("/")[2]
    return SimpleCommand(words, assigned, (Word("git"), Word(name.removeprefix("git-")), *words[1:]))


def _only(words: Words, assigned: tuple[str, ...]) -> Unfolded:
    return Unfolded((SimpleCommand(words, assigned, words),))


def _wrapped(words: Words, assigned: tuple[str, ...], wrapper: Wrapper) -> Unfolded:
    name = words[0].text
    inner, more, fault = _behind(words, wrapper)
    own = (SimpleCommand(words, assigned, words),)
    if fault:
        return Unfolded(own, (f"`{name}` {fault}",))
    if inner and name.rpartition("/")[2] == "flock" and inner[0].text in ("-c", "--command"):
        inner = (Word("sh"), Word("-c"), *inner[1:])
    if not inner:
        return Unfolded(own)
    if wrapper.feeds:
        inner = _fed(words, inner)
    found = unfold(inner, (*assigned, *more))
    if wrapper.needs_rule:
        # Whoever allows a command allows it as himself.
        return replace(found, parts=(SimpleCommand(words, assigned), *found.parts))
    return found


def _behind(words: Words, wrapper: Wrapper) -> tuple[Words, tuple[str, ...], str]:
    """The words of the command behind the wrapper's own, the names it assigns, and what is wrong with it."""
    plain, valued = wrapper.plain.split(), wrapper.valued.split()
    names: list[str] = []
    rest, operands = list(words[1:]), wrapper.operands
    while rest:
        word = rest[0].text
        if not rest[0].literal:
            return (), (), "has words that are only known when it runs"
        if word == "--":
            del rest[0]
            break
        if wrapper.assigns and (found := ASSIGNMENT.fullmatch(word)):
            names.append(found[1])
            del rest[0]
        elif word.startswith("-") and (word in plain or len(word) > 1):
            taken = _option(word, plain, valued)
            if not taken:
                return (), (), f"has an option that is not looked into ({word[:40]})"
            del rest[:taken]
        else:
            break
    while wrapper.assigns and rest and rest[0].literal and (found := ASSIGNMENT.fullmatch(rest[0].text)):
        names.append(found[1])
        del rest[0]
    if len(rest) < operands:
        return (), (), "lacks a word"
    return tuple(rest[operands:]), tuple(names), ""


def _option(word: str, plain: list[str], valued: list[str]) -> int:
    """How many words an option takes; 0: it is not known."""
    if word in plain:
        return 1
    if word in valued:
        return 2
    if word.startswith("--"):
        return int(word.partition("=")[0] in (*valued, *plain) and "=" in word)
    if word[:2] in valued:
        return 1
    return int(all(f"-{letter}" in plain for letter in word[1:]))


def _fed(words: Words, inner: Words) -> Words:
    """`xargs` puts words of its input in place of its mark, or behind."""
    marks = {"{}"}
    for option, value in pairwise(words):
        if option.text in ("-I", "--replace"):
            marks.add(value.text)
        elif option.text.startswith("-I") or option.text.startswith("--replace="):
            marks.add(option.text[2:].removeprefix("replace="))
    kept = (ANYTHING if any(mark and mark in word.text for mark in marks) else word for word in inner)
    return (*kept, ANYTHING)


def _shell(words: Words, assigned: tuple[str, ...]) -> Unfolded:
    name, runs_text, skip = words[0].text, False, False
    for word in words[1:]:
        if skip:
            skip = False
        elif not word.literal:
            return Unfolded(_only(words, assigned).parts, (f"what `{name}` runs {LATER}",))
        elif word.text in SHELL_LONG or word.text == "--":
            continue
        elif word.text in ("+o", "-O", "+O") or SHELL_VALUED.fullmatch(word.text):
            skip = True
            runs_text = runs_text or "c" in word.text
        elif word.text.startswith("-") and len(word.text) > 1:
            if not SHELL_FLAGS.fullmatch(word.text):
                return Unfolded(_only(words, assigned).parts, (_odd_option(name, word.text),))
            runs_text = runs_text or "c" in word.text
        elif runs_text:
            environment = (SimpleCommand((), assigned),) if assigned else ()
            return Unfolded((*environment, Script(word.text)))
        elif INPUT.match(word.text):
            break
        else:
            return _only(words, assigned)
    return Unfolded(_only(words, assigned).parts, (f"`{name}` {FROM_INPUT}",))


def _odd_option(name: str, option: str) -> str:
    reads = re.fullmatch(r"-[a-zA-Z]*s[a-zA-Z]*", option) is not None
    return (
        f"`{name} {option}` {FROM_INPUT}"
        if reads
        else f"`{name}` has an option that is not looked into ({option[:40]})"
    )


def _source(words: Words, assigned: tuple[str, ...]) -> Unfolded:
    """`. FILE`: the shell goes on with what the file says."""
    known = all(word.literal and not INPUT.match(word.text) for word in words[1:2])
    doubts = () if known else (f"what `{words[0].text}` runs {LATER}",)
    return Unfolded(_only(words, assigned).parts, doubts)


def _eval(words: Words, assigned: tuple[str, ...]) -> Unfolded:
    if not all(word.literal for word in words):
        return Unfolded(_only(words, assigned).parts, (f"what `eval` runs {LATER}",))
    environment = (SimpleCommand((), assigned),) if assigned else ()
    return Unfolded((*environment, Script(" ".join(word.text for word in words[1:]))))


RUNNING = frozenset({"-exec", "-execdir", "-ok", "-okdir"})


def _find(words: Words, assigned: tuple[str, ...]) -> Unfolded:
    """`find` itself without what it executes, and that."""
    own: list[Word] = []
    parts: list[SimpleCommand | Script] = []
    unclear: tuple[str, ...] = ()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not (word.literal and word.text in RUNNING):
            own.append(word)
            continue
        end = next((n for n, item in enumerate(rest) if item.text in (";", "+") and item.literal), None)
        if not end:
            unclear = ("what `find` executes has no end",)
            break
        inner = tuple(ANYTHING if "{}" in item.text else item for item in rest[:end])
        found = unfold(inner, assigned)
        parts.extend(found.parts)
        unclear += found.unclear
        del rest[: end + 1]
    return Unfolded((SimpleCommand(tuple(own), assigned, words), *parts), unclear)


def _git(words: Words, assigned: tuple[str, ...]) -> Unfolded:
    """Options before the subcommand are taken off where a rule forbids, and only harmless ones where it allows."""
    rest, kept = list(words[1:]), [words[0]]
    unclear: tuple[str, ...] = ()
    while rest and rest[0].text.startswith("-"):
        word = rest.pop(0)
        if word.text in GIT_PLAIN:
            continue
        if word.text in GIT_VALUED and rest:
            kept += [word, rest.pop(0)]
        elif word.text.partition("=")[0] in GIT_VALUED or word.text in GIT_ASKING:
            kept.append(word)
        else:
            if word.text in ("-c", "--config-env") and rest:
                rest.pop(0)
            unclear = (f"`git {word.text}` {ANY_PROGRAM}",)
    if len(kept) > 1:
        kept += rest
    else:
        kept = [words[0], *rest]
    return Unfolded((SimpleCommand(tuple(kept), assigned, (words[0], *rest)),), unclear)


SPECIAL: Mapping[str, Callable[[Words, tuple[str, ...]], Unfolded]] = MappingProxyType(
    {"eval": _eval, ".": _source, "source": _source, "find": _find, "git": _git}
)
"""Programs whose words follow rules of their own."""
