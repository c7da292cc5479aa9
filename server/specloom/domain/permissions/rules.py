"""Rules, profiles and verdicts as values. Refuses a rule whose tool does not exist: it would never be asked."""

import re
import shlex
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TypeAlias

from specloom.domain.permissions.line import SimpleCommand, Word, WordKind, named


class Verdict(StrEnum):
    """What may happen; the last one that applies wins."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


class Profile(StrEnum):
    """What holds where no rule says otherwise."""

    READ_ONLY = "read-only"
    ASK = "ask"
    AUTO_EDIT = "auto-edit"
    FULL = "full"


READING = ("read_file", "list_directory", "search_files", "grep_search", "close_file", "subagent")
WRITING = ("edit_file", "write_file", "delete_file")
OTHERS = (
    "run_command",
    "command_jobs",
    "read_output",
    "ask_user",
    "report_blocked",
    "continue_in_new_session",
    "submit_outline",
    "submit_review",
)
CLASSES = {"read": READING, "write": WRITING, "command": ("run_command",)}
"""Names for several tools at once."""
NAMES = ("*", *CLASSES, *READING, *WRITING, *OTHERS)
_TEXT = re.compile(r"\s*([a-z_]+|\*)\s*(?:\((.*)\))?\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rule:
    """`tool` or `tool(pattern)`: of a command its words, of other tools a path as ignore files write them."""

    verdict: Verdict
    tool: str
    """A tool's name, a class of `CLASSES`, or `*`."""
    pattern: str
    """Empty: whatever the tool is called with."""
    source: str
    """Who says so, for people."""

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.tool}({self.pattern})" if self.pattern else self.tool

    @property
    def shown(self) -> str:
        """Verdict, text and source, as the log keeps them."""
        return f"{self.verdict} {self.text} ({self.source})"

    def is_about(self, tool: str) -> bool:
        """Whether it says anything of this tool."""
        return self.tool in ("*", tool) or tool in CLASSES.get(self.tool, ())


