"""Puts a keeper beside a session: what it watches, what it may warn of, what a restart left. Refuses to decide."""

from dataclasses import replace

from specloom.agent.context.collection import Collector
from specloom.agent.context.keeper import ContextKeeper, KeeperPorts, OpenLimits
from specloom.agent.context.known import Known
from specloom.agent.context.policy import RULES
from specloom.agent.context.watch import USER, Watch
from specloom.agent.loop import LoopPorts
from specloom.agent.session import Conversation
from specloom.engine.context import EngineContext
from specloom.engine.hands import SessionHands
from specloom.engine.open_files import Recalled, WorkspaceFiles

GIVES_BACK = "read_output"
CLOSES = "close_file"


def kept_ports(
    engine: EngineContext,
    ports: LoopPorts,
    hands: SessionHands,
    conversation: Conversation,
    recalled: Recalled,
    *,
    warned: bool = False,
    others: str = USER,
) -> LoopPorts:
    """`ports` with the context kept; `hands` are theirs, `recalled` is what the session knows of its files so far.

    A role that cannot get an output back keeps its outputs; one that cannot close a file is not warned of too many.
    """
    tools = hands.toolbox.names

    def limits() -> OpenLimits:
        return OpenLimits(engine.options.limits.open_files, engine.options.limits.open_characters)

    watch = Watch(WorkspaceFiles(engine.workspace, engine.clock), recalled.memory, others)
    keeping = KeeperPorts(
        watch,
        engine.options.pricing,
        engine.clock,
        engine.options.redact,
        limits if CLOSES in tools else None,
    )
    known, collector = Known(closed=set(recalled.closed)), Collector(replace(RULES, elide=GIVES_BACK in tools))
    keeper = ContextKeeper(keeping, recalled.lost, warned, known, collector)
    context = replace(hands.context, memory=recalled.memory, outputs=conversation.elided)
    watched = replace(hands, context=context, watch=watch)
    return replace(ports, hands=watched, keeper=keeper)
