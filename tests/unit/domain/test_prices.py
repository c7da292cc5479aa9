"""Costs are those of the published table, or unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.prices import PRICES, Price, cost, price_of
from specloom.domain.usage import UsageTotal as Usage

MILLION = 1_000_000
tokens = st.integers(0, 10 * MILLION)


def test_an_unknown_model_has_no_cost_rather_than_none_to_pay() -> None:
    assert cost(Usage(1, 1), "qwen3-coder") is None
    assert cost(Usage(), "claude-opus-99") is None


@pytest.mark.parametrize(
    ("model", "usage", "usd"),
    [
        ("claude-opus-5", Usage(input=MILLION), 5.0),
        ("claude-opus-5", Usage(output=MILLION), 25.0),
        ("claude-opus-5", Usage(cache_write=MILLION), 6.25),
        ("claude-opus-5", Usage(cache_read=MILLION), 0.5),
        ("claude-opus-5-5", Usage(cache_read=MILLION), 0.2),
        ("claude-fable-5-1", Usage(cache_read=MILLION), 0.25),
        ("claude-haiku-4-5-20251001", Usage(2_000, 1_000), 0.007),
    ],
)
def test_costs_are_those_of_the_published_table(model: str, usage: Usage, usd: float) -> None:
    assert cost(usage, model) == pytest.approx(usd)


def test_a_long_prompt_is_billed_by_its_own_price_with_its_output() -> None:
    at = cost(Usage(40_000, 1_000, cache_read=60_000), "claude-haiku-5-5")
    over = cost(Usage(40_001, 1_000, cache_read=60_000), "claude-haiku-5-5")
    assert at == pytest.approx(0.004 + 0.0006 + 0.0005)
    assert over == pytest.approx(0.0200005 + 0.003 + 0.0025)


def test_a_date_belongs_to_the_same_model_and_other_endings_do_not() -> None:
    assert price_of("claude-opus-4-5-20251101") == PRICES["claude-opus-4-5"]
    assert price_of("claude-opus-4-5-fast") is None


def test_an_override_beats_the_table_and_may_be_free() -> None:
    overrides = {"claude-opus-5": Price(1.0, 2.0), "qwen3-coder": Price(0.0, 0.0)}
    assert cost(Usage(MILLION), "claude-opus-5", overrides) == pytest.approx(1.0)
    assert cost(Usage(9, 9), "qwen3-coder", overrides) == 0.0


@given(
    st.sampled_from(sorted(PRICES)),
    st.builds(Usage, tokens, tokens, tokens, tokens),
    st.sampled_from([Usage(input=1), Usage(output=1)]),
)
def test_more_tokens_never_cost_less(model: str, usage: Usage, more: Usage) -> None:
    before, after = cost(usage, model), cost(usage + more, model)
    assert before is not None
    assert after is not None
    assert 0 <= before < after
