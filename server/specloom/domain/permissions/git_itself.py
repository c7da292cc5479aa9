"""Asks about what git would run by itself: aliases, and what a repository's own configuration and hooks name.

Refuses to tell good hooks from bad ones: all of that came with the repository, whatever rule allows the subcommand.
"""

from collections.abc import Iterator
from itertools import pairwise
from posixpath import join

from specloom.domain.permissions.git_config import names_program
from specloom.domain.permissions.line import SimpleCommand, named
from specloom.domain.permissions.places import Places
from specloom.domain.permissions.policy import Judgement, Policy
from specloom.domain.permissions.rules import Profile, Verdict, Words
from specloom.domain.permissions.wrappers import GIT_VALUED

KNOWN = named(
    """
    add am apply archive bisect blame branch bundle cat-file check-attr check-ignore check-ref-format checkout
    checkout-index cherry cherry-pick clean clone column commit commit-graph commit-tree config count-objects credential
    describe diff diff-files diff-index diff-tree difftool fast-export fast-import fetch filter-branch fmt-merge-msg
    for-each-ref format-patch fsck gc grep gui hash-object help init interpret-trailers log ls-files ls-remote ls-tree
    mailinfo maintenance merge merge-base merge-file merge-tree mergetool mktree multi-pack-index mv name-rev notes
    pack-objects pack-refs prune pull push range-diff read-tree rebase reflog remote repack replace request-pull rerere
    reset restore rev-list rev-parse revert rm send-email shortlog show show-branch show-ref sparse-checkout stage
    stash status stripspace submodule switch symbolic-ref tag unpack-objects update-index update-ref var verify-commit
    verify-tag version whatchanged worktree write-tree lfs
    """
)
"""Subcommands that no alias can replace."""


def git_itself(command: SimpleCommand, folders: set[str], policy: Policy, places: Places) -> Iterator[Judgement]:
    """Why git may run something else than its words say. Blocks as `places` does."""
    words = command.loose or command.words
    if not words or words[0].text.rpartition("/")[2] != "git" or len(words) < 2:
        return
    subcommand, denied = words[1].text, any(policy.about("run_command", Verdict.DENY))
    if denied and words[1].literal and not subcommand.startswith("-") and subcommand not in KNOWN:
        reason = f"`git {subcommand}` may be an alias of what a rule denies"
        yield Judgement(Verdict.ASK, "built in: aliases of git", reason, suspect=True)
    key = next((word.text for word in words[2:] if subcommand == "config" and names_program(word.text)), "")
    if key:
        yield Judgement(
            Verdict.ASK, "built in: changes what git runs", f"`git config` may make git run a program by {key}"
        )
    if policy.profile is Profile.FULL:
        return
    if any(option.text in GIT_VALUED and not value.literal for option, value in pairwise(command.words)):
        yield Judgement(Verdict.ASK, "built in: git runs what the repository names", "its repository is not known yet")
    found = {place for folder in folders for place in _places(command.words, folder)}
    reason = next(filter(None, (places.git_runs(place, subcommand) for place in sorted(found))), "")
    if reason:
        yield Judgement(Verdict.ASK, "built in: git runs what the repository names", reason)


def _places(words: Words, folder: str) -> Iterator[str]:
    """Where git looks for a repository: `-C` moves, the others name."""
    for option, value in pairwise(words):
        if option.text == "-C":
            folder = join(folder, value.text)
        elif option.text in GIT_VALUED:
            yield join(folder, value.text)
        elif "=" in option.text and option.text.startswith(tuple(GIT_VALUED)):
            yield join(folder, option.text.partition("=")[2])
    yield folder
