"""Text on its way into the database: what can be stored, and what search compares."""

import re
import unicodedata

from recommender.audio.tags import Tags

_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(text: str) -> str:
    """`text` with NUL and lone surrogates, which databases refuse, replaced by U+FFFD."""
    return _NOT_STORABLE.sub(_REPLACEMENT, text)


def fold(text: str) -> str:
    """`text` without case and accents: ``Björk`` and ``BJORK`` fold to the same."""
    decomposed = unicodedata.normalize("NFKD", storable(text))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def search_text(tags: Tags, path: str) -> str:
    """The folded text in which a search looks for words: title, artists, album and path."""
    fields = (tags.title, tags.artist, tags.album_artist, tags.album, path)
    return fold("\n".join(text for text in fields if text))
