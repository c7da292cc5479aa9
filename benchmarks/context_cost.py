"""Measures what a context policy costs on recorded sessions. Refuses to judge: it prints one line of JSON.

`python benchmarks/context_cost.py [FILE…]`. A FILE holds one JSON object a line a turn:
`{"assistant": "text", "results": [{"kind": "read"|"edit"|"other", "path": "…", "content": "…"}]}`, where `content` is
the whole file after a read or an edit, else the output. Without files: those that
`trajectories/record.py` wrote from the demo and the examples, and generated sessions by seed.
Units: tokens (four characters each) times plain 1, cache write 1.25, cache read 0.1, all settable. Policies:
append-only; rewrite-every-turn (results are one line, all open files stand whole and uncached at the end); ours with
superseded views alone, and with old outputs elided too, both by the product's own code; and oracles, which are ours
told how many turns are left.
"""

import argparse
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from specloom.agent.context.collection import Collector, FileView, collect
from specloom.agent.context.entry import Kind, result_entry, superseded
from specloom.agent.context.policy import RULES, Occasion, Rules
from specloom.agent.context.prices import PromptPrices
from specloom.agent.context.size import answer_tokens, tokens_of
from specloom.agent.context.view import view_characters, whole_view
from specloom.agent.session import Conversation, say
from specloom.domain.ids import SessionId, digest_of
from specloom.domain.lines import split_lines
from specloom.engine.options import Limits
from specloom.llm.messages import AssistantMessage, Text, ToolResult, ToolUse, UserBlock, UserMessage
from specloom.tools.changes import since
from specloom.tools.view import numbered
from specloom.workspace.ports import TextSnapshot
from trajectories.generated import sessions

Turn = Mapping[str, Any]
Json = dict[str, Any]
SHORT = (20, 40, 60, 80, 120)
"""Turns of sessions that end when a collapse may not have paid yet."""
UNKNOWN = 1_000_000
"""Turns of a limit that says nothing about when a session ends."""


@dataclass(frozen=True)
class Terms:
    """What the figures rest on."""

    prices: PromptPrices
    head: int
    """Tokens of tools, system text and first message."""
    most_turns: int | None
    """Limit that the policy knows of; `None`: the product's own where the session keeps it, else none that tells."""

    def limit(self, turns: int) -> int:
        """Of a session that lasts `turns`. Who lets one go on for hundreds has set a limit that nobody knows here."""
        usual = Limits().turns
        return self.most_turns or (usual if turns <= usual else UNKNOWN)


@dataclass
class Bill:
    """What a policy cost."""

    units: float = 0.0
    peak: int = 0
    collections: int = 0

    def as_json(self, base: float) -> Json:
        """With the ratio to append-only."""
        ratio = round(self.units / base, 3) if base else None
        return {"units": round(self.units), "ratio": ratio, "peak_tokens": self.peak, "collections": self.collections}


def snapshot(path: str, text: str) -> TextSnapshot:
    """A file as the product knows it."""
    return TextSnapshot(path, text, digest_of(text.encode()))


@dataclass
class Session:
    """A trajectory as messages of the product."""

    files: dict[str, TextSnapshot] = field(default_factory=dict[str, TextSnapshot])
    calls: int = 0

    def turn(self, turn: Turn) -> tuple[AssistantMessage, UserMessage | None]:
        """The answer and the results that follow it."""
        results = [self._result(result) for result in turn.get("results", [])]
        uses = tuple(use for use, _ in results)
        text = turn.get("assistant") or "…"
        answer = AssistantMessage((Text.of(text), *uses))
        return answer, UserMessage(tuple(result for _, result in results)) if results else None

    def _result(self, result: Mapping[str, str]) -> tuple[ToolUse, ToolResult]:
        self.calls += 1
        kind, path, content = result["kind"], result.get("path", ""), result["content"]
        name = {"read": "read_file", "edit": "edit_file"}.get(kind, "run_command")
        values = {"path": path} if name != "run_command" else {"command": path or "command"}
        before = self.files.get(path)
        if kind in {"read", "edit"}:
            self.files[path] = snapshot(path, content)
        shown = content if kind == "other" else _shown(path, before, content, edited=kind == "edit")
        call = f"call-{self.calls}"
        raw = {"type": "tool_use", "id": call, "name": name, "input": values}
        return ToolUse(call, name, values, raw), ToolResult.of(call, shown or "(nothing)")


