"""Every code that a problem may have, what it means and what to do about it; `docs/problems.md` is made of this.

Refuses places and messages, which each problem has of its own. A test compares the codes with those in the source.
"""

from dataclasses import dataclass

from specloom.domain.problem import Severity

ERROR, WARNING, INFORMATION = (Severity.ERROR,), (Severity.WARNING,), (Severity.INFORMATION,)
BY_PLACE = (Severity.ERROR, Severity.WARNING)
"""An error in what the planner hands in, which is not taken with it; a warning in what stands in a file."""


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """What all problems of one code have in common."""

    code: str
    severities: tuple[Severity, ...]
    meaning: str
    step: str
    """What its reader does next."""


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """The codes of one kind of document or event."""

    title: str
    codes: tuple[ProblemCode, ...]


DOCUMENTS = ProblemGroup(
    "Any document",
    (
        ProblemCode(
            "binary-document",
            ERROR,
            "The document holds NUL characters and is not read as text",
            "Save it as UTF-8 text",
        ),
        ProblemCode(
            "unreadable-document",
            ERROR,
            "The document is there and cannot be read: no right to, a folder, a link out of the root, or no text",
            "Mend what the message names",
        ),
        ProblemCode(
            "document-too-large",
            ERROR,
            "The document has more than 1,000,000 characters, which nobody works from, and is not read",
            "Split it into several",
        ),
        ProblemCode(
            "unclosed-block",
            BY_PLACE,
            "Nothing closes a code fence or comment, so all below it is passed over",
            "Close it, or remove its first line",
        ),
        ProblemCode(
            "unknown-requirement",
            BY_PLACE,
            "A spec, a task or a plan names a requirement that does not exist",
            "Take the suggested id, or remove the name",
        ),
        ProblemCode(
            "requirement-not-covered",
            BY_PLACE,
            "No spec or task serves a requirement, or no task one that its spec names",
            "Plan again, or name the requirement in a spec or task",
        ),
    ),
)
REQUIREMENTS = ProblemGroup(
    "Requirements",
    (
        ProblemCode(
            "requirements-missing",
            ERROR,
            "The file that the setting `requirements` names is not there",
            "Write it, or change the setting",
        ),
        ProblemCode(
            "empty-document",
            ERROR,
            "The requirements document is empty",
            "Write what the program shall do, one item a requirement",
        ),
        ProblemCode(
            "no-requirements",
            ERROR,
            "The document has text, but nothing in it reads as a requirement",
            "Write list items such as `- R1.1 …`, or sentences with SHALL",
        ),
        ProblemCode(
            "duplicate-id",
            ERROR,
            "Two requirements have one id; the second is read under another",
            "Give the second an id of its own",
        ),
        ProblemCode(
            "not-ears",
            INFORMATION,
            "A requirement reads like an EARS sentence and is not a whole one",
            "Write WHEN <trigger> THE <system> SHALL …, or leave it as it is",
        ),
        ProblemCode(
            "needs-clarification",
            INFORMATION,
            "A mark such as `[NEEDS CLARIFICATION: …]` is still open",
            "Answer it in the text before tasks are made from it",
        ),
    ),
)
SPECS = ProblemGroup(
    "Specs and their tasks",
    (
        ProblemCode(
            "front-matter",
            (Severity.ERROR, Severity.WARNING, Severity.INFORMATION),
            "A line of the front matter is not understood or unknown (it is kept), or the whole block is not closed",
            "Mend the line as the message says",
        ),
        ProblemCode(
            "requirement-changed",
            WARNING,
            "A requirement was changed since the spec was written",
            "Check the spec against it, or plan again",
        ),
        ProblemCode(
            "spec-unfinished",
            ERROR,
            "A spec still says `status: generating` and nobody writes it: something ended in the middle",
            "Choose *Continue* or *Discard*",
        ),
        ProblemCode(
            "duplicate-number",
            ERROR,
            "Two tasks of a spec have one number; the second is read under another",
            "Give the second a number of its own",
        ),
        ProblemCode("empty-title", WARNING, "A task has no title", "Say what is to be done"),
        ProblemCode(
            "malformed-checkbox",
            WARNING,
            "`[]` is no checkbox, so the line is not read as a task",
            "Write `[ ]`",
        ),
        ProblemCode(
            "verify-on-parent",
            WARNING,
            "A task with tasks below it is never run, so its _Verify_ line is not used",
            "Give the command to a leaf",
        ),
        ProblemCode(
            "unread-verify",
            INFORMATION,
            "A _Verify_ line holds more than commands in backticks; only those are run",
            "Put the whole command into backticks",
        ),
        ProblemCode(
            "unread-reference",
            INFORMATION,
            "Something in a line of references is not read as an id",
            "Write ids such as 1.2, separated by commas",
        ),
    ),
)
GRAPH = ProblemGroup(
    "The task graph",
    (
        ProblemCode(
            "duplicate-spec",
            ERROR,
            "Two specs have one id; the second is passed over",
            "Change the id of one of them",
        ),
        ProblemCode(
            "unknown-spec",
            ERROR,
            "A spec depends on one that does not exist; none of its tasks runs",
            "Take the suggested id, or remove it from `depends_on`",
        ),
        ProblemCode(
            "spec-depends-on-higher",
            ERROR,
            "A spec depends on itself or on one with a higher number; none of its tasks runs",
            "Renumber the specs, foundations first, or remove the dependency",
        ),
        ProblemCode(
            "spec-generating",
            INFORMATION,
            "A spec waits for one that is still being generated",
            "Wait, or continue or discard that spec",
        ),
        ProblemCode(
            "unknown-task",
            ERROR,
            "A task or a dependency graph names a task that does not exist",
            "Take the suggested number, or write `_Depends: none_`",
        ),
        ProblemCode(
            "self-dependency",
            ERROR,
            "A task depends on itself, perhaps through a task above it",
            "Remove that dependency",
        ),
        ProblemCode(
            "depends-on-optional",
            WARNING,
            "A task waits for an optional one, which runs only when it is named",
            "Run the optional task by its id, or skip it",
        ),
        ProblemCode(
            "task-cycle",
            ERROR,
            "Tasks wait for each other in a ring; none of them runs",
            "Remove one of the dependencies that the message shows",
        ),
        ProblemCode(
            "wave-graph",
            WARNING,
            "The dependency graph of a Kiro spec cannot be read in whole or in part; what is left runs in order",
            "Mend the wave or arrow at the place shown",
        ),
        ProblemCode(
            "task-not-in-graph",
            WARNING,
            "The dependency graph of a Kiro spec leaves out a task, which therefore runs in order",
            "Add it to a wave",
        ),
    ),
)
PLANS = ProblemGroup(
    "Plans",
    (
        ProblemCode(
            "document-over-window",
            ERROR,
            "A document does not fit into the window of the planner's model; it was not sent",
            "Split it and plan its parts one by one, or choose a model with a larger window",
        ),
        ProblemCode("outline-empty", ERROR, "The outline has no spec", "Plan again"),
        ProblemCode("outline-id", ERROR, "A planned spec has no id of two digits", "Plan again"),
        ProblemCode("outline-slug", ERROR, "A planned spec has no usable slug", "Plan again"),
        ProblemCode("outline-text", ERROR, "A planned spec has no title or no summary", "Plan again"),
        ProblemCode(
            "outline-unserving",
            WARNING,
            "A planned spec serves no requirement",
            "Plan again, and say in the feedback what it is for",
        ),
        ProblemCode("outline-order", ERROR, "The planned specs are not in ascending order", "Plan again"),
        ProblemCode("duplicate-slug", ERROR, "Two planned specs have one slug", "Plan again"),
        ProblemCode(
            "spec-dropped",
            ERROR,
            "The outline leaves out a spec that exists",
            "Plan again, or delete the spec's file if it is not wanted",
        ),
        ProblemCode(
            "spec-renamed",
            ERROR,
            "The outline gives a spec that exists another slug",
            "Plan again, or rename the file yourself",
        ),
        ProblemCode(
            "no-reason",
            ERROR,
            "A requirement is named as out of scope without a reason",
            "Plan again, and say in the feedback what is out of scope",
        ),
        ProblemCode(
            "contradiction",
            ERROR,
            "A requirement is both served and named as out of scope",
            "Plan again, and say in the feedback which of both is meant",
        ),
        ProblemCode("missing-section", ERROR, "A section of the written spec is missing", "Continue the spec"),
        ProblemCode("empty-section", ERROR, "A section of the written spec is empty", "Continue the spec"),
        ProblemCode(
            "section-order", ERROR, "The sections of the written spec are not in their order", "Continue the spec"
        ),
        ProblemCode("section-repeated", ERROR, "A section of the written spec stands there twice", "Continue the spec"),
        ProblemCode("early-tasks", ERROR, "The written spec has tasks before they were asked for", "Continue the spec"),
        ProblemCode(
            "missing-file",
            WARNING,
            "A written spec calls a file existing that is not in the project",
            "Correct the text if the file is not meant to be made",
        ),
        ProblemCode("no-tasks", ERROR, "The written task list has no task", "Derive the tasks again"),
        ProblemCode(
            "task-renumbered",
            ERROR,
            "The written task list has a task under another number that is done or in progress",
            "Derive the tasks again",
        ),
        ProblemCode(
            "task-ticked",
            ERROR,
            "The written task list has a ticked box without anything done",
            "Derive the tasks again",
        ),
        ProblemCode(
            "verify-unreadable",
            ERROR,
            "A verify command of the written list cannot be read by a shell",
            "Derive the tasks again, or mend the command",
        ),
        ProblemCode(
            "verify-idle",
            WARNING,
            "A verify command of the written list proves nothing, holds a placeholder or never ends",
            "Name a command that fails before the task and passes after it",
        ),
        ProblemCode(
            "verify-repeated",
            WARNING,
            "Two tasks of the written list are proven by the same command",
            "Give each a test of its own",
        ),
        ProblemCode(
            "no-verify",
            WARNING,
            "No task of the written list has a _Verify_ line, so that only a reviewer can judge them",
            "Add a command that proves the task, if there can be one",
        ),
    ),
)
RUNS = ProblemGroup(
    "Runs",
    (
        ProblemCode(
            "task-failed",
            ERROR,
            "The attempts at a task are used up, or what it proved no longer holds; the message holds the last output",
            "Mend the cause or the task's text, then retry, skip or reset it",
        ),
        ProblemCode(
            "verification-failed",
            WARNING,
            "The last attempt at a task was not proven; another one is to follow",
            "Nothing, or mend what the output shows",
        ),
        ProblemCode(
            "task-blocked",
            WARNING,
            "A task cannot go on: a task before it failed, a command was not allowed, or the agent reports why",
            "Remove the cause, then unblock it",
        ),
        ProblemCode(
            "edit-refused",
            WARNING,
            "An edit of the agent was not applied, most often because the text had changed meanwhile",
            "Nothing: the agent is told and tries again",
        ),
        ProblemCode(
            "box-differs",
            WARNING,
            "The box of a task says something else than its state",
            "Untick it or tick it again by hand, or reset the task",
        ),
        ProblemCode(
            "proof-stale",
            WARNING,
            "A file behind the proof of a task was changed since, or the box that proves it is not ticked here",
            "Run the task's scope again: its commands are verified once more. Of a box: tick it, or reset the task",
        ),
        ProblemCode(
            "proof-outdated",
            WARNING,
            "A requirement that a task serves was changed since the task was done",
            "Run the task's scope again: its commands are verified once more. Where it has none, untick and tick its "
            "box if it still holds, or reset the task",
        ),
        ProblemCode(
            "requirement-renumbered",
            WARNING,
            "A requirement has another number now than when a spec named it or a task was done for it",
            "Name it by its new number",
        ),
    ),
)
SETTINGS = ProblemGroup(
    "Settings and keys",
    (
        ProblemCode(
            "unreadable-settings",
            ERROR,
            "`specloom.toml` or `.env` cannot be read or is not UTF-8",
            "Mend the file or its rights, or remove it",
        ),
        ProblemCode(
            "settings-syntax",
            ERROR,
            "The settings are not TOML; none of them is used",
            "Mend the place that the message names",
        ),
        ProblemCode("settings-unknown-key", ERROR, "There is no such setting", "Take the suggested key, or remove it"),
        ProblemCode(
            "settings-value",
            ERROR,
            "A setting does not take this value; it counts as not said",
            "Write one of the values that the message allows",
        ),
        ProblemCode(
            "settings-reserved",
            INFORMATION,
            "A setting is reserved for later and has no effect",
            "Nothing, or remove it",
        ),
        ProblemCode(
            "proposal-ignored",
            WARNING,
            "The repository proposes a setting that runs code or widens rights; it does not count by itself",
            "Read it, then grant it with `--yes` for one run, or put it into your editor settings",
        ),
        ProblemCode(
            "env-endpoint",
            WARNING,
            "`.env` names an endpoint, which is ignored: it supplies keys only",
            "Set it in your environment, or `base_url` under `[models.default]`",
        ),
        ProblemCode(
            "env-quote",
            ERROR,
            "A value in `.env` has an opening quote only; it was not read",
            "Close the quote",
        ),
        ProblemCode(
            "env-key",
            ERROR,
            "A value in `.env` has characters that no key has; it was not read",
            "Copy the key again",
        ),
    ),
)
HOSTING = ProblemGroup(
    "A root that is not hosted",
    (
        ProblemCode(
            "not-hosted",
            ERROR,
            "The root cannot be opened: another process works in it, its log needs a newer version, or it has no place",
            "Do what the message says, then open the document again",
        ),
    ),
)
GROUPS = (DOCUMENTS, REQUIREMENTS, SPECS, GRAPH, PLANS, RUNS, SETTINGS, HOSTING)
CODES = {item.code: item for group in GROUPS for item in group.codes}
