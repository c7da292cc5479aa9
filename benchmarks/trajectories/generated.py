"""Generates sessions as long work on a code base has them: a few hot files, tests again and again, some searches.

Refuses to know any policy. Equal seeds give equal sessions. Sizes and frequencies follow what long agent sessions look
like: files of 200 to 1,500 lines that stay hot for a while, test outputs of 20 to 400 lines, short words in between.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Turn = dict[str, Any]
NAMES = ["session", "store", "parser", "router", "cache", "index", "budget", "ledger", "queue", "writer"]
WORDS = [
    "value",
    "result",
    "entry",
    "state",
    "known",
    "found",
    "items",
    "count",
    "limit",
    "total",
    "first",
    "last",
    "other",
    "merged",
    "present",
    "before",
]


@dataclass
class Generator:
    """One session as it goes on."""

    random: random.Random
    files: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    known: set[str] = field(default_factory=set[str])
    hot: list[str] = field(default_factory=list[str])

    def turns(self, count: int) -> list[Turn]:
        """The whole session."""
        for name in NAMES:
            self.files[f"src/{name}.py"] = [self.line() for _ in range(self.random.choice(self.sizes()))]
        return [self.turn(number) for number in range(count)]

    def sizes(self) -> list[int]:
        """Lines of a file: many small ones, few large ones."""
        return [200, 240, 280, 300, 350, 420, 500, 700, 1500]

    def line(self) -> str:
        """One line of code."""
        indent = "    " * self.random.choice([0, 1, 1, 2, 2, 3])
        words = " ".join(self.random.choice(WORDS) for _ in range(self.random.randint(1, 6)))
        return f"{indent}{words.replace(' ', '_', 1)}({self.random.randint(0, 999)})"

    def turn(self, number: int) -> Turn:
        """One turn: an edit, a run of the tests, a read or a search."""
        if number % 80 == 0 or not self.hot:
            self.hot = self.random.sample(sorted(self.files), self.random.choice([2, 3, 4]))
        roll = self.random.random()
        if roll < 0.48:
            results = [self.edit()]
        elif roll < 0.68:
            results = [self.output("python -m pytest -q", 20, 400)]
        elif roll < 0.76:
            results = [self.read(self.random.choice(self.hot))]
        elif roll < 0.88:
            results = [self.output("grep", 5, 80)]
        else:
            results = [self.output("git status", 1, 8)]
        words = self.random.randint(10, 120)
        return {"assistant": " ".join(self.random.choice(WORDS) for _ in range(words)), "results": results}

    def text(self, path: str) -> str:
        """A file as it stands."""
        return "\n".join(self.files[path]) + "\n"

    def read(self, path: str) -> Turn:
        """A whole file."""
        self.known.add(path)
        return {"kind": "read", "path": path, "content": self.text(path)}

    def edit(self) -> Turn:
        """Some lines of a hot file that was read; reads it first if none was."""
        paths = [path for path in self.hot if path in self.known]
        if not paths:
            return self.read(self.hot[0])
        path = self.random.choice(paths)
        lines = self.files[path]
        place, gone = self.random.randrange(len(lines)), self.random.randint(0, 8)
        lines[place : place + gone] = [self.line() for _ in range(self.random.randint(1, 14))]
        return {"kind": "edit", "path": path, "content": self.text(path)}

    def output(self, what: str, least: int, most: int) -> Turn:
        """Lines that a command prints; more often few than many."""
        count = int(least + (most - least) * self.random.random() ** 3)
        return {"kind": "other", "path": what, "content": "\n".join(self.line() for _ in range(count))}


def sessions(seeds: Iterable[int], turns: int) -> dict[str, list[Turn]]:
    """Sessions by name."""
    return {f"synthetic-{turns}-{seed}": Generator(random.Random(seed)).turns(turns) for seed in seeds}
