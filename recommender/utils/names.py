"""Names of artists, titles and genres: what two spellings are compared by, and what can be stored.

Three keys, each coarser than the one before:

- `fold` ignores case and accents ("Björk", "BJORK"); search compares it.
- `name_key` also ignores needless blanks; artists and titles are compared by it.
- `label_key` also ignores all blanks, hyphens and underscores ("Hip-Hop", "hip hop", "HIPHOP");
  genres are compared by it, and `genre_key` is that of the first genre in a tag.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

NOT_A_GENRE = frozenset({"genre", "none", "other", "undefined", "unknown", "unknowngenre"})
"""Keys (`label_key`) of tags that say nothing: two tracks that share one have nothing in common."""

_BETWEEN_GENRES = re.compile("[;/,|\\\\\0]")
_BETWEEN_WORDS = re.compile(r"[\s_\-‐‑–—]+")
_ACCENT = 200
"""Unicode combining classes from here on are accents above and below letters; those below are marks
that distinguish letters, such as the Japanese voicing mark."""

_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(text: str) -> str:
    """`text` with NUL and lone surrogates, which databases refuse, replaced by U+FFFD."""
    return _NOT_STORABLE.sub(_REPLACEMENT, text)


def fold(text: str) -> str:
    """`text` without case and accents, storable: ``Björk`` and ``BJORK`` fold to the same."""
    decomposed = unicodedata.normalize("NFKD", storable(text))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


@lru_cache(maxsize=10_000)  # the same few names come often: a filter compares every candidate
def name_key(name: str | None) -> str:
    """`name` without case, accents and needless blanks; empty for None."""
    return " ".join(fold(name or "").split())


def label_key(label: str) -> str:
    """`label` without case, accents, blanks, hyphens and underscores."""
    decomposed = unicodedata.normalize("NFKD", label)
    letters = "".join(c for c in decomposed if unicodedata.combining(c) < _ACCENT)
    return _BETWEEN_WORDS.sub("", unicodedata.normalize("NFKC", letters.casefold()))


@lru_cache(maxsize=10_000)
def genre_key(tag: str | None) -> str:
    """`label_key` of the first genre that a tag names; empty where it names none."""
    return label_key(first_genre(tag) or "")


def first_genre(tag: str | None) -> str | None:
    """The first genre that a tag names ("Hip Hop" of "Hip Hop/Rap"), or None.

    Taggers put the main genre first. Tags such as "Other" or "Unknown" name none.
    """
    parts = (part.strip() for part in _BETWEEN_GENRES.split(tag or ""))
    first = next((part for part in parts if part), None)
    return None if first is None or label_key(first) in NOT_A_GENRE else first


@lru_cache(maxsize=10_000)
def genre_keys(tag: str | None) -> tuple[str, ...]:
    """`label_key` of every genre that a tag names; none for what says nothing."""
    parts = (label_key(part.strip()) for part in _BETWEEN_GENRES.split(tag or ""))
    return tuple(part for part in parts if part and part not in NOT_A_GENRE)


def most_frequent(spellings: Mapping[str, int]) -> str:
    """Of spellings with their numbers the most frequent one, the first by alphabet of several."""
    return min(spellings, key=lambda spelling: (-spellings[spelling], spelling))
