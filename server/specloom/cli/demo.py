"""`specloom demo`: the whole path on the packaged example, by the same code as `plan` and `run`. Refuses to pretend."""

import argparse
import asyncio
import importlib.util
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from specloom.cli.demo_folder import make_folder, packaged
from specloom.cli.failures import CommandError, Exit
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.run import conclude, plan_and_run
from specloom.cli.views.formats import count
from specloom.cli.work import Order, Work, perform
from specloom.domain.evidence import is_proven
from specloom.domain.runs import Budget
from specloom.domain.states import TaskState
from specloom.llm.scripted import ScriptedServer, ScriptError
from specloom.lsp.ordered import overrides_of

KEY = "ANTHROPIC_API_KEY"
FAULTS_SHOWN = 3
"""Lines of what the script missed: the first tells why, the others follow from it."""


@dataclass(frozen=True, slots=True)
class DemoModel:
    """Which model the demo works with, and how it is told."""

    words: str
    overrides: Mapping[str, object]
    environment: Mapping[str, str]
    server: ScriptedServer | None = field(default=None)


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status. Raises `CommandError` before anything is started."""
    if importlib.util.find_spec("pytest") is None:
        raise CommandError("the demo verifies with pytest, which is not installed here; `pip install 'specloom[demo]'`")
    root = await make_folder(arguments.workspace)
    try:
        async with _model(arguments, place.environment) as model:
            say = output.note if output.as_json else output.line
            say(f"demo in {root}, {model.words}")
            status = await _play(replace(place, root=root, environment=model.environment), output, model)
    finally:
        if not arguments.keep:
            await asyncio.to_thread(shutil.rmtree, root, ignore_errors=True)
    if not output.as_json and status is not Exit.INTERRUPTED:
        _tell_next(root, output, kept=arguments.keep)
    return status


async def _play(place: Place, output: Output, model: DemoModel) -> Exit:
    async def job(work: Work) -> None:
        await plan_and_run(work, None, Budget())

    work = await perform(place, output, Order(model.overrides, unattended=True, heading="specloom demo"), job)
    status = conclude(work)
    if not output.as_json:
        _tell_repairs(work)
    if model.server is None or work.stopped:
        return status
    try:
        model.server.check()
    except ScriptError as error:
        first, *others = str(error).splitlines()
        more = f"\n… and {len(others) - FAULTS_SHOWN} more" if len(others) > FAULTS_SHOWN else ""
        told = "\n".join([first, *others[:FAULTS_SHOWN]]) + more
        output.note(f"{told}\nthe demo's script and Specloom disagree; please report this")
        return max(status, Exit.INCOMPLETE)
    return status


@asynccontextmanager
async def _model(arguments: argparse.Namespace, environment: Mapping[str, str]) -> AsyncGenerator[DemoModel]:
    """A real model where one was named or a key is set, else the scripted one, which runs while the context is open."""
    outside = _with_this_python(environment)
    if arguments.model or arguments.base_url or environment.get(KEY):
        where = arguments.base_url or ("the endpoint of your settings" if arguments.model else f"the key in {KEY}")
        words = f"with a real model ({arguments.model or 'the default one'}, {where}); this costs what it costs"
        yield DemoModel(words, overrides_of(arguments.model, arguments.base_url), outside)
        return
    server = await asyncio.to_thread(_scripted)
    try:
        await asyncio.to_thread(server.start)
        yield _scripted_model(server, outside)
    finally:
        await asyncio.to_thread(server.stop)


def _scripted() -> ScriptedServer:
    scripts = sorted(packaged("scripts").glob("*.json"))
    if not scripts:
        raise CommandError("the demo's scripts are missing from this installation; install Specloom again")
    return ScriptedServer(*scripts)


def _scripted_model(server: ScriptedServer, environment: Mapping[str, str]) -> DemoModel:
    name = server.player.script.model.id
    free = {name: {"input": 0, "output": 0}}
    overrides = {**overrides_of(name, server.base_url), "prices": free}
    keyless = {key: value for key, value in environment.items() if not key.startswith("ANTHROPIC_")}
    words = (
        "with a scripted model: its answers come from a file, everything else is real "
        f"(HTTP, files, git, pytest); set {KEY} or give --model and --base-url for a real one"
    )
    return DemoModel(words, overrides, keyless, server)


def _with_this_python(environment: Mapping[str, str]) -> dict[str, str]:
    """`python` in verify commands is the one that Specloom runs on: it has pytest."""
    own = str(Path(sys.executable).parent)
    return {**environment, "PATH": os.pathsep.join(part for part in (own, environment.get("PATH", "")) if part)}


def _tell_repairs(work: Work) -> None:
    for task in work.state.graph.order:
        record = work.state.record(task)
        if not record.failures:
            continue
        name = f"{task} {work.state.graph.tasks[task].title}"
        if record.state is TaskState.DONE and is_proven(record.evidence):
            attempt = f"mended in attempt {record.attempts}"
            work.output.line(f"{name}: its verification failed first and was {attempt}")
        else:
            work.output.line(f"{name}: {count(record.failures, 'attempt')} failed, and it is {record.state.value} now")


def _called() -> str:
    """How this command is called from where the person stands: its name alone works only when it is on the PATH."""
    own = Path(sys.executable).parent / "specloom"
    if shutil.which("specloom") or not own.exists():
        return "specloom"
    here = Path.cwd()
    return str(own.relative_to(here) if own.is_relative_to(here) else own)


def _tell_next(root: Path, output: Output, *, kept: bool) -> None:
    name = _called()
    if kept:
        output.line(f"\nLook at what happened in {root}: requirements.md, specs/*.md, the code, `git diff`, and")
        for command in ("status", "tasks", "events"):
            output.line(f"  {name} {command} --workspace {root}")
    output.line("\nThe same in a folder of your own:")
    output.line("  1. write requirements.md there")
    output.line(f"  2. set {KEY} (or put it into .env), or use an endpoint of your own: --base-url U --model M")
    elsewhere = str(Path(name).absolute()) if "/" in name else name
    output.line(f"  3. {elsewhere} doctor, then {elsewhere} run")
