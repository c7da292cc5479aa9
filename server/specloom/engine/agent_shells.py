"""The shell of an agent at work on one attempt. Refuses to outlive the attempt: what proves it starts from nothing."""

from functools import partial

from specloom.domain.events import agents
from specloom.domain.ids import AgentId, SessionId
from specloom.engine.context import EngineContext
from specloom.engine.history import AttemptHistory
from specloom.engine.options import Limits
from specloom.workspace.shell.agent_shell import AgentShell, ShellLimits

COMMAND_TOOL = "run_command"


def shell_of(engine: EngineContext, agent: AgentId, session: SessionId, *, restarted: bool = False) -> AgentShell:
    """A shell that starts with the agent's first command; whoever asked for it closes it."""
    return AgentShell(
        root=engine.workspace.root,
        environment={**engine.options.environment, **engine.orphans.environment(agent)},
        logs=engine.outputs(session),
        redact=engine.options.redact,
        limits=shell_limits(engine.options.limits),
        restarted=restarted,
        spawned=partial(_register, engine, agent),
    )


def shell_limits(limits: Limits) -> ShellLimits:
    """As a shell takes them."""
    return ShellLimits(limits.command_log_mib * 1024 * 1024, limits.jobs)


def had_shell(history: AttemptHistory) -> bool:
    """Whether a session of the attempt had run a command before Specloom was started again."""
    sessions = {
        event.session
        for event in history.events
        if isinstance(event, agents.SessionStarted) and event.attempt == history.attempt
    }
    requests = (event for event in history.events if isinstance(event, agents.ToolRequested))
    return any(event.name == COMMAND_TOOL and event.session in sessions for event in requests)


async def _register(engine: EngineContext, agent: AgentId, leader: int) -> None:
    await engine.orphans.register(f"{agent}.{leader}", leader)
