"""What models do to the edits that they mean, and others to the file meanwhile. Refuses chance without a seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeAlias

from editing.meant import Meant, done, stated
from specloom.domain.edits import LineEdit


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrives, and what it would do if it were understood."""

    shown: str
    """The text that its author saw."""
    present: str
    """The text that is there now."""
    edits: tuple[LineEdit, ...]
    wanted: str
    """The text that is meant to be there afterwards."""
    meant: tuple[Meant, ...]
    conflicting: bool = False
    """Others changed the same lines: the one right answer is a refusal."""


Change: TypeAlias = Callable[[LineEdit, Random], LineEdit]
Damage: TypeAlias = Callable[[Sequence[str], Sequence[Meant], Random], Call]

PREFIXES = ("{n} | {t}", "{n}→{t}", "{n}:\t{t}", "{n:>6}\t{t}", "{n}: {t}", "{n:>4} | {t}", "{n}|{t}")
TYPOGRAPHY = ('"“', "'’", "-–", " \u00a0", '"„', "(\u200b(")


def _text(lines: Sequence[str], eol: str = "\n") -> str:
    return "".join(line + eol for line in lines)


def _plain(lines: Sequence[str], edits: Sequence[Meant], changed: Sequence[LineEdit]) -> Call:
    return Call(_text(lines), _text(lines), tuple(changed), _text(done(lines, edits)), tuple(edits))


def _each(change: Change) -> Damage:
    """The same damage to each edit of a call, with dice of its own."""
    return lambda lines, edits, random: _plain(lines, edits, [change(stated(lines, edit), random) for edit in edits])


def shifted(edit: LineEdit, by: int) -> LineEdit:
    """Other numbers, as far as the schema has them."""
    return replace(edit, start_line=max(0, edit.start_line + by), end_line=max(0, edit.end_line + by))


def _offset(lines: Sequence[str], edits: Sequence[Meant], random: Random) -> Call:
    by = random.choice((-5, -4, -3, -2, -1, 1, 2, 3, 4, 5))
    return _plain(lines, edits, [shifted(stated(lines, edit), by) for edit in edits])


def _twin(lines: Sequence[str], edits: Sequence[Meant], random: Random) -> Call:
    """One line that stands several times in sight, with its right number."""
    counted = [at for at, line in enumerate(lines) if line in (*lines[max(0, at - 6) : at], *lines[at + 1 : at + 7])]
    if not counted:
        return _plain(lines, edits, [stated(lines, edit) for edit in edits])
    at = random.choice(counted)
    edit = Meant(at, at + 1, (f"{lines[at]} fresh_{random.randrange(10**6)}",))
    return _plain(lines, [edit], [stated(lines, edit)])


def _blanks(edit: LineEdit, random: Random) -> LineEdit:
    changes: tuple[Callable[[str], str], ...] = (
        lambda text: text + "  ",
        lambda text: text.rstrip() + "\t",
        lambda text: _front(text) + text.lstrip().replace(" ", "  "),
        lambda text: _front(text) + text.lstrip().replace(" ", ""),
    )
    change = random.choice(changes)
    return replace(edit, start_text=change(edit.start_text), end_text=change(edit.end_text))


def _prefixed(edit: LineEdit, random: Random) -> LineEdit:
    form = random.choice(PREFIXES)
    new_text = edit.new_text
    if random.random() < 0.5:
        new = new_text.split("\n")[:-1]
        new_text = "".join(form.format(n=number, t=line) + "\n" for number, line in enumerate(new, edit.start_line))
    return replace(
        edit,
        start_text=form.format(n=edit.start_line, t=edit.start_text),
        end_text=form.format(n=edit.end_line, t=edit.end_text),
        new_text=new_text,
    )


def _typographic(edit: LineEdit, random: Random) -> LineEdit:
    swaps = {ord(pair[0]): pair[1:] for pair in random.sample(TYPOGRAPHY, 3)}
    start, end = (_front(text) + text.lstrip().translate(swaps) for text in (edit.start_text, edit.end_text))
    return replace(edit, start_text=start, end_text=end)


def _moved(text: str, take: str, put: str) -> str:
    lines = text.split("\n")
    return "\n".join(put + line[len(take) :] if line.strip() and line.startswith(take) else line for line in lines)


