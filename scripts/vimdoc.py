"""Makes the help of the Neovim plugin from its README. Refuses Markdown that README has no need for.

Headings, paragraphs, lists, tables of two or three columns and fenced code; lines of help are at most 78 cells.
"""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

PLUGIN = Path(__file__).resolve().parent.parent / "clients" / "neovim"
WIDTH = 78
INDENT = " " * 4
_NAMED = re.compile(r":Specloom!?(?: ([a-z]+))?")


def generated() -> dict[str, str]:
    """The help, by its path from the root of the repository."""
    return {"clients/neovim/doc/specloom.txt": vimdoc((PLUGIN / "README.md").read_text())}


def vimdoc(markdown: str) -> str:
    """The same as a help file, with tags for its sections, commands, options and events."""
    titles = re.findall(r"^## (.+)$", markdown, re.MULTILINE)
    lines = ["*specloom.txt*  Specloom for Neovim", "", "CONTENTS" + "*specloom*".rjust(WIDTH - 8), ""]
    lines += [f"{INDENT}{title} ".ljust(WIDTH - 26, ".") + f" |{_tag(title)}|" for title in titles]
    lines += list(_body(markdown.partition("\n")[2]))
    tail = " vim:tw=78:ts=8:noet:ft=help:norl:"
    return re.sub(r"\n{3,}", "\n\n", "\n".join([*lines, "", tail])) + "\n"


def _tag(title: str) -> str:
    return "specloom-" + title.lower().replace(" ", "-")


def _body(markdown: str) -> Iterator[str]:
    for part in re.split(r"\n(?=```lua\n)|(?<=\n```)\n|\n\n", markdown):
        lines = part.strip("\n").split("\n")
        if part.startswith("```lua\n"):
            yield from (">lua", *(INDENT + line if line else "" for line in lines[1:-1]), "<")
        elif lines[0].startswith("## "):
            title = lines[0].removeprefix("## ")
            yield from ("", "=" * WIDTH, title.upper() + f"*{_tag(title)}*".rjust(WIDTH - len(title)), "")
        elif lines[0].startswith("|"):
            yield from _table([_cells(line) for line in lines])
        elif re.match(r"(-|\d+\.) ", lines[0]):
            yield from _list(lines)
        elif lines[0]:
            yield from ("", *textwrap.wrap(_plain(" ".join(lines)), WIDTH, break_on_hyphens=False))


def _cells(row: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def _plain(text: str) -> str:
    """Help has code between backticks, too; emphasis it has not."""
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*", r"\1", text)


def _table(rows: list[list[str]]) -> Iterator[str]:
    """Each row as a term with its tag, and its meaning below."""
    kind = rows[0][0]
    yield ""
    for term, *rest in rows[2:]:
        name = term.strip("`")
        tag = _tag_of(kind, name)
        default = f" (default: {rest[0]})" if len(rest) > 1 else ""
        head = name + default
        tagged = f"*{tag}*"
        if len(head) + len(tagged) + 1 > WIDTH:
            yield tagged.rjust(WIDTH)
            yield from textwrap.wrap(head, WIDTH, subsequent_indent=INDENT * 2, break_on_hyphens=False)
        else:
            yield head + tagged.rjust(WIDTH - len(head))
        yield from textwrap.wrap(
            _plain(rest[-1]), WIDTH, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False
        )


def _tag_of(kind: str, name: str) -> str:
    found = _NAMED.match(name) if kind == "command" else None
    if found:
        return f":Specloom-{found[1]}" if found[1] else ":Specloom"
    return name if kind == "pattern" else f"specloom.{name}"


def _list(lines: list[str]) -> Iterator[str]:
    """An item goes on in lines that begin with a space."""
    yield ""
    for item in re.split(r"\n(?! )", "\n".join(lines)):
        text = _plain(" ".join(item.split()))
        sign = text.partition(" ")[0]
        yield from textwrap.wrap(text, WIDTH, subsequent_indent=" " * (len(sign) + 1), break_on_hyphens=False)
