"""Tells whether an interpreter is given code by its own command line, or by its input.

Refuses to look for a script behind options that it does not know: any later word may then be code.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from specloom.domain.permissions.line import Word, named

INPUT = re.compile(r"-$|/dev/(stdin|fd/|tty)|/proc/|/dev/tcp/")
"""Operands that are no files of the project."""
RUNS_ITS_WORDS = named("timeit code pdb asyncio runpy")
"""Modules of Python that take code from the line or the input."""
ASKS = re.compile(r"--version|-V+|--help|-h|-v|--list|-l")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A program that runs code from its own command line."""

    name: re.Pattern[str]
    marks: re.Pattern[str]
    """The words that say so."""
    plain: re.Pattern[str]
    """Options that stand alone, or hold their value."""
    valued: frozenset[str] = frozenset()
    """Options whose value is the next word."""


def _one(name: str, marks: str, plain: str, valued: str = "") -> Interpreter:
    return Interpreter(re.compile(name), re.compile(marks, re.DOTALL), re.compile(plain), named(valued))


INTERPRETERS = (
    _one(
        r"python[0-9.]*|pypy[0-9.]*",
        r"-[A-Zabdehiqsuvx]*c.*|-",
        r"-[bBdEhiIOPqsSuvVx]+|-[WX].+",
        "-W -X --check-hash-based-pycs",
    ),
    _one(
        r"node|nodejs|bun|deno",
        r"-[a-z]*[ep]|--(eval|print)(=.*)?|-|eval|data:.*|--(import|loader|experimental-loader|require)=data:.*",
        r"--[a-z-]+=.*|--(test|watch|inspect|trace-warnings|no-warnings|enable-source-maps|experimental-[a-z-]+)",
        "-r --require -C --conditions --import --loader --experimental-loader --env-file --test-name-pattern",
    ),
    _one(r"perl[0-9.]*", r"-[a-zA-Z0]*[eE].*|-[mM].*[\s;(=].*|-", r"-[wWtTuUvcsn]+|-I.+|-[mM][\w:]+", "-I"),
    _one(
        r"ruby[0-9.]*", r"-[a-z]*e.*|-", r"-[wWcvn]+[0-9]?|-[IrCEKx].+|--(verbose|disable|enable)[=-].*", "-I -r -C -E"
    ),
    _one(
        r"lua[0-9.]*|Rscript|julia|osascript|tclsh|guile|ghci?|elixir|groovy",
        r"-[a-z]*[ecE].*|--(eval|expr).*|-",
        "(?!)",
    ),
    _one(r"php[0-9.]*", r"-[a-z]*[rBRE].*|--(run|process-).*|-", r"-[nqsv]+|-[dc].+", "-d -c -f"),
)


def brings_code(name: str, words: tuple[Word, ...]) -> str:
    """The word that brings code; an interpreter without any operand reads code from its input. Empty: there is none."""
    known = next((item for item in INTERPRETERS if item.name.fullmatch(name)), None)
    return "" if known is None else _code(known, words[1:])


def _code(known: Interpreter, rest: tuple[Word, ...]) -> str:
    certain, skip = True, False
    module = next((value.text for option, value in pairwise(rest) if option.text == "-m"), "")
    if module in RUNS_ITS_WORDS:
        return module
    for word in rest:
        if skip and word.literal and not word.text.startswith("data:"):
            skip = False
        elif not word.literal or known.marks.fullmatch(word.text):
            return word.text
        elif word.text in known.valued:
            skip = True
        elif word.text == "-m" or not word.text.startswith("-"):
            if INPUT.match(word.text):
                return word.text
            if certain:
                return ""
        elif not known.plain.fullmatch(word.text):
            certain = False
    asks = any(ASKS.fullmatch(word.text) for word in rest)
    operand = any(not word.text.startswith("-") for word in rest)
    return "" if asks or (operand and not certain) else "-"
