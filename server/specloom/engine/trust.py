"""What of the repository may count: what it says is a proposal until a person granted that exact text.

Refuses grants from the log: it lies in the workspace, and a hostile repository could bring one along. Refuses to let a
grant lift what a rule denies.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from specloom.domain.ids import digest_of
from specloom.domain.permissions.grants import GrantKind
from specloom.engine.approvals import ApprovalDesk, Ask
from specloom.engine.permits import Permits

LATE = "it appeared while the run was going on, which --yes does not cover; start the run again to allow it"
ONCE, ALWAYS, DENY = "Allow once", "Allow in this project", "Deny"
"""Once: for this order, until the next one."""


class Trust:
    """Asks once for a set, and not again for what was denied or is granted, also by an earlier process."""

    def __init__(self, desk: ApprovalDesk, permits: Permits) -> None:
        self._desk = desk
        self._permits = permits
        self._denied: dict[str, str] = {}
        self._ruled_out: dict[str, str] = {}
        """Commands that a rule denies, with the reason."""
        self._waiting: list[asyncio.Future[None]] = []
        self.on_keys: Callable[[], Awaitable[None]] = _nothing
        """Called when keys were granted: the settings are others now."""

    async def ask_for(self, commands: Iterable[str], *, at_start: bool = False, keys: Iterable[str] = ()) -> None:
        """Asks for all commands, and `keys` with their values, that nobody decided on, as one question.

        `--yes` covers what stands in the documents `at_start` of an order, and not what appears while agents work: an
        agent's command could have written it.
        """
        await self._permits.book.refresh()
        texts = tuple(dict.fromkeys(commands))
        ruled_out = await self._permits.ruled_out(texts)
        self._ruled_out = {text: reason for text, reason in self._ruled_out.items() if text not in texts} | {
            **ruled_out
        }
        new_keys = self._open(keys)
        new = (*new_keys, *self._open(text for text in texts if text not in self._ruled_out))
        if not new:
            return
        ask = Ask("proposal", "\n".join(new), _purpose(len(new_keys), len(new)), choices=CHOICES, covered=at_start)
        answer = await self._desk.ask(ask)
        if not ask.allows(answer):
            reason = LATE if self._desk.unattended and not at_start else answer.reason or f"denied ({answer.rule})"
            self._denied.update(dict.fromkeys(new, reason))
            return
        if answer.choice == ALWAYS:
            await self._permits.book.allow(GrantKind.PROPOSAL, new)
        self._permits.book.once.update(map(digest_of, new))
        if new_keys:
            await self.on_keys()

    def _open(self, texts: Iterable[str]) -> tuple[str, ...]:
        known = self._permits.book.proposals
        return tuple(dict.fromkeys(text for text in texts if digest_of(text) not in known and text not in self._denied))

    def missing(self, commands: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Commands that may not run, each with the reason."""
        known = self._permits.book.proposals
        found: list[tuple[str, str]] = []
        for text in commands:
            if text in self._ruled_out:
                found.append((text, f"{self._ruled_out[text]} denies it"))
            elif digest_of(text) not in known:
                found.append((text, self._denied.get(text, "nobody was asked")))
        return tuple(found)

    def new_order(self, *, resumed: bool = False) -> None:
        """A new order of the user: what was denied may be asked again, what was allowed once is to be asked again."""
        self._denied.clear()
        if not resumed:
            self._permits.book.once.clear()
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    def next_order(self) -> asyncio.Future[None]:
        """Done as soon as the user gives another order, under which what was denied may be asked again."""
        self._waiting.append(asyncio.get_running_loop().create_future())
        return self._waiting[-1]


CHOICES = (ONCE, ALWAYS, DENY)


def _purpose(keys: int, all_of_it: int) -> str:
    commands = all_of_it - keys
    parts = [f"{commands} verify command{'s' if commands > 1 else ''} from this repository would run on your machine"]
    if keys:
        many = "s" if keys > 1 else ""
        told = f"{keys} setting{many} of this repository would run code, widen rights or send your key elsewhere"
        parts = [told, *parts] if commands else [told]
    return "; ".join(parts)


async def _nothing() -> None:
    """Nobody reads settings again."""
