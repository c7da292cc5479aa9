"""Reads and writes spec documents of our own layout, `specs/NN-slug.md`. Refuses to check them against each other."""

import re
from collections.abc import Sequence

from specloom.domain.documents.findings import Findings, Names
from specloom.domain.documents.front_matter import Entry, FrontMatter, read_front_matter, write_entry
from specloom.domain.documents.lines import Document, Kind, heading_of, scan
from specloom.domain.documents.references import read_list, read_requirement_ref, write_requirement_ref
from specloom.domain.documents.task_lines import numbered_label
from specloom.domain.documents.tasks import read_drafts
from specloom.domain.documents.waits import Groups, mark_parallel
from specloom.domain.ids import SpecId, digest_of
from specloom.domain.spec import Layout, Mention, RequirementRef, SpecDefinition, SpecStatus

_KEYS = ("id", "title", "depends_on", "requirements", "status")
_FILE_NAME = re.compile(r"([0-9]+)(?:[-_ ]+(.*))?")


def parse_spec(path: str, text: str) -> SpecDefinition:
    """The spec that a document of our layout holds; what is wrong with it is in its `problems`."""
    findings = Findings(path)
    if findings.binary(text):
        number, title = _name_parts(path)
        return SpecDefinition(SpecId(number), title, path, hash=digest_of(text), problems=tuple(findings.problems))
    document = scan(text)
    findings.structure(document)
    front_matter = read_front_matter(document, findings)
    _check_front_matter(document, front_matter, findings)
    spec = _spec_id(front_matter, path, findings)
    depends_on = _entry(front_matter, "depends_on")
    requirements = _entry(front_matter, "requirements")
    refs, ref_mentions = _requirement_refs(requirements)
    drafts, groups = read_drafts(document, spec, findings, numbered_label), Groups()
    mark_parallel(drafts, groups)
    return SpecDefinition(
        id=spec,
        title=_title(front_matter, document, path),
        path=path,
        layout=Layout.SPECLOOM,
        status=_status(front_matter, findings),
        depends_on=tuple(dict.fromkeys(SpecId(value.text) for value in depends_on.values if value.text)),
        requirements=refs,
        tasks=tuple(draft.definition() for draft in drafts),
        groups=tuple(groups.members),
        hash=digest_of(text),
        problems=tuple(findings.problems),
        mentions=(
            *(Mention(v.text, v.text, v.line, v.column + _quote(v.text, v.length)) for v in depends_on.values),
            *ref_mentions,
        ),
    )


def render_front_matter(
    spec: SpecId,
    title: str,
    depends_on: Sequence[SpecId] = (),
    requirements: Sequence[RequirementRef] = (),
    status: SpecStatus = SpecStatus.READY,
) -> str:
    """The front matter that `parse_spec` reads, with LF ends; of text hashes the first twelve digits are kept."""
    lines = [
        "---\n",
        write_entry("id", spec, "\n", quoted=True),
        write_entry("title", title, "\n"),
        write_entry("depends_on", list(depends_on), "\n", quoted=True),
        write_entry("requirements", [write_requirement_ref(ref) for ref in requirements], "\n"),
    ]
    if status is not SpecStatus.READY:
        lines.append(write_entry("status", status.value, "\n"))
    return "".join((*lines, "---\n"))


def first_title(document: Document) -> str:
    """The first heading of level one, empty if there is none."""
    headings = (heading_of(line) for line in document.lines if line.kind is Kind.HEADING)
    return next((heading.title for heading in headings if heading.level == 1), "")


def _name_parts(path: str) -> tuple[str, str]:
    """Number and words of a file name: `specs/02-user-login.md` is 02 and `user login`."""
    stem = path.rpartition("/")[2].removesuffix(".md")
    match = _FILE_NAME.fullmatch(stem)
    if match is None:
        return stem or "spec", stem.replace("-", " ")
    return match[1], (match[2] or match[1]).replace("-", " ")


def _entry(front_matter: FrontMatter, key: str) -> Entry:
    return front_matter.entries.get(key) or Entry(key, (), False, 0, 0)


def _check_front_matter(document: Document, front_matter: FrontMatter, findings: Findings) -> None:
    first = document.lines[0]
    if not front_matter.end and first.body.rstrip() == "---":
        findings.error("front-matter", "Nothing closes this front matter; end it with a line ---", first.span())
    for entry in front_matter.entries.values():
        if entry.key not in _KEYS:
            near = Names(_KEYS).near(entry.key)
            line = document.lines[entry.start]
            message = f"{entry.key} means nothing in a spec and is kept as it is; known keys are {', '.join(_KEYS)}"
            findings.information("front-matter", message, line.span(line.start, line.start + len(entry.key)), near)


def _spec_id(front_matter: FrontMatter, path: str, findings: Findings) -> SpecId:
    number, _ = _name_parts(path)
    entry = _entry(front_matter, "id")
    if not entry.values:
        return SpecId(number)
    name = entry.text
    if name and not entry.is_list and not any(character.isspace() or character in "/,;" for character in name):
        return SpecId(name)
    message = f'{name!r} cannot be a spec id, so {number} from the file name is used; write digits such as "{number}"'
    findings.error("front-matter", message, entry.values[0].span, (f'"{number}"',))
    return SpecId(number)


def _title(front_matter: FrontMatter, document: Document, path: str) -> str:
    return _entry(front_matter, "title").text or first_title(document) or _name_parts(path)[1]


def _status(front_matter: FrontMatter, findings: Findings) -> SpecStatus:
    entry = _entry(front_matter, "status")
    if entry.text in {"", *SpecStatus}:
        return SpecStatus(entry.text or SpecStatus.READY)
    message = f"{entry.text!r} is no status of a spec and counts as ready; write ready or generating, or leave it out"
    findings.warning("front-matter", message, entry.values[0].span, tuple(SpecStatus))
    return SpecStatus.READY


def _requirement_refs(entry: Entry) -> tuple[tuple[RequirementRef, ...], tuple[Mention, ...]]:
    refs: dict[str, RequirementRef] = {}
    mentions: list[Mention] = []
    for value in entry.values:
        names = () if "@" in value.text else tuple(name for found in read_list(value.text) for name in found.names)
        for ref in [read_requirement_ref(name) for name in names or (value.text,) if name]:
            refs.setdefault(ref.id, ref)
            text = ref.id if value.text.startswith(ref.id) else value.text
            mentions.append(Mention(ref.id, text, value.line, value.column + _quote(value.text, value.length)))
    return tuple(refs.values()), tuple(mentions)


def _quote(text: str, length: int) -> int:
    """Columns before the text inside its quotes."""
    return 1 if length >= len(text) + 2 else 0
