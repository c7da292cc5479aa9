"""Shell text in which more may happen than its commands show. Refuses to understand it: a person is asked.

Bash evaluates text where nobody looks for commands: in the patterns and offsets of `${…}`, in subscripts, in the
operands of `[ -v … ]` and `printf -v`; a loop sets variables and moves folders; a word that is a glob may become an
option. Whatever could be any of that is met here, before rules and lists of harmless commands may allow it.
"""

import re

INTRICATE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\$\{(?!\w+\})"), "what stands in `${…}` may run commands or set variables"),
    (re.compile(r"\w\+?=\("), "what stands in an array may run commands"),
    (re.compile(r"\w\[[^\]]*[$`]"), "what stands in a subscript may run commands"),
    (
        re.compile(r"(?:^|[;&|(){}\n]|\b(?:do|then|else)\b)\s*(?:for|select|while|until)\s"),
        "a loop sets variables and may leave its folder",
    ),
    (re.compile(r"(?<![\w/.\[-])(?:test|\[|printf)\s(?=[\s\S]*(?:\$|\s-v\s))"), "a variable may become an option"),
    (re.compile(r"\s[*?\[](?!\s|\[)\S*"), "a file name may become an option"),
)
"""What to look for in the whole text, quoted or not, and why."""


def intricacy(text: str) -> str:
    """Why the effect of a line cannot be told from its commands; empty: nothing of the kind is in it."""
    return next((reason for pattern, reason in INTRICATE if pattern.search(text)), "")
