"""The line that a person types below a picture that changes. Refuses to leave the terminal other than it was.

The terminal hands over keys as they come and shows none: the picture shows them.
"""

import asyncio
import codecs
import os
import re
import sys
import termios
import tty
from collections.abc import Callable
from typing import Any

LONGEST = 4000
"""Characters of one line."""
_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|O.|.|$)", re.DOTALL)
_ENTER = "\r\n"
_ERASE = "\x7f\x08"
_CLEAR, _WORD, _END = "\x15", "\x17", "\x04"


class TypedLine:
    """Belongs to one event loop; `submit` is called with each line, and with `None` at the end of the input."""

    def __init__(self, submit: Callable[[str | None], None]) -> None:
        self.text = ""
        self._submit = submit
        self._before: list[Any] | None = None
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def open(self) -> None:
        """Takes the keys, if this process is who the terminal speaks to."""
        descriptor = sys.stdin.fileno()
        try:
            if self._before is not None or os.tcgetpgrp(descriptor) != os.getpgrp():
                return
            self._before = termios.tcgetattr(descriptor)
            tty.setcbreak(descriptor, termios.TCSANOW)
        except (OSError, termios.error):
            return
        asyncio.get_running_loop().add_reader(descriptor, self._ready)

    def close(self) -> None:
        """Gives the terminal back."""
        if self._before is None:
            return
        descriptor = sys.stdin.fileno()
        asyncio.get_running_loop().remove_reader(descriptor)
        before, self._before = self._before, None
        try:
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
        except termios.error:
            # It is gone.
            return

    def _ready(self) -> None:
        try:
            data = os.read(sys.stdin.fileno(), 4096)
        except OSError:
            data = b""
        if not data:
            self.close()
            self._submit(None)
            return
        self.take(self._decode(data))

    def take(self, keys: str) -> None:
        """Keys as the terminal sends them; arrows and the like are passed over."""
        for key in _ESCAPE.sub("", keys):
            if key in _ENTER:
                line, self.text = self.text.strip(), ""
                if line:
                    self._submit(line)
            elif key in _ERASE:
                self.text = self.text[:-1]
            elif key == _WORD:
                self.text = self.text.rstrip().rpartition(" ")[0]
            elif key == _CLEAR:
                self.text = ""
            elif key == _END and not self.text:
                self._submit(None)
            elif key.isprintable():
                self.text = (self.text + key)[:LONGEST]
