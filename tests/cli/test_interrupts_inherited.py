"""Commands of ours hear Ctrl-C, however we were started ourselves."""

import subprocess
import sys

START = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
from specloom.__main__ import main
main({words})
child = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout.strip())
"""


def test_a_command_of_a_program_in_the_background_can_be_interrupted() -> None:
    told = subprocess.run(
        [sys.executable, "-c", START.replace("{words}", "['--no-such-option']")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.stdout.splitlines()[-1] == "False", told


EARLY = """
import sys
from specloom.__main__ import main
class Pressed:
    def find_spec(self, name, path, target=None):
        if name == "specloom.cli.arguments":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
sys.exit(main(["status"]))
"""


def test_an_interrupt_while_it_starts_is_told_in_one_line() -> None:
    told = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, timeout=60, check=False)
    assert (told.returncode, told.stderr) == (130, "specloom: interrupted\n")
