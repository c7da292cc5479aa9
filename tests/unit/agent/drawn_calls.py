"""Calls that a model might make with what it knows, drawn from a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from tests.unit.tools.images import png

NAMES = ("a.py", "b.py", "c.py")
WORDS = ("alpha", "beta", "gamma", "", "return x", "}")
IMAGES = {"good.png": png(3, 3), "bad.png": png(4, 4)}
T = TypeVar("T")


@dataclass
class Dice:
    """Choices from a seed; hypothesis may draw in a running loop no more than anybody may block it."""

    seed: int
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def upto(self, most: int, least: int = 0) -> int:
        return self.random.randint(least, most)

    def one(self, choices: Sequence[T]) -> T:
        return choices[self.upto(len(choices) - 1)]

    def lines(self, most: int, least: int = 0) -> list[str]:
        return [self.one(WORDS) for _ in range(self.upto(most, least))]

    def text(self) -> str:
        return "\n".join(self.lines(14, 1)) + "\n"


def drawn_call(dice: Dice, files: Mapping[str, Mapping[int, str]]) -> tuple[str, dict[str, Any]]:
    """Name and input of a call; `files`: the lines that the model knows, by their numbers."""
    path = dice.one(NAMES)
    known = files.get(path, {})
    edits = ["edit", "edit", "edit", "edit", "edits", "edits", "same"] if known else []
    kinds = ["read", "read", "part", "command", "write", "close", "output", "image", "delete", *edits]
    return _values(dice, dice.one(kinds), path, known)


def _values(dice: Dice, kind: str, path: str, known: Mapping[int, str]) -> tuple[str, dict[str, Any]]:
    match kind:
        case "read":
            return "read_file", {"path": path}
        case "part":
            first = dice.upto(12, 1)
            return "read_file", {
                "path": path,
                "start_line": first,
                "end_line": first + dice.upto(5),
            }
        case "write":
            return "write_file", {"path": path, "content": dice.text()}
        case "close":
            return "close_file", {"paths": [path]}
        case "delete":
            return "delete_file", {"path": path}
        case "image":
            return "read_file", {"path": dice.one(sorted(IMAGES))}
        case "output":
            return "read_output", {"output": dice.upto(40)}
        case "edit" | "edits" | "same":
            return "edit_file", {"path": path, "edits": _edits(dice, kind, known)}
        case _:
            return "run_command", {"command": f"change {path}"}


def _edits(dice: Dice, kind: str, known: Mapping[int, str]) -> list[dict[str, Any]]:
    """Of lines that the model knows: of some in a row, of more places than one call takes, or of nothing."""
    if kind == "edits":
        places = dice.random.sample(sorted(known), min(len(known), dice.upto(5, 1)))
        return [_edit(known, place, place, dice.lines(2)) for place in sorted(places, reverse=True)]
    first = dice.one(sorted(known))
    if kind == "same":
        return [_edit(known, first, first, [known[first]])]
    last = max(n for n in known if n >= first and all(m in known for m in range(first, n + 1)))
    return [_edit(known, first, min(last, first + dice.upto(3)), dice.lines(4))]


def _edit(known: Mapping[int, str], first: int, last: int, lines: Sequence[str]) -> dict[str, Any]:
    texts = {"start_text": known[first], "end_text": known[last], "new_text": "\n".join(lines)}
    return {"start_line": first, "end_line": last, **texts}
