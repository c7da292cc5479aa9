"""A whole plan: real files, a scripted planner over real HTTP."""

from specloom.domain.documents.specs import parse_spec
from specloom.domain.ids import SpecId
from specloom.domain.spec import SpecStatus
from specloom.planning.ports import Planned
from tests.unit.planning.planning_desk import Desk
from tests.unit.planning.planning_scripts import REQUIREMENTS, STORE_BODY, STORE_TASKS, WHOLE


async def test_requirements_become_specs_with_tasks(desk: Desk) -> None:
    result = await desk.plan(WHOLE, await desk.order(REQUIREMENTS))
    assert result == Planned((SpecId("01"), SpecId("02")))
    text = await desk.read("specs/01-store.md")
    assert text.endswith(f"\n# Store\n\n{STORE_BODY}\n## Tasks\n\n{STORE_TASKS}")
    spec = parse_spec("specs/02-commands.md", await desk.read("specs/02-commands.md"))
    assert spec.status is SpecStatus.READY
    assert not spec.problems
    assert spec.depends_on == ("01",)
    assert [ref.id for ref in spec.requirements] == ["R2.1"]
    assert all(ref.hash for ref in spec.requirements)
    assert [task.depends for task in spec.tasks] == [("01/2",)]


async def test_the_log_tells_each_step(desk: Desk) -> None:
    await desk.plan(WHOLE, await desk.order(REQUIREMENTS))
    written = ["SpecGenerating", "SpecWritten"] * 4
    assert desk.kinds() == ["PlanStarted", "OutlineAccepted", *written, "PlanFinished"]
