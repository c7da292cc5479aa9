"""Who looks at a file and does nothing else is told from who works."""

from collections.abc import Mapping

import pytest

from specloom.domain.looking import looked_at, printed_to

LOOKS: dict[str, tuple[str, Mapping[str, object]]] = {
    "cat": ("run_command", {"command": "cat /p/app/build.log"}),
    "relative": ("run_command", {"command": "tail -n 20 build.log 2>/dev/null | grep -c error"}),
    "from above": ("run_command", {"command": "cd .. && sleep 3; tail app/build.log"}),
    "a loop": ("run_command", {"command": "for i in 1 2 3; do date; tail -1 build.log; sleep 1; done"}),
    "a redirect": ("run_command", {"command": "grep ready < build.log || true"}),
    "a tool": ("read_file", {"path": "app/build.log"}),
    "another tool": ("grep_search", {"path": "app/build.log", "pattern": "ready"}),
}
WORKS: dict[str, tuple[str, Mapping[str, object]]] = {
    "a test beside it": ("run_command", {"command": "pytest -q; cat build.log"}),
    "a copy": ("run_command", {"command": "cat build.log > other.log"}),
    "an edit": ("run_command", {"command": "sed -i s/a/b/ build.log"}),
    "what cannot be read": ("run_command", {"command": "cat build.log; if"}),
    "a write": ("write_file", {"path": "app/build.log", "content": ""}),
    "nothing": ("command_jobs", {"action": "list"}),
    "elsewhere": ("run_command", {"command": "cat build.log.old"}),
}


def seen(name: str, given: Mapping[str, object]) -> bool:
    return "/p/app/build.log" in looked_at(name, given, "/p", "/p/app")


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_names_its_file(name: str) -> None:
    assert seen(*LOOKS[name])


@pytest.mark.parametrize("name", WORKS)
def test_whatever_does_more_or_looks_elsewhere_is_no_look(name: str) -> None:
    assert not seen(*WORKS[name])


def test_a_command_prints_where_it_is_sent() -> None:
    assert printed_to("make 2>&1 | tee -a out.txt > /dev/null", "/p") == {"/p/out.txt"}
    assert printed_to("serve > ../s.log 2>> err.log", "/p/app") == {"/p/s.log", "/p/app/err.log"}
    assert printed_to("make", "/p") == frozenset()
