"""Tells from the files of a project with which commands its tasks can be verified. Refuses to run or open anything."""

from collections.abc import Collection
from pathlib import PurePosixPath

_BY_NAME = {
    "pyproject.toml": "a Python project: `python -m pytest -q tests/test_x.py`",
    "setup.py": "a Python project: `python -m pytest -q tests/test_x.py`",
    "requirements.txt": "a Python project: `python -m pytest -q tests/test_x.py`",
    "package.json": (
        "a Node project: `node --test test/x.test.js` needs neither a package nor npm; before you take one of its "
        "`scripts`, see that what it calls is there"
    ),
    "tsconfig.json": "TypeScript: `npx tsc --noEmit` if typescript is a dependency",
    "Cargo.toml": "a Rust project: `cargo test --quiet name`",
    "go.mod": "a Go project: `go test ./path`",
    "pom.xml": "a Maven project: `mvn -q -Dtest=Name test`",
    "build.gradle": "a Gradle project: `./gradlew test --tests Name`",
    "build.gradle.kts": "a Gradle project: `./gradlew test --tests Name`",
    "Gemfile": "a Ruby project: `bundle exec rake test`",
    "mix.exs": "an Elixir project: `mix test test/x_test.exs`",
    "CMakeLists.txt": "a CMake project: `ctest --test-dir build -R name --output-on-failure`",
    "Makefile": "a Makefile: read its targets",
    "composer.json": "a PHP project: `vendor/bin/phpunit tests/XTest.php`",
}
"""Each with the narrowest non-interactive command that fails before a task and passes after it."""

NOTHING = (
    "No file says yet which language or test tool the project uses. Take what the spec and earlier tasks say; "
    "where they are silent, take the test runner of the language's standard distribution: nothing to install then."
)


def toolchain(files: Collection[str]) -> str:
    """Lines for the planner, nearest to the root first."""
    found = sorted(
        (path for path in files if PurePosixPath(path).name in _BY_NAME), key=lambda path: (path.count("/"), path)
    )
    return "\n".join(f"- `{path}`: {_BY_NAME[PurePosixPath(path).name]}" for path in found[:12]) or NOTHING