def parse_rule(text: str, verdict: Verdict, source: str) -> Rule | str:
    """The rule, or what is wrong with its text."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return f"{text!r} is no rule; write `tool` or `tool(pattern)`, such as `run_command(pytest *)`"
    tool, pattern = found[1], (found[2] or "").strip()
    if tool not in NAMES:
        near = get_close_matches(tool, NAMES, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        return f"{text!r} names no tool{hint}"
    if found[2] is not None and not pattern:
        return f"{text!r} has an empty pattern; leave the brackets out to mean every call"
    if tool in ("run_command", "command") and pattern and command_pattern(pattern) is None:
        return f"{text!r} has a quote without its end"
    return Rule(verdict, tool, pattern, source)


def command_pattern(pattern: str) -> tuple[str, ...] | None:
    """The words of a pattern; `None`: a quote is not closed."""
    try:
        return tuple(shlex.split(pattern))
    except ValueError:
        return None


class Fit(StrEnum):
    """How far a rule that forbids applies to a command."""

    NO = "no"
    PERHAPS = "perhaps"
    """It may, once the shell has expanded what it expands, or a program runs what it is given."""
    SURE = "sure"


def allows(pattern: str, command: SimpleCommand) -> bool:
    """Whether the pattern means this command: word by word, where a last `*` stands for all further words."""
    wanted = command_pattern(pattern) or ()
    open_end = bool(wanted) and wanted[-1] == "*"
    stated = wanted[:-1] if open_end else wanted
    if not command.words or not stated or not all(map(is_harmless_name, command.assigned)):
        return False
    if command.caution and command.caution not in stated:
        return False
    if len(command.words) < len(stated) or (len(command.words) > len(stated) and not open_end):
        return False
    return all(_is(word, text) for word, text in zip(command.words, stated, strict=False))


def _is(word: Word, text: str) -> bool:
    # A path that climbs is another one than the pattern reads like.
    fits = fnmatchcase(word.text, text) and ".." not in word.text.split("/")
    return word.literal and (word.text == text or fits)


Words: TypeAlias = tuple[Word, ...]


def forbids(pattern: str, words: Words) -> Fit:
    """Whether the pattern means this command in any dress: options in any order, further words between and behind."""
    wanted = [text for text in command_pattern(pattern) or () if text != "*"]
    if not words or not wanted:
        return Fit.SURE if words else Fit.NO
    first = words[0]
    if not first.literal:
        return Fit.PERHAPS
    if not fnmatchcase(first.text.rpartition("/")[2].casefold(), wanted[0].rpartition("/")[2].casefold()):
        return Fit.NO
    options = [text for text in wanted[1:] if text.startswith("-") and len(text) > 1]
    others = [text for text in wanted[1:] if text not in options]
    rest = words[1:]
    if _in_order(rest, others) and all(_has_option(rest, option) for option in options):
        return Fit.SURE
    if _in_order(rest, others) and all(_may_be_option(rest, option) for option in options):
        return Fit.PERHAPS
    return Fit.NO if all(word.literal for word in rest) else Fit.PERHAPS


def _in_order(words: Words, wanted: list[str]) -> bool:
    place = iter(words)
    return all(any(word.literal and fnmatchcase(word.text, text) for word in place) for text in wanted)


def _has_option(words: Words, option: str) -> bool:
    texts = [word.text for word in words if word.literal and word.text.startswith("-")]
    if option.startswith("--"):
        # Programs take a long option cut short as long as it is the only one.
        names = [text.partition("=")[0] for text in texts if len(text) > 3]
        return any(fnmatchcase(name, option) or option.startswith(name) for name in names)
    letters = {letter for text in texts if not text.startswith("--") for letter in text[1:]}
    return any(fnmatchcase(text, option) for text in texts) or letters.issuperset(option[1:])


def _may_be_option(words: Words, option: str) -> bool:
    """A long option is mostly called like its short one: `-r -f` for `--recursive --force`, either way."""
    stated = [word.text for word in words if word.literal and word.text.startswith("-")]
    long = {text[2:3].casefold() for text in stated if text.startswith("--")}
    letters = long.union(*(text[1:].casefold() for text in stated if not text.startswith("--")))
    wanted = {option[2:3].casefold()} if option.startswith("--") else set(option[1:].casefold())
    return wanted <= letters


HARMLESS_NAMES = named("""
    CI TZ LANG LANGUAGE TERM COLUMNS LINES NO_COLOR FORCE_COLOR CLICOLOR DEBUG VERBOSE PYTHONUNBUFFERED PYTHONHASHSEED
    PYTHONDONTWRITEBYTECODE PYTHONUTF8 NODE_ENV RUST_BACKTRACE
    """)


LOADING = re.compile(
    r"PATH|BASH_ENV|ENV|PROMPT_COMMAND|PS[0-4]|IFS|CDPATH|SHELLOPTS|BASHOPTS|LD_.*|DYLD_.*|GIT_.*|.*EDITOR|.*PAGER|VISUAL"
    r"|PYTHON(STARTUP|PATH|HOME)|NODE_OPTIONS|PERL5(OPT|LIB|DB)|RUBY(OPT|LIB)|BROWSER|SHELL"
)


def is_loading_name(name: str) -> bool:
    """Whether a variable of this name says what runs, or is loaded, besides the command itself."""
    return LOADING.fullmatch(name) is not None


def is_harmless_name(name: str) -> bool:
    """Whether a variable of this name changes nothing about which program runs, and what it loads."""
    lower = re.fullmatch(r"[a-z_][a-z0-9_]*", name) is not None and not re.search(r"_proxy\Z|\Ap?npm_", name)
    return lower or name in HARMLESS_NAMES or name.startswith("LC_")


def literal(*texts: str) -> Words:
    """Plain words."""
    return tuple(Word(text, WordKind.LITERAL) for text in texts)
