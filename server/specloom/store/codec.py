"""Events to JSON and back, old versions included. Refuses to guess: what the registry does not know is an error.

Field types are those that `cattrs` knows for JSON; unions of dataclasses carry the class name under `$type`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from specloom.domain.ids import Digest
from specloom.store.errors import CorruptStoreError, NewerVersionError
from specloom.store.parts import MARK, LoadBlob, fits, is_utf8, join, split

if TYPE_CHECKING:
    from cattrs import Converter

EventRegistry: TypeAlias = Mapping[str, type[Any]]
"""Type name to event class; the class attribute `V` is its present version (1 where there is none)."""
Upcaster: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the payload of version v + 1 from that of version v."""
Upcasters: TypeAlias = Mapping[tuple[str, int], Upcaster]

# We write no white space around a payload, and `json.loads` spends a third of its time on looking for some.
_parse = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Encoded:
    """An event as it is written."""

    type: str
    v: int
    payload: str
    blobs: Mapping[Digest, bytes]


class Codec:
    """Writes the present version of each event, reads that and all older ones."""

    def __init__(self, registry: EventRegistry, upcasters: Upcasters | None = None) -> None:
        """Raises `ValueError` for a version without upcaster and for a class with two names: both are bugs."""
        self._classes = dict(registry)
        self._upcasters = dict(upcasters or {})
        self._versions = {name: int(getattr(cls, "V", 1)) for name, cls in registry.items()}
        self._names = {cls: name for name, cls in registry.items()}
        self._encoders: dict[type, Callable[[Any], Any]] = {}
        self._decoders: dict[tuple[str, int], Callable[[Any], object]] = {}
        self._check()

    def knows(self, type_: str, v: int) -> bool:
        """Whether `decode` can read this version of this type."""
        return 1 <= v <= self._versions.get(type_, 0)

    def encode(self, event: object) -> Encoded:
        """Raises `ValueError` for an event that is not in the registry: a bug."""
        cls = type(event)
        name = self._names.get(cls)
        if name is None:
            raise ValueError(f"{cls.__qualname__} is not in the event registry; add it there")
        data = self._encoder(cls)(event)
        payload = _dumps(data)
        if fits(payload):
            return Encoded(name, self._versions[name], payload, {})
        blobs: dict[Digest, bytes] = {}
        data = split(data, blobs)
        payload = _dumps(data)
        if not is_utf8(payload):
            # Only keys with lone surrogates are left; escaped they are plain ASCII.
            payload = _dumps(data, ascii_only=True)
        return Encoded(name, self._versions[name], payload, blobs)

    def decode(self, type_: str, v: int, payload: str, load_blob: LoadBlob) -> object:
        """Raises `NewerVersionError` for what `knows` denies, `CorruptStoreError` for a payload that does not fit."""
        decoder = self._decoders.get((type_, v)) or self._decoder(type_, v)
        try:
            data = _loads(payload)
            return decoder(join(data, load_blob) if MARK in payload else data)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise CorruptStoreError(
                f"an event of type {type_!r} version {v} cannot be read ({error!r}); restore state.db from a backup"
            ) from error

    @cached_property
    def _converter(self) -> "Converter":
        from specloom.store.hooks import event_converter

        return event_converter()

    def _encoder(self, cls: type) -> Callable[[Any], Any]:
        encoder = self._encoders.get(cls)
        if encoder is None:
            encoder = self._encoders[cls] = self._converter.get_unstructure_hook(cls)
        return encoder

    def _decoder(self, type_: str, v: int) -> Callable[[Any], object]:
        if type(type_) is not str or type(v) is not int:
            raise CorruptStoreError("an event has no type or version; restore state.db from a backup")
        if not self.knows(type_, v):
            raise NewerVersionError(type_, v, None)
        cls = self._classes[type_]
        structure = self._converter.get_structure_hook(cls)
        steps = [self._upcasters[type_, old] for old in range(v, self._versions[type_])]

        def decoder(data: Any) -> object:
            for step in steps:
                data = step(data)
            return structure(data, cls)

        self._decoders[type_, v] = decoder
        return decoder

    def _check(self) -> None:
        if len(self._names) != len(self._classes):
            raise ValueError("an event class has two names in the registry; keep one")
        for name, version in self._versions.items():
            for v in range(1, version):
                if (name, v) not in self._upcasters:
                    raise ValueError(f"event {name!r} has no upcaster from version {v}; add one")


def _dumps(data: Any, *, ascii_only: bool = False) -> str:
    return json.dumps(data, ensure_ascii=ascii_only, separators=(",", ":"))


def _loads(payload: str) -> Any:
    data, end = _parse(payload)
    if end != len(payload):
        raise ValueError(f"{len(payload) - end} characters too many")
    return data
