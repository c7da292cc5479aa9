"""What each role may do here: by settings, the profile of the order, and grants. Refuses all of that from the log."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from specloom.agent.roles import RoleName
from specloom.domain.ids import TaskId
from specloom.domain.permissions.commands import judge_command
from specloom.domain.permissions.places import Standing
from specloom.domain.permissions.policy import Judgement, Policy, concerns_paths, judge_path
from specloom.domain.permissions.rules import Profile, Verdict
from specloom.engine.grants import GrantBook
from specloom.engine.root_places import RootPlaces
from specloom.tools.ports import Wanted


@dataclass(slots=True)
class Permits:
    """The permissions of one project."""

    root: Path
    book: GrantBook
    closed: Path | None = None
    """Where grants are kept."""
    policies: Mapping[RoleName, Policy] = field(default_factory=dict[RoleName, Policy])
    """Of the settings."""
    profile: Profile | None = None
    """Of the present order, if it names one."""

    def policy(self, role: RoleName, task: TaskId | None, title: str) -> Policy:
        """What holds for a role at work on a task; the profile of the order beats that of the settings."""
        stated = self.policies.get(role, Policy())
        rules = (*stated.rules, *self.book.rules(task, title))
        return replace(stated, rules=rules, profile=self.profile or stated.profile)

    async def judge(
        self,
        wanted: Wanted,
        role: RoleName,
        task: TaskId | None = None,
        title: str = "",
        read_only: tuple[str, ...] = (),
    ) -> Judgement:
        """What the rules say of a call."""
        policy = self.policy(role, task, title)
        if wanted.command is None:
            return await self.judge_path(wanted, policy, read_only)
        return await self.judge_command(wanted.command, policy, read_only, wanted.folder)

    async def judge_command(
        self, command: str, policy: Policy, read_only: tuple[str, ...] = (), folder: str = ""
    ) -> Judgement:
        """As the domain's, on the real root."""
        places = RootPlaces(self.root, read_only, self.closed)
        return await asyncio.to_thread(judge_command, command, policy, places, folder)

    async def judge_path(self, wanted: Wanted, policy: Policy, read_only: tuple[str, ...]) -> Judgement:
        """A call of any other tool; looks at the disk only where a rule, or a kept grant, has to know."""
        writes = wanted.kind == "write"
        if wanted.path is None:
            return judge_path(policy, wanted.tool, writes, ())
        inside = self.closed is not None and self.closed.is_relative_to(self.root)
        if not inside and not concerns_paths(policy, wanted.tool):
            return judge_path(policy, wanted.tool, writes, (wanted.path,))
        place = await asyncio.to_thread(RootPlaces(self.root, read_only, self.closed).find, wanted.path, "")
        if writes and inside and place.standing is Standing.CLOSED:
            return Judgement(Verdict.DENY, "built in: closed files", f"{wanted.path} is closed to agents")
        return await asyncio.to_thread(judge_path, policy, wanted.tool, writes, (wanted.path, place.path))

    async def ruled_out(self, commands: tuple[str, ...], role: RoleName = RoleName.EXECUTOR) -> Mapping[str, str]:
        """The verify commands that may not run whoever granted them, each with the reason.

        A profile decides what agents may do by themselves; what proves a task runs whatever theirs is.
        """
        policy = replace(self.policy(role, None, ""), profile=Profile.FULL)
        places = RootPlaces(self.root, (), self.closed)

        def judged() -> dict[str, str]:
            found = ((command, judge_command(command, policy, places)) for command in commands)
            return {
                command: judgement.reason
                for command, judgement in found
                if judgement.verdict is Verdict.DENY or judgement.suspect
            }

        return await asyncio.to_thread(judged)
