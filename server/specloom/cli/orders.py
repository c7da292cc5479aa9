"""`specloom run --detach`, `--pause` and `--cancel`: orders to the daemon. Refuses to wait for the work itself."""

import argparse

from specloom.cli.approve import not_granted
from specloom.cli.early import refuse_early
from specloom.cli.failures import CommandError, Exit, refuse
from specloom.cli.options import order_of
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.reading import NOTHING_YET, opened_reader
from specloom.cli.remote import RemoteRuntime, joined
from specloom.cli.run import check_runnable
from specloom.cli.scopes import resolve_scope
from specloom.cli.views.event_lines import run_end, scope_name
from specloom.cli.views.formats import count
from specloom.cli.work import Order
from specloom.domain.left_plans import left_plan
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState, RunRecord
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunState, Scope
from specloom.engine.api import Accepted

USER = Origin("user")
BEGUN = "`specloom attach` shows it, `specloom run --pause` pauses it"
DAEMON = "specloom daemon"
"""How a lock names the daemon."""
PLANNING = "planning first in the daemon, then the run is handed over; Ctrl-C leaves, and only the plan goes on"
ASKS = (
    "it asks first, as {} of this repository (verify commands, settings) {} not allowed yet: `specloom approve --yes` "
    "or `specloom attach` answers; without an answer within `limits.ask_timeout_s` it is a no"
)
NOTHING = "nothing is running here; `specloom status` tells how it stands"


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status. Raises `CommandError`."""
    if arguments.detach:
        return await _detach(arguments, place, output)
    name = "--pause" if arguments.pause else "--cancel"
    if arguments.scope is not None or arguments.budget_usd is not None:
        raise CommandError(f"{name} is about the run that goes on, whatever its scope and budget; give it alone")
    await _refuse_elsewhere(place, output)
    async with joined(place, start=True) as runtime:
        runtime.notes(output.note)
        return await (_pause(runtime, output) if arguments.pause else _cancel(runtime, output))


async def _detach(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    order = order_of(arguments, place)
    await refuse_early(place, order, lambda seen: check_runnable(seen, arguments.scope, place))
    async with joined(place, start=True, ordered=order.ordered) as runtime:
        runtime.notes(output.note)
        left = left_plan(runtime.state) if arguments.scope is None else None
        if left is not None or not runtime.state.plan.specs:
            await _plan_first(runtime, None if left is None else left.path, order, output)
        scope = resolve_scope(runtime.state, arguments.scope)
        answer = await _begun(runtime, scope, Budget(usd=arguments.budget_usd), order, stated=arguments.scope)
        if isinstance(answer, Rejected):
            refuse(answer)
        started = runtime.state.run
    assert started is not None
    if output.as_json:
        output.json({"type": "detached", "runId": started.id, "seq": answer.seq})
    else:
        output.line(f"{started.id} works through {scope_name(started.scope)} in the daemon; {BEGUN}")
    if not order.unattended:
        await _warn(runtime.state, place, output)
    return Exit.OK


async def _warn(state: ProjectState, place: Place, output: Output) -> None:
    """Who leaves a run that asks at once would find nothing done."""
    granting = await place.composition.open_grants(place.root, place.environment)
    if waiting := not_granted(granting, state):
        output.note(ASKS.format(count(len(waiting), "proposal"), "is" if len(waiting) == 1 else "are"))


async def _plan_first(runtime: RemoteRuntime, path: str | None, order: Order, output: Output) -> None:
    """Returns when there is something to work through. Who leaves meanwhile leaves the plan going, without a run."""
    going = runtime.state.planning
    if going is None or going.state != "running":
        _check(await runtime.plan(path, "", USER, unattended=order.unattended))
    if not output.as_json:
        output.line(PLANNING)
    await runtime.wait_idle()
    planning = runtime.state.planning
    if planning is None or planning.state != "finished":
        reason = "" if planning is None else planning.reason
        raise CommandError(f"the plan has failed: {reason or 'no reason is known'}; nothing was started")


async def _begun(
    runtime: RemoteRuntime, scope: Scope, budget: Budget, order: Order, *, stated: str | None
) -> Accepted | Rejected:
    """A run that was left goes on if it means the same."""
    left = runtime.state.run
    if left is None or not left.active:
        return await runtime.start_run(scope, budget, USER, unattended=order.unattended, profile=order.profile)
    same = (stated is None or left.scope == scope) and budget == Budget()
    if left.state is RunState.PAUSED and same:
        return await runtime.resume(USER, unattended=order.unattended, profile=order.profile)
    if runtime.refusal:
        raise CommandError(f"the run of {scope_name(left.scope)} is {left.state} there; press Ctrl-C there first")
    raise CommandError(
        f"the run of {scope_name(left.scope)} is {left.state}; `specloom attach` shows it, "
        "`specloom run --cancel` ends it"
    )


async def _refuse_elsewhere(place: Place, output: Output) -> None:
    """Raises `CommandError` where nothing runs, or another terminal's command works on it."""
    async with opened_reader(place, output) as reader:
        if reader is None:
            raise CommandError(NOTHING_YET)
        state, writer = await reader.refresh(), await reader.writer()
    if writer is not None and not await place.composition.is_hosted(place.root, place.environment):
        if writer.startswith(DAEMON):
            step = f"else end it (`kill -9 {_pid(writer)}`), then try again: the run waits where its log ends"
            there = "if it was started with another XDG_RUNTIME_DIR (a login, cron, su), order it from there"
            raise CommandError(f"{writer} has this project and does not answer here; {there}, {step}")
        raise CommandError(f"{writer} works on this project; press Ctrl-C there")
    if state.run is None or not state.run.active:
        raise CommandError(NOTHING)


def _pid(writer: str) -> str:
    """Of `specloom daemon (pid 12)`."""
    return writer.rpartition("pid ")[2].rstrip(")")


async def _pause(runtime: RemoteRuntime, output: Output) -> Exit:
    run = _active(runtime)
    if run.state is not RunState.PAUSED:
        # A pause after the turn would wait for an answer of the person who wants the pause instead; it is asked again.
        asks = bool(runtime.state.approvals)
        _check(await runtime.pause(USER, at_once=asks))
        if not asks and not output.as_json and _active(runtime).state is not RunState.PAUSED:
            output.line("pausing: what is in flight ends first; Ctrl-C leaves, and it still pauses")
        await runtime.wait_idle()
    return _tell(runtime, output)


async def _cancel(runtime: RemoteRuntime, output: Output) -> Exit:
    _check(await runtime.cancel(USER))
    await runtime.wait_idle()
    return _tell(runtime, output)


def _tell(runtime: RemoteRuntime, output: Output) -> Exit:
    run = runtime.state.run
    assert run is not None
    if output.as_json:
        output.json({"type": "run", "runId": run.id, "state": run.state.value, "seq": runtime.state.seq})
    elif run.outcome is not None:
        output.line(run_end(run.outcome, run.reason))
    else:
        output.line("paused; `specloom run` goes on")
    return Exit.OK


def _active(runtime: RemoteRuntime) -> RunRecord:
    run = runtime.state.run
    if run is None or not run.active:
        raise CommandError(NOTHING)
    return run


def _check(answer: Accepted | Rejected) -> None:
    if isinstance(answer, Rejected):
        refuse(answer)
