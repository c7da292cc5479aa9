"""`subagent`: what goes out, what comes back, and what is no answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from specloom.domain.ids import CallId
from specloom.domain.redact import Redactor
from specloom.llm.messages import ToolUse
from specloom.tools.ports import Delegated, Errand
from specloom.tools.registry import ToolBox
from specloom.tools.subagent import NOBODY, Subagent
from specloom.tools.tool import Effect
from tests.unit.tools.conftest import Hands


@dataclass
class Sender:
    """Hands back what a function of the errand says."""

    answer: Callable[[Errand], Delegated]
    errands: list[Errand] = field(default_factory=list[Errand])

    async def send(self, errand: Errand) -> Delegated:
        self.errands.append(errand)
        return self.answer(errand)


def sending(hands: Hands, delegated: Delegated, redact: Redactor | None = None) -> tuple[Hands, Sender]:
    """Hands whose sub-agents hand this back."""
    sender = Sender(lambda _: delegated)
    box = ToolBox([Subagent()], redact)
    return replace(hands.changed(delegate=sender), box=box), sender


async def test_the_words_go_out_and_the_last_words_come_back(hands: Hands) -> None:
    hands, sender = sending(hands, Delegated("It is in a.py:3.", 4))
    text = await hands.text("subagent", task="Where is it?", files=["a.py", "b.py", "a.py"])
    assert text == "the sub-agent answers after 4 turns, unverified:\nIt is in a.py:3."
    assert sender.errands == [Errand("Where is it?", ("a.py", "b.py"), CallId("call-1"))]


async def test_each_errand_names_its_own_call(hands: Hands) -> None:
    hands, sender = sending(hands, Delegated("Yes.", 1))
    bound = hands.box.bound(hands.context)
    calls = [ToolUse(f"call-{n}", "subagent", {"task": f"{n}?"}, {}) for n in range(3)]
    await asyncio.gather(*(bound.run(call) for call in calls))
    assert [(item.task, item.call) for item in sender.errands] == [(f"{n}?", f"call-{n}") for n in range(3)]


async def test_what_was_cut_off_is_counted(hands: Hands) -> None:
    hands, _ = sending(hands, Delegated("Long", 1, left_out=12_345))
    text = await hands.text("subagent", task="All of it?")
    assert text.endswith("Long\n(cut off here: 12,345 more characters; ask for a shorter answer, or for a part)")


@pytest.mark.parametrize(("words", "tail"), [("", ""), ("So far a.py", "\nits last words, unverified:\nSo far a.py")])
async def test_one_that_did_not_end_by_itself_gave_no_answer(hands: Hands, words: str, tail: str) -> None:
    hands, _ = sending(hands, Delegated(words, 15, failure="it used up its 15 turns"))
    assert await hands.refusal("subagent", task="Where?") == f"no answer: it used up its 15 turns{tail}"


async def test_where_none_can_be_sent_the_model_is_told(hands: Hands) -> None:
    hands = replace(hands, box=ToolBox([Subagent()]))
    assert await hands.refusal("subagent", task="Where?") == NOBODY


async def test_words_of_a_subagent_pass_the_redactor(hands: Hands) -> None:
    hands, _ = sending(hands, Delegated("The key is correct horse.", 1), Redactor(["correct horse"]))
    assert "correct horse" not in await hands.text("subagent", task="What is the key?")


@pytest.mark.parametrize("values", [{}, {"task": ""}, {"task": "x", "files": "a.py"}, {"task": "x", "model": "big"}])
async def test_call_that_is_not_well_formed_sends_nobody(hands: Hands, values: dict[str, object]) -> None:
    hands, sender = sending(hands, Delegated("Yes.", 1))
    assert await hands.refusal("subagent", **values)
    assert sender.errands == []


def test_several_may_be_at_work() -> None:
    assert Subagent().effect is Effect.READ
