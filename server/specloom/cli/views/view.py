"""What a command shows while it works: the port, and the two ways for programs and logs. Refuses to draw pictures."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from specloom.cli.output import Output
from specloom.cli.views.event_lines import EventLines
from specloom.cli.views.formats import clock
from specloom.domain.project import ProjectState
from specloom.domain.runs import Scope
from specloom.engine.api import OutputChunk, Published
from specloom.store.system import SystemClock

WAY_OUT = "Ctrl-C stops"
"""What a person may do about a wait."""
LEAVES = "Ctrl-C leaves"


class View(Protocol):
    """Hears everything, shows what its reader needs."""

    def focus(self, scope: Scope) -> None:
        """Only this scope matters from now on."""
        ...

    def hear(self, published: Published, state: ProjectState) -> None:
        """A committed event; returns at once."""
        ...

    def hear_output(self, chunk: OutputChunk) -> None:
        """A piece of the stream; returns at once."""
        ...

    def note(self, text: str) -> None:
        """Something about the command itself."""
        ...

    def waiting(self, text: str, seconds: float) -> None:
        """The model has said nothing for so long; asked again and again, with an empty text when there is no wait."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """Leaves the terminal to a question while the context is open."""
        ...

    def running(self) -> AbstractContextManager[None]:
        """Shows while the context is open."""
        ...


class JsonView:
    """Events as JSON lines; notes go to standard error."""

    def __init__(self, output: Output, *, way_out: str = WAY_OUT) -> None:
        self._output = output
        self._way_out = way_out
        self._tell_at = 0.0

    def focus(self, scope: Scope) -> None:
        """Programs get everything."""

    def hear(self, published: Published, state: ProjectState) -> None:
        """One line an event."""
        from specloom.cli.views.event_json import event_json

        self._output.json(event_json(published, state.id))

    def hear_output(self, chunk: OutputChunk) -> None:
        """Not for programs: it is lossy."""

    def note(self, text: str) -> None:
        """On standard error."""
        self._output.note(text)

    def waiting(self, text: str, seconds: float) -> None:
        """A note at first, then each time the wait has doubled."""
        if not text:
            self._tell_at = 0.0
        elif seconds >= self._tell_at:
            self._tell_at = 2 * seconds
            self.note(f"{text}; {self._way_out}")

    @contextmanager
    def paused(self) -> Generator[None]:
        """Nothing to leave."""
        yield

    @contextmanager
    def running(self) -> Generator[None]:
        """Nothing to set up."""
        yield


class LineView(JsonView):
    """One line with its time for each event that a person cares about."""

    def __init__(self, output: Output, *, way_out: str = WAY_OUT) -> None:
        super().__init__(output, way_out=way_out)
        self._lines = EventLines()
        self._clock = SystemClock()

    def hear(self, published: Published, state: ProjectState) -> None:
        """Lines, if this event is worth any."""
        for line in self._lines.of(published, state):
            self._output.line(f"{clock(published.at)} {'  ' * line.indent}{line.text}")

    def note(self, text: str) -> None:
        """Among the lines, because it explains them."""
        self._output.line(f"{clock(self._clock.now())} {text}")
