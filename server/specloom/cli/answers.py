"""The questions that wait in a project, as `specloom approve` lists and answers them. Refuses to choose."""

import argparse

from specloom.cli.failures import CommandError, Exit, refuse
from specloom.cli.output import Output
from specloom.cli.ports import Granting, Place
from specloom.cli.queue import oldest_first
from specloom.cli.reading import opened_reader
from specloom.cli.remote import joined
from specloom.cli.views.formats import visible
from specloom.domain.origin import Origin
from specloom.domain.project import ApprovalRecord
from specloom.domain.rejection import Rejected

_ASKED = {
    "command": "an agent wants to run",
    "proposal": "this project proposes",
    "question": "an agent asks",
    "budget": "a limit is reached",
}


async def open_questions(place: Place, output: Output) -> tuple[ApprovalRecord, ...]:
    """Oldest first; none where nobody works who could hear an answer."""
    async with opened_reader(place, output) as reader:
        if reader is None or await reader.writer() is None:
            return ()
        state = await reader.refresh()
    return oldest_first(state)


def show_questions(questions: tuple[ApprovalRecord, ...], output: Output) -> None:
    """Each with its exact subject and what may be said."""
    for item in questions:
        if output.as_json:
            output.json(_question(item))
            continue
        output.line(f"{item.id}  {_ASKED.get(item.kind, item.kind)}" + (f", for {item.task}" if item.task else ""))
        for line in visible(item.subject).splitlines():
            output.line(f"    {line}")
        if item.purpose:
            output.line(f"  {item.purpose}")
        said = " / ".join(f'"{choice}"' for choice in item.choices) or "TEXT"
        output.line(f"  `specloom approve {item.id} --choice …`: {said}")


async def answer(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Answers one question. Raises `CommandError`."""
    item = named(await open_questions(place, output), arguments.question)
    choice = chosen(arguments, item)
    if not await place.composition.is_hosted(place.root, place.environment):
        raise CommandError("a command in a terminal works on this project; answer the question there")
    async with joined(place, start=False) as runtime:
        answered = await runtime.answer(item.id, choice, Origin("user"))
    if isinstance(answered, Rejected):
        refuse(answered)
    _tell(item, choice, output)
    return Exit.OK


def _tell(item: ApprovalRecord, choice: str, output: Output) -> None:
    if output.as_json:
        output.json({"type": "answered", "approvalId": item.id, "choice": choice})
    else:
        output.line(f"answered: {choice}")


async def answer_granted(
    questions: tuple[ApprovalRecord, ...], granting: Granting, place: Place, output: Output
) -> None:
    """Says yes to runs in the daemon that ask for nothing but what is granted by now."""
    asked = [item for item in questions if item.kind == "proposal"]
    granted = [item for item in asked if item.choices and not granting.waiting(tuple(item.subject.splitlines()))]
    if not granted or not await place.composition.is_hosted(place.root, place.environment):
        return
    async with joined(place, start=False) as runtime:
        for item in granted:
            answered = await runtime.answer(item.id, item.choices[0], Origin("user"))
            if not isinstance(answered, Rejected):  # Else somebody was faster.
                _tell(item, item.choices[0], output)


def named(questions: tuple[ApprovalRecord, ...], name: str) -> ApprovalRecord:
    """By its id, or how that begins or ends."""
    found = [item for item in questions if item.id == name or item.id.startswith(name) or item.id.endswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"{name!r} may be {' or '.join(item.id for item in found)}; give more of it")
    raise CommandError(f"no question {name!r} waits; it may have been answered; `specloom approve` lists what does")


def chosen(arguments: argparse.Namespace, item: ApprovalRecord) -> str:
    """What the options say to it. Raises `CommandError`."""
    if arguments.choice is not None:
        if item.choices and arguments.choice not in item.choices:
            raise CommandError(f"--choice {arguments.choice!r} is none of: {', '.join(item.choices)}")
        return arguments.choice
    if not item.choices or not (arguments.yes or arguments.deny):
        what = ", ".join(item.choices) or "what the agent shall be told"
        raise CommandError(f"say what to answer with --choice: {what}")
    return item.choices[0] if arguments.yes else item.choices[-1]


def _question(item: ApprovalRecord) -> dict[str, object]:
    return {
        "type": "question",
        "id": item.id,
        "kind": item.kind,
        "subject": item.subject,
        "purpose": item.purpose,
        "agentId": item.agent,
        "taskId": item.task,
        "askedAt": item.asked_at,
        "choices": list(item.choices),
    }
