"""Doubts verify commands that cannot prove a task. Values in, problems out; refuses to run anything."""

import re
import shlex
from collections.abc import Collection, Iterable, Iterator

from specloom.domain.ids import TaskId
from specloom.domain.problem import Problem, Severity
from specloom.domain.spec import SpecDefinition, TaskDefinition

_PROVES_NOTHING = re.compile(r"(?:true|:|exit 0|echo\b[^|&;]*)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_PLACEHOLDER = re.compile(r"<[A-Za-z][\w -]*>|\bpath/to/")
_STAYS = re.compile(
    r"--watch(?:All)?(?![=\w])|^tail -f\b|^(?:npm|pnpm|yarn) (?:run )?(?:start|dev|serve|watch)\b"
    r"|\bmanage\.py runserver\b|^python3? -m http\.server\b|^(?:flask|uvicorn|gunicorn|vite)\b(?! build)"
)


def check_verify(spec: SpecDefinition, leaves: Iterable[TaskDefinition], kept: Collection[TaskId]) -> Iterator[Problem]:
    """What is wrong with the commands of tasks that are not `kept`: those stay as they are."""
    open_leaves = [task for task in leaves if task.id not in kept]
    if not any(task.verify for task in leaves):
        message = "No task has a _Verify:_ line; give each task a command that proves it, if there can be one"
        yield Problem("no-verify", message, spec.path, severity=Severity.WARNING)
    first: dict[tuple[str, ...], TaskDefinition] = {}
    for task in open_leaves:
        for command in task.verify:
            yield from _check_command(spec, task, command)
        same = first.setdefault(task.verify, task) if task.verify else task
        if same is not task:
            message = (
                f"Task {task.number} is proven by the same command as task {same.number} and passes once that is done; "
                "give it a test of its own"
            )
            yield Problem("verify-repeated", message, spec.path, task.span, Severity.WARNING)


def _check_command(spec: SpecDefinition, task: TaskDefinition, command: str) -> Iterator[Problem]:
    where = f"Task {task.number} is verified by `{command}`, "
    try:
        shlex.split(command)
    except ValueError as error:
        message = f"{where}which no shell can read ({error}); write the whole command"
        yield Problem("verify-unreadable", message, spec.path, task.span)
        return
    if _PROVES_NOTHING.fullmatch(command.strip()):
        why = "which passes whatever is done; name a command that fails before the task, or leave the line out"
    elif _PLACEHOLDER.search(_QUOTED.sub("", command)):
        why = "which holds a placeholder; name the real file"
    elif _STAYS.search(command) and "timeout " not in command and "&" not in command:
        why = "which does not end by itself; name a command that does"
    else:
        return
    yield Problem("verify-idle", where + why, spec.path, task.span, Severity.WARNING)
