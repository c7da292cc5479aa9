"""`submit_outline`: the planner hands in its list of specs. Refuses an outline with faults, naming each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from specloom.domain.events.agents import ToolRequested
from specloom.llm.messages import ModelAnswer
from specloom.planning.checks import Given, check_outline, errors_in
from specloom.planning.dialogue import Repairs, told
from specloom.planning.outline import Outline, read_outline
from specloom.planning.ports import Interrupted
from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome

NUDGE = "You have not handed in an outline. Call `submit_outline` with all specs; a text alone is not read."
SHORTER = (
    "Nothing was handed in. Call `submit_outline` with the whole outline, in fewer words: summaries of two sentences."
)
_AGAIN = "Mend the outline and call `submit_outline` again with the whole of it."


def _text(description: str) -> Mapping[str, Any]:
    return {"type": "string", "minLength": 1, "description": description}


def _texts(description: str) -> Mapping[str, Any]:
    return {"type": "array", "items": {"type": "string", "minLength": 1}, "description": description}


_SPEC: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "id": _text('Two digits: "01", "02", …, foundations first; an existing spec keeps its id'),
        "slug": _text("For the file name, such as `ledger` or `http-api`; an existing spec keeps its slug"),
        "title": _text("A few words"),
        "summary": _text("Two to four sentences: what it provides, what it leaves to others"),
        "depends_on": _texts("Ids of lower specs whose interfaces it uses; [] for none"),
        "requirements": _texts("Ids of the requirements that it serves, as listed"),
        "rewrite": {
            "type": "boolean",
            "description": "Only for a spec that exists: true to have its text and its open tasks written anew",
        },
    },
    "required": ["id", "slug", "title", "summary", "depends_on", "requirements"],
    "additionalProperties": False,
}


def _schema() -> Mapping[str, Any]:
    left_out = {
        "type": "object",
        "properties": {"requirement": _text("Its id"), "reason": _text("Why no spec serves it, for the user")},
        "required": ["requirement", "reason"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "specs": {"type": "array", "items": _SPEC, "description": "All specs, by ascending id"},
            "out_of_scope": {
                "type": "array",
                "items": left_out,
                "description": "Requirements that no spec serves, each with the reason; [] for none",
            },
        },
        "required": ["specs"],
        "additionalProperties": False,
    }


@dataclass(slots=True)
class SubmitOutline:
    """The tool; keeps the outline that was taken."""

    given: Given
    repairs: Repairs
    outline: Outline | None = None
    nudged: bool = False
    name: str = "submit_outline"
    description: str = (
        "Hands in the outline and ends the session: all specs, foundations first, each requirement of the document "
        "served by a spec or named as out of scope. Refused with a list of the faults otherwise; "
        "mend them and call it again with the whole outline."
    )
    input_schema: Mapping[str, Any] = field(default_factory=_schema)
    effect: Effect = Effect.CONTROL

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Takes an outline without faults; after the last repair the session ends with those that are left."""
        _ = context
        outline = read_outline(values, self.given.document.requirements)
        problems = check_outline(outline, self.given)
        if await self.repairs.refuse(problems):
            return ToolOutcome(told(problems, _AGAIN), is_error=True)
        if self.repairs.left:
            return ToolOutcome(told(problems, "No repairs are left; the session ends."), is_error=True, ends=True)
        self.outline = outline
        return ToolOutcome("accepted", ends=True)

    async def __call__(self, claim: str) -> str:
        """An `agent.loop.Objection`: a text is no outline. Says so once."""
        _ = claim
        if self.nudged:
            return ""
        self.nudged = True
        return NUDGE

    def after_cut(self, answer: ModelAnswer) -> str:
        """An `agent.loop.AfterCut`: half an outline is none."""
        del answer
        return SHORTER

    def recall(self, past: Interrupted) -> bool:
        """Takes the outline that ended the session, if it has no errors."""
        calls = [event for event in past.events if isinstance(event, ToolRequested) and event.name == self.name]
        if not calls:
            return False
        outline = read_outline(json.loads(calls[-1].input), self.given.document.requirements)
        self.outline = None if errors_in(check_outline(outline, self.given)) else outline
        return self.outline is not None

    def resume(self, past: Interrupted) -> None:
        """Nothing is kept of half an outline."""
