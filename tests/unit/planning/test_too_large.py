"""What does not fit into the model's window is not sent, and the document is told apart as the cause."""

from typing import Any

from specloom.llm.scripted.server import ScriptedServer
from specloom.planning.ports import NotPlanned, Planned, PlanResult
from tests.unit.planning.planning_desk import Desk
from tests.unit.planning.planning_scripts import (
    COMMANDS_LIST,
    COMMANDS_SPEC,
    OUTLINE,
    REQUIREMENTS,
    STORE_BODY,
    STORE_LIST,
    WHOLE,
    says,
    script,
    session,
)


async def asked(desk: Desk, text: str, play: dict[str, Any]) -> tuple[PlanResult, list[str]]:
    """The result of a plan, and the paths that were asked for."""
    async with ScriptedServer(play, keep=None) as server:
        planner, model = desk.planner(server.base_url)
        result = await planner.plan(await desk.order(text))
        await model.close()
        return result, [request.path for request in server.requests]


def long(lines: int) -> str:
    """A document of so many lines beside its requirements."""
    return REQUIREMENTS + "\n## Background\n\n" + "And what else there is to say about notes.\n" * lines


async def test_a_document_of_a_hundred_thousand_lines_is_not_sent_at_all(desk: Desk) -> None:
    result, paths = await asked(desk, long(100_000), script())
    assert isinstance(result, NotPlanned)
    assert result.kind == "faulty"
    assert not [path for path in paths if path.startswith("/v1/messages")]
    (problem,) = result.problems
    assert (problem.code, problem.path) == ("document-over-window", "requirements.md")
    for part in ("scripted-1", "100,009 lines", "estimated", "200,000", "split it and plan its parts", "larger window"):
        assert part in problem.message
    assert "new session" not in problem.message
    assert desk.kinds() == ["PlanStarted", "PlanFailed"]
    assert not desk.recorded.events


async def test_where_an_estimate_decides_nothing_the_endpoint_counts(desk: Desk) -> None:
    result, paths = await asked(desk, long(2000), script(OUTLINE) | {"model": {"max_input_tokens": 20_000}})
    assert isinstance(result, NotPlanned)
    assert [path for path in paths if path.startswith("/v1/messages")] == ["/v1/messages/count_tokens"]
    assert "estimated" not in result.problems[0].message


async def test_a_document_that_was_counted_and_fits_is_planned(desk: Desk) -> None:
    result, paths = await asked(desk, long(600), WHOLE | {"model": {"max_input_tokens": 16_500}})
    assert isinstance(result, Planned)
    assert "/v1/messages/count_tokens" in paths


async def test_a_spec_is_written_without_the_document_where_both_do_not_fit(desk: Desk) -> None:
    body = STORE_BODY.replace("None; Python 3.11.", "None; Python 3.11. " + "It is all in the standard library. " * 600)
    store = session("# Write spec 01: Store", says(body))
    alone = COMMANDS_SPEC | {"not_first": ["what else there is to say"], "first": ["# Write spec 02", "R2.1** WHEN"]}
    sessions = script(OUTLINE, store, alone, STORE_LIST, COMMANDS_LIST)
    result, _ = await asked(desk, long(900), sessions | {"model": {"max_input_tokens": 16_500}})
    assert isinstance(result, Planned)


async def test_an_endpoint_that_alone_knows_its_window_is_told_as_the_document_s_fault(desk: Desk) -> None:
    refusal = {"status": 400, "message": "prompt is too long: 9 tokens > 8 maximum", "times": "always"}
    outline = {**OUTLINE, "turns": [{**OUTLINE["turns"][0], "fault": refusal}]}
    result, _ = await asked(desk, REQUIREMENTS, script(outline))
    assert isinstance(result, NotPlanned)
    assert [(problem.code, problem.path) for problem in result.problems] == [
        ("document-over-window", "requirements.md")
    ]
    assert "prompt is too long" in result.problems[0].message
