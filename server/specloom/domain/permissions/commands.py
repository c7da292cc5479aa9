"""Decides on a shell line: every command and every redirection in it by itself, the worst of them for the whole.

Refuses to allow a line by a rule that fits only a part of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from posixpath import join

from specloom.domain.permissions import dangers, harmless
from specloom.domain.permissions.git_itself import git_itself
from specloom.domain.permissions.intricate import intricacy
from specloom.domain.permissions.line import Redirect, ShellLine, SimpleCommand, Word, WordKind, named
from specloom.domain.permissions.operands import ALIKE
from specloom.domain.permissions.places import Place, Places, Standing
from specloom.domain.permissions.policy import Judgement, Policy, judge_path, strictest
from specloom.domain.permissions.rules import (
    Fit,
    Profile,
    Rule,
    Verdict,
    Words,
    allows,
    command_pattern,
    forbids,
    is_loading_name,
)
from specloom.domain.permissions.shell import read
from specloom.domain.permissions.suggestions import MOST, pattern_for
from specloom.domain.permissions.touching import UNKNOWN, Touching
from specloom.domain.permissions.wrappers import HIDING

COMMAND = "run_command"
SHOWN = 120
"""Characters of a command that a message repeats."""
MOST_FOLDERS = 8
TALKERS = named("echo printf grep rg egrep fgrep cat ls head tail wc test [ true false : which type find diff stat")
"""Programs that run nothing of what they are given: their words are no commands."""
SCRIPT = re.compile(r"[\s;&|]")
"""What a word has to hold to be worth reading as a script."""
STREAMS = ("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd/")
DEVICES = ("/dev/", "/proc/", "/sys/")
QUOTED = re.compile(r"""\$["']([\w./-]+)["']""")
STRICTNESS = (Standing.OPEN, Standing.READ_ONLY, Standing.CLOSED, Standing.OUTSIDE)


def judge_command(text: str, policy: Policy, places: Places, folder: str = "") -> Judgement:
    """Whether a shell line may run; `folder`: where the shell stands, relative to the root. Blocks as `places` does."""
    line = read(text)
    found = [*_Judge(policy, places, folder).all(line)]
    reasons = line.unclear or tuple(filter(None, [_intricacy(text, policy)]))
    found += [_unclear(reason, text, policy) for reason in reasons]
    worst = strictest(found or [Judgement(Verdict.ALLOW, "it runs nothing")])
    if worst.verdict is Verdict.ASK and policy.profile is Profile.READ_ONLY:
        return replace(worst, verdict=Verdict.DENY, suggestions=())
    if worst.verdict is Verdict.ALLOW:
        return replace(worst, rule=", ".join(dict.fromkeys(item.rule for item in found)) or worst.rule)
    return replace(worst, suggestions=_suggestions(found) if worst.verdict is Verdict.ASK else ())


def _suggestions(found: list[Judgement]) -> tuple[str, ...]:
    """Patterns for everything that nobody decided on; none, if more than that is in the way."""
    asked = [item for item in found if item.verdict is Verdict.ASK]
    patterns = tuple(dict.fromkeys(pattern for item in asked for pattern in item.suggestions))
    return patterns if len(patterns) <= MOST and all(item.suggestions for item in asked) else ()


def _intricacy(text: str, policy: Policy) -> str:
    """Who may do everything, and has denied nothing, is asked about nothing that can be read."""
    free = policy.profile is Profile.FULL and not tuple(policy.about(COMMAND, Verdict.DENY))
    return "" if free else intricacy(text)


def _unclear(reason: str, text: str, policy: Policy) -> Judgement:
    """A rule that denies may be hidden in what is unclear: then nobody but a person may allow it."""
    denied = tuple(policy.about(COMMAND, Verdict.DENY))
    bare = "".join(char for char in text if char not in "\\'\"`\n")
    hidden = reason.endswith(HIDING) or any(
        all(word.strip("*").casefold() in bare.casefold() for word in rule.pattern.split()) for rule in denied
    )
    return Judgement(Verdict.ASK, "the command is unclear", reason, suspect=bool(denied) and hidden)


@dataclass(slots=True)
class _Judge:
    policy: Policy
    places: Places
    folder: str

    def all(self, line: ShellLine) -> Iterator[Judgement]:
        """One for each part; `cd` moves the parts behind it."""
        folders = {self.folder}
        for part in line.parts:
            if isinstance(part, Redirect):
                yield self._redirect(part, folders)
            elif part.name in ("cd", "pushd", "popd"):
                yield self._moves(part, folders)
            else:
                yield self._command(part, folders)

    def _look(self, word: Word, folders: set[str]) -> Place:
        """The strictest of the places that a word may mean."""
        text = (
            word.text.partition("*")[0].partition("?")[0].partition("[")[0] if word.kind is WordKind.GLOB else word.text
        )
        found = [self.places.find(text, folder) for folder in sorted(folders)]
        return max(found, key=lambda place: STRICTNESS.index(place.standing))

    def _command(self, command: SimpleCommand, folders: set[str]) -> Judgement:
        denied = self._forbidden(command, folders)
        if denied is not None:
            return denied
        for rule in self.policy.about(COMMAND, Verdict.ALLOW):
            if not rule.pattern or allows(rule.pattern, command):
                return Judgement(Verdict.ALLOW, rule.shown)
        profile = self.policy.profile
        if not self._asks_bare(command, folders) and harmless.reads_only(
            command, lambda word: self._look(word, folders)
        ):
            rule = "built in: reads the root"
            known = command.name in ALIKE
            return Judgement(Verdict.ALLOW, rule) if known else self._files(command, folders, "read_file", rule)
        if profile is Profile.FULL:
            return Judgement(Verdict.ALLOW, f"profile {profile}")
        if profile is Profile.AUTO_EDIT and self._edits_only(command, folders):
            return Judgement(Verdict.ALLOW, f"profile {profile}")
        reason = f"no rule allows `{_short(command)}`"
        pattern = pattern_for(command)
        return Judgement(Verdict.ASK, f"profile {profile}", reason, (pattern,) if pattern else ())

    def _edits_only(self, command: SimpleCommand, folders: set[str]) -> bool:
        stays = Touching(self.policy, self.places).stays_open(command, folders)
        return stays and harmless.edits_only(command, lambda word: self._look(word, folders))

    def _asks_bare(self, command: SimpleCommand, folders: set[str]) -> bool:
        """A checkout may hold a bare repository, whose configuration names programs that even `git status` runs."""
        return command.name == "git" and any(map(self.places.may_be_bare, folders))

    def _files(self, command: SimpleCommand, folders: set[str], tool: str, rule: str) -> Judgement:
        """What rules say of files counts for commands that open them, too."""
        words = [word for word in command.words[1:] if not word.text.startswith("-")]
        for word in words if any(rule.is_about(tool) for rule in self.policy.rules) else ():
            found = judge_path(self.policy, tool, False, (word.text, self._look(word, folders).path))
            if found.verdict is not Verdict.ALLOW:
                return found
        return Judgement(Verdict.ALLOW, rule)

    def _forbidden(self, command: SimpleCommand, folders: set[str]) -> Judgement | None:
        """What denies it, or makes it ask whatever allows it."""
        touched = Touching(self.policy, self.places).judge(command, folders)
        found = [
            *self._dangerous(command),
            *self._ruled_out(command),
            *touched,
            *git_itself(command, folders, self.policy, self.places),
        ]
        return strictest(found) if found else None

    def _dangerous(self, command: SimpleCommand) -> Iterator[Judgement]:
        for words, fit in dresses(command):
            for danger in dangers.DANGERS:
                sure = danger.applies(words)
                if sure or danger.may_apply(words):
                    verdict = danger.verdict if sure and fit is Fit.SURE else Verdict.ASK
                    may = "" if sure else "may be what "
                    reason = f"`{_short(command)}` {may}{danger.name}"
                    suspect = danger.verdict is Verdict.DENY
                    yield Judgement(verdict, f"built in: {danger.name}", reason, (), suspect)

    def _ruled_out(self, command: SimpleCommand) -> Iterator[Judgement]:
        denied, loading = self.policy.about(COMMAND, Verdict.DENY), [*filter(is_loading_name, command.assigned)]
        if loading and any(denied):
            reason = f"{loading[0]} may make it run what a rule denies"
            yield Judgement(Verdict.ASK, "built in: variables that say what runs", reason, suspect=True)
        for verdict in (Verdict.DENY, Verdict.ASK):
            for rule in self.policy.about(COMMAND, verdict):
                fit = _worst_fit(rule, command)
                if fit is Fit.SURE:
                    yield Judgement(verdict, rule.shown, f"the rule `{rule.text}` of {rule.source}")
                elif fit is Fit.PERHAPS:
                    reason = f"`{_short(command)}` may be what the rule `{rule.text}` of {rule.source} is about"
                    yield Judgement(Verdict.ASK, rule.shown, reason, suspect=verdict is Verdict.DENY)

    def _moves(self, command: SimpleCommand, folders: set[str]) -> Judgement:
        """`cd` within the root; later parts may then stand in either folder, since it may fail or be in a subshell."""
        forbidden = self._forbidden(command, folders)
        targets = command.words[1:]
        known = command.name != "popd" and len(targets) == 1 and not targets[0].text.startswith("-")
        if not known or not targets[0].literal or len(folders) >= MOST_FOLDERS:
            folders |= {self._elsewhere(command)}
            return forbidden or self._asked_to_move(command)
        found = [self.places.find(targets[0].text, folder) for folder in sorted(folders)]
        if any(place.standing is Standing.OUTSIDE for place in found):
            folders |= {join(folder, targets[0].text) for folder in folders}
            return forbidden or self._asked_to_move(command)
        folders |= {join("", place.path) for place in found}
        return forbidden or Judgement(Verdict.ALLOW, "built in: moves within the root")

    def _elsewhere(self, command: SimpleCommand) -> str:
        """Home, or where nobody can tell."""
        targets = [word.text for word in command.words[1:] if word.text != "--"]
        text = targets[0] if targets else "~"
        return text if len(targets) < 2 and dangers.is_everything(text) and command.name == "cd" else UNKNOWN

    def _asked_to_move(self, command: SimpleCommand) -> Judgement:
        if self.policy.profile is Profile.FULL:
            return Judgement(Verdict.ALLOW, f"profile {Profile.FULL}")
        return Judgement(Verdict.ASK, f"profile {self.policy.profile}", f"`{_short(command)}` leaves the root, or may")

    def _redirect(self, part: Redirect, folders: set[str]) -> Judgement:
        word, profile = part.target, self.policy.profile
        rule = f"profile {profile}"
        if dangers.DISKS.fullmatch(word.text):
            return Judgement(Verdict.DENY, "built in: writes over a disk", f"{word.text} is a device")
        if word.literal and (word.text in STREAMS or word.text.startswith(STREAMS[-1])):
            return Judgement(Verdict.ALLOW, "built in: a stream")
        full = profile is Profile.FULL
        if not word.literal:
            found = [*Touching(self.policy, self.places).judge_redirect(word, folders, writes=part.writes)]
            if found:
                return strictest(found)
            verdict = Verdict.ALLOW if full else Verdict.ASK
            return Judgement(verdict, rule, f"where `{word.text[:SHOWN]}` leads is only known when it runs")
        place = self._look(word, folders)
        if place.standing is Standing.OUTSIDE:
            verdict = Verdict.ALLOW if full and not word.text.startswith(DEVICES) else Verdict.ASK
            return Judgement(verdict, rule, f"{word.text} is outside the root")
        if place.standing is Standing.CLOSED or (part.writes and place.standing is Standing.READ_ONLY):
            return Judgement(Verdict.DENY, "built in: closed files", f"{word.text} is closed to agents")
        return self._ruled_file(part, word, place)

    def _ruled_file(self, part: Redirect, word: Word, place: Place) -> Judgement:
        tool = "write_file" if part.writes else "read_file"
        found = judge_path(self.policy, tool, part.writes, (word.text, place.path))
        stated = found.rule != f"profile {self.policy.profile}"
        if part.writes and not stated and self.policy.profile is Profile.ASK:
            return Judgement(Verdict.ASK, found.rule, f"it writes {word.text}")
        return found


def dresses(command: SimpleCommand) -> Iterator[tuple[Words, Fit]]:
    """The command, and what it may run if it runs its words: a program that nobody has heard of may be a wrapper."""
    if command.words:
        yield command.words, Fit.SURE
    if command.loose and command.loose != command.words:
        yield command.loose, Fit.SURE
    if command.name.rpartition("/")[2] in TALKERS:
        return
    for place in range(1, len(command.words)):
        yield (_undressed(command.words[place]), *command.words[place + 1 :]), Fit.PERHAPS
    scripts = (word for word in command.words[1:] if word.literal and SCRIPT.search(word.text))
    for word in islice(scripts, MOST_FOLDERS):
        for inner in read(word.text, depth=4).commands:
            if inner.words:
                yield inner.words, Fit.PERHAPS


def _undressed(word: Word) -> Word:
    """What a word most likely is that was written in a way which is not worked out: `$'rm'`."""
    plain = QUOTED.fullmatch(word.text)
    return word if word.literal or plain is None else Word(plain[1], WordKind.LITERAL)


def _worst_fit(rule: Rule, command: SimpleCommand) -> Fit:
    if not rule.pattern:
        return Fit.SURE
    worst = Fit.NO
    for words, certainty in dresses(command):
        fit = forbids(rule.pattern, words)
        if fit is Fit.SURE and certainty is Fit.SURE:
            return Fit.SURE
        if fit is Fit.SURE or (fit is Fit.PERHAPS and certainty is Fit.SURE):
            worst = Fit.PERHAPS
    return Fit.PERHAPS if worst is Fit.NO and _speaks_of(rule.pattern, command) else worst


def _speaks_of(pattern: str, command: SimpleCommand) -> bool:
    """Whether a text that the command is given holds the words of a pattern: code of another language may run them."""
    if command.name.rpartition("/")[2] in TALKERS | {"git"}:
        return False
    wanted = {text for text in command_pattern(pattern) or () if re.fullmatch(r"[\w.-]*\w[\w.-]*", text)}
    texts = (word.text for word in command.words[1:] if not re.fullmatch(r"[\w./=:@%+,-]*", word.text))
    return bool(wanted) and any(wanted.issubset(re.findall(r"[\w.-]+", text)) for text in texts)


def _short(command: SimpleCommand) -> str:
    text = command.shown
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
