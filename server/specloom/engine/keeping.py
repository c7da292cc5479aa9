"""Puts a keeper beside a session: what it watches, what it may warn of, what a restart left. Refuses to decide."""

from dataclasses import replace

from specloom.agent.context.keeper import ContextKeeper, KeeperPorts, OpenLimits
from specloom.agent.context.known import Known
from specloom.agent.context.watch import Watch
from specloom.agent.loop import LoopPorts
from specloom.agent.session import Conversation
from specloom.engine.context import EngineContext
from specloom.engine.hands import SessionHands
from specloom.engine.open_files import Recalled, WorkspaceFiles


def kept_ports(
    engine: EngineContext,
    ports: LoopPorts,
    hands: SessionHands,
    conversation: Conversation,
    recalled: Recalled,
    *,
    warned: bool = False,
) -> LoopPorts:
    """`ports` with the context kept; `hands` are theirs, `recalled` is what the session knows of its files so far."""
    limits = engine.options.limits
    watch = Watch(WorkspaceFiles(engine.workspace, engine.clock), recalled.memory)
    keeping = KeeperPorts(
        watch,
        engine.options.pricing,
        engine.clock,
        engine.options.redact,
        OpenLimits(limits.open_files, limits.open_characters),
    )
    keeper = ContextKeeper(keeping, recalled.lost, warned, Known(closed=set(recalled.closed)))
    watched = replace(hands, context=replace(hands.context, outputs=conversation.elided), watch=watch)
    return replace(ports, hands=watched, keeper=keeper)
