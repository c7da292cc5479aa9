"""Projects laid out by other tools run as they are: their order, their ticks, their files, no other byte changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specloom.domain.events import agents, tasks
from specloom.domain.evidence import EvidenceKind, is_proven
from specloom.domain.ids import SpecId, TaskId
from specloom.domain.problem import Severity
from specloom.domain.runs import RunOutcome, Scope
from specloom.domain.spec import Layout
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.cli.conftest import Project, clean_environment, json_lines
from tests.integration.projects import session
from tests.integration.stage import ended, events_of, first_message, says, script, staged, start, turn, write

Json = dict[str, Any]

KIRO = ".kiro/specs/greeting"
KIRO_TASKS = f"{KIRO}/tasks.md"
KIRO_REQUIREMENTS = """# Requirements Document

## Introduction

Small text files that greet people and part from them.

## Glossary

- **Greeter**: the files of this project

## Requirements

### Requirement 1: Greeting

**User Story:** As a visitor, I want to be greeted, so that I feel welcome.

#### Acceptance Criteria

1. WHEN a visitor opens greeting.txt, THE Greeter SHALL say hello
2. THE Greeter SHALL end each greeting with an exclamation mark

### Requirement 2: Farewell

**User Story:** As a visitor, I want a farewell, so that I leave in peace.

#### Acceptance Criteria

1. WHEN a visitor opens farewell.txt, THE Greeter SHALL say goodbye
"""
KIRO_DESIGN = """# Design Document: Greeting

## Overview

Each text stands alone in a file of UTF-8 of its own.

## Correctness Properties

**Property 1: Every greeting ends with an exclamation mark**
**Validates: Requirements 1.2**
"""
KIRO_PLAN = """# Implementation Plan: Greeting

## Overview

Plain files first, then a last look at all of them.

## Tasks

- [ ] 1. Greeting
  - [x] 1.1 Choose the encoding
    - UTF-8 everywhere
    - _Requirements: 1.1_
  - [ ] 1.2 Write greeting.txt
    - One line that says hello
    - _Requirements: 1.1, 1.2_
  - [ ]* 1.3 Write property tests for greetings
    - **Property 1: Every greeting ends with an exclamation mark**
    - **Validates: Requirements 1.2**
- [ ] 2. Farewell
\t- [ ] 2.1 Write farewell.txt
\t\t- _Requirements: 2.1_
- [ ] 3. Checkpoint - Ensure all texts are there
  - Ensure all checks pass, ask the user if questions arise.

## Notes

- Tasks marked with `*` are optional
- [x] marks what is done

## Task Dependency Graph

```json
{
  "waves": [
    { "id": 0, "tasks": ["1.1"] },
    { "id": 1, "tasks": ["2.1"] },
    { "id": 2, "tasks": ["1.2", "1.3"] },
    { "id": 3, "tasks": ["3"] }
  ]
}
```
""".replace("are optional\n", "are optional  \n")
KIRO_ORDER = ["greeting/2.1", "greeting/1.2", "greeting/3"]

KIT = "specs/001-greeting"
KIT_TASKS = f"{KIT}/tasks.md"
KIT_SPEC = """# Feature Specification: Greeting

**Feature Branch**: `001-greeting`
**Status**: Draft

## User Scenarios & Testing *(mandatory)*

### User Story 1 - Be greeted (Priority: P1)

A visitor opens a file and is greeted.

**Why this priority**: Nothing else matters without it.

**Acceptance Scenarios**:

1. **Given** the project, **When** greeting.txt is opened, **Then** it says hello

### User Story 2 - Leave in peace (Priority: P2)

A visitor opens a file and reads a farewell.

**Acceptance Scenarios**:

1. **Given** the project, **When** farewell.txt is opened, **Then** it says goodbye

### Edge Cases

- What happens when a file is missing?

## Requirements *(mandatory)*

### Functional Requirements

- **FR-001**: System MUST hold a greeting
- **FR-002**: System MUST hold a farewell

## Success Criteria *(mandatory)*

### Measurable Outcomes

- **SC-001**: A visitor is greeted within a second
"""
KIT_PLAN = """# Implementation Plan: Greeting

**Branch**: `001-greeting` | **Spec**: [spec.md](spec.md)

## Technical Context

**Storage**: plain text files, one a message
"""
KIT_CONSTITUTION = "# Greeting Constitution\n\n## Core Principles\n\n### I. Plain text first\n"
KIT_LIST = """---
description: "Task list for the greeting"
---

