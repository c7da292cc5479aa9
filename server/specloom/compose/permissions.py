"""Turns `[permissions]` into the policies of the roles. Refuses to decide anything."""

from collections.abc import Mapping
from itertools import chain

from specloom.agent.roles import RoleName
from specloom.domain.permissions.policy import Policy
from specloom.domain.permissions.rules import Profile, Rule, Verdict, parse_rule
from specloom.settings.model import Permissions, RolePermissions


def policies(permissions: Permissions) -> Mapping[RoleName, Policy]:
    """What each role may do: the rules for all and its own, its own profile before that for all."""
    found: dict[RoleName, Policy] = {}
    for role in (name for name in RoleName if name is not RoleName.SUBAGENT):
        own: RolePermissions = getattr(permissions, role.value)
        rules = tuple(chain(_rules(permissions, "permissions"), _rules(own, f"permissions.{role.value}")))
        found[role] = Policy(Profile(own.profile or permissions.profile), rules)
    # A sub-agent may look at what its sender may.
    return {**found, RoleName.SUBAGENT: found[RoleName.EXECUTOR]}


def _rules(section: Permissions | RolePermissions, name: str) -> list[Rule]:
    stated = ((Verdict.ALLOW, section.allow), (Verdict.ASK, section.ask), (Verdict.DENY, section.deny))
    parsed = (parse_rule(text, verdict, f"[{name}] in the settings") for verdict, texts in stated for text in texts)
    return [rule for rule in parsed if isinstance(rule, Rule)]
