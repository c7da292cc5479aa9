"""What an open root was given from outside, and its settings made from that again and again. Refuses to host."""

import asyncio
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, cast

from specloom.compose.errors import ConfigurationError
from specloom.compose.files import SETTINGS, RootFiles, read_root
from specloom.compose.key_orders import carry_out
from specloom.compose.keys import KEYS, SET, keyring_of, with_kept_keys
from specloom.compose.options import INVALID, Loaded, learn_keys, loaded_options
from specloom.domain.origin import Origin
from specloom.domain.permissions.grants import granted_hashes
from specloom.domain.problem import Severity
from specloom.domain.redact import Redactor
from specloom.domain.rejection import Rejected
from specloom.engine.api import KeyAnswer, KeyOrder
from specloom.engine.grants import GrantBook
from specloom.engine.library import EMPTIED
from specloom.engine.runtime import ProjectRuntime
from specloom.engine.working import at_work
from specloom.lsp.hosting import Sender
from specloom.settings.credentials import sendable
from specloom.settings.load import EDITOR
from specloom.store.grants import GrantFile, grants_folder
from specloom.store.system import SystemClock

log = logging.getLogger(__name__)


def grant_file(root: Path, environment: Mapping[str, str]) -> GrantFile:
    """Where the grants of a root are kept: in the state folder of the client's user, else of this process. Blocking."""
    names = ("XDG_STATE_HOME", "HOME")
    own = {name: os.environ[name] for name in names if name in os.environ}
    return GrantFile(grants_folder({**own, **environment}), root)


def granted(root: Path, environment: Mapping[str, str]) -> frozenset[str]:
    """Hashes of the proposals of a root that were granted for good. Blocking."""
    return frozenset(granted_hashes(grant_file(root, environment).read()))


async def grant_book(root: Path, environment: Mapping[str, str]) -> GrantBook:
    """The grants of a root, read once."""
    book = GrantBook(await asyncio.to_thread(grant_file, root, environment), SystemClock())
    await book.refresh()
    return book


Sources: TypeAlias = tuple[RootFiles, Mapping[str, Any] | None]
"""The root's own, and the editor's settings."""


