"""The order between specs: which may wait for which, and whose tasks come first. Refuses to look at tasks."""

import re
from collections.abc import Collection, Mapping
from typing import TypeAlias

from specloom.domain.ids import SpecId
from specloom.domain.spec import Layout, SpecDefinition

Waits: TypeAlias = Mapping[SpecId, tuple[SpecId, ...] | None]
"""Spec to the specs it waits for; `None` where one of them is missing or refused."""


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts `2` before `10`, and `02` as `2`; long numbers cost no more than their length."""
    key: list[tuple[int, int, str]] = []
    for part in re.findall(r"[0-9]+|[^0-9]+", name):
        digits = part.lstrip("0")
        key.append((0, len(digits), digits) if part[0] in "0123456789" else (1, 0, part))
    return tuple(key)


def is_lower(spec: SpecDefinition, than: SpecDefinition) -> bool:
    """Whether `than` may depend on `spec`. Only our layout numbers its specs; elsewhere any other will do."""
    if spec.layout is Layout.SPECLOOM:
        return natural_key(spec.id) < natural_key(than.id)
    return spec.id != than.id


def foundations_first(waits: Waits) -> list[SpecId]:
    """Specs in the order given, each after those it waits for; one in a cycle of specs keeps its place."""
    done: dict[SpecId, None] = {}
    for root in waits:
        stack, entered = [root], set[SpecId]()
        while stack:
            spec = stack[-1]
            missing = [name for name in waits[spec] or () if name not in done and name not in entered]
            entered.add(spec)
            if spec in done or not missing:
                done.setdefault(stack.pop())
            else:
                stack.extend(reversed(missing))
    return list(done)


def gates(waits: Waits, with_work: Collection[SpecId]) -> dict[SpecId, tuple[SpecId, ...]]:
    """Spec to the specs whose leaves it waits for; one without required leaves stands for those it waits for itself."""
    found: dict[SpecId, tuple[SpecId, ...]] = {}
    for spec, names in waits.items():
        reached, seen, stack = dict[SpecId, None](), set[SpecId](), list(reversed(names or ()))
        while stack:
            name = stack.pop()
            if name in with_work:
                reached.setdefault(name)
            elif name not in seen:
                seen.add(name)
                stack.extend(reversed(waits[name] or ()))
        found[spec] = tuple(reached)
    return found
