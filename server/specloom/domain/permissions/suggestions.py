"""Which rule a person is offered for a command: this line alone, unless more words behind it would mean as little.

Refuses a rule for what the shell has yet to expand, and for what runs code that stands in the line.
"""

import re
import shlex

from specloom.domain.permissions.line import SimpleCommand, named
from specloom.domain.permissions.rules import allows, is_harmless_name

MOST = 3
"""Patterns that one answer may grant."""
LONGEST = 80
"""Characters of a pattern: a person has to read it on a button."""
RUNNERS = named(
    """
    pytest py.test mypy pyright ruff flake8 black isort pylint tsc eslint prettier stylelint jest vitest mocha ctest
    phpunit rspec shellcheck clippy-driver
    """
)
"""Programs that check or form the project's own code, whatever words follow."""
STEPS = {
    "npm": named("test run"),
    "pnpm": named("test run"),
    "yarn": named("test run"),
    "bun": named("test run"),
    "cargo": named("build check test clippy fmt doc bench"),
    "go": named("build test vet fmt"),
    "dotnet": named("build test"),
    "mvn": named("compile test verify package"),
    "gradle": named("build test check"),
    "./gradlew": named("build test check"),
    "git": named("add commit"),
    "ruff": named("check format"),
    "swift": named("build test"),
    "mix": named("compile test format"),
    "deno": named("test fmt lint check"),
}
"""Programs whose next word says what they do, and the words behind which any others are as harmless."""
MODULES = named("pytest unittest mypy ruff black isort flake8 pylint compileall")
"""Modules that `python -m` may be offered with any words."""


def pattern_for(command: SimpleCommand) -> str:
    """The pattern of a rule that allows this command; empty: there is none to offer."""
    words = [word.text for word in command.words]
    if not words or command.caution or not all(word.literal for word in command.words):
        return ""
    if not all(map(is_harmless_name, command.assigned)):
        return ""
    head = _head(words)
    pattern = " ".join([*map(shlex.quote, head), "*"]) if head else shlex.join(words)
    # A name with a star in it would be a pattern and not a name.
    plain = not any(char in word for word in words for char in "*?[\n")
    return pattern if plain and len(pattern) <= LONGEST and allows(pattern, command) else ""


def _head(words: list[str]) -> list[str]:
    """The words that any others may follow; none: the line as it is."""
    name, second = words[0], words[1] if len(words) > 1 else ""
    if re.fullmatch(r"python[0-9.]*", name) and second == "-m" and len(words) > 2 and words[2] in MODULES:
        return words[:3]
    if second in STEPS.get(name, ()):
        return words[:2] if second != "run" else words[:3] if len(words) > 2 else []
    return words[:1] if name in RUNNERS and name not in STEPS else []
