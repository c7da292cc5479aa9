"""Problems as diagnostics. Refuses to decide when: `features/diagnostics` pushes, the client pulls."""

from lsprotocol import types

from specloom.domain.problem import Problem, Severity
from specloom.lsp.positions import TextLines

SOURCE = "specloom"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFORMATION: types.DiagnosticSeverity.Information,
}


def diagnostic_of(problem: Problem, lines: TextLines) -> types.Diagnostic:
    """One problem in the client's units."""
    return types.Diagnostic(
        range=range_of(problem, lines),
        message=problem.message,
        severity=_SEVERITIES[problem.severity],
        code=problem.code,
        source=SOURCE,
    )


def range_of(problem: Problem, lines: TextLines) -> types.Range:
    """The problem's place; an empty one is widened to its line, so that it shows."""
    span = problem.span
    empty = (span.start_line, span.start_column) == (span.end_line, span.end_column)
    return lines.line_range(span.start_line) if empty else lines.range(span)
