"""Sources, their order, and what becomes of a wrong one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.prices import Price
from specloom.domain.problem import NOWHERE, Problem, Severity
from specloom.settings.load import LoadedSettings, load_settings
from specloom.settings.model import Settings, every_role

FILE = "specloom.toml"


def only_problem(loaded: LoadedSettings) -> Problem:
    assert len(loaded.problems) == 1
    return loaded.problems[0]


def marked(text: str, problem: Problem) -> str:
    """What a one-line problem underlines."""
    span = problem.span
    assert span.start_line == span.end_line
    return text.splitlines()[span.start_line][span.start_column : span.end_column]


def test_without_any_source_the_defaults_hold() -> None:
    loaded = load_settings(None, FILE)
    assert loaded == LoadedSettings(Settings(), (), ())
    assert (loaded.settings.limits.attempts, loaded.settings.limits.turns) == (3, 30)


def test_the_command_line_beats_the_editor_beats_the_file_key_by_key() -> None:
    text = "[limits]\nattempts = 5\nturns = 5\nplan_repairs = 5\n"
    editor = {"limits": {"turns": 6, "plan_repairs": 6}}
    limits = load_settings(text, FILE, editor, {"limits": {"plan_repairs": 7}}).settings.limits
    assert (limits.attempts, limits.turns, limits.plan_repairs) == (5, 6, 7)


def test_an_unknown_key_is_shown_at_its_place_with_the_nearest_and_the_allowed() -> None:
    text = "# settings\n[limits]\nturns = 3\natempts = 2\n"
    loaded = load_settings(text, FILE)
    problem = only_problem(loaded)
    assert (problem.code, problem.path, marked(text, problem)) == ("settings-unknown-key", FILE, "atempts")
    assert problem.suggestions == ("attempts",)
    assert "allowed keys: attempts, turns" in problem.message
    assert loaded.settings.limits.turns == 3


@pytest.mark.parametrize(
    ("text", "name", "value", "allowed"),
    [
        ('layout = "kirro"', "layout", '"kirro"', '"specloom" or "kiro" or "spec-kit"'),
        ("[limits]\nattempts = 0", "limits.attempts", "0", "a whole number from 1"),
        ('[limits]\nattempts = "3"', "limits.attempts", '"3"', "a whole number from 1"),
        ("[limits]\nmax_parallel_tools = 6", "limits.max_parallel_tools", "6", "from 1 to 5"),
        ("[budget]\nusd = -1", "budget.usd", "-1", "a number above 0, at most 1000000000"),
        ("[budget]\nusd = nan", "budget.usd", "nan", "a number above 0, at most 1000000000"),
        ("[budget]\nusd = 1e300", "budget.usd", "1e300", "a number above 0, at most 1000000000"),
        ("[models.planner]\nthinking = 12", "models.planner.thinking", "12", '"off" or "on" or a number of tokens'),
        ('[models.safety]\nbase_url = "file:///x"', "models.safety.base_url", '"file:///x"', "http:// or https://"),
        ('[models.safety]\nbase_url = "http://u:p@h/"', "models.safety.base_url", '"http://u:p@h/"', "user name"),
        ('requirements = "../other.md"', "requirements", '"../other.md"', "inside the root"),
        ('requirements = "/etc/passwd"', "requirements", '"/etc/passwd"', "inside the root"),
        ("budget = 3", "budget", "3", "a table with the keys usd, tokens, turns, minutes, task, day"),
        ('verify = "pytest"', "verify", '"pytest"', "a list"),
        ('prices."m".input = "free"\nprices."m".output = 1', "prices.m.input", '"free"', "a number from 0 to 1000000"),
        ('prices."m".input = 1e306\nprices."m".output = 1', "prices.m.input", "1e306", "a number from 0 to 1000000"),
    ],
)
def test_a_wrong_value_is_shown_with_what_is_allowed_and_counts_as_not_said(
    text: str, name: str, value: str, allowed: str
) -> None:
    loaded = load_settings(text, FILE)
    problem = only_problem(loaded)
    assert problem.code == "settings-value"
    assert marked(text, problem) == value
    assert problem.message.startswith(f"`{name}` is ")
    assert allowed in problem.message
    assert not problem.message.endswith(".")
    assert loaded.settings == Settings()


def test_a_wrong_choice_comes_with_the_nearest_one_as_toml() -> None:
    problem = only_problem(load_settings('[models.executor]\nthinking = "of"', FILE))
    assert problem.suggestions[0] == '"off"'


def test_one_wrong_value_takes_no_other_with_it() -> None:
    loaded = load_settings('verify = ["a", 3, "b", ""]\n[limits]\nturns = 0\nattempts = 9\n', FILE, granted=())
    assert len(loaded.problems) == 3
    assert [proposal.text for proposal in loaded.proposals] == ['verify = "a"', 'verify = "b"']
    assert loaded.settings.limits.attempts == 9


def test_a_table_with_two_wrong_values_is_two_problems_and_goes_as_a_whole() -> None:
    loaded = load_settings("[prices.m]\ninput = -1\noutput = -1\n", FILE)
    assert [problem.span.start_line for problem in loaded.problems] == [1, 2]
    assert loaded.proposals == ()


def test_a_price_without_its_output_is_a_problem_at_its_table() -> None:
    text = '[prices."local/model"]\ninput = 1\n'
    problem = only_problem(load_settings(text, FILE))
    assert "lacks the key `output`" in problem.message
    assert problem.span.start_line == 0


@pytest.mark.parametrize(("text", "line"), [("a = 1\nb = =\n", 1), ("a = 1\na = 2\n", 1), ("[x\n", 0)])
def test_text_that_is_not_toml_is_one_problem_at_its_line(text: str, line: int) -> None:
    problem = only_problem(load_settings(text, FILE))
    assert problem.code == "settings-syntax"
    assert problem.span.start_line == line


def test_nesting_without_end_is_a_problem_and_no_crash() -> None:
    assert only_problem(load_settings("a = " + "[" * 100_000, FILE)).code == "settings-syntax"


def test_a_reserved_table_is_kept_and_says_that_it_does_nothing() -> None:
    loaded = load_settings(None, FILE, {"mcp": {"servers": ["ls"]}})
    assert loaded.settings.mcp == {"servers": ["ls"]}
    assert only_problem(loaded).severity is Severity.INFORMATION


def test_a_wrong_editor_setting_names_the_editor_and_has_no_place() -> None:
    problem = only_problem(load_settings(None, FILE, {"limits": {"turns": True}}))
    assert (problem.path, problem.span) == ("editor settings", NOWHERE)


def test_a_role_takes_its_gaps_from_default_and_then_from_us() -> None:
    text = '[models.default]\nmodel = "m"\nthinking = "on"\n[models.planner]\nthinking = 2048\n'
    models = load_settings(text, FILE).settings.models
    assert (models.of("planner").model, models.of("planner").thinking) == ("m", 2048)
    assert (models.of("safety").model, models.of("safety").thinking) == ("m", "on")
    assert models.of("executor").max_tokens == 32_768


def test_a_subagent_takes_its_gaps_from_the_executor() -> None:
    text = '[models.default]\nmodel = "m"\n[models.executor]\nmodel = "e"\nthinking = "on"\n'
    models = load_settings(text, FILE).settings.models
    assert (models.of("subagent").model, models.of("subagent").thinking) == ("e", "on")
    models = load_settings(f'{text}[models.subagent]\nmodel = "s"\n', FILE).settings.models
    assert (models.of("subagent").model, models.of("subagent").thinking) == ("s", "on")


def test_a_model_on_the_command_line_beats_every_role_of_the_file() -> None:
    text = '[models.planner]\nmodel = "p"\nmax_tokens = 5\n'
    models = load_settings(text, FILE, None, every_role(model="m", base_url=None)).settings.models
    assert (models.of("planner").model, models.of("planner").max_tokens) == ("m", 5)
    assert models.of("reviewer").model == "m"


def test_granted_prices_reach_the_domain() -> None:
    text = '[prices."local"]\ninput = 0\noutput = 0.5\n'
    granted = [proposal.hash for proposal in load_settings(text, FILE).proposals]
    assert load_settings(text, FILE, granted=granted).settings.price_overrides() == {"local": Price(0.0, 0.5)}


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from([*Settings.model_fields, "other"])


@given(st.dictionaries(keys, json_values, max_size=4))
def test_no_editor_setting_whatever_it_is_raises(editor: dict[str, Any]) -> None:
    loaded = load_settings(None, FILE, editor)
    assert all(problem.message for problem in loaded.problems)


@given(st.text(alphabet="abv=[]{}\"'\n.#\\1 ", max_size=60))
def test_no_file_whatever_it_is_raises(text: str) -> None:
    assert load_settings(text, FILE).settings.verify == ()
