"""Events survive their JSON, across versions."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_samples import Circle, Drawn, Noted, Square

from specloom.domain.ids import Digest
from specloom.store.codec import Codec, Encoded
from specloom.store.errors import CorruptStoreError, NewerVersionError
from specloom.store.parts import LIMIT


def same(data: dict[str, Any]) -> dict[str, Any]:
    return data


def no_blob(digest: Digest) -> bytes:
    raise KeyError(digest)


UPCASTERS = {("Drawn", 1): same, ("Drawn", 2): same}
CODEC = Codec({"Drawn": Drawn, "Noted": Noted}, UPCASTERS)

TEXTS = st.text(max_size=30) | st.just("long " * LIMIT) | st.just("\udcff")
SHAPES = st.builds(Circle, st.floats(allow_nan=False)) | st.builds(Square)
JSON = st.dictionaries(
    st.sampled_from(["$blob", "$$blob", "key"]), TEXTS | st.integers() | st.lists(TEXTS, max_size=2), max_size=2
)
EVENTS = st.builds(
    Drawn,
    task=TEXTS,
    shape=SHAPES,
    other=st.none() | SHAPES,
    names=st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple),
    shapes=st.lists(SHAPES, max_size=3).map(tuple),
    ratio=st.floats(allow_nan=False),
    limit=st.none() | st.integers() | TEXTS,
    extra=JSON,
)


def decoded(codec: Codec, encoded: Encoded) -> object:
    blobs: dict[Digest, bytes] = dict(encoded.blobs)
    return codec.decode(encoded.type, encoded.v, encoded.payload, blobs.__getitem__)


@given(EVENTS)
def test_any_event_comes_back_as_it_was(event: Drawn) -> None:
    encoded = CODEC.encode(event)
    assert (encoded.type, encoded.v) == ("Drawn", 3)
    encoded.payload.encode()
    assert decoded(CODEC, encoded) == event


def test_a_short_event_is_plain_json_without_blobs() -> None:
    assert CODEC.encode(Noted("é")) == Encoded("Noted", 1, '{"text":"é"}', {})


def test_a_key_that_utf8_cannot_hold_comes_back() -> None:
    sample: dict[str, Any] = {
        "task": "t", "shape": Circle(1.0), "other": None, "shade": None, "sizes": (), "names": (), "shapes": (),
        "ratio": 0.5, "on": True, "limit": None, "extra": {"\ud800": 1},
    }  # fmt: skip
    event = Drawn(**sample)
    assert decoded(CODEC, CODEC.encode(event)) == event


@dataclass(frozen=True, slots=True)
class Renamed:
    V: ClassVar[int] = 3
    title: str
    size: int


def test_an_old_version_is_brought_up_step_by_step() -> None:
    def title_for_name(data: dict[str, Any]) -> dict[str, Any]:
        return {"title": data["name"]}

    def with_size(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "size": len(data["title"])}

    codec = Codec({"Renamed": Renamed}, {("Renamed", 1): title_for_name, ("Renamed", 2): with_size})
    assert codec.decode("Renamed", 1, '{"name":"abc"}', no_blob) == Renamed("abc", 3)
    assert codec.decode("Renamed", 2, '{"title":"abcd"}', no_blob) == Renamed("abcd", 4)
    assert codec.decode("Renamed", 3, '{"title":"a","size":9}', no_blob) == Renamed("a", 9)


@pytest.mark.parametrize(("type_", "v"), [("Noted", 2), ("Noted", 0), ("Foretold", 1)])
def test_what_the_registry_does_not_know_is_refused(type_: str, v: int) -> None:
    assert not CODEC.knows(type_, v)
    with pytest.raises(NewerVersionError) as refused:
        CODEC.decode(type_, v, "{}", no_blob)
    assert (refused.value.type, refused.value.v, refused.value.needed) == (type_, v, None)


@pytest.mark.parametrize(
    "payload", ["", "{", '{"text":"a"}x', "[]", "{}", "null", '{"txt":"a"}', '{"text":{"$blob":"gone"}}']
)
def test_a_payload_that_does_not_fit_is_damage(payload: str) -> None:
    with pytest.raises(CorruptStoreError, match="Noted"):
        CODEC.decode("Noted", 1, payload, no_blob)


def test_a_version_without_upcaster_is_a_bug_found_at_once() -> None:
    with pytest.raises(ValueError, match="no upcaster from version 2"):
        Codec({"Renamed": Renamed}, {("Renamed", 1): same})


def test_a_class_with_two_names_is_a_bug_found_at_once() -> None:
    with pytest.raises(ValueError, match="two names"):
        Codec({"Noted": Noted, "Remarked": Noted})


def test_an_event_outside_the_registry_is_not_written() -> None:
    with pytest.raises(ValueError, match="Renamed is not in the event registry"):
        CODEC.encode(Renamed("a", 1))


def test_importing_the_store_does_not_import_cattrs() -> None:
    script = "import sys, specloom.store.log, specloom.store.sessions; sys.exit('cattrs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=30).returncode == 0
