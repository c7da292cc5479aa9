"""`specloom daemon`: is the user's daemon, asks the one that is up how it does, or ends it."""

import argparse
from collections.abc import Mapping
from typing import Any, cast

from specloom.cli.failures import CommandError, Exit
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.views.formats import moment

NONE_UP = "no daemon is running; the first editor starts one"


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status. Raises `CommandError`."""
    if arguments.force and arguments.order != "stop":
        raise CommandError("--force goes with `specloom daemon stop`")
    if arguments.order == "status":
        return await _status(place, output)
    if arguments.order == "stop":
        return await _stop(place, output, force=arguments.force)

    def ready(socket: str) -> None:
        if output.as_json:
            output.json({"type": "daemon", "state": "listening", "socket": socket})
        else:
            output.line(f"listening on {socket}; Ctrl-C pauses what runs, and ends")

    await place.composition.serve_daemon(place.environment, ready)
    return Exit.OK


async def _status(place: Place, output: Output) -> Exit:
    told = await place.composition.ask_daemon(place.environment, "status")
    if output.as_json:
        output.json({"type": "daemon", "state": "none"} if told is None else _shown(told))
    elif told is None:
        output.line(NONE_UP)
    else:
        for line in status_lines(told):
            output.line(line)
    return Exit.OK


async def _stop(place: Place, output: Output, *, force: bool) -> Exit:
    told = await place.composition.ask_daemon(place.environment, "stop", force=force)
    if told is not None and not told["ok"]:
        if output.as_json:
            output.json(_shown(told) | {"state": "busy"})
        raise CommandError(f"the daemon (pid {told.get('pid')}) is busy: {told.get('reason')}; {told.get('next')}")
    if output.as_json:
        output.json({"type": "daemon", "state": "none" if told is None else "ended"})
    else:
        output.line(NONE_UP if told is None else f"the daemon (pid {told.get('pid')}) has ended")
    return Exit.OK


def _shown(told: Mapping[str, Any]) -> dict[str, object]:
    own = {name: value for name, value in told.items() if name not in ("specloom", "ok")}
    return {"type": "daemon", "state": "busy" if told.get("running") else "idle", **own}


def status_lines(told: Mapping[str, Any]) -> list[str]:
    """What the daemon told of itself, for people."""
    clients = cast("list[Mapping[str, Any]]", told.get("clients", []))
    lines = [f"specloom {told.get('version')}, pid {told.get('pid')}, since {moment(str(told.get('startedAt')))}"]
    if told.get("retired"):
        lines.append("ends when it has nothing to do")
    idle = f", idle since {moment(str(told['idleSince']))}" if told.get("idleSince") else ""
    lines.append(f"clients: {len(clients)}" if clients else f"clients: none{idle}")
    roots = cast("list[Mapping[str, Any]]", told.get("roots", []))
    keys = cast("Mapping[str, str]", told.get("keys", {}))
    lines += [f"key for {endpoint}: held until it ends (from {source})" for endpoint, source in keys.items()]
    for root in roots:
        lines.append(f"{root['root']}: {_work(root)}; {root['clients']} attached")
        # A daemon of an earlier version does not tell it.
        lines += [f"  {root['fault']}"] if root.get("fault") else []
    return lines


def _work(root: Mapping[str, Any]) -> str:
    run, plan = root.get("run"), root.get("plan")
    found = [f"run {run['id']} {run['state']}" + (f" ({run['reason']})" if run["reason"] else "")] if run else []
    if plan and plan["state"] == "running":
        found.append(f"plan {plan['id']} running")
    return ", ".join(found) or "nothing was run yet"
