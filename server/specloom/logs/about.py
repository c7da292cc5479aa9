"""What a record is about: workspace, session and task, set from the engine down. Refuses to be passed around."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from specloom.domain.redact import Redactor

WORKSPACE: ContextVar[str] = ContextVar("workspace", default="")
SESSION: ContextVar[str] = ContextVar("session", default="")
TASK: ContextVar[str] = ContextVar("task", default="")

KEYS = Redactor()
"""What no record of this process may hold; whoever reads keys teaches it."""


@contextmanager
def about(*, workspace: str = "", session: str = "", task: str = "") -> Generator[None]:
    """Records made inside, and by tasks that are begun there, are about these; what is empty stays as it is."""
    given = ((WORKSPACE, workspace), (SESSION, session), (TASK, task))
    tokens = [(variable, variable.set(value)) for variable, value in given if value]
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)
