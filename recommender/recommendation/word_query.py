"""Queries in words, such as ``sad piano no vocals tempo:90-120``, taken apart.

The grammar:

    query  = part { part }
    part   = [ "no" | "not" | "without" | "-" ] ( word | '"' phrase '"' ) | name ":" range
    name   = "tempo" | "key" | "energy" | "danceability" | "acousticness" | "vocals"

Words that belong together in the vocabulary are one term without quotation marks (``hard rock``).
Upper and lower case are one, and so are hyphens and blanks. A few words that only join others
(``and``, ``with``, ``music``) are left out.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, fields

from recommender.errors import UsageError
from recommender.recommendation.sound_filters import SoundFilters

JOINING = frozenset(
    ["a", "an", "and", "the", "with", "of", "some", "music", "song", "songs", "track", "tracks"]
)
NEGATIONS = frozenset({"no", "not", "without"})

_TOKEN = re.compile(
    r"""(?P<minus>-)?(?:(?P<name>[a-z]+):(?P<range>\S+)|"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))""",
    re.IGNORECASE,
)
_NAMES = tuple(field.name for field in fields(SoundFilters))


@dataclass(frozen=True)
class Term:
    """A word or phrase, in small letters, that is wanted or not."""

    words: str
    negated: bool = False

    def __str__(self) -> str:
        """As it could be written."""
        return f"no {self.words}" if self.negated else self.words


@dataclass(frozen=True)
class WordQuery:
    """A query taken apart.

    Attributes:
        terms: those that the vocabulary has, in their order.
        filters: what tracks must have.
        unmatched: words that the vocabulary does not have, in their order.
    """

    terms: tuple[Term, ...]
    filters: SoundFilters
    unmatched: tuple[str, ...]


@dataclass(frozen=True)
class _Token:
    words: str
    negated: bool
    quoted: bool


def parse_word_query(text: str, vocabulary: Collection[str]) -> WordQuery:
    """Take a query apart.

    Args:
        text: the query.
        vocabulary: the terms that are known, as `normal` writes them.

    Raises:
        UsageError: it holds nothing, a range of something else than `SoundFilters` has, or one that
            is none.
    """
    tokens, ranges = _tokens(text)
    if not tokens and not ranges:
        raise UsageError("there is nothing to search for: give words, such as 'sad piano'.")
    filters = SoundFilters(**ranges)
    if filters.is_relative:
        raise UsageError("a search has no seed: give a tempo as 120-130, a key as 8A.")
    known = set(vocabulary)
    longest = max((term.count(" ") + 1 for term in known), default=1)
    terms, unmatched, place = [], [], 0
    while place < len(tokens):
        length = _match_length(tokens, place, known, longest)
        words = " ".join(token.words for token in tokens[place : place + max(length, 1)])
        if length:
            terms.append(Term(words, tokens[place].negated))
        elif words not in JOINING:
            unmatched.append(words)
        place += max(length, 1)
    return WordQuery(tuple(dict.fromkeys(terms)), filters, tuple(dict.fromkeys(unmatched)))


def normal(words: str) -> str:
    """A term in small letters, with single blanks for hyphens and other blanks."""
    return " ".join(words.lower().replace("-", " ").replace("_", " ").split())


def _tokens(text: str) -> tuple[list[_Token], dict[str, str]]:
    """Words with their negation, and ranges by name."""
    tokens: list[_Token] = []
    ranges: dict[str, str] = {}
    negated = False
    for match in _TOKEN.finditer(text):
        if match["name"] is not None:
            ranges[_range_name(match)] = match["range"]
            continue
        quoted = match["phrase"] is not None
        word = match["phrase"] if quoted else match["word"]
        if not quoted and word.lower() in NEGATIONS and not match["minus"]:
            negated = True
            continue
        words = normal(word)
        if words:
            tokens.append(_Token(words, negated or match["minus"] is not None, quoted))
        negated = False
    return tokens, ranges


def _range_name(match: re.Match[str]) -> str:
    name = match["name"].lower()
    if match["minus"] or name not in _NAMES:
        raise UsageError(f"{match.group()!r} is no range of {', '.join(_NAMES)}.")
    return name


def _match_length(tokens: list[_Token], place: int, known: set[str], longest: int) -> int:
    """How many tokens from `place` on are one term; 0 where none are.

    A quoted phrase is a term by itself; so is what a negation stands before, but for words that
    follow it without one.
    """
    most = 1 if tokens[place].quoted else min(longest, len(tokens) - place)
    for length in range(most, 0, -1):
        some = tokens[place : place + length]
        joined = length == 1 or not any(token.quoted or token.negated for token in some[1:])
        if joined and " ".join(token.words for token in some) in known:
            return length
    return 0
