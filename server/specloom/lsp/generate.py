"""Writes what clients read about the wire: `python -m specloom.lsp.generate [--check]`.

Refuses to write outside the repository that this package stands in.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from specloom.lsp.render.luacats import luacats
from specloom.lsp.render.markdown import markdown
from specloom.lsp.render.shapes import wires
from specloom.lsp.render.typescript import typescript

ROOT = Path(__file__).resolve().parents[3]
INTRO = "docs/protocol.intro.md"


def generated() -> Mapping[str, str]:
    """All texts by path from the root of the repository."""
    known = wires()
    return {
        "docs/protocol.md": markdown(known, (ROOT / INTRO).read_text(encoding="utf-8")),
        "docs/protocol.schema.json": json.dumps(known.schema, indent=1, ensure_ascii=False) + "\n",
        "clients/vscode/src/protocol.gen.ts": typescript(known),
        "clients/neovim/lua/specloom/protocol.gen.lua": luacats(known),
    }


def stale() -> list[str]:
    """Paths whose text on disk is not what would be written."""
    return [path for path, text in generated().items() if _on_disk(ROOT / path) != text]


def main(arguments: list[str]) -> int:
    """Exit status: 1 when `--check` found something stale."""
    if "--check" in arguments:
        old = stale()
        sys.stderr.writelines(f"{path} is stale; run python -m specloom.lsp.generate\n" for path in old)
        return 1 if old else 0
    for path, text in generated().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
    return 0


def _on_disk(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
