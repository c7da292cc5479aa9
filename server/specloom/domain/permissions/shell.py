"""Reads a shell line with the grammar of tree-sitter-bash, and doubts it. Refuses to guess.

The grammar forgives what bash does not, and some of its readings are not bash's. What counts as read is therefore only
a tree of known nodes without faults whose leaves, but for blanks, are the whole text; all else is a reason to ask.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from specloom.domain.permissions import quoting
from specloom.domain.permissions.line import Redirect, ShellLine, SimpleCommand, Word, WordKind, named
from specloom.domain.permissions.wrappers import Script, Unfolded, unfold

if TYPE_CHECKING:
    from tree_sitter import Language, Node

LONGEST = 50_000
"""Characters of a line that are looked at; a longer one is unclear."""
DEEPEST = 6
"""Scripts in scripts that are looked into."""
ODD_BLANKS = re.compile(r"[^\S \t\n]|[\x00-\x08\x0b-\x1f\x7f]")
"""Blanks and control characters that grammar and shell read differently."""
GAP = re.compile(r"(?:[ \t\n]|\\\n)*")
WALKED = named("""
    program list pipeline redirected_statement negated_command subshell compound_statement if_statement elif_clause
    else_clause for_statement c_style_for_statement while_statement do_group case_statement case_item test_command
    binary_expression unary_expression postfix_expression ternary_expression parenthesized_expression
    command_substitution process_substitution arithmetic_expansion expansion simple_expansion array subscript
    heredoc_body heredoc_redirect herestring_redirect brace_expression string concatenation
    """)
"""Nodes without a meaning of their own here: only what they hold counts."""
LEAVES = named("""
    word number raw_string string_content comment variable_name special_variable_name test_operator regex
    extglob_pattern file_descriptor heredoc_start heredoc_content heredoc_end
    """)
WORDS = named("word number string raw_string concatenation simple_expansion expansion command_substitution "
                  "process_substitution arithmetic_expansion ansi_c_string brace_expression")  # fmt: skip
READS, DUPLICATES = frozenset({"<"}), frozenset({">&", "<&", ">&-", "<&-"})
WRITES = frozenset({">", ">>", ">|", "&>", "&>>", "<>", ">&"})
DECLARING = frozenset({"export", "declare", "local", "readonly", "typeset", "unset"})
RESERVED = named("if then else elif fi do done case esac while until for select in function coproc { } ! [[ ]]")


def read(text: str, depth: int = 0) -> ShellLine:
    """What the line runs and opens. Never raises."""
    if len(text) > LONGEST:
        return ShellLine((), (f"it is longer than {LONGEST:,} characters",))
    if depth > DEEPEST:
        return ShellLine((), ("scripts are nested too deeply",))
    return _Reading(text, depth).line()


@cache
def _language() -> "Language":
    import tree_sitter_bash
    from tree_sitter import Language

    return Language(tree_sitter_bash.language())


class _Reading:
    """One pass over one tree."""

    def __init__(self, text: str, depth: int) -> None:
        from tree_sitter import Parser

        self._text = text
        self._depth = depth
        self._bytes = text.encode("utf-8", "replace")
        # The tree owns its nodes; it has to live as long as they are looked at.
        self._tree = Parser(_language()).parse(self._bytes)
        self._parts: list[SimpleCommand | Redirect] = []
        self._unclear: dict[str, None] = {}

    def line(self) -> ShellLine:
        if ODD_BLANKS.search(self._text):
            self._doubt("it holds control characters or unusual blanks")
        if self._tree.root_node.has_error:
            self._doubt("it cannot be parsed")
        self._check_leaves()
        self._walk(self._tree.root_node)
        return ShellLine(tuple(self._parts), tuple(self._unclear))

    def _doubt(self, reason: str) -> None:
        self._unclear[reason] = None

    def _source(self, start: int, end: int) -> str:
        return self._bytes[start:end].decode("utf-8", "replace")

    def _check_leaves(self) -> None:
        """Every byte is in a leaf or a blank, and no leaves touch across a continued line."""
        leaves = [(leaf.start_byte, leaf.end_byte) for leaf in _leaves(self._tree.root_node)]
        for (_, before), (after, _) in pairwise([(0, 0), *leaves, (len(self._bytes), 0)]):
            gap = self._source(before, after)
            if not GAP.fullmatch(gap) or (gap and not gap.replace("\\\n", "")):
                self._doubt("a part of it cannot be told apart")

    def _check_neighbours(self, node: "Node") -> None:
        """To bash, words without a blank between them are one word."""
        for before, after in pairwise(node.children):
            touches = before.end_byte == after.start_byte
            if touches and _ends_word(before) and (after.type in WORDS or _starts_with_number(after)):
                self._doubt("it holds words that touch")

    def _walk(self, node: "Node") -> None:
        match node.type:
            case "command" | "declaration_command" | "unset_command":
                self._command(node, ())
            case "redirected_statement":
                self._redirected(node)
            case "variable_assignment":
                self._parts.append(SimpleCommand((), (_assigned(node),)))
                self._inside(node)
            case "variable_assignments":
                self._inside(node)
            case "file_redirect":
                self._redirect(node)
            case "heredoc_redirect":
                self._heredoc(node)
            case _:
                self._check(node)
                self._inside(node)

    def _inside(self, node: "Node") -> None:
        if node.type not in WORDS:
            self._check_neighbours(node)
        for child in node.children:
            self._walk(child)

    def _check(self, node: "Node") -> None:
        source = self._source(node.start_byte, node.end_byte)
        if _evaluates(node.type, source):
            self._doubt("it calculates with text, which bash evaluates as code")
        if not node.is_named:
            if node.type == "$" and node.parent is not None and "expansion" not in node.parent.type:
                self._doubt("it holds a `$` that is no expansion")
        elif node.type not in WALKED and node.type not in LEAVES:
            self._doubt(UNKNOWN.get(node.type, f"it holds a construct that is not looked into ({node.type})"))
        elif node.type == "comment" and node.start_byte and self._bytes[node.start_byte - 1 :][:1] not in b" \t\n;&|()":
            self._doubt("a comment begins within a word")
        elif node.type == "command_substitution" and source.startswith("`") and "\\" in source:
            self._doubt("it holds escapes between backticks")
        elif node.type == "expansion" and "@" in source:
            self._check_transformation(source)

    def _check_transformation(self, source: str) -> None:
        if re.search(r"@[A-Za-z]", source):
            self._doubt("it holds an expansion that is evaluated again")

    def _redirected(self, node: "Node") -> None:
        """The grammar takes words behind a redirection for its targets; to bash they are words of the command."""
        self._check_neighbours(node)
        redirects = [child for child in node.children if child.type.endswith("_redirect")]
        rest = [word for redirect in redirects for word in _surplus(redirect)]
        bodies = [child for child in node.children if child not in redirects]
        if rest and (len(bodies) != 1 or bodies[0].type != "command"):
            self._doubt("words stand behind a redirection")
        for body in bodies:
            if body.type == "command":
                self._command(body, tuple(rest))
            else:
                self._walk(body)
        for redirect in redirects:
            self._walk(redirect)

    def _command(self, node: "Node", rest: tuple["Node", ...]) -> None:
        self._check_neighbours(node)
        names: list[str] = []
        words: list[Word] = []
        for child in (*node.children, *rest):
            if child.type == "variable_assignment" and node.type == "command":
                names.append(_assigned(child))
                self._inside(child)
            elif child.type.endswith("_redirect"):
                self._walk(child)
            else:
                words.append(self._word(child.children[0] if child.type == "command_name" else child))
        if not words and names:
            self._parts.append(SimpleCommand((), tuple(names)))
        elif words:
            self._add(unfold(tuple(words), tuple(names)))

    def _add(self, found: Unfolded) -> None:
        for reason in found.unclear:
            self._doubt(reason)
        for item in found.parts:
            if isinstance(item, Script):
                inner = read(item.text, self._depth + 1)
                self._parts.extend(inner.parts)
                self._unclear.update(dict.fromkeys(inner.unclear))
            else:
                if item.words and item.name in RESERVED:
                    self._doubt(f"`{item.name}` stands where a command should")
                self._parts.append(item)

    def _word(self, node: "Node") -> Word:
        """The word, with whatever it substitutes looked into."""
        word = self._piece(node, first=True)
        if node.child_count:
            if node.type != "variable_assignment":
                self._check(node)
            self._inside(node)
        return word

    def _piece(self, node: "Node", *, first: bool) -> Word:
        source = self._source(node.start_byte, node.end_byte)
        dynamic = Word(source, WordKind.DYNAMIC)
        read_as: Word | None = dynamic
        match node.type:
            case "word" | "number":
                read_as = None if source.startswith("#") else quoting.bare(source, first=first)
            case "raw_string":
                read_as = quoting.single_quoted(source)
            case "string":
                if all(child.type in ('"', "string_content") for child in node.children):
                    read_as = quoting.double_quoted(source)
            case "concatenation":
                pieces = tuple(self._piece(child, first=not n) for n, child in enumerate(node.children))
                read_as = quoting.joined(pieces, source)
            case "variable_assignment" | "variable_name":
                # Words of `export` and its like; the value may be anything.
                read_as = Word(source) if quoting.BARE.fullmatch(source) else dynamic
            case _:
                if node.type in DECLARING:
                    read_as = Word(source)
                elif node.type not in WORDS:
                    read_as = None
        if read_as is None:
            self._doubt(f"it holds a word that cannot be read ({source[:40]})")
        return read_as or dynamic

    def _redirect(self, node: "Node") -> None:
        self._check_neighbours(node)
        operator = next((child.type for child in node.children if not child.is_named), "")
        target = next(iter(_targets(node)), None)
        for child in node.children:
            if child.is_named and child.type not in WORDS:
                self._walk(child)
        if target is None:
            if operator not in DUPLICATES:
                self._doubt("a redirection has no target")
            return
        word = self._word(target)
        if operator in DUPLICATES and word.literal and re.fullmatch(r"[0-9]+-?|-", word.text):
            return
        if operator not in WRITES and operator not in READS:
            self._doubt(f"it redirects with {operator}")
        self._parts.append(Redirect(word, operator not in READS))

    def _heredoc(self, node: "Node") -> None:
        start = next((child for child in node.children if child.type == "heredoc_start"), None)
        end = next((child for child in node.children if child.type == "heredoc_end"), None)
        body = next((child for child in node.children if child.type == "heredoc_body"), None)
        if start is None or end is None:
            self._doubt("a here-document has no end")
        else:
            self._check_heredoc(node, start, end, body)
        self._check_neighbours(node)
        surplus = _surplus(node)
        for child in node.children:
            if child not in surplus:
                self._walk(child)

    def _check_heredoc(self, node: "Node", start: "Node", end: "Node", body: "Node | None") -> None:
        mark = self._source(start.start_byte, start.end_byte)
        plain = re.sub(r"[\\'\"]", "", mark)
        text = "" if body is None else self._source(body.start_byte, end.start_byte)
        strip = "\t" if any(child.type == "<<-" for child in node.children) else ""
        last = self._bytes[: end.start_byte].rfind(b"\n") + 1
        closing = self._bytes[last:].split(b"\n", 1)[0].decode("utf-8", "replace")
        lines = text.split("\n")[:-1]
        if strip:
            closing, lines = closing.lstrip(strip), [line.lstrip(strip) for line in lines]
        if closing != plain or plain in lines:
            self._doubt("the end of a here-document is not certain")
        if mark == plain and re.search(r"`|\$\(|\$\[", text):
            self._doubt("a here-document substitutes commands")


NUMBERS_OF_TEXT = re.compile(r"\s-(?:eq|ne|lt|le|gt|ge|v|R)\s")
CALCULATED = re.compile(r"[^\s0-9+*/%()<>=!&|^~?:,-]")
PLAIN_SUBSCRIPT = re.compile(r"[^\[]+\[(?:[0-9]+|@|\*)\]")


def _evaluates(kind: str, source: str) -> bool:
    """Whether bash calculates: a variable, or a quoted text, in an arithmetic place may hold `a[$(command)]`.

    Bash manual, 6.5 Shell Arithmetic; `-v` of `test` and subscripts evaluate in the same way.
    """
    match kind:
        case "test_command":
            return NUMBERS_OF_TEXT.search(source) is not None and (source.startswith("[[") or " -v " in source)
        case "arithmetic_expansion":
            return CALCULATED.search(source.lstrip("$([").rstrip(")]")) is not None
        case "compound_statement":
            return source.startswith("((")
        case "c_style_for_statement":
            return True
        case "subscript":
            return PLAIN_SUBSCRIPT.fullmatch(source) is None
        case "expansion":
            return re.search(r":\s*[^-+?=\s0-9]", source) is not None
        case _:
            return False


UNKNOWN = {
    "function_definition": "it defines a function",
    "ERROR": "it cannot be parsed",
    "ansi_c_string": "it holds a string with escapes",
}


def _leaves(node: "Node") -> "Iterator[Node]":
    if not node.child_count:
        yield node
    for child in node.children:
        yield from _leaves(child)


def _targets(redirect: "Node") -> list["Node"]:
    return [child for child in redirect.children if child.type in WORDS]


def _surplus(redirect: "Node") -> list["Node"]:
    """Words of the command that stand behind a redirection."""
    words = _targets(redirect)
    return words if redirect.type == "heredoc_redirect" else words[1:] if redirect.type == "file_redirect" else []


def _ends_word(node: "Node") -> bool:
    """Whether a word, or an assignment, may stand at the end of a node."""
    return node.type in WORDS or node.type in ("command", "command_name", "variable_assignment", "heredoc_start")


def _starts_with_number(node: "Node") -> bool:
    """Digits before a redirection belong to the word that they touch."""
    return node.type == "file_redirect" and bool(node.children) and node.children[0].type == "file_descriptor"


def _assigned(node: "Node") -> str:
    return (node.children[0].text or b"").decode("utf-8", "replace").split("[")[0]
