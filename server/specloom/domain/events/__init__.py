"""Every fact that the log can hold, as one closed union. Refuses change: a field may be added, a meaning may not.

An event class has `V`, its present version; old payloads are lifted by upcasters before they are decoded.
"""

from typing import TypeAlias

from specloom.domain.events import agents, documents, planning, proof, runs, tasks

Event: TypeAlias = (
    documents.DocumentEvent
    | tasks.TaskEvent
    | runs.RunEvent
    | proof.ProofEvent
    | agents.AgentEvent
    | planning.PlanningEvent
)

EVENT_TYPES: tuple[type[Event], ...] = (
    *documents.TYPES,
    *tasks.TYPES,
    *runs.TYPES,
    *proof.TYPES,
    *agents.TYPES,
    *planning.TYPES,
)

REGISTRY: dict[str, type[Event]] = {event.__name__: event for event in EVENT_TYPES}
"""Type name in the log → class."""
