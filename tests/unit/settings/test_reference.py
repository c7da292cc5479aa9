"""The documentation of settings holds every setting."""

from collections.abc import Iterator

from specloom.settings.model import Section, Settings
from specloom.settings.reference import generated


def keys(section: type[Section]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from keys(inner)
        else:
            yield name


def test_every_key_is_documented_with_what_it_may_be() -> None:
    (text,) = generated().values()
    for key in keys(Settings):
        if key != "prices":
            row = next(line for line in text.splitlines() if line.startswith(f"| `{key}` | "))
            assert all(cell.strip() for cell in (row.split("|")[2], row.split("|")[4])), row
    assert '## `[prices."<model id>"]`' in text
