"""Which entries of a repository's own configuration make git run programs, and which hooks a subcommand may run.

Refuses to follow includes: an entry that includes counts as one that may run anything. (git-config(1), githooks(5))
"""

import re
from collections.abc import Iterator

from specloom.domain.permissions.line import named

HEADER = re.compile(r'\[\s*([A-Za-z0-9.-]+)\s*(?:"((?:[^"\\]|\\.)*)")?\s*\]\s*')
ENTRY = re.compile(r"([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*))?")
RUNNING = re.compile(
    r"""filter\..*\.(clean|smudge|process) | diff\..*\.(command|textconv) | diff\.external | merge\..*\.driver
    | alias\..* | pager\..* | include\.path | includeif\..* | sequence\.editor | interactive\.difffilter
    | core\.(sshcommand|pager|editor|askpass|gitproxy|alternaterefscommand) | imap\.tunnel | sendemail\..*cmd
    | gpg\.(.*\.)?program | gpg\.ssh\.defaultkeycommand | (merge|diff|gui)tool\..*\.(cmd|path)
    | remote\..*\.(uploadpack|receivepack|vcs) | uploadpack\.packobjectshook | trailer\..*\.(cmd|command)
    | tar\..*\.command | (browser|man)\..*\.(cmd|path) | protocol\.(ext\.)?allow""",
    re.VERBOSE | re.DOTALL,
)
"""Entries whose value is a program, or may bring one."""
AT_TIMES = {
    re.compile(r"core\.fsmonitor"): re.compile(r"(?!(true|false|yes|no|on|off|0|1|)$).*", re.IGNORECASE),
    re.compile(r"credential\.(.*\.)?helper", re.DOTALL): re.compile(r"(?![a-z-]*$).*"),
    re.compile(r"submodule\..*\.update", re.DOTALL): re.compile(r"\"?\s*!.*"),
    re.compile(r"remote\..*\.(push)?url", re.DOTALL): re.compile(r"\"?\s*ext::.*"),
    re.compile(r"url\..*\.(push)?insteadof", re.DOTALL): re.compile(r".*"),
}
"""Entries that run a program if their value is of a kind; what stands instead of an address may be such a kind."""
WELL_KNOWN = {
    "filter.lfs.clean": "git-lfs clean -- %f",
    "filter.lfs.smudge": "git-lfs smudge -- %f",
    "filter.lfs.process": "git-lfs filter-process",
}
HOOKS_PATH = "core.hookspath"
ALWAYS = named("post-index-change reference-transaction")
QUIET = named(
    """
    status log diff show ls-files rev-parse blame shortlog describe add rm mv config remote branch tag fetch stash reset
    restore init ls-tree cat-file ls-remote grep clean rev-list name-rev reflog check-ignore help version apply
    """
)
"""Subcommands that run no hook of their own."""


def entries(text: str) -> Iterator[tuple[str, str]]:
    """Names in lower case but for what stands in quotes, and values as written; a line that goes on counts by itself.

    A part that cannot be read is an entry without a name.
    """
    section = ""
    for line in text.removeprefix("\ufeff").split("\n"):
        rest = line.strip()
        while rest.startswith("["):
            found = HEADER.match(rest)
            if found is None:
                yield "", rest
                break
            section = found[1].lower() if found[2] is None else f"{found[1].lower()}.{found[2]}"
            rest = rest[found.end() :]
        entry = ENTRY.match(rest)
        if entry is not None:
            yield f"{section}.{entry[1].lower()}", (entry[2] or "").strip()


def programs(text: str, subcommand: str) -> tuple[str, ...]:
    """Names of the entries by which git may run a program for a subcommand; an alias counts for itself alone."""
    return tuple(name or "what cannot be read" for name, value in entries(text) if _runs(name, value, subcommand))


def _runs(name: str, value: str, subcommand: str) -> bool:
    if not name:
        return True
    if name.startswith("alias."):
        return name.removeprefix("alias.").removesuffix(".command").casefold() == subcommand.casefold()
    if WELL_KNOWN.get(name) == value.strip('"'):
        return False
    odd = any(key.fullmatch(name) and kind.fullmatch(value) for key, kind in AT_TIMES.items())
    return odd or RUNNING.fullmatch(name) is not None


def names_program(entry: str) -> bool:
    """Whether an entry of this name, with some value, makes git run a program."""
    name = entry.casefold()
    known = name == HOOKS_PATH or any(key.fullmatch(name) for key in AT_TIMES)
    return known or RUNNING.fullmatch(name) is not None


def hooks_path(text: str) -> str | None:
    """Where the repository says that its hooks lie; `None`: it does not."""
    found = [value.strip('"') for name, value in entries(text) if name == HOOKS_PATH]
    return found[-1] if found else None


def may_run_hook(hook: str, subcommand: str) -> bool:
    """Whether a subcommand may run a hook; of one that is not known, all."""
    if hook.endswith(".sample"):
        return False
    return hook in ALWAYS or (subcommand not in QUIET and (subcommand != "push" or hook == "pre-push"))