def _shown(path: str, before: TextSnapshot | None, content: str, *, edited: bool) -> str:
    """What the tools of the product show: a read the numbered lines, an edit what changed and what moved."""
    lines = split_lines(content)
    if edited and before is not None:
        return f"{path}: 1 edit made\n{since(before.text, content)}"
    if edited:
        return f"{path} created, {len(lines)} lines"
    return f"{path} ({len(lines)} lines)\n{numbered(lines, 1, len(lines)).text}"


def append_only(turns: Sequence[Turn], terms: Terms) -> Bill:
    """Every result stays as it came."""
    return ours(turns, terms, None)


def ours(turns: Sequence[Turn], terms: Terms, rules: Rules | None, *, oracle: bool = False) -> Bill:
    """The product's conversation and policy; `rules=None`: never collapses."""
    bill, session, conversation = Bill(), Session(), Conversation([say("Begin.")])
    collector = Collector(rules or RULES)
    written = 0
    for number, turn in enumerate(turns):
        sent = conversation.book.sent
        same = sent
        if rules is not None:
            left = float(len(turns) - number - 1) if oracle else None
            occasion = Occasion(sent, number, terms.limit(len(turns)), terms.prices, terms.head, left=left)
            same = min(_collapse(collector, conversation, session, occasion, bill), sent)
        written = _charge(bill, conversation, terms, same, written)
        answer, results = session.turn(turn)
        conversation.add_answer(answer)
        if results is not None:
            conversation.add_user(results)
    return bill


