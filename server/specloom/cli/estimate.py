"""`specloom run --estimate`: what a run will probably cost, and why. Refuses to start anything, and to need a key."""

import argparse

from specloom.cli.failures import CommandError, Exit, refuse
from specloom.cli.options import order_of
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.reading import told
from specloom.cli.scopes import resolve_scope
from specloom.cli.views.estimate_lines import estimate_json, estimate_lines
from specloom.domain.problem import Severity
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Scope


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status. Raises `CommandError`."""
    order = order_of(arguments, place)
    known = await told(place, output)
    seen = await place.composition.estimating(place.root, place.environment, order.overrides)
    wrong = next((problem for problem in seen.problems if problem.severity is Severity.ERROR), None)
    if wrong is not None:
        raise CommandError(f"{wrong.path}: {wrong.message}")
    state = await seen.read(known.state)
    scope = Scope() if arguments.scope is None else resolve_scope(state, arguments.scope)
    found = seen.estimate(state, scope)
    if isinstance(found, Rejected):
        refuse(found)
    if output.as_json:
        output.json(estimate_json(found))
    else:
        for line in estimate_lines(found):
            output.line(line)
    return Exit.OK
