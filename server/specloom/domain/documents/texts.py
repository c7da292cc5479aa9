"""How texts become hashes and slugs. Refuses to know where the text comes from."""

import unicodedata

from specloom.domain.ids import Digest, digest_of

SLUG_WORDS = 6
SLUG_LENGTH = 40


def fold(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def hash_of(*texts: str) -> Digest:
    """Digest of texts with white space folded, so that re-wrapping is no change."""
    return digest_of(" ".join(" ".join(texts).split()))


def slug(text: str) -> str:
    """The first words in lower case joined by hyphens, any script; empty if the text has no letter and no digit."""
    words: list[str] = []
    for word in "".join(_letter_or_space(character) for character in text[: SLUG_LENGTH * 4].casefold()).split():
        if len(words) == SLUG_WORDS or sum(map(len, words)) + len(word) > SLUG_LENGTH:
            break
        words.append(word)
    else:
        return "-".join(words)
    return "-".join(words) or _first_letters(text)


def _first_letters(text: str) -> str:
    return "".join(_letter_or_space(character) for character in text.casefold()).split()[0][:SLUG_LENGTH]


def _letter_or_space(character: str) -> str:
    return character if unicodedata.category(character)[0] in "LMN" else " "
