"""Decides on the files that a command plainly writes, removes or reads, whatever allows the command itself.

Refuses to allow anything: it denies, asks, or says nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import join

from specloom.domain.permissions import dangers
from specloom.domain.permissions.line import SimpleCommand, Word, WordKind
from specloom.domain.permissions.operands import Operand, Role, operands, plain
from specloom.domain.permissions.places import Place, Places, Standing
from specloom.domain.permissions.policy import Judgement, Policy, judge_path, matches
from specloom.domain.permissions.rules import Rule, Verdict, Words

TOOLS = {Role.READS: ("read_file",), Role.WRITES: ("write_file", "edit_file"), Role.REMOVES: ("delete_file",)}
"""The tools whose rules count for what a command does."""
SHUT = (Standing.CLOSED, Standing.READ_ONLY)
UNKNOWN = "?"
"""A folder that is only known when the line runs."""
CLOSED_FILES = "built in: closed files"
EVERYTHING = "built in: removes the system or your home folder"


@dataclass(frozen=True, slots=True)
class Touching:
    """What holds for the files of one line."""

    policy: Policy
    places: Places

    def judge(self, command: SimpleCommand, folders: set[str]) -> Iterator[Judgement]:
        """One for each path that is in the way."""
        for operand in dict.fromkeys((*operands(command.words), *operands(command.loose))):
            for folder in sorted(folders):
                if operand.folder is None or self._is_folder(operand.folder, folder):
                    yield from self._one(operand, folder)

    def judge_redirect(self, word: Word, folders: set[str], *, writes: bool) -> Iterator[Judgement]:
        """A redirection whose target the shell has yet to find."""
        for folder in sorted(folders):
            yield from self._one(Operand(word, Role.WRITES if writes else Role.READS), folder)

    def stays_open(self, command: SimpleCommand, folders: set[str]) -> bool:
        """Whether what `cp` or `mv` would write, and what they take with a folder, is open to tools, and no link."""
        files = plain(command.words[1:])
        if command.name not in ("cp", "mv") or not files:
            return True
        return all(self._lands(files[:-1], files[-1].text, folder) for folder in sorted(folders))

    def _lands(self, sources: Words, target: str, folder: str) -> bool:
        # A link that is moved may lead elsewhere from there.
        if not all(self._is_open(source.text, folder) for source in sources):
            return False
        if not self.places.is_folder(target, folder):
            return True
        names = (source.text.rstrip("/").rpartition("/")[2] for source in sources)
        return all(self._is_open(f"{target}/{name}", folder) for name in names)

    def _is_open(self, path: str, folder: str) -> bool:
        place, below = self.places.find(path, folder), self.places.below(path, folder)
        return place.standing is Standing.OPEN and below is not None and all(_open(item) for item in below)

    def _is_folder(self, word: Word, folder: str) -> bool:
        return not word.literal or self.places.is_folder(word.text, folder)

    def _one(self, operand: Operand, folder: str) -> Iterator[Judgement]:
        if operand.role is not Role.READS:
            yield from self._everything(operand, folder)
        texts = self._names(operand.word, folder)
        if texts is None:
            yield from self._unknown(operand, folder)
            return
        for text in texts:
            place = self.places.find(text, folder)
            yield from self._closed(operand, text, place, folder)
            yield from self._ruled(operand, text, place)

    def _names(self, word: Word, folder: str) -> tuple[str, ...] | None:
        """What the word comes to; `None`: nobody can tell."""
        if word.kind is WordKind.GLOB:
            found = self.places.expand(word.text, folder)
            return None if found is None else (*found, word.text)
        return (word.text,) if word.literal else None

    def _everything(self, operand: Operand, folder: str) -> Iterator[Judgement]:
        """`cd / && rm -rf *` names nothing that is forbidden by itself."""
        if not operand.deep:
            return
        text = operand.word.text
        if dangers.is_everything(join(folder, text) if folder else text):
            yield Judgement(Verdict.DENY, EVERYTHING, f"{text} is the system or your home folder, or above it")
        elif UNKNOWN in folder and not text.startswith(("/", "~")):
            yield Judgement(Verdict.ASK, EVERYTHING, f"where {text} is, is only known when it runs", suspect=True)

    def _closed(self, operand: Operand, text: str, place: Place, folder: str) -> Iterator[Judgement]:
        if operand.role is Role.READS:
            return
        if dangers.DISKS.fullmatch(text):
            yield Judgement(Verdict.DENY, "built in: writes over a disk", f"{text} is a device")
        elif place.standing in SHUT:
            yield Judgement(Verdict.DENY, CLOSED_FILES, f"{text} is closed to agents")
        elif operand.deep and self.places.holds(text, folder) in SHUT:
            yield Judgement(Verdict.ASK, CLOSED_FILES, f"{text} holds what is closed to agents", suspect=True)

    def _ruled(self, operand: Operand, text: str, place: Place) -> Iterator[Judgement]:
        for tool in TOOLS[operand.role]:
            stated = self._stated(tool)
            if stated:
                paths = (text, *self._inside(operand, place), place.path)
                found = judge_path(Policy(self.policy.profile, stated), tool, False, paths)
                if found.verdict is not Verdict.ALLOW:
                    yield found
                elif operand.deep:
                    yield from self._ruled_below(stated, text, place)

    def _inside(self, operand: Operand, place: Place) -> tuple[str, ...]:
        """Whoever writes a folder writes some file in it."""
        writes = operand.role is Role.WRITES and place.path and self.places.is_folder(place.path, "")
        return (f"{place.path}/{UNKNOWN}",) if writes else ()

    def _stated(self, tool: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.policy.rules if rule.verdict is not Verdict.ALLOW and rule.is_about(tool))

    def _ruled_below(self, stated: tuple[Rule, ...], text: str, place: Place) -> Iterator[Judgement]:
        found = self.places.below(place.path, "") if place.standing is not Standing.OUTSIDE else ()
        for rule in stated:
            if found is None:
                reason = f"{text} holds too much to tell whether the rule `{rule.text}` of {rule.source} is about it"
                yield Judgement(Verdict.ASK, rule.shown, reason, suspect=rule.verdict is Verdict.DENY)
            elif matches(rule.pattern, (item.path for item in found), folded=True):
                yield Judgement(rule.verdict, rule.shown, f"the rule `{rule.text}` of {rule.source}")

    def _unknown(self, operand: Operand, folder: str) -> Iterator[Judgement]:
        text = operand.word.text
        if operand.role is not Role.READS and self.places.find(text.strip("\"'"), folder).standing is Standing.CLOSED:
            yield Judgement(Verdict.ASK, CLOSED_FILES, f"{text} may be closed to agents", suspect=True)
        for tool in TOOLS[operand.role]:
            for rule in self._stated(tool):
                reason = f"{text} may be what the rule `{rule.text}` of {rule.source} is about"
                yield Judgement(Verdict.ASK, rule.shown, reason, suspect=rule.verdict is Verdict.DENY)


def _open(place: Place) -> bool:
    return place.standing is Standing.OPEN
