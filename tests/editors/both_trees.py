"""The rows of two task trees in one form, to be compared. Refuses what one of them alone shows: times, costs."""

import json
import re

from tests.editors.nvim_client.person import Person

LINES = (
    "(function() for _, buf in ipairs(vim.api.nvim_list_bufs()) do"
    " if vim.bo[buf].filetype == [[specloom-tree]] then return vim.api.nvim_buf_get_lines(buf, 0, -1, false) end"
    " end end)()"
)
LINE = re.compile(r"^\s*(?:[▾▸] )?(?P<sign>[·○▶✓✗■–≈≠◆?] )?(?P<title>\S.*?)(?: {2,}(?P<details>.*))?$")
SIGNS = {"·": "pending", "○": "ready", "▶": "in progress", "✓": "done", "✗": "failed", "■": "blocked", "–": "skipped"}
STATE = r"proven|done, not proven|done, proof stale|done, outdated|[a-z ]+"
VOUCHED = {
    "proven": "proven",
    "done": "done, not proven",
    "proof stale": "done, proof stale",
    "outdated": "done, outdated",
}
TASK = re.compile(rf"^Task (?P<title>[^,]+), (?P<state>{STATE})")
UNDER_WAY = {"running", "pausing", "paused", "cancelling"}


def vscode_tree(rows: str) -> list[str]:
    """Of a JSON list of rows, as they are read out."""
    found: list[str] = []
    waiting = 0
    for row in json.loads(rows):
        kind, _, rest = str(row).partition(" ")
        name, _, details = rest.partition(", ")
        if task := TASK.match(row):
            found.append(f"{task['title']} {task['state']}")
        elif kind == "Project":
            found.append(f"project {name} {_run(details.split(' · '))}")
        elif kind == "Spec":
            found.append(f"{name} {details}")
        elif kind == "Waits":
            waiting += 1
        elif kind == "Agents," and rest[0].isdigit():
            found.append(rest)
    return _with_waiting(found, waiting)


def neovim_tree(at: Person) -> list[str]:
    """Of the buffer that shows it."""
    found: list[str] = []
    waiting = agents = 0
    for number, line in enumerate(at.lua(LINES) or []):
        part = LINE.match(line)
        assert part is not None, f"not understood: {line!r}"
        sign, title, details = (part["sign"] or "").strip(), part["title"], (part["details"] or "").split(" · ")
        if number == 0:
            found.append(f"project {title} {_run(details)}")
        elif sign == "?":
            waiting += title != "Waiting for you"
        elif sign == "◆":
            agents += 1
        elif sign and re.match(r"\d+ ", title) and line[0] in "▾▸":
            found.append(f"{title} {details[0]}")
        elif sign:
            found.append(f"{title} {VOUCHED.get(details[0]) or SIGNS[sign]}")
    return _with_waiting([*found, f"{agents} at work"] if agents else found, waiting)


def _run(details: list[str]) -> str:
    """How much is done, and the run's state while it is under way."""
    counts = [detail for detail in details if re.fullmatch(r"\d+/\d+", detail)]
    states = [word for detail in details for word in detail.split()[:1] if word in UNDER_WAY]
    return " ".join([*counts, *states])


def _with_waiting(found: list[str], waiting: int) -> list[str]:
    return [*found[:1], f"{waiting} waits", *found[1:]] if waiting else found