# Tasks: Greeting

**Input**: Design documents from `/specs/001-greeting/`
**Prerequisites**: plan.md (required), spec.md (required for user stories)

## Format: `[ID] [P?] [Story] Description`

- **[P]**: Can run in parallel (different files, no dependencies)
- **[Story]**: Which user story this task belongs to (e.g., US1, US2)

## Phase 1: Setup (Shared Infrastructure)

- [X] T001 Create project structure per implementation plan
- [ ] T002 [P] Write the licence in LICENSE.txt

---

## Phase 2: User Story 1 - Be greeted (Priority: P1) 🎯 MVP

**Goal**: A greeting

- [ ] T003 [P] [US1] Write greeting.txt (FR-001)

**Checkpoint**: The greeting stands

## Phase 3: User Story 2 - Leave in peace (Priority: P2)

- [ ] T004 [US2] Write farewell.txt (FR-002)

## Dependencies & Execution Order

- **Setup (Phase 1)**: No dependencies
"""
KIT_ORDER = ["001-greeting/T002", "001-greeting/T003", "001-greeting/T004"]

FILES = {
    "greeting/2.1": ("farewell.txt", ("2.1",)),
    "greeting/1.2": ("greeting.txt", ("1.1", "1.2")),
    "greeting/3": ("seen.txt", ()),
    "001-greeting/T002": ("LICENSE.txt", ()),
    "001-greeting/T003": ("greeting.txt", ("US1", "FR-001")),
    "001-greeting/T004": ("farewell.txt", ("US2", "FR-002")),
}
"""What each task writes, and the requirements that it names."""
VERIFY = "grep -q '!' *.txt"
"""Of the settings, so for every task: fails in a root without texts."""


def laid(root: Path, files: dict[str, str], *, verify: str = "", end: str = "\n") -> Path:
    """A root with these files, with this line end."""
    settings = {"specloom.toml": f'verify = ["{verify}"]\n'} if verify else {}
    for path, text in {**files, **settings}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.replace("\n", end).encode())
    return root


def kiro(root: Path, plan: str = KIRO_PLAN, **rest: str) -> Path:
    """A project as Kiro leaves it."""
    files = {
        f"{KIRO}/requirements.md": KIRO_REQUIREMENTS,
        f"{KIRO}/design.md": KIRO_DESIGN,
        KIRO_TASKS: plan,
        ".kiro/steering/tech.md": "---\ninclusion: always\n---\n\n# Tech\n",
    }
    return laid(root, files, **rest)


def spec_kit(root: Path, **rest: str) -> Path:
    """A project as Spec Kit leaves it."""
    files = {
        f"{KIT}/spec.md": KIT_SPEC,
        f"{KIT}/plan.md": KIT_PLAN,
        KIT_TASKS: KIT_LIST,
        f"{KIT}/checklists/requirements.md": "# Checklist\n\n- [ ] CHK001 No implementation details\n",
        ".specify/memory/constitution.md": KIT_CONSTITUTION,
    }
    return laid(root, files, **rest)


def works(name: str) -> Json:
    """The session in which the executor writes the task's file and claims it."""
    call = write(FILES[name][0], "hello, goodbye!\n")
    return session(name, f"# Task {name} (attempt 1)", turns=[turn(call), turn(says())])


def reviews(name: str) -> Json:
    """The session of a reviewer who finds each requirement in the file."""
    path, names = FILES[name]
    citations = [{"requirement": item, "path": path, "line": 1} for item in names or (name,)]
    call = {"tool": "submit_review", "input": {"verdict": "pass", "citations": citations, "summary": "It is there."}}
    return session(f"review {name}", f"# Review task {name} (attempt 1)", turns=[turn(call)])


def severe(runtime: ProjectRuntime) -> list[str]:
    """The problems that keep something from being used."""
    found = [problem for problems in runtime.problems.values() for problem in problems]
    return [str(problem) for problem in found if problem.severity is Severity.ERROR]


async def started(runtime: ProjectRuntime) -> list[str]:
    """The tasks in the order in which they were begun."""
    return [event.task for event in await events_of(runtime, tasks.TaskStarted)]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
