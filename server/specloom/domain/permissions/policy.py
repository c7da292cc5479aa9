"""Decides on a call by profile, rules and grants: deny beats ask beats allow. Refuses to ask, and to look at a disk."""

from collections.abc import Iterable
from dataclasses import dataclass

from specloom.domain.permissions.rules import Profile, Rule, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the rule that it rests on."""

    verdict: Verdict
    rule: str
    """For the log: what it rests on."""
    reason: str = ""
    """For the person who is asked, or the model that is refused."""
    suggestions: tuple[str, ...] = ()
    """Patterns that would allow exactly what is asked for; empty: only this once can be allowed."""
    suspect: bool = False
    """It may be something that a rule denies, so that nobody but a person may allow it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for one agent: its profile, the rules of settings, and the grants that count for its task."""

    profile: Profile = Profile.ASK
    rules: tuple[Rule, ...] = ()

    def about(self, tool: str, verdict: Verdict) -> Iterable[Rule]:
        """The rules of one verdict that say something of a tool."""
        return (rule for rule in self.rules if rule.verdict is verdict and rule.is_about(tool))


ORDER = (Verdict.ALLOW, Verdict.ASK, Verdict.DENY)


def strictest(found: Iterable[Judgement]) -> Judgement:
    """The judgement that counts for a whole: the first of the worst verdict."""
    return max(found, key=lambda item: (ORDER.index(item.verdict), item.suspect))


def judge_path(policy: Policy, tool: str, writes: bool, paths: tuple[str, ...]) -> Judgement:
    """A call that names a path: as it was written, and where it leads. No path: the rules for every call count."""
    for verdict in (Verdict.DENY, Verdict.ASK):
        for rule in policy.about(tool, verdict):
            if not rule.pattern or matches(rule.pattern, paths, folded=True):
                return Judgement(verdict, rule.shown, f"the rule `{rule.text}` of {rule.source}")
    for rule in policy.about(tool, Verdict.ALLOW):
        if not rule.pattern or (paths and matches(rule.pattern, paths[-1:], folded=False)):
            return Judgement(Verdict.ALLOW, rule.shown)
    rule = f"profile {policy.profile}"
    if writes and policy.profile is Profile.READ_ONLY:
        return Judgement(Verdict.DENY, rule, "the profile read-only")
    return Judgement(Verdict.ALLOW, rule)


def matches(pattern: str, paths: Iterable[str], *, folded: bool) -> bool:
    """Whether a path fits a pattern as ignore files write them; `folded`: also in other letter case."""
    from pathspec import GitIgnoreSpec

    texts = {text for path in paths for text in ((path, path.casefold()) if folded else (path,))}
    patterns = {pattern, pattern.casefold()} if folded else {pattern}
    spec = GitIgnoreSpec.from_lines(f"\\{item}" if item.startswith(("!", "#")) else item for item in patterns)
    return any(spec.match_file(text) for text in texts)


def concerns_paths(policy: Policy, tool: str) -> bool:
    """Whether some rule has to know where a path leads."""
    return any(rule.pattern for rule in policy.rules if rule.is_about(tool))
