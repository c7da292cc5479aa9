"""Who hears something now. Refuses to call anybody: what a listener's failure means is for who tells."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Generic, TypeVar

Listener = TypeVar("Listener")


class Listeners(Generic[Listener]):
    """In the order in which they came. The same one may come twice, and hears all twice."""

    def __init__(self) -> None:
        self._present: dict[int, Listener] = {}
        self._keys = count()

    @contextmanager
    def present(self, listener: Listener) -> Generator[None]:
        """Listens while the context is open."""
        key = next(self._keys)
        self._present[key] = listener
        try:
            yield
        finally:
            del self._present[key]

    def __iter__(self) -> Iterator[Listener]:
        """Those of this moment: who comes or goes meanwhile is not among them, or still is."""
        return iter(tuple(self._present.values()))

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._present)
