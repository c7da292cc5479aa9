"""A Messages API on loopback whose answers come from script files: shipped for `specloom demo` and for tests.

Refuses to answer what no script foresees, and to answer by order of arrival: only the request itself decides.
"""

from specloom.llm.scripted.record import RecordedRequest
from specloom.llm.scripted.script import Script, ScriptError
from specloom.llm.scripted.server import ScriptedServer

__all__ = ["RecordedRequest", "Script", "ScriptError", "ScriptedServer"]
