"""Asks the policy when it is worth asking, and carries out what it plans. Refuses to weigh anything itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from specloom.agent.context.entry import CLOSED, Entry, Kind, elided, superseded
from specloom.agent.context.policy import RULES, Occasion, Plan, Rules, decide
from specloom.agent.session import Conversation, content_json
from specloom.domain.events import agents
from specloom.domain.ids import Digest, SessionId
from specloom.llm.messages import Text, UserMessage

NOTHING = UserMessage(())


@dataclass(frozen=True, slots=True)
class FileView:
    """A file to be shown: its block, and the digest of the text that it shows."""

    text: str
    digest: Digest


@dataclass(slots=True)
class Account:
    """What a session has cost, and what it would have cost had nothing been collapsed."""

    _appended: float = 0.0
    _paid: float = 0.0
    _size: int = 0
    _saved: int = 0

    def request(self, new: int, occasion: Occasion) -> None:
        """A request goes out, with so many tokens that are new."""
        prices = occasion.prices
        read = prices.write if occasion.cold else prices.read
        self._size = self._size or occasion.head
        self._paid += read * (self._size - self._saved) + prices.write * new
        self._appended += read * self._size + prices.write * new
        self._size += new

    def collapsed(self, plan: Plan) -> None:
        """The same request collapses some of it."""
        self._paid += plan.cost
        self._saved += plan.saved

    def allowance(self, turns: int, rules: Rules) -> float:
        """Units that a collapse may cost before it has earned anything."""
        share = rules.debt * max(1.0, turns / rules.short) ** rules.loosening
        return max(share * self._appended - (self._paid - self._appended), 0.0)


@dataclass(slots=True)
class Collector:
    """Looks over the whole conversation only when enough has come since: a turn must not cost the window."""

    rules: Rules = RULES
    _looked_at: int = 0
    """Entries when it last looked."""
    _turns: int = 0
    _fresh: int = 0
    """Tokens since then that could be collapsed one day."""
    _account: Account = field(default_factory=Account)

    def plan(
        self, entries: Sequence[Entry], occasion: Occasion, views: Callable[[], Mapping[str, int | None]]
    ) -> Plan | None:
        """What to collapse now, if anything. `views` as in `policy.decide`, worked out only when needed."""
        new = entries[self._looked_at :]
        self._fresh += sum(entry.tokens for entry in new if entry.kind in {Kind.VIEW, Kind.OUTPUT})
        self._account.request(sum(entry.tokens for entry in new), occasion)
        self._looked_at = len(entries)
        rested = occasion.turns - self._turns >= self.rules.rest
        if not (self._fresh >= self.rules.fresh or rested or occasion.cold or occasion.crowded):
            return None
        self._turns, self._fresh = occasion.turns, 0
        bounded = replace(occasion, allowance=self._account.allowance(occasion.turns, self.rules))
        plan = decide(entries, views(), bounded, self.rules)
        if plan is not None:
            self._account.collapsed(plan)
            self._looked_at += len(plan.show)
        return plan


def collect(
    conversation: Conversation, plan: Plan, views: Mapping[str, FileView], closed: frozenset[str], session: SessionId
) -> agents.ContextCollapsed:
    """Changes the conversation; the event lets `replay` make the same change. `views`: of the files in `plan.show`."""
    entries = conversation.book.entries
    left = {path: conversation.book.left.get(path, CLOSED) for path in closed}
    lines = {number: superseded(entries[number], left.get(entries[number].path, "")) for number in plan.views}
    lines |= {number: elided(number, entries[number], conversation.text_of(number)) for number in plan.outputs}
    message = UserMessage(tuple(Text.of(views[path].text) for path in plan.show))
    return collapsed(conversation, session, lines, message, tuple((path, views[path].digest) for path in plan.show))


def collapsed(
    conversation: Conversation,
    session: SessionId,
    lines: Mapping[int, str],
    message: UserMessage = NOTHING,
    shown: tuple[tuple[str, Digest], ...] = (),
) -> agents.ContextCollapsed:
    """Puts lines in the place of numbered entries, with `message` behind them; the event repeats it in a replay."""
    before = conversation.book.tokens
    ordered = tuple(sorted(lines.items()))
    conversation.collapse(ordered)
    if message.blocks:
        conversation.add_user(message, tuple(path for path, _ in shown))
    return agents.ContextCollapsed(
        session=session,
        turn=conversation.turns + 1,
        collapsed=ordered,
        content=content_json(message),
        shown=shown,
        tokens_before=before,
        tokens_after=conversation.book.tokens,
    )
