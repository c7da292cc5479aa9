"""Unified diffs of texts, as `git apply` and `patch` take them. Refuses binary content: there is none here."""

from difflib import unified_diff

NO_NEWLINE = "\n\\ No newline at end of file\n"
QUOTED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def unified(path: str, before: str | None, after: str | None) -> str:
    """The diff of one file with git's header; `None` stands for a file that does not exist."""
    old, new = _name("a", path), _name("b", path)
    header = [f"diff --git {old} {new}\n"]
    if before is None:
        header.append("new file mode 100644\n")
    if after is None:
        header.append("deleted file mode 100644\n")
    return "".join([*header, *_hunks(old, new, before, after)])


def diff_lines(text: str) -> list[str]:
    """Lines with their ends, split at line feeds alone, as diffs are."""
    lines = text.split("\n")
    return [*(f"{line}\n" for line in lines[:-1]), *([lines[-1]] if lines[-1] else [])]


def _hunks(old: str, new: str, before: str | None, after: str | None) -> list[str]:
    source = "/dev/null" if before is None else _dated(old)
    target = "/dev/null" if after is None else _dated(new)
    shown = list(unified_diff(diff_lines(before or ""), diff_lines(after or ""), source, target))
    return [line if line.endswith("\n") else line + NO_NEWLINE for line in shown]


def _name(side: str, path: str) -> str:
    """Quoted as git does it (`core.quotePath=false`), so that a line holds one name."""
    if not any(char in path for char in QUOTED):
        return f"{side}/{path}"
    return '"' + f"{side}/{path}".translate(str.maketrans(QUOTED)) + '"'


def _dated(name: str) -> str:
    """With the tab that ends a name with spaces."""
    return f"{name}\t" if " " in name else name