async def test_a_kiro_project_runs_by_its_waves_and_only_its_boxes_change(tmp_path: Path, end: str) -> None:
    root = kiro(tmp_path / "p", verify=VERIFY, end=end)
    before = {path: path.read_bytes() for path in root.rglob("*.md")}
    async with staged(root, *map(works, KIRO_ORDER)) as (runtime, _):
        assert severe(runtime) == []
        assert runtime.state.plan.specs[SpecId("greeting")].layout is Layout.KIRO
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert await started(runtime) == KIRO_ORDER
        assert all(is_proven(runtime.evidence(TaskId(name))) for name in KIRO_ORDER)
        assert runtime.problems == {}
    after = {path: path.read_bytes() for path in root.rglob("*.md") if ".specloom" not in path.parts}
    ticked = before[root / KIRO_TASKS]
    for box in (b"- [ ] 1. G", b"- [ ] 1.2", b"- [ ] 2. F", b"- [ ] 2.1", b"- [ ] 3. C"):
        assert ticked.count(box) == 1
        ticked = ticked.replace(box, box.replace(b"[ ]", b"[x]"))
    assert after == {**before, root / KIRO_TASKS: ticked}


async def test_a_task_that_kiro_ticked_is_imported_and_an_optional_one_runs_only_when_named(tmp_path: Path) -> None:
    optional = TaskId("greeting/1.3")
    extra = session("1.3", "# Task greeting/1.3 (attempt 1)", turns=[turn(says())])
    async with staged(kiro(tmp_path / "p", verify="true"), *map(works, KIRO_ORDER), extra) as (runtime, _):
        found = TaskId("greeting/1.1")
        assert runtime.state.record(found).state is TaskState.DONE
        assert [item.kind for item in runtime.evidence(found)] == [EvidenceKind.IMPORTED]
        await start(runtime)
        await ended(runtime)
        assert optional not in runtime.state.tasks
        await start(runtime, Scope("task", optional))
        await ended(runtime)
        assert runtime.state.record(optional).state is TaskState.DONE


async def test_an_executor_is_shown_kiros_design_and_the_named_criteria_verbatim(tmp_path: Path) -> None:
    async with staged(kiro(tmp_path / "p", verify=VERIFY), *map(works, KIRO_ORDER)) as (runtime, server):
        await start(runtime)
        await ended(runtime)
        told = first_message(server, "greeting/1.2")
    assert "Each text stands alone in a file of UTF-8 of its own." in told
    assert "**1.1** WHEN a visitor opens greeting.txt, THE Greeter SHALL say hello" in told
    assert "**1.2** THE Greeter SHALL end each greeting with an exclamation mark" in told
    assert "- One line that says hello" in told


async def test_verify_commands_of_the_settings_are_proposals_that_yes_allows(tmp_path: Path) -> None:
    async with staged(kiro(tmp_path / "p", verify=VERIFY), *map(works, KIRO_ORDER)) as (runtime, _):
        await start(runtime)
        await ended(runtime)
        (asked,) = await events_of(runtime, agents.ApprovalAsked)
        assert (asked.kind, asked.subject) == ("proposal", VERIFY)
        (answer,) = await events_of(runtime, agents.ApprovalAnswered)
        assert (answer.allowed, answer.rule) == (True, "--yes")


async def test_without_any_verify_a_reviewer_decides_on_each_kiro_task(tmp_path: Path) -> None:
    sessions = [make(name) for name in KIRO_ORDER for make in (works, reviews)]
    async with staged(kiro(tmp_path / "p"), *sessions) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        for name in KIRO_ORDER:
            assert [item.kind for item in runtime.evidence(TaskId(name))] == [EvidenceKind.REVIEWER]
        told = first_message(server, "review greeting/1.2")
        assert "THE Greeter SHALL say hello" in told
        assert await events_of(runtime, agents.ApprovalAsked) == []


async def test_a_graph_that_names_a_missing_leaf_is_a_problem_at_its_place(tmp_path: Path) -> None:
    plan = KIRO_PLAN.replace('"1.2", "1.3"', '"1.2", "1.33"')
    async with staged(kiro(tmp_path / "p", plan)) as (runtime, _):
        (problem,) = [item for item in runtime.problems[KIRO_TASKS] if item.severity is Severity.ERROR]
    assert problem.code == "unknown-task"
    line = plan.splitlines()[problem.span.start_line]
    assert line[problem.span.start_column : problem.span.end_column] == "1.33"
    assert "1.3" in problem.suggestions


