"""What a session records, as the watch over its progress reads it."""

import json
from collections.abc import Iterable, Mapping

import pytest

from specloom.agent.progress import ProgressWatch
from specloom.domain.events import agents
from specloom.domain.ids import CallId, Digest, PromptId, SessionId
from specloom.domain.no_progress import Patience
from specloom.domain.usage import UsageTotal

SESSION, CALL = SessionId("s"), CallId("c")


def watched(name: str, given: Iterable[Mapping[str, object]], texts: str = "") -> ProgressWatch:
    """A watch that saw such calls, one a turn; each says the same, and leaves these texts of a file behind."""
    watch = ProgressWatch(Patience)
    for number, item in enumerate(given):
        asked = json.dumps([{"type": "tool_use", "id": CALL, "name": name, "input": item}])
        watch.take(agents.TurnFinished(SESSION, number + 1, asked, "tool_use", UsageTotal(), "m"))
        shown = (("a", Digest(texts[number])),) if texts else ()
        watch.take(agents.ToolSettled(SESSION, CALL, name, False, '{"content": "the same"}', shown=shown))
    return watch


@pytest.mark.parametrize(
    "given",
    [
        [{"command": "ls" + " " * number + "\n" * number + " ."} for number in range(1, 6)],
        [{"command": "ls", "timeout_s": number} for number in range(1, 6)],
    ],
    ids=["white space", "patience"],
)
def test_a_command_that_only_looks_like_another_one_is_a_repeat(given: list[Mapping[str, object]]) -> None:
    assert watched("run_command", given[:4]).look() is None
    assert watched("run_command", given).look() is not None


def test_words_that_come_in_the_middle_of_a_circle_begin_patience_anew_at_once() -> None:
    there_and_back = [{"path": "a"}] * 8
    assert watched("write_file", there_and_back, "ABABABAB").look() is not None
    watch = watched("write_file", there_and_back, "ABABABAB")
    watch.take(agents.PromptDelivered(PromptId("p"), SESSION, "go on"))
    assert watch.look() is None
