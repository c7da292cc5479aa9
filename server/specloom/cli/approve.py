"""`specloom approve`: what agents ask, what this repository proposes, what was granted; answers, gives, takes back.

Refuses to answer for a person: without one at the terminal, only `--yes` grants.
"""

import argparse

from specloom.cli import answers
from specloom.cli.failures import CommandError, Exit
from specloom.cli.output import Output
from specloom.cli.ports import Granting, Place
from specloom.cli.reading import told
from specloom.cli.terminal_client import is_interactive, read_line
from specloom.domain.permissions.grants import Grant
from specloom.domain.project import ProjectState


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status. Raises `CommandError` for a grant that does not exist."""
    if arguments.question is not None:
        return await answers.answer(arguments, place, output)
    if arguments.deny or arguments.choice is not None:
        raise CommandError("--deny and --choice answer one question; `specloom approve` lists their ids")
    granting = await place.composition.open_grants(place.root, place.environment)
    if arguments.revoke:
        await _revoke(granting, tuple(arguments.revoke), output)
        return Exit.OK
    questions = await answers.open_questions(place, output)
    answers.show_questions(questions, output)
    state = (await told(place, output)).state
    waiting = not_granted(granting, state)
    if waiting or granting.grants or not questions:
        _show(waiting, granting.grants, output)
    agreed = arguments.yes or (bool(waiting) and not output.as_json and is_interactive() and await _agreed())
    if waiting and agreed:
        await granting.allow(waiting)
        output.note(
            f"granted for this project: {_counted(len(waiting))}; `specloom approve --revoke ID` takes one back"
        )
    elif waiting and not output.as_json and not is_interactive():
        output.note("nobody is at the terminal who could allow it; `specloom approve --yes` does")
    if agreed:
        await answers.answer_granted(questions, granting, place, output)
    return Exit.OK


def not_granted(granting: Granting, state: ProjectState) -> tuple[str, ...]:
    """What the repository proposes, in settings and specs, and nobody has allowed yet."""
    return granting.waiting((*granting.keys, *granting.verify, *_verify(state)))


def _verify(state: ProjectState) -> tuple[str, ...]:
    specs = (state.plan.specs[path] for path in sorted(state.plan.specs))
    return tuple(command for spec in specs for task in spec.tasks for command in task.verify)


async def _revoke(granting: Granting, wanted: tuple[str, ...], output: Output) -> None:
    known = {grant.id: grant for grant in granting.grants}
    for name in wanted:
        if name not in known:
            raise CommandError(f"there is no grant {name!r}; `specloom approve` lists them")
    for name in wanted:
        found = await granting.revoke(name)
        if found is None:
            continue
        if output.as_json:
            output.json({"type": "revoked", **_grant(found)})
        else:
            output.line(f"taken back: {found.text}")


def _show(waiting: tuple[str, ...], grants: tuple[Grant, ...], output: Output) -> None:
    if output.as_json:
        for text in waiting:
            output.json({"type": "proposal", "text": text})
        for grant in grants:
            output.json({"type": "grant", **_grant(grant)})
        return
    if waiting:
        output.line("This repository proposes, and it does not count until you allow it:")
        for text in waiting:
            output.line(f"  {text}")
    for grant in grants:
        output.line(f"{grant.id}  {grant.scope}  {grant.text}")
    if not waiting and not grants:
        output.line("nothing is granted, and nothing is proposed")


def _grant(grant: Grant) -> dict[str, object]:
    return {
        "id": grant.id,
        "kind": grant.kind.value,
        "scope": "project" if grant.task is None else "task",
        "task": grant.task,
        "text": grant.text,
        "grantedAt": grant.at,
    }


async def _agreed() -> bool:
    print("Allow all of it in this project? [y]es / [n]o: ", end="", flush=True)
    answer = await read_line()
    return answer is not None and answer.strip().lower() in ("y", "yes")


def _counted(number: int) -> str:
    return f"{number} proposal{'s' if number > 1 else ''}"
