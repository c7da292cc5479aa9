"""Which rule a person is offered for a command: narrow where a word more would mean much more.

Refuses a rule for what the shell has yet to expand, and for what runs code that stands in the line.
"""

import shlex

from specloom.domain.permissions.harmless import EDITORS, READERS
from specloom.domain.permissions.line import SimpleCommand, named
from specloom.domain.permissions.rules import allows, is_harmless_name

MOST = 3
"""Patterns that one answer may grant."""
LONGEST = 80
"""Characters of a pattern: a person has to read it on a button."""
SUBCOMMANDS = named(
    """
    git npm pnpm yarn cargo go docker podman uv pip pip3 poetry kubectl make just task bundle rake dotnet mvn gradle
    terraform apt apt-get brew systemctl gh hatch pdm conda deno bun npx uvx tox nox
    """
)
"""Programs whose first word says what they do."""
EXACT = named(
    """
    chmod chown ln dd curl wget ssh scp rsync kill pkill killall sudo doas source . export declare unset sh bash zsh
    dash docker podman git npx uvx xargs env tee install exec eval cd pushd
    """
).union(READERS, EDITORS)
"""Programs of which a rule means this call alone, word by word."""
GIT_FREE = named("add commit status diff log show stash fetch branch switch checkout restore merge rebase")


def pattern_for(command: SimpleCommand) -> str:
    """The pattern of a rule that allows this command; empty: there is none to offer."""
    words = [word.text for word in command.words]
    if not words or command.caution or not all(word.literal for word in command.words):
        return ""
    if not all(map(is_harmless_name, command.assigned)):
        return ""
    pattern = shlex.join(words) if _is_exact(words) else " ".join([*map(shlex.quote, _head(words)), "*"])
    # A name with a star in it would be a pattern and not a name.
    plain = not any(char in word for word in words for char in "*?[\n")
    return pattern if plain and len(pattern) <= LONGEST and allows(pattern, command) else ""


def _is_exact(words: list[str]) -> bool:
    name = words[0].rpartition("/")[2]
    if name == "git":
        return len(words) < 2 or words[1] not in GIT_FREE
    return name in EXACT


def _head(words: list[str]) -> list[str]:
    name = words[0].rpartition("/")[2]
    if name.startswith("python") and len(words) > 2 and words[1] == "-m":
        return words[:3]
    if name in SUBCOMMANDS or name.startswith(("python", "node", "ruby", "perl")):
        plain = len(words) > 1 and not words[1].startswith("-")
        runs = plain and words[1] in ("run", "exec") and len(words) > 2
        return words[: 3 if runs else 2 if plain else 1]
    return words[:1]
