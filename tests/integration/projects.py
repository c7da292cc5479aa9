"""Small real projects and scripts for the tests that go through the whole engine."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from specloom.compose import open_runtime
from specloom.domain.origin import Origin
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, Scope
from specloom.engine.api import Accepted
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer

USER = Origin("user", "test")

REQUIREMENTS = """# Greeter

- R1.1 WHEN the program is called with a name, THE program SHALL print a greeting.
- R1.2 THE greeting SHALL end with an exclamation mark.
"""

SPEC = """---
id: "01"
title: Greeter
depends_on: []
requirements: [R1.1, R1.2]
---

# Greeter

## Purpose

Greets.

## Tasks

- [ ] 1 Greeting
  - [ ] 1.1 Write the greeting
    - greet.py has a function greet(name)
    - _Requirements: R1.1_
    - _Verify: `python3 -c "from greet import greet; assert 'Ann' in greet('Ann')"`_
  - [ ] 1.2 End with an exclamation mark
    - _Requirements: R1.2_
    - _Verify: `python3 -c "from greet import greet; assert greet('Ann').endswith('!')"`_
"""

WRITES = [
    {
        "answer": [
            {"text": "I write it."},
            {
                "tool": "write_file",
                "input": {"path": "greet.py", "content": 'def greet(name):\n    return "Hello " + name\n'},
            },
        ]
    },
    {"answer": [{"text": "greet.py has greet."}]},
]
ENDS = [
    {"answer": [{"tool": "read_file", "input": {"path": "greet.py"}}]},
    {
        "answer": [
            {
                "tool": "edit_file",
                "input": {
                    "path": "greet.py",
                    "edits": [
                        {
                            "start_line": 2,
                            "start_text": '    return "Hello " + name',
                            "end_line": 2,
                            "end_text": '    return "Hello " + name',
                            "new_text": '    return "Hello " + name + "!"',
                        }
                    ],
                },
            }
        ]
    },
    {"answer": [{"text": "It ends with an exclamation mark."}]},
]


def session(name: str, *first: str, turns: list[dict[str, Any]], **rest: Any) -> dict[str, Any]:
    """One session of a script."""
    return {"name": name, "first": list(first), "turns": turns, **rest}


def greeter_script() -> dict[str, Any]:
    """Both tasks of `SPEC`, each done at the first attempt."""
    return {
        "sessions": [
            session("1.1", "# Task 01/1.1 (attempt 1)", turns=WRITES),
            session("1.2", "# Task 01/1.2 (attempt 1)", turns=ENDS),
        ]
    }


def greeter(root: Path, spec: str = SPEC) -> Path:
    """Lays the files of a project with one spec of two tasks."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "requirements.md").write_text(REQUIREMENTS)
    (root / "specs").mkdir()
    (root / "specs" / "01-greeter.md").write_text(spec)
    return root


async def opened(
    root: Path, base_url: str, environment: Mapping[str, str] | None = None, **settings: Any
) -> ProjectRuntime:
    """A runtime of `root` whose model is at `base_url`; the caller closes it."""
    overrides: dict[str, Any] = {"models": {"default": {"model": "scripted-1", "base_url": base_url}}}
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    return await open_runtime(root, environment=path | dict(environment or {}), overrides=overrides | settings)


@asynccontextmanager
async def hosted(
    root: Path, server: ScriptedServer, environment: Mapping[str, str] | None = None, **settings: Any
) -> AsyncGenerator[ProjectRuntime]:
    """A runtime of `root` whose model is `server`, closed at the end."""
    runtime = await opened(root, server.base_url, environment, **settings)
    try:
        yield runtime
    finally:
        await runtime.close()


async def run(runtime: ProjectRuntime, scope: Scope | None = None, budget: Budget | None = None) -> Accepted:
    """Starts an unattended run and waits until nothing goes on."""
    answer = await runtime.start_run(scope or Scope(), budget or Budget(), USER, unattended=True)
    assert not isinstance(answer, Rejected), answer
    await runtime.wait_idle()
    return answer
