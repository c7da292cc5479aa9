"""Reads requirements documents: free markdown, Kiro's and Spec Kit's. Refuses to reject a style: faults are problems.

- An id at the start of an item (`R1.2`, `**FR-001**:`, also in the first cell of a table row) or `1.2.3` is its id.
- `1.` counts below the item or heading with an id that it stands under (`R1.1`, `2.1`), else it is `1`, or
  `heading/1` where another list of the document has taken that number.
- Bullets and EARS paragraphs without number get an id from heading path and text.
- A heading with an id is a requirement itself if nothing below it is one; else it only numbers what is below.
- Where headings say `Requirement N` or `User Story N`, only what is numbered, named or EARS below them counts.
- Sections such as Introduction and Glossary hold no unnumbered requirements, Out of scope holds none.
"""

from specloom.domain.documents.findings import Findings
from specloom.domain.documents.lines import Kind, heading_of, scan
from specloom.domain.documents.requirement_lines import HeadKind, head_of
from specloom.domain.documents.requirement_reader import RequirementReader
from specloom.domain.requirement import RequirementsDocument


def parse_requirements(path: str, text: str) -> RequirementsDocument:
    """The requirements of a document in document order; what is wrong with it is in its `problems`."""
    return read_requirements(path, text, only_marked=False)


def read_requirements(path: str, text: str, *, only_marked: bool) -> RequirementsDocument:
    """`only_marked` leaves out bullets and paragraphs without id even where no heading says `Requirement N`."""
    findings = Findings(path)
    if findings.binary(text):
        return RequirementsDocument(path, (), tuple(findings.problems))
    document = scan(text)
    findings.structure(document)
    heads = (head_of(heading_of(line).title) for line in document.lines if line.kind is Kind.HEADING)
    marked = only_marked or any(head is not None and head.kind in _MARKING for head in heads)
    reader = RequirementReader(findings, only_marked=marked)
    for line in document.lines:
        reader.read(line)
    requirements = reader.finish()
    if not text.strip("\ufeff \t\r\n"):
        findings.error("empty-document", f"{path} is empty; write what the program shall do, one item a requirement")
    elif not requirements:
        findings.error("no-requirements", f"{path} holds no requirement; write list items or sentences with SHALL")
    return RequirementsDocument(path, requirements, tuple(findings.problems))


_MARKING = {HeadKind.REQUIREMENT, HeadKind.STORY}
