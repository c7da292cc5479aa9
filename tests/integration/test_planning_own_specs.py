"""Planning over specs that a person wrote: they stay word for word."""

import asyncio
from pathlib import Path

from specloom.domain.rejection import Rejected
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import SPEC, USER, greeter, hosted, session

OUTLINE = {
    "specs": [
        {
            "id": "01",
            "slug": "greeter",
            "title": "Greeter, seen otherwise",
            "summary": "greets",
            "depends_on": [],
            "requirements": ["R1.1", "R1.2"],
        }
    ],
    "out_of_scope": [],
}


async def test_a_spec_that_specloom_did_not_write_is_left_alone(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter", SPEC.replace("- [ ] 1.2", "- [x] 1.2"))
    before = await asyncio.to_thread((root / "specs" / "01-greeter.md").read_bytes)
    turns = [{"answer": [{"tool": "submit_outline", "input": OUTLINE}]}]
    script = {"sessions": [session("outline", "# Outline: requirements.md", turns=turns)]}
    async with ScriptedServer(script) as server, hosted(root, server) as runtime:
        answer = await runtime.plan(None, "", USER)
        assert not isinstance(answer, Rejected)
        await runtime.wait_idle()
        assert runtime.state.planning is not None
        assert runtime.state.planning.state == "finished"
        server.check()
    assert (root / "specs" / "01-greeter.md").read_bytes() == before