def _collapse(
    collector: Collector, conversation: Conversation, session: Session, occasion: Occasion, bill: Bill
) -> int:
    """The first entry that is another one now."""

    def views() -> dict[str, int | None]:
        return {path: view_characters(file, None) // 4 for path, file in session.files.items()}

    plan = collector.plan(conversation.book.entries, occasion, views)
    if plan is None:
        return occasion.sent
    shown = {path: FileView(whole_view(session.files[path], None), session.files[path].digest) for path in plan.show}
    collect(conversation, plan, shown, frozenset(), SessionId("s"))
    bill.collections += 1
    return plan.cut


def _charge(bill: Bill, conversation: Conversation, terms: Terms, same: int, cached: int) -> int:
    """One request: what stands before entry `same` was sent before; returns the tokens that are cached now."""
    tokens = [entry.tokens for entry in conversation.book.entries]
    before, total = terms.head + sum(tokens[:same]), terms.head + sum(tokens)
    prices = terms.prices
    # an answer is new to the cache with the request that first sends it back: `cached` ends where the last one did
    read = min(before, cached)
    read = read if read >= prices.smallest else 0
    rate = prices.write if total >= prices.smallest else prices.plain
    bill.units += prices.read * read + rate * (total - read)
    bill.peak = max(bill.peak, total)
    return total


def rewrite_every_turn(turns: Sequence[Turn], terms: Terms) -> Bill:
    """Results of reads and edits are one line; all open files stand at the end, whole, new in each request."""
    bill, session, prices = Bill(), Session(), terms.prices
    conversation, cached = terms.head + tokens_of("Begin."), 0
    for turn in turns:
        view = sum(view_characters(file, None) // 4 for file in session.files.values())
        read = cached if cached >= prices.smallest else 0
        rate = prices.write if conversation >= prices.smallest else prices.plain
        bill.units += prices.read * read + rate * (conversation - read) + prices.plain * view
        bill.peak = max(bill.peak, conversation + view)
        bill.collections += 1
        cached = conversation
        answer, results = session.turn(turn)
        conversation += answer_tokens(answer.blocks)
        if results is not None:
            conversation += sum(
                _stub(call, result) for call, result in zip(answer.tool_uses, results.blocks, strict=True)
            )
    return bill


def _stub(call: ToolUse, result: UserBlock) -> int:
    """Tokens of a result where each file stands at the end: the line that the product puts in the place of a view."""
    assert isinstance(result, ToolResult)
    entry = result_entry(call, result, 0)
    return tokens_of(superseded(entry)) if entry.kind is Kind.VIEW else entry.tokens


MARGINS = (0.0, 0.5, 1.0, 2.0)
"""That oracles may choose from after the fact."""


def figures(turns: Sequence[Turn], terms: Terms) -> Json:
    """All policies on one trajectory."""
    base = append_only(turns, terms)
    views = replace(RULES, elide=False)
    bills = {
        "append-only": base,
        "rewrite-every-turn": rewrite_every_turn(turns, terms),
        "ours-views-alone": ours(turns, terms, views),
        "ours": ours(turns, terms, RULES),
        "oracle-views-alone": best(turns, terms, views),
        "oracle": best(turns, terms, RULES),
    }
    return {"turns": len(turns), **{name: bill.as_json(base.units) for name, bill in bills.items()}}


def best(turns: Sequence[Turn], terms: Terms, rules: Rules) -> Bill:
    """Ours with the number of turns left, and the best margin after the fact."""
    bills = [ours(turns, terms, replace(rules, margin=margin), oracle=True) for margin in MARGINS]
    return min(bills, key=lambda bill: bill.units)


def read(file: Path) -> list[Turn]:
    """A trajectory."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def summary(results: Iterable[Json]) -> Json:
    """Median and range of the ratios, by policy."""
    rows = list(results)
    names = [name for name, value in rows[0].items() if isinstance(value, dict)]
    ratios = {name: sorted(row[name]["ratio"] for row in rows) for name in names}
    return {name: [found[0], round(statistics.median(found), 3), found[-1]] for name, found in ratios.items()}


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--plain", type=float, default=1.0)
    parser.add_argument("--write", type=float, default=1.25)
    parser.add_argument("--read", type=float, default=0.1)
    parser.add_argument("--smallest", type=int, default=1024, help="tokens of the smallest prefix that is cached")
    parser.add_argument("--head", type=int, default=0, help="tokens of tools, system text and first message")
    parser.add_argument("--most-turns", type=int, help="limit that the policy knows of; else the product's, if kept")
    parser.add_argument("--seeds", default="1-4", help="of generated sessions, `first-last`")
    parser.add_argument("--turns", type=int, default=450, help="of generated sessions")
    return parser.parse_args()


def main() -> None:
    """Prints the figures of each trajectory and their summary."""
    asked = arguments()
    prices = PromptPrices(asked.plain, asked.write, asked.read, asked.smallest)
    terms = Terms(prices, asked.head, asked.most_turns)
    first, _, last = asked.seeds.partition("-")
    groups: dict[str, Mapping[str, Sequence[Turn]]] = {}
    if asked.files:
        groups["files"] = {file.name: read(file) for file in asked.files}
    else:
        from trajectories.record import EXAMPLES, recorded

        seeds = range(int(first), int(last or first) + 1)
        groups[f"generated, {asked.turns} turns"] = sessions(seeds, asked.turns)
        groups |= {f"generated, {count} turns": sessions(seeds, count) for count in SHORT}
        groups["recorded"] = {name: turns for example in EXAMPLES for name, turns in recorded(example).items()}
    results = {group: {name: figures(turns, terms) for name, turns in of.items()} for group, of in groups.items()}
    prices_told = {"plain": asked.plain, "write": asked.write, "read": asked.read}
    told = {
        "benchmark": "context_cost",
        "prices": prices_told,
        "head": asked.head,
        "most_turns": asked.most_turns,
        "characters_a_token": 4,
    }
    ratios = {group: summary(of.values()) for group, of in results.items()}
    print(json.dumps({**told, "trajectories": results, "ratios_min_median_max": ratios}))


if __name__ == "__main__":
    main()
