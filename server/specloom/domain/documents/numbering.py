"""Keeps written numbers unique and knows the next free one. Refuses to renumber what a person wrote."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Numbering:
    """The numbers of one document, in the order they are met."""

    _lines: dict[str, int] = field(default_factory=dict[str, int])
    _copies: dict[str, int] = field(default_factory=dict[str, int])
    _highest: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def take(self, number: str, line: int) -> str:
        """The number itself the first time, then `number~2`, `number~3`."""
        head, last = _split(number)
        if last and len(last) < 10:
            self._highest[head] = max(self._highest.get(head, (0, 0)), (int(last), len(last)))
        if number not in self._lines:
            self._lines[number] = line
            return number
        self._copies[number] = self._copies.get(number, 1) + 1
        return f"{number}~{self._copies[number]}"

    def is_taken(self, number: str) -> bool:
        """Whether the number was met."""
        return number in self._lines

    def first_line(self, number: str) -> int:
        """The 0-based line where a number was met first. Raises `KeyError` for one that was not."""
        return self._lines[number]

    def next_free(self, number: str) -> tuple[str, ...]:
        """The number after the highest so far beside this one, `()` if it does not end in digits."""
        head, last = _split(number)
        if not last or head not in self._highest:
            return ()
        highest, width = self._highest[head]
        return (f"{head}{highest + 1:0{width if last.startswith('0') else 0}d}",)


def _split(number: str) -> tuple[str, str]:
    head = number.rstrip("0123456789")
    return head, number[len(head) :]