@dataclass(slots=True)
class Given:
    """Where settings come from besides the root's own files."""

    root: Path
    environment: Mapping[str, str]
    overrides: Mapping[str, Any] | None
    editor: Mapping[str, Any] | None
    grant_proposals: bool
    book: GrantBook
    sender: Sender | None = None
    """Whose environment this is, where clients come and go; `None`: nobody but the opener orders anything."""
    senders: Mapping[str, Sender] = field(default_factory=dict[str, Sender])
    """Who may order, by client, as they are then."""
    values: Mapping[str, object] = field(default_factory=dict[str, object])
    """What the settings came to when they were loaded last."""
    redactor: Redactor = field(default_factory=Redactor)
    """One for the whole life of the root: keys of senders that are gone, or of yesterday, stay keys."""

    endpoints: Mapping[str, str] = field(default_factory=dict[str, str])
    """The addresses that the roles had then, with where the key of each was found."""
    _sound: dict[str, Sources] = field(default_factory=dict[str, Sources])
    """As the sources were when the one of this name had no error last; none: it has been wrong from the start."""
    _files: RootFiles | None = None
    """As they were read last."""

    async def loaded(self, files: RootFiles) -> Loaded:
        """The settings as they count now."""
        self._files = files
        return await with_kept_keys(lambda: self._loaded(files), self.environment)

    async def _read_again(self) -> RootFiles:
        """Twice where a file is empty or gone by now: editors do that to what they write, and no rule may lapse by it.

        Raises `ConfigurationError`.
        """
        files = await asyncio.to_thread(read_root, self.root)
        if self._files is not None and _has_lost(self._files, files):
            await asyncio.sleep(EMPTIED)
            files = await asyncio.to_thread(read_root, self.root)
        return files

    def _is_new(self, sender: Sender) -> bool:
        return sender is not self.sender or sender.settings.ordered != (self.overrides or {})

    def _loaded(self, files: RootFiles) -> Loaded:
        loaded = self._read(files, self.editor)
        broken = _broken(files, loaded)
        self._sound |= dict.fromkeys({SETTINGS, EDITOR} - broken, (files, self.editor))
        if broken & self._sound.keys():
            loaded = self._kept(files, loaded)
        self.values, self.endpoints = loaded.values, loaded.endpoints
        return loaded

    def _kept(self, files: RootFiles, broken: Loaded) -> Loaded:
        """What counted before a source broke, with what is wrong: a run lost its limits, rules and model else."""
        sound = {name: self._sound.get(name, (files, self.editor)) for name in (SETTINGS, EDITOR)}
        settings, editor = sound[SETTINGS][0].settings, sound[EDITOR][1]
        kept = self._read(replace(files, settings=settings), editor)
        wrong = (refusal for refusal in broken.refusals if refusal.code == INVALID)
        refusals = (*wrong, *(refusal for refusal in kept.refusals if refusal.code != INVALID))
        options = replace(kept.options, refusal=next(iter(refusals), None))
        return replace(kept, options=options, problems=broken.problems, refusals=refusals)

    def _read(self, files: RootFiles, editor: Mapping[str, Any] | None) -> Loaded:
        return loaded_options(
            files,
            self.environment,
            self.overrides,
            editor,
            grant_proposals=self.grant_proposals,
            granted=self.book.proposals,
            own=editor if self.sender is None else self.sender.settings.whole,
            redactor=self.redactor,
            held=KEYS.known,
        )

    def follow(self, runtime: ProjectRuntime) -> None:
        """Makes the runtime use other settings when the root's files or its editor say so."""

        async def reload() -> None:
            try:
                files, before = await self._read_again(), self.values
            except ConfigurationError as error:
                # A folder that is away may come back; whoever follows its files must not end over it.
                log.warning("the settings were not read again: %s", error)
                return
            fresh = await self.loaded(files)
            await runtime.tell_settings(tuple(differing(before, fresh.values)))
            runtime.use(fresh.options, fresh.budget, (*files.problems, *fresh.problems))

        async def configure(told: Mapping[str, object]) -> None:
            self.editor = told
            await reload()

        async def ordered(by: Origin, started: bool) -> None:
            sender = self.senders.get(by.client or "")
            # What goes on keeps the environment of its own sender, and what its order set.
            if sender is not None and (started or not at_work(runtime.state)) and self._is_new(sender):
                self.sender, self.environment, self.overrides = sender, sender.environment, sender.settings.ordered
                await reload()
            elif KEYS.may_give([url for url, source in self.endpoints.items() if not source]):
                await reload()

        async def take(order: KeyOrder) -> KeyAnswer | Rejected:
            if key := sendable(order.key or ""):
                # Anything else is refused and kept nowhere; hidden, it would take its own words out of the project.
                learn_keys(self.redactor, (key,))
            answer = await carry_out(order, lambda: self.endpoints, keyring_of(self.environment))
            if order.key and not isinstance(answer, Rejected) and answer.source == SET:
                runtime.endpoint.keyed(fresh=answer.endpoint)
            return answer

        runtime.on_settings, runtime.on_editor, runtime.on_order = reload, configure, ordered
        runtime.on_key, runtime.on_close = take, lambda: KEYS.leave(runtime)
        KEYS.follow(runtime, reload)


def _has_lost(before: RootFiles, now: RootFiles) -> bool:
    """Whether one of them says nothing any more."""
    return bool(before.settings and not now.settings) or bool(before.keys and not now.keys)


def _broken(files: RootFiles, loaded: Loaded) -> frozenset[str]:
    """The sources that have an error."""
    found = (*files.problems, *loaded.problems)
    return frozenset(problem.path for problem in found if problem.severity is Severity.ERROR)


def differing(before: Mapping[str, object], after: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    """The dotted keys whose values are no longer the same."""
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differing(cast("dict[str, object]", old), cast("dict[str, object]", new), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
