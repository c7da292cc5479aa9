"""Lists of ids as people write them: `1.1, 1.3-1.5 and R2.1–R2.4`. Refuses to check that what they name exists."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from specloom.domain.documents.texts import hash_of
from specloom.domain.ids import Digest, RequirementId
from specloom.domain.requirement import Requirement
from specloom.domain.spec import RequirementRef

HASH_LENGTH = 12
"""Hex digits of a text hash that a spec's front matter keeps."""
MOST_IN_RANGE = 200

_CHUNK = re.compile(r"[^,;，、；]+")
_WORD = re.compile(r"\S+")
_PLAIN = re.compile(r"[A-Za-z]{0,8}-?[0-9]++(?:\.[0-9]++)*+")
_RANGE = re.compile(
    r"([^\W\d_]*+(?:-[^\W\d_]++)*+-?)([0-9]++(?:\.[0-9]++)*+)"
    r"[ \t]*(?:-|–|—|−|\.{2,3}|to|through|bis)[ \t]*"
    r"([^\W\d_]*+(?:-[^\W\d_]++)*+-?)([0-9]++(?:\.[0-9]++)*+)"
)
_NOISE = {"and", "&", "und", "requirement", "requirements", "req", "reqs", "task", "tasks", "property", "properties"}
_NOTHING = {"none", "nothing", "-", "–", "—", "n/a", "free"}
_TRIM = "()[]`*\"'."


class Found(NamedTuple):
    """One id, or one word that is none, with its place in the list's text."""

    text: str
    """As written; of a range, the whole range."""
    start: int
    """Offset in the list's text."""
    names: tuple[str, ...]
    """The ids; several from a range, none if the word is no id."""


def read_list(value: str) -> Iterator[Found]:
    """The ids of a list in order."""
    for chunk in _CHUNK.finditer(value):
        text = chunk[0].strip()
        start = chunk.start() + chunk[0].find(text)
        if _PLAIN.fullmatch(text):
            yield Found(text, start, (text,))
        elif text:
            yield from _read_chunk(text, start)


def with_below(name: str, requirements: Iterable[Requirement]) -> Requirement | None:
    """What an id stands for as one requirement: `2` is its own text, if it has one, then `2.1`, `2.2` each with its id.

    Of several requirements of one id the first counts.
    """
    meant: dict[str, Requirement] = {}
    for item in requirements:
        if item.id == name or item.id.startswith(f"{name}."):
            meant.setdefault(item.id, item)
    own = meant.pop(name, None)
    if not meant:
        return own
    first = own or next(iter(meant.values()))
    head = [own.text] if own is not None else []
    text = "\n".join([*head, *(f"{item.id} {item.text}" for item in meant.values())])
    return Requirement(RequirementId(name), text, hash_of(text), first.title, first.span)


def says_nothing(value: str) -> bool:
    """Whether a list is the word for an empty one, such as `none`."""
    return value.strip().strip(_TRIM).casefold() in _NOTHING


def read_requirement_ref(word: str) -> RequirementRef:
    """`R1.2` or `R1.2@a1b2c3d4e5f6`; the hash is the digits that were kept, a prefix of the full one."""
    name, at, digits = word.rpartition("@")
    if at and name and digits and all(digit in "0123456789abcdef" for digit in digits):
        return RequirementRef(RequirementId(name), Digest(digits))
    return RequirementRef(RequirementId(word))


def write_requirement_ref(ref: RequirementRef) -> str:
    """What `read_requirement_ref` reads."""
    return f"{ref.id}@{ref.hash[:HASH_LENGTH]}" if ref.hash else ref.id


def reference_to(requirement: Requirement) -> RequirementRef:
    """A pointer to a requirement as it reads now."""
    return RequirementRef(requirement.id, Digest(requirement.hash[:HASH_LENGTH]))


def is_outdated(ref: RequirementRef, requirement: Requirement) -> bool:
    """Whether the requirement reads otherwise than when it was referred to."""
    return ref.hash is not None and not requirement.hash.startswith(ref.hash)


def _read_chunk(text: str, start: int) -> Iterator[Found]:
    inner = text.strip(_TRIM)
    names = _range_names(inner)
    if names:
        yield Found(inner, start + text.find(inner), names)
        return
    for match in _WORD.finditer(text):
        word = match[0].strip(_TRIM)
        if not word or word.rstrip(":").casefold() in _NOISE:
            continue
        at = start + match.start() + match[0].find(word)
        yield Found(word, at, _range_names(word) or ((word,) if _looks_like_id(word) else ()))


def _range_names(text: str) -> tuple[str, ...]:
    """The ids of a range, `()` if the text is no range that can be counted out."""
    prefix, slash, rest = text.rpartition("/")
    match = _RANGE.fullmatch(rest)
    if match is None or (match[3] and match[3] != match[1]):
        return ()
    first, last = match[2].split("."), match[4].split(".")
    if len(last) == 1:
        last = [*first[:-1], *last]
    if first[:-1] != last[:-1] or max(len(first[-1]), len(last[-1])) > 9:
        return ()
    numbers = range(int(first[-1]), int(last[-1]) + 1)
    if not 0 < len(numbers) <= MOST_IN_RANGE:
        return ()
    head = f"{prefix}{slash}{match[1]}" + "".join(f"{part}." for part in first[:-1])
    width = len(first[-1]) if first[-1].startswith("0") else 0
    return tuple(f"{head}{number:0{width}d}" for number in numbers)


def _looks_like_id(word: str) -> bool:
    return any(character in "-/" or character.isdigit() for character in word)
