"""Carries out one plan step by step: outline, the body of each spec, the tasks of each spec; foundations first.

Refuses to touch what is done: existing specs are written in one piece and only where the outline asks for it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from specloom.domain.documents.lines import split_rows
from specloom.domain.documents.specs import parse_spec
from specloom.domain.events.planning import OutlineAccepted, PlanStage, SpecGenerating, SpecWritten
from specloom.domain.ids import RequirementId, SpecId
from specloom.domain.problem import NOWHERE, Problem
from specloom.domain.requirement import Requirement
from specloom.domain.spec import RequirementRef, SpecDefinition, SpecStatus
from specloom.planning import documents, messages
from specloom.planning.answers import body_of, list_of
from specloom.planning.checks import Given, TasksGiven, check_body, check_tasks, names_in
from specloom.planning.dialogue import Checked, Dialogue, Talk, told
from specloom.planning.merging import merge_tasks
from specloom.planning.outline import Outline, PlannedSpec, outline_json
from specloom.planning.ports import Known, NotPlanned, PlanOrder, PlanStopError, Step
from specloom.planning.size import Document
from specloom.planning.stream import Draft, DraftStream
from specloom.planning.submit_outline import SubmitOutline
from specloom.planning.writing import Finished, SpecWriter, Target
from specloom.workspace.ports import MissingFileError, TextSnapshot


@dataclass(slots=True)
class Page:
    """A spec on its way: where it stands and what it says."""

    planned: PlannedSpec
    path: str
    text: str = ""
    """As written, or as offered."""
    offered: bool = False
    fresh: bool = False
    """Its body was written by this plan."""

    @property
    def definition(self) -> SpecDefinition:
        """The spec as its text says."""
        return parse_spec(self.path, self.text)

    @property
    def half_listed(self) -> bool:
        """Its tasks, if there are any, are what an interrupted planner came to: no list yet."""
        return self.definition.status is SpecStatus.GENERATING

    @property
    def tasks(self) -> str:
        """Its section Tasks, verbatim."""
        return documents.tasks_section(self.text)


@dataclass(slots=True)
class PlanWork:
    """The steps of one plan, and what they led to."""

    dialogue: Dialogue
    known: Known
    document: str = ""
    """The requirements document, verbatim, where it is at hand."""
    written: frozenset[Step] = frozenset()
    """What an earlier plan with the same outline has brought to its end."""
    pages: dict[SpecId, Page] = field(default_factory=dict[SpecId, Page])

    @property
    def requirements(self) -> Mapping[RequirementId, Requirement]:
        """All that are known, by id."""
        return {item.id: item for item in self.known.requirements}

    async def outline(self, order: PlanOrder) -> Outline:
        """Asks for the outline until it has no faults. Raises `PlanStopError`."""
        repairs = self.dialogue.repairs()
        submit = SubmitOutline(Given(order.document, self.known.specs), repairs)
        talk = Talk(
            step=Step(),
            prompt="planner-outline",
            first=messages.outline_message(order),
            what="the outline",
            document=Document.of_requirements(order.document.path, order.text),
            tools=(submit,),
        )
        await self.dialogue.hold(talk, submit, repairs)
        if submit.outline is None:
            reason = "the planner handed in no outline; try again, or try another model"
            raise PlanStopError(NotPlanned("refused", reason))
        return submit.outline

    async def accept(self, outline: Outline) -> None:
        """Records the outline, with how much is to be done for it. Raises `WorkspaceError`."""
        await self.open(outline)
        steps = sum(self._steps(page) for page in self.pages.values())
        accepted = OutlineAccepted(self.dialogue.plan, outline_json(outline), outline.out_of_scope, steps)
        await self.dialogue.ports.journal(accepted)

    def _steps(self, page: Page) -> int:
        if not self.body_is_current(page):
            return 2
        return 0 if self.tasks_are_current(page) else 1

    async def open(self, outline: Outline) -> None:
        """Reads what stands at the paths of the outline."""
        paths = {spec.id: spec.path for spec in self.known.specs}
        for planned in outline.specs:
            path = paths.get(planned.id, planned.path)
            present = await self.present(path)
            self.pages[planned.id] = Page(planned, path, "" if present is None else present.text)

    async def present(self, path: str) -> TextSnapshot | None:
        """What stands at a path now."""
        try:
            return await self.dialogue.ports.files.read(path)
        except MissingFileError:
            return None

    def body_is_current(self, page: Page) -> bool:
        """Whether a spec is to be left as it is: it says already what the outline asks of it, or nothing is asked."""
        if Step(page.planned.id) in self.written:
            return bool(page.text)
        if not page.text or page.planned.rewrite:
            return False
        spec, wanted = page.definition, self._named(page.planned.requirements)
        if spec.status is not SpecStatus.READY or not wanted:
            return spec.status is SpecStatus.READY
        if all(ref.hash is None for ref in spec.requirements):
            # Specloom records the hashes of what it wrote a spec for: this one is a person's own.
            return True
        return (
            spec.title == page.planned.title
            and spec.depends_on == page.planned.depends_on
            and documents.is_written_for(spec.requirements, wanted)
        )

    def tasks_are_current(self, page: Page) -> bool:
        """Whether a spec has the tasks of its present body; one that is still `generating` has none."""
        if Step(page.planned.id, PlanStage.TASKS) in self.written and not page.half_listed:
            return True
        begun = Step(page.planned.id) in self.written
        return not page.fresh and not begun and not page.half_listed and bool(page.definition.tasks)

    async def write_body(self, page: Page, outline: Outline, feedback: str = "") -> None:
        """Asks for one spec and writes it. Raises `PlanStopError`, `WorkspaceError`."""
        await self._began(page, PlanStage.SPECS)
        target = await self._target(page)
        growing, draft = self._head(page, SpecStatus.GENERATING), Draft()
        streams = target.base is None or page.definition.status is SpecStatus.GENERATING

        def so_far() -> str:
            return growing + draft.blocks(body_of)

        def whole(answer: str) -> str:
            if streams:
                return documents.with_body(self._head(page, SpecStatus.READY), body_of(answer), page.tasks)
            return documents.rewritten(page.text, page.planned, self.requirements, body_of(answer))

        brief = self._brief(page, outline)
        writer = self._writer(target, page, draft, so_far if streams else None)
        talk = Talk(
            step=Step(page.planned.id),
            prompt="planner-spec",
            first=messages.spec_message(brief, self.known, feedback),
            what=f"spec {page.planned.id}",
            document=Document(page.path, "the specs that it depends on and its requirements"),
            shorter=messages.spec_message(replace(brief, document=""), self.known, feedback),
            stream=self._listening(draft),
        )
        finished = await self._written((writer, draft), talk, lambda answer: self._check_body(page, answer), whole)
        page.fresh = True
        await self._wrote(page, PlanStage.SPECS, finished)

    async def write_tasks(self, page: Page, feedback: str = "") -> None:
        """Asks for the tasks of one spec and writes them. Raises `PlanStopError`, `WorkspaceError`."""
        await self._began(page, PlanStage.TASKS)
        target = await self._target(page)
        spec, growing, draft = page.definition, documents.generating(page.text, now=True), Draft()

        def so_far() -> str:
            return documents.with_tasks(growing, draft.blocks(list_of))

        lower = [self.pages[name].definition for name in spec.depends_on if name in self.pages]
        streams = page.half_listed or not spec.tasks
        text = documents.without_list(page.text) if page.half_listed else page.text
        present = spec, documents.without_front_matter(text)
        talk = Talk(
            step=Step(spec.id, PlanStage.TASKS),
            prompt="planner-tasks",
            first=messages.tasks_message(present, self._refs(spec.requirements), lower, self.known, feedback),
            what=f"the task list of spec {spec.id}",
            document=Document(page.path, "its text, its requirements and the tasks of the specs that it depends on"),
            stream=self._listening(draft),
        )
        finished = await self._written(
            (self._writer(target, page, draft, so_far if streams else None), draft),
            talk,
            lambda answer: self._check_tasks(page, answer),
            lambda answer: self._with_tasks(page, answer),
        )
        await self._wrote(page, PlanStage.TASKS, finished)

    async def _written(
        self,
        growing: tuple[SpecWriter, Draft],
        talk: Talk,
        check: Callable[[str], Checked],
        whole: Callable[[str], str],
    ) -> Finished:
        """Holds the session while its answer streams into the file, and puts the checked answer there."""
        writer, draft = growing

        def keep(text: str) -> None:
            draft.kept = text

        async with writer:
            try:
                answer = await self.dialogue.answer(talk, check, keep)
            except PlanStopError as stop:
                # An answer that stays wrong is left to the user, with problems at its lines.
                draft.ended = stop.result.kind == "faulty"
                await writer.leave()
                raise
            return await writer.finish(whole(answer))

    def _writer(self, target: Target, page: Page, draft: Draft, so_far: Callable[[], str] | None) -> SpecWriter:
        def seen(text: str) -> None:
            if draft.session is not None:
                self.dialogue.ports.spec_stream(draft.session, page.planned.id, page.path, text)

        writer = SpecWriter(self.dialogue.ports.files, target, so_far, seen)
        draft.touched = writer.touch
        return writer

    def _listening(self, draft: Draft) -> DraftStream:
        return DraftStream(self.dialogue.ports.asking.stream, draft)

    def _head(self, page: Page, status: SpecStatus) -> str:
        return documents.head_of(page.planned, self.requirements, status)

    def _brief(self, page: Page, outline: Outline) -> messages.SpecBrief:
        lower = (self.pages[name].text for name in page.planned.depends_on if name in self.pages)
        return messages.SpecBrief(
            page.planned,
            outline,
            self._named(page.planned.requirements),
            [documents.without_front_matter(documents.without_tasks(text)) for text in lower],
            documents.body_in(page.text),
            self.document,
        )

    async def _target(self, page: Page) -> Target:
        """The file as it stands now, which the user may have edited since the plan began."""
        base = await self.present(page.path)
        page.text = "" if base is None else base.text
        label = f"Specloom: spec {page.planned.id}"
        return Target(page.path, label, base, self.dialogue.options.write_interval_s)

    async def _began(self, page: Page, stage: PlanStage) -> None:
        await self.dialogue.ports.journal(SpecGenerating(self.dialogue.plan, page.planned.id, page.path, stage))

    async def _wrote(self, page: Page, stage: PlanStage, finished: Finished) -> None:
        page.text, page.offered = finished.text, finished.offered
        await self.dialogue.ports.journal(
            SpecWritten(self.dialogue.plan, page.planned.id, page.path, stage, finished.text, finished.offered)
        )

    def _named(self, names: Iterable[RequirementId]) -> list[Requirement]:
        return [self.requirements[name] for name in names if name in self.requirements]

    def _refs(self, refs: Iterable[RequirementRef]) -> list[Requirement]:
        return self._named(ref.id for ref in refs)

    def _check_body(self, page: Page, answer: str) -> Checked:
        made = (name for other in self.pages.values() for name in names_in(other.text))
        files = None if self.known.files_left_out else frozenset((*self.known.files, *made))
        problems = check_body(body_of(answer), page.path, files)
        return Checked(problems, told(problems, "Answer again with all four sections, whole, and nothing else."))

    def _with_tasks(self, page: Page, answer: str) -> str:
        """The document with the new list; kept tasks as they are."""
        tasks = merge_tasks(documents.task_list(page.text), list_of(answer), self.known.kept_of(page.planned.id))
        return documents.generating(documents.with_tasks(page.text, tasks), now=False)

    def _check_tasks(self, page: Page, answer: str) -> Checked:
        text = documents.generating(self._with_tasks(page, answer), now=True)
        spec, present = parse_spec(page.path, text), page.definition
        kept = self.known.kept_of(spec.id)
        others = [item.definition for item in self.pages.values() if item is not page and item.text]
        others += [item for item in self.known.specs if item.id not in self.pages]
        given = TasksGiven(
            requirements=self.known.requirements,
            others=tuple(others),
            kept=tuple(task for task in present.tasks if task.id in kept),
            first_line=len(split_rows(documents.without_tasks(text))) - 1,
        )
        problems = check_tasks(spec, given)
        placed = tuple(_placed(item, split_rows(text)) for item in problems)
        # A list that streams stands in the file, line for line; another one does not, so its lines are named instead.
        return Checked(
            tuple(replace(item, span=NOWHERE) for item in placed)
            if present.tasks and not page.half_listed
            else problems,
            told(placed, AGAIN),
        )


AGAIN = "Answer again with the whole task list, mended, and nothing else."


def _placed(problem: Problem, lines: list[str]) -> Problem:
    """The problem with the line that it is about."""
    line = problem.span.start_line
    if not line or line >= len(lines):
        return problem
    return replace(problem, message=f"`{lines[line].strip()}`: {problem.message}")
