"""Names that no tool may touch: version control, our own state, secrets. Refuses to look at any disk."""

import re
import unicodedata
from fnmatch import translate
from functools import lru_cache

FOLDERS = frozenset({".git", ".specloom", ".ssh", ".gnupg", ".aws"})
"""As folders and as files: in a worktree `.git` is a file."""

SECRETS = (
    ".env",
    ".env.*",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.ppk",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".netrc",
    "_netrc",
    ".pgpass",
    ".git-credentials",
)
HARMLESS = frozenset({".env.example"})

SECRET = re.compile("|".join(translate(pattern) for pattern in SECRETS))
"""All patterns as one: a walk over a large tree asks it for every name."""
SHORT_NAMES = re.compile(r"^(?:git|env|speclo)~[0-9]+$")
"""8.3 names of NTFS, as in CVE-2014-9390."""


def plain(name: str) -> str:
    """A path component as a lenient file system may read it.

    Case, compatibility forms, invisible characters, stream names and trailing dots are folded.
    """
    if name.isascii() and name.isprintable():
        return name.lower().split(":")[0].rstrip(". ").lstrip(" ")
    folded = unicodedata.normalize("NFKC", name).casefold()
    visible = "".join(char for char in folded if unicodedata.category(char) not in {"Cf", "Mn", "Cc"})
    return unicodedata.normalize("NFKC", visible).split(":")[0].rstrip(". ").lstrip(" ")


def is_secret(name: str) -> bool:
    """Whether a file of this name holds keys."""
    known = plain(name)
    return known not in HARMLESS and SECRET.match(known) is not None


@lru_cache(65_536)
def is_forbidden(name: str) -> bool:
    """Whether a path with this component is closed to tools."""
    known = plain(name)
    return known in FOLDERS or SHORT_NAMES.match(known) is not None or is_secret(name)
