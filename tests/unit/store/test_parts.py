"""Long texts leave a payload and come back."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.ids import Digest, digest_of
from specloom.store.parts import LIMIT, fits, join, split

KEYS = st.sampled_from(["$blob", "$$blob", "$$$blob", "a", "$"]) | st.text(max_size=5)
TEXTS = st.text(max_size=20) | st.sampled_from(["x" * LIMIT, "x" * (LIMIT + 1), "é" * LIMIT, "\ud800", "\ud800\udc00"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=8,
)


@given(VALUES)
def test_any_json_value_comes_back_from_its_parts(value: Any) -> None:
    blobs: dict[Digest, bytes] = {}
    through_text = json.loads(json.dumps(split(value, blobs)))
    assert join(through_text, blobs.__getitem__) == value
    assert all(digest_of(data) == digest for digest, data in blobs.items())


@given(st.dictionaries(st.sampled_from(["$blob", "$$blob", "$$$blob"]), TEXTS, min_size=1, max_size=1))
def test_a_literal_object_that_looks_like_a_reference_is_none(value: dict[str, str]) -> None:
    blobs: dict[Digest, bytes] = {}
    assert join(split(value, blobs), blobs.__getitem__) == value


def test_a_text_goes_out_only_above_the_limit() -> None:
    blobs: dict[Digest, bytes] = {}
    assert split(["x" * LIMIT], blobs) == ["x" * LIMIT]
    assert blobs == {}
    long = "x" * (LIMIT + 1)
    assert split([long, long], blobs) == [{"$blob": digest_of(long)}] * 2
    assert blobs == {digest_of(long): long.encode()}


def test_a_payload_fits_when_nothing_in_it_can_be_long_or_ambiguous() -> None:
    assert fits('{"text":"é"}')
    assert not fits("x" * (LIMIT + 1))
    assert not fits("é" * (LIMIT // 2 + 1))
    assert not fits('{"$blob":"x"}')
    assert not fits('"\ud800"')