def _reindented(edit: LineEdit, random: Random) -> LineEdit:
    """All of it deeper or less deep by one amount, or with tabs for spaces, or with trimmed anchors alone."""
    texts = (edit.start_text, edit.end_text, edit.new_text)
    if not (edit.start_text.strip() and edit.end_text.strip()):
        return edit
    filled = [line for text in texts for line in text.split("\n") if line.strip()]
    least = min((line[: len(line) - len(line.lstrip())] for line in filled), key=len, default="")
    kind = random.choice(("deeper", "flat", "one less", "tabs", "trimmed"))
    if kind == "trimmed":
        return replace(edit, start_text=edit.start_text.strip(), end_text=edit.end_text.strip())
    if kind == "deeper":
        start, end, new = (_moved(text, "", "    ") for text in texts)
    elif kind == "flat":
        start, end, new = (_moved(text, least, "") for text in texts)
    elif kind == "one less":
        start, end, new = (_moved(text, least[:1] if least.startswith("\t") else least[:2], "") for text in texts)
    elif any(map(_front, texts[:2])) and all(
        set(front) == {"\t"} or (set(front) <= {" "} and len(front) % 4 == 0) for front in map(_front, filled)
    ):
        start, end, new = (_tabbed(text) for text in texts)
    else:
        start, end, new = texts
    return replace(edit, start_text=start, end_text=end, new_text=new)


def _front(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _tabbed(text: str) -> str:
    """Tabs for four spaces, or four spaces for tabs, where the indentation is made of these alone."""
    lines: list[str] = []
    for line in text.split("\n"):
        front = _front(line)
        if front and not front.strip("\t"):
            front = "    " * len(front)
        elif front and not front.strip(" ") and len(front) % 4 == 0:
            front = "\t" * (len(front) // 4)
        lines.append(front + line.lstrip())
    return "\n".join(lines)


def _wrong_end(edit: LineEdit, random: Random) -> LineEdit:
    return replace(edit, end_line=max(0, edit.end_line + random.choice((-3, -2, -1, 1, 2, 3))))


def _swapped(edit: LineEdit, random: Random) -> LineEdit:
    del random
    return LineEdit(edit.end_line, edit.end_text, edit.start_line, edit.start_text, edit.new_text)


def _after(lines: Sequence[str], edits: Sequence[Meant], random: Random) -> Call:
    """Each edit in the numbering that the ones before it leave."""
    del random
    shift, changed = 0, list[LineEdit]()
    for edit in edits:
        changed.append(shifted(stated(lines, edit), shift))
        shift += len(edit.lines) - (edit.end - edit.start)
    return _plain(lines, edits, changed)


def _crlf(lines: Sequence[str], edits: Sequence[Meant], random: Random) -> Call:
    """A file of CRLF, with or without an end of the last line, edited in LF or CRLF."""
    changed = [stated(lines, edit) for edit in edits]
    if random.random() < 0.5:
        changed = [replace(edit, new_text=edit.new_text.replace("\n", "\r\n")) for edit in changed]
    end = random.choice(("\r\n", ""))
    text, wanted = "\r\n".join(lines) + end, "\r\n".join(done(lines, edits)) + end
    return Call(text, text, tuple(changed), wanted, tuple(edits))


def _behind(lines: Sequence[str], edits: Sequence[Meant], random: Random) -> Call:
    """Others changed lines elsewhere, or the very same ones."""
    theirs: list[Meant] = []
    conflicting = random.random() < 0.25
    if conflicting:
        edit = random.choice(edits)
        theirs.append(Meant(edit.start, edit.end, (f"theirs {random.randrange(10**6)}",)))
    for _ in range(random.randint(0 if conflicting else 1, 3)):
        at = random.randint(0, len(lines) - 1)
        new = [f"theirs {random.randrange(10**6)}" for _ in range(random.randint(0, 3))]
        other = Meant(at, at + random.randint(0, 2), tuple(new))
        if all(other.end < known.start or other.start > known.end for known in (*edits, *theirs)):
            theirs.append(other)
    present, wanted = done(lines, theirs), done(lines, [*edits, *theirs])
    changed = tuple(stated(lines, edit) for edit in edits)
    return Call(_text(lines), _text(present), changed, _text(wanted), tuple(edits), conflicting)


def _both(one: Change, other: Change) -> Change:
    return lambda edit, random: other(one(edit, random), random)


def _off(edit: LineEdit, random: Random) -> LineEdit:
    return shifted(edit, random.choice((-3, -2, -1, 1, 2, 3)))


DAMAGES: Mapping[str, Damage] = {
    "none": _each(lambda edit, _: edit),
    "offset": _offset,
    "twin": _twin,
    "white space": _each(_blanks),
    "prefix": _each(_prefixed),
    "typography": _each(_typographic),
    "behind the back": _behind,
    "crlf": _crlf,
    "indentation": _each(_reindented),
    "wrong end line": _each(_wrong_end),
    "start and end swapped": _each(_swapped),
    "numbers after the edits before": _after,
    "offset and white space": _each(_both(_off, _blanks)),
    "offset and prefix": _each(_both(_off, _prefixed)),
    "offset and indentation": _each(_both(_off, _reindented)),
    "offset and wrong end line": _each(_both(_off, _wrong_end)),
}
