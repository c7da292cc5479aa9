"""Keys never stand in the log: what comes in from outside is redacted on its way there.

Refuses to touch what has to stay exact: ids, paths, commands that are granted by their text, and JSON of messages,
which was redacted before anybody was shown it. What the model says by itself is what it was shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any

from specloom.domain.events import Event
from specloom.domain.redact import SHORTEST
from specloom.domain.requirement import RequirementsDocument
from specloom.domain.spec import SpecDefinition

EXACT = frozenset({"content", "input", "corrected", "subject", "command", "system", "outline", "path", "model", "name"})
"""Fields of events that stay as they are."""


def unchanged(text: str) -> str:
    """For whoever keeps no keys away."""
    return text


def without_keys(events: Sequence[Event], redact: Callable[[str], str]) -> list[Event]:
    """The events as they may be kept."""
    return [_without_keys(event, redact) for event in events]


def _without_keys(event: Event, redact: Callable[[str], str]) -> Event:
    changed: dict[str, Any] = {}
    for name in _texts(type(event)):
        value = getattr(event, name)
        if isinstance(value, str) and len(value) >= SHORTEST and (shown := redact(value)) != value:
            changed[name] = shown
    return replace(event, **changed) if changed else event


@cache
def _texts(kind: type[Event]) -> tuple[str, ...]:
    """Names of the fields that may hold any text."""
    return tuple(field.name for field in fields(kind) if _is_text(field.type) and field.name not in EXACT)


def _is_text(annotation: object) -> bool:
    return annotation in (str, "str") or annotation == str | None


def document_without_keys(document: RequirementsDocument, redact: Callable[[str], str]) -> RequirementsDocument:
    """What a requirements document says; hashes are those of the file's own text."""
    items = tuple(
        replace(item, text=redact(item.text), title=redact(item.title))
        if _differs(redact, item.text, item.title)
        else item
        for item in document.requirements
    )
    return document if items == document.requirements else replace(document, requirements=items)


def spec_without_keys(spec: SpecDefinition, redact: Callable[[str], str]) -> SpecDefinition:
    """What a spec says. Verify commands stay: they are granted by their exact text."""
    tasks = tuple(
        replace(task, title=redact(task.title), details=tuple(redact(line) for line in task.details))
        if _differs(redact, task.title, *task.details)
        else task
        for task in spec.tasks
    )
    if tasks == spec.tasks and not _differs(redact, spec.title):
        return spec
    return replace(spec, title=redact(spec.title), tasks=tasks)


def _differs(redact: Callable[[str], str], *texts: str) -> bool:
    return any(redact(text) != text for text in texts)
