"""A value in a script file that knows where it stands. Refuses wrong types with file and place."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, cast

from specloom.llm.scripted.script import ScriptError


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a script file and where it stands."""

    file: str
    folder: Path
    path: str
    value: object

    def fail(self, what: str) -> NoReturn:
        """Raises `ScriptError` that names this place."""
        raise ScriptError(f"{self.file}: at {self.path or 'the top'}: {what}")

    def members(self, *allowed: str) -> dict[str, "Place"]:
        """The members of an object; none but `allowed` (all, if nothing is given)."""
        value = self.value
        if not isinstance(value, Mapping):
            self.fail("must be an object")
        members = cast("Mapping[str, object]", value)
        unknown = sorted(set(members) - set(allowed)) if allowed else []
        if unknown:
            self.fail(f"unknown key {', '.join(map(repr, unknown))}; allowed are {', '.join(allowed)}")
        return {key: self._at(f".{key}" if self.path else key, value) for key, value in members.items()}

    def items(self) -> list["Place"]:
        """The entries of a list."""
        value = self.value
        if not isinstance(value, list):
            self.fail("must be a list")
        values = cast("list[object]", value)
        return [self._at(f"[{place}]", value) for place, value in enumerate(values)]

    def text(self) -> str:
        """A string, or a list of lines that are joined."""
        if isinstance(self.value, list):
            return "\n".join(line.text() for line in self.items())
        if not isinstance(self.value, str):
            self.fail("must be a string or a list of lines")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """One string or a list of them."""
        return tuple(item.text() for item in self.items()) if isinstance(self.value, list) else (self.text(),)

    def number(self) -> float:
        """Zero or more."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or self.value < 0:
            self.fail("must be a number, 0 or more")
        return self.value

    def count(self) -> int:
        """A whole number, zero or more."""
        number = self.number()
        if not isinstance(number, int):
            self.fail("must be a whole number")
        return number

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.fail("must be true or false")
        return self.value

    def neighbour(self) -> str:
        """The text of the file that this names, relative to the script."""
        name = self.text()
        try:
            return (self.folder / name).read_text("utf-8")
        except (OSError, ValueError) as error:
            self.fail(f"the file {name!r} cannot be read ({error})")

    def _at(self, step: str, value: object) -> "Place":
        return Place(self.file, self.folder, self.path + step, value)
