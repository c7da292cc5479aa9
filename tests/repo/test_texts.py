"""Tracked texts: locks, generated files, links, and nothing of one machine or one person."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.repo.tree import ROOT, name_of, text_of, tracked

REGISTRIES = re.compile(
    r"(deb|security|snapshot)\.debian\.org|archive\.ubuntu\.com|registry\.(npmjs|yarnpkg)\.(org|com)"
    r"|(test\.)?pypi\.org/simple|files\.pythonhosted\.org"
)
SECRETS = re.compile(
    r"sk-ant-(api|admin|oat)\d\d-[\w-]{60,}|ghp_\w{36}|github_pat_\w{50,}|AKIA[0-9A-Z]{16}|-{5}BEGIN [A-Z ]*PRIVATE KEY"
)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
PIN = re.compile(r"^[a-z0-9][a-z0-9._-]*==[^ ]+( ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


@pytest.mark.parametrize("path", tracked(), ids=name_of)
def test_a_tracked_file_holds_nothing_of_a_machine_or_a_person(path: Path) -> None:
    text = text_of(path) or ""
    home = f"{Path.home()}/"
    assert str(ROOT) not in text
    assert home not in text or home == "//"
    assert not SECRETS.search(text)
    assert not REGISTRIES.search(text)


@pytest.mark.parametrize("path", tracked("requirements/*.txt"), ids=name_of)
def test_a_lock_holds_versions_and_hashes_only(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines
    assert not [line for line in lines if not PIN.match(line) and not HASH.match(line)]
    assert not [pin for pin, after in pairwise(lines) if PIN.match(pin) and not HASH.match(after)]


def test_no_lock_of_another_kind_names_a_registry() -> None:
    address = re.compile(r'("resolved"|registry|url)"?\s*[:=]\s*"?https?://')
    assert not [path for path in tracked("*lock.json", "*.lock", "*lock.yaml") if address.search(path.read_text())]


@pytest.mark.parametrize("path", tracked("*.md"), ids=name_of)
def test_every_link_between_documents_resolves(path: Path) -> None:
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    assert not [target for target, _ in LINK.findall(text) if not (path.parent / target).exists()]


def test_agents_md_is_read_in_a_minute() -> None:
    assert len((ROOT / "AGENTS.md").read_text().splitlines()) <= 60


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE", ".env.example", "docs/ARCHITECTURE.md"])
def test_what_a_visitor_looks_for_is_there(name: str) -> None:
    assert (ROOT / name).read_text().strip()


def test_generated_files_are_current() -> None:
    run = subprocess.run(
        [sys.executable, "scripts/gen.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [path.name.partition("-")[0] for path in tracked("docs/adr/*.md")]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
