"""Files of ten languages as small grammars write them, with the twin lines that real files have.

Refuses to be a corpus: nothing is copied, and the same seed writes the same file on every machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

WORDS = (
    "account",
    "action",
    "batch",
    "cache",
    "client",
    "column",
    "config",
    "cursor",
    "customer",
    "digest",
    "entry",
    "event",
    "field",
    "file",
    "filter",
    "folder",
    "frame",
    "group",
    "handler",
    "header",
    "index",
    "input",
    "invoice",
    "item",
    "job",
    "key",
    "label",
    "layer",
    "limit",
    "line",
    "list",
    "loader",
    "map",
    "message",
    "model",
    "name",
    "node",
    "offset",
    "option",
    "order",
    "owner",
    "page",
    "parser",
    "part",
    "path",
    "payload",
    "plan",
    "point",
    "policy",
    "price",
    "query",
    "queue",
    "range",
    "record",
    "region",
    "report",
    "request",
    "result",
    "role",
    "route",
    "row",
    "rule",
    "schema",
    "scope",
    "server",
    "session",
    "setting",
    "shape",
    "signal",
    "size",
    "source",
    "state",
    "status",
    "step",
    "store",
    "stream",
    "table",
    "target",
    "task",
    "team",
    "ticket",
    "token",
    "total",
    "user",
    "value",
    "version",
    "view",
    "window",
    "worker",
)


@dataclass(frozen=True, slots=True)
class Language:
    """How a file is put together; `{n}` is a name, `{v}` one of few names, `{d}` a digit."""

    indent: str
    head: tuple[str, ...]
    unit: tuple[str, ...]
    """Opening lines of a function, table, section."""
    close: tuple[str, ...]
    """What ends a unit."""
    blocks: tuple[tuple[str, str], ...]
    """Openings and ends of nested blocks; an empty end is no line."""
    statements: tuple[str, ...]
    """Written at any depth; those without a name make twins."""
    last: tuple[str, ...] = ()
    """One of them ends each unit, before `close`."""


LANGUAGES: Mapping[str, Language] = {
    "python": Language(
        "    ",
        ("import os", "import sys", "", ""),
        ("def {n}_{n}({v}, {v}_{d}=None):",),
        ("", ""),
        (("if {v} is None:", ""), ("for {v} in {v}s:", ""), ("try:", "except ValueError:\n    pass"), ("else:", "")),
        (
            "return None",
            "continue",
            "{v} = {v}.{n}({d})",
            "self.{n}('{n}', \"{v}\")",
            "{v} += {d}",
            "pass",
            "# {n} - {v}",
        ),
        ("return {v}", "return None"),
    ),
    "typescript": Language(
        "  ",
        ('import { readFile } from "node:fs";', ""),
        ("export async function {n}{n}({v}: string): Promise<void> {{",),
        ("}}", ""),
        (
            ("if ({v}) {{", "}}"),
            ("for (const {v} of {v}s) {{", "}}"),
            ("try {{", "}} catch (error) {{\n  throw error;\n}}"),
        ),
        (
            "return;",
            "await {v}.{n}();",
            'console.log("{n}", `{v}-{d}`);',
            "const {v}{d} = {v} - {d};",
            "{v}.close();",
            "break;",
        ),
        ("return {v};", "return;"),
    ),
    "go": Language(
        "\t",
        ("package main", "", 'import "errors"', ""),
        ("func (s *{n}) {n}({v} string) error {{",),
        ("}}", ""),
        (("if err != nil {{", "}}"), ("for _, {v} := range {v}s {{", "}}"), ("switch {v} {{", "}}")),
        (
            "return err",
            "{v}, err := s.{n}({d})",
            "defer {v}.Close()",
            'return errors.New("{n}")',
            "continue",
            "count++",
        ),
        ("return nil",),
    ),
    "rust": Language(
        "    ",
        ("use std::fs;", "", "impl Store {{"),
        ("pub fn {n}_{n}(&self, {v}: &str) -> Result<()> {{",),
        ("}}", ""),
        (("if let Some({v}) = {v} {{", "}}"), ("match {v} {{", "}}"), ("for {v} in self.{v}s() {{", "}}")),
        (
            "return Ok(());",
            "let {v} = self.{n}({d})?;",
            "None => continue,",
            "drop({v});",
            '{v}.push("{n}-{d}");',
            "{v}.lock()?;",
        ),
        ("Ok(())",),
    ),
    "c": Language(
        "\t",
        ("#include <stdio.h>", ""),
        ("static int {n}_{n}(struct {v} *{v})", "{{"),
        ("}}", ""),
        (("if (!{v}) {{", "}}"), ("while ({v}->next) {{", "}}"), ("switch ({v}->{n}) {{", "}}")),
        ("return -1;", "free({v});", "{v} = {n}({v}, {d});", "break;", "goto out;", 'printf("{n}: %d\\n", {v});'),
        ("return 0;",),
    ),
    "java": Language(
        "    ",
        ("package app.{n};", "", "import java.util.List;", "", "public class {n} {{"),
        (
            "@Override",
            "public int {n}{n}(List<String> {v}) {{",
        ),
        ("}}", ""),
        (
            ("if ({v} == null) {{", "}}"),
            ("for (String {v} : {v}s) {{", "}}"),
            ("try {{", "}} finally {{\n    close();\n}}"),
        ),
        ("return 0;", "this.{v} = {v};", "{v}.add({n}.of({d}));", "break;", 'log.info("{n} - {v}");', "count++;"),
        ("return {d};", "return 0;"),
    ),
    "yaml": Language(
        "  ",
        ("version: 2", ""),
        ("{n}_{n}:",),
        ("",),
        (("steps:", ""), ("- name: {n}", ""), ("env:", "")),
        ("image: {v}:{d}", "restart: always", "retries: {d}", "- {v}", 'path: "/{v}/{n}"', "enabled: true", "# {n}"),
    ),
    "markdown": Language(
        "  ",
        ("# The {n} of a {v}", ""),
        ("## {n} {n}", "", "The {v} - and 'each' \"{n}\" - has {d} parts."),
        ("", "```"),
        (("- The {v}:", ""), ("1. First", ""), ("> Note", "")),
        ("- [ ] Write the {n}", "- [x] Done", "Each {v} is a {n}.", "- See `{v}`", "| {v} | {d} |", "```", ""),
    ),
    "sql": Language(
        "    ",
        ("BEGIN;", ""),
        ("CREATE TABLE {n}_{n} (",),
        (");", ""),
        (("CHECK (", "),"), ("FOREIGN KEY ({v}_id) REFERENCES {v} (", "),"), ("UNIQUE (", "),")),
        (
            "id INTEGER PRIMARY KEY,",
            "{v}_id INTEGER NOT NULL,",
            "{n} TEXT NOT NULL DEFAULT '{v}',",
            "created_at TEXT,",
            "-- {n}",
        ),
        ("deleted_at TEXT",),
    ),
    "lua": Language(
        "  ",
        ("local M = {{}}", ""),
        ("function M.{n}_{n}({v}, {v}{d})",),
        ("end", ""),
        (("if not {v} then", "end"), ("for _, {v} in ipairs({v}s) do", "end"), ("pcall(function()", "end)")),
        (
            "return nil",
            "{v} = M.{n}({v}, {d})",
            'error("{n}: " .. {v})',
            "table.insert({v}, {d})",
            "break",
            "local {v} = {d}",
        ),
        ("return {v}", "return nil"),
    ),
}


def written(name: str, random: Random, units: int = 12) -> list[str]:
    """The lines of one file in a language."""
    language = LANGUAGES[name]
    lines = [_filled(line, random) for line in language.head]
    for _ in range(units):
        lines += [_filled(line, random) for line in language.unit]
        lines += _body(language, random, 1)
        if language.last:
            lines.append(language.indent + _filled(random.choice(language.last), random))
        lines += [_filled(line, random) for line in language.close]
    return lines


def _body(language: Language, random: Random, depth: int) -> list[str]:
    lines: list[str] = []
    for _ in range(random.randint(1, 5)):
        if depth < 4 and random.random() < 0.35:
            opening, end = random.choice(language.blocks)
            inner = [_filled(opening, random), *_body(language, random, depth + 1)]
            inner += [_filled(line, random) for line in end.split("\n") if end]
            lines += [inner[0], *inner[1:]]
        else:
            lines.append(_filled(random.choice(language.statements), random))
    return [language.indent + line if line else line for line in lines]


def _filled(template: str, random: Random) -> str:
    for mark, choices in (("{n}", WORDS), ("{v}", WORDS[:6]), ("{d}", "0123")):
        while mark in template:
            template = template.replace(mark, random.choice(choices), 1)
    return template.replace("{{", "{").replace("}}", "}")