async def test_an_id_means_the_requirement_of_its_own_kiro_folder(tmp_path: Path) -> None:
    root = kiro(tmp_path / "p")
    other = KIRO_REQUIREMENTS.replace("say hello", "name its author")
    laid(root, {".kiro/specs/about/requirements.md": other, ".kiro/specs/about/tasks.md": "- [ ] 1. Name the author\n"})
    async with staged(root) as (runtime, _):
        library = runtime.engine.library
        for spec, says_what in (("about", "name its author"), ("greeting", "say hello")):
            found = library.requirement("1.1", SpecId(spec))
            assert found is not None
            assert says_what in found.text


async def test_a_task_that_names_a_whole_requirement_is_shown_all_its_criteria(tmp_path: Path) -> None:
    plan = KIRO_PLAN.replace("_Requirements: 1.1, 1.2_", "_Requirements: 1_")
    async with staged(kiro(tmp_path / "p", plan, verify=VERIFY), *map(works, KIRO_ORDER)) as (runtime, server):
        assert runtime.problems == {}
        await start(runtime)
        await ended(runtime)
        told = first_message(server, "greeting/1.2")
    assert "**1** 1.1 WHEN a visitor opens greeting.txt, THE Greeter SHALL say hello\n1.2 THE Greeter" in told
    assert "(no document has" not in told


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
async def test_a_spec_kit_project_runs_and_its_boxes_get_a_capital_x(tmp_path: Path, end: str) -> None:
    root = spec_kit(tmp_path / "p", verify=VERIFY, end=end)
    before = {path: path.read_bytes() for path in root.rglob("*.md")}
    async with staged(root, *map(works, KIT_ORDER)) as (runtime, server):
        assert severe(runtime) == []
        assert runtime.state.plan.specs[SpecId("001-greeting")].layout is Layout.SPEC_KIT
        assert [item.kind for item in runtime.evidence(TaskId("001-greeting/T001"))] == [EvidenceKind.IMPORTED]
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert await started(runtime) == KIT_ORDER
        assert all(is_proven(runtime.evidence(TaskId(name))) for name in KIT_ORDER)
        assert severe(runtime) == []
        told = first_message(server, "001-greeting/T003")
    assert "US1.1 **Given** the project, **When** greeting.txt is opened, **Then** it says hello" in told
    assert "**FR-001** System MUST hold a greeting" in told
    assert "plain text files, one a message" in told
    assert "(no document has" not in told
    after = {path: path.read_bytes() for path in root.rglob("*.md") if ".specloom" not in path.parts}
    ticked = before[root / KIT_TASKS].replace(b"- [ ] T", b"- [X] T")
    assert after == {**before, root / KIT_TASKS: ticked}


async def test_without_any_verify_a_reviewer_decides_on_each_spec_kit_task(tmp_path: Path) -> None:
    sessions = [make(name) for name in KIT_ORDER for make in (works, reviews)]
    async with staged(spec_kit(tmp_path / "p"), *sessions) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        for name in KIT_ORDER:
            assert [item.kind for item in runtime.evidence(TaskId(name))] == [EvidenceKind.REVIEWER]


@pytest.mark.parametrize(
    ("lay", "order", "shown"),
    [
        (kiro, KIRO_ORDER, ["1.1 Choose the encoding  found ticked", "2.1 Write farewell.txt  proven"]),
        (spec_kit, KIT_ORDER, ["✓ T001 Create project structure", "T002 Write the licence in LICENSE.txt  proven"]),
    ],
    ids=["kiro", "spec-kit"],
)
def test_the_command_line_shows_and_runs_such_a_project(
    tmp_path: Path, lay: Callable[..., Path], order: list[str], shown: list[str]
) -> None:
    (tmp_path / "home").mkdir()
    project = Project(lay(tmp_path / "p", verify=VERIFY), clean_environment(tmp_path / "home"))
    assert "1/4 done" in project.specloom("status").stdout
    assert shown[0] in project.specloom("tasks").stdout
    server = ScriptedServer(script(*map(works, order)))
    server.start()
    try:
        done = project.specloom("run", "--yes", "--model", "scripted-1", "--base-url", server.base_url)
    finally:
        server.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    listed = project.specloom("tasks").stdout
    assert [line for line in shown if line not in listed] == []
    (status,) = json_lines(project.specloom("status", "--json").stdout)
    assert status["tasks"] == {"total": 4, "done": 4, "failed": 0, "blocked": 0, "skipped": 0, "pending": 0}
    assert status["problems"] == []
