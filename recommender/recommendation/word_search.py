"""Tracks by words: tags of networks, predicted genres and musical descriptors, ranked together.

What tells of a word differs in scale: a network gives 'rock' to most tracks and 'sitar' to hardly
any. So each source is turned into the share of the catalogue's tracks that it puts below a track,
and a term's score is the mean over its sources, one less that for a term that is not wanted. A
track's score is the geometric mean over the terms: what lacks one of them ranks low. It says how a
track stands among the others, not how certain anything is; the likelihoods beside it do.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.embedding.model_files import find_model, named_models
from recommender.embedding.space import SpaceId
from recommender.embedding.tags import Tag, tags_of
from recommender.errors import NothingAnalysed, UsageError, WeightsError
from recommender.musical_descriptors import NAMES
from recommender.recommendation.word_query import Term, parse_word_query
from recommender.recommendation.word_vocabulary import Meaning, vocabulary
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, Scores

LIKELY = 0.2
"""Probability of a tag or a genre below which a catalogue is said to have hardly any such track."""

_NUMBERS = tuple(name for name in NAMES if name != "mode")


@dataclass(frozen=True)
class Match:
    """A track that was found.

    Attributes:
        rank: from 1.
        track: the track.
        score: 0 to 1; how it stands among the catalogue's tracks.
        terms: of each term, in the query's order: the highest probability of its tags and genre, or
            else the value of its first descriptor; None where the track has neither.
    """

    rank: int
    track: Track
    score: float
    terms: Mapping[str, float | None]


@dataclass(frozen=True)
class WordMatches:
    """What a search found.

    Attributes:
        matches: best first.
        terms: those that were searched for, as they could be written.
        unmatched: words that nothing tells of; they were left out.
        unlikely: wanted terms that no track is likely to have, with the highest probability.
        candidates: tracks that passed the query's ranges.
        sources: what the terms were judged by, in words.
    """

    matches: tuple[Match, ...]
    terms: tuple[str, ...]
    unmatched: tuple[str, ...]
    unlikely: Mapping[str, float]
    candidates: int
    sources: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Evidence:
    """What is known of n tracks; values are NaN where a track lacks them."""

    ids: IntArray
    tags: Mapping[Tag, FloatArray]
    genres: Mapping[str, FloatArray]
    descriptors: Mapping[str, FloatArray]

    @classmethod
    def of(cls, catalog: Catalog, ids: IntArray, meanings: Sequence[Meaning]) -> "_Evidence":
        """What is known of what these meanings name."""
        names = {name for meaning in meanings for name in meaning.descriptors}
        tags = {tag for one in meanings for tag in (*one.tags, *one.opposite_tags)}
        genres = {meaning.genre for meaning in meanings if meaning.genre is not None}
        columns = catalog.descriptor_columns(ids, sorted(names))
        return cls(
            ids,
            _tag_values(catalog, ids, tags),
            _genre_values(catalog, ids, genres),
            dict(zip(sorted(names), columns.T, strict=True)),
        )


def search_words(catalog: Catalog, text: str, limit: int = 20) -> WordMatches:
    """The tracks that fit a query in words best; see `word_query` for its grammar.

    Args:
        catalog: stays open.
        text: the query.
        limit: of the matches.

    Raises:
        UsageError: the query cannot be understood, or holds no word that anything tells of.
        NothingAnalysed: there are no tracks.
    """
    ids = catalog.analysed_ids()
    if not len(ids):
        raise NothingAnalysed("the catalogue holds no music that was analysed.")
    known, has_tags = _known_words(catalog, ids)
    query = parse_word_query(text, known)
    if not query.terms and not query.filters.wanted():
        raise UsageError(_nothing_known(query.unmatched, known, has_tags=has_tags))
    evidence = _Evidence.of(catalog, ids, [known[term.words] for term in query.terms])
    passing = np.ones(len(evidence.ids), dtype=np.bool_)
    if query.filters.wanted():

        def column(name: str) -> FloatArray:
            values: FloatArray = catalog.descriptor_columns(evidence.ids, [name])[:, 0]
            return values

        for _, passes, _ in query.filters.passing(column):
            passing &= passes
    scores = _scores(query.terms, known, evidence)
    rows = _best(scores, passing, limit)
    values = {term: _shown(known[term.words], evidence) for term in query.terms}
    tracks = catalog.tracks(evidence.ids[rows].tolist())
    return WordMatches(
        matches=tuple(
            Match(rank, track, float(scores[row]), _of_track(values, row))
            for rank, (row, track) in enumerate(zip(rows, tracks, strict=True), start=1)
        ),
        terms=tuple(map(str, query.terms)),
        unmatched=query.unmatched,
        unlikely=_unlikely(query.terms, known, evidence),
        candidates=int(passing.sum()),
        sources=tuple(_source(term, known[term.words]) for term in query.terms),
    )


def _known_words(catalog: Catalog, ids: IntArray) -> tuple[dict[str, Meaning], bool]:
    """The vocabulary of a catalogue, and whether tags are part of it."""
    found = tagged_space(catalog)
    tags = () if found is None else found[1]
    (track,) = catalog.tracks(ids[:1].tolist())  # all are predicted the same genres
    columns = catalog.descriptor_columns(ids, _NUMBERS)
    present = [
        name for name, column in zip(_NUMBERS, columns.T, strict=True) if np.isfinite(column).any()
    ]
    return vocabulary(tags, track.genre_probabilities, present), bool(tags)


def tagged_space(catalog: Catalog) -> tuple[SpaceId, tuple[Tag, ...]] | None:
    """The space with tags in which most tracks were analysed, and its tags; None without one."""
    found: dict[SpaceId, tuple[int, tuple[Tag, ...]]] = {}
    for name in named_models():
        try:
            files = find_model(name)
            tags, usual = tags_of(files.card), files.space()
        except WeightsError:
            continue  # what is damaged tells of nothing
        for space, count in catalog.spaces() if tags else ():
            if count and (space.model, space.weights) == (usual.model, usual.weights):
                found[space] = count, tags
    if not found:
        return None
    best = max(found, key=lambda space: (found[space][0], str(space)))
    return best, found[best][1]


def _tag_values(catalog: Catalog, ids: IntArray, wanted: Set[Tag]) -> dict[Tag, FloatArray]:
    found = tagged_space(catalog) if wanted else None
    if found is None:
        return {}
    space, tags = found[0], tuple(wanted)
    values = np.full((len(tags), len(ids)), np.nan, np.float32)
    columns = [tag.column for tag in tags]
    for some, activations in catalog.activation_batches(space):
        places = np.searchsorted(ids, some).clip(max=len(ids) - 1)
        present = ids[places] == some
        values[:, places[present]] = activations[present][:, columns].T
    return dict(zip(tags, values, strict=True))


def _genre_values(catalog: Catalog, ids: IntArray, wanted: Set[str]) -> dict[str, FloatArray]:
    values = {genre: np.full(len(ids), np.nan, np.float32) for genre in wanted}
    if not wanted:
        return values
    places = {track_id: place for place, track_id in enumerate(ids.tolist())}
    for track in catalog.all_tracks():
        place = places.get(track.id)
        for genre, column in values.items():
            if place is not None and genre in track.genre_probabilities:
                column[place] = track.genre_probabilities[genre]
    return values


def _scores(terms: Sequence[Term], known: Mapping[str, Meaning], evidence: _Evidence) -> Scores:
    """Score of each track, np.ndarray [shape=(n,)]; 0 where nothing tells of a term."""
    logarithms = np.zeros(len(evidence.ids))
    for term in terms:
        meaning = known[term.words]
        shares = _share_below(meaning, evidence)
        wanted = shares if term.negated == meaning.denies else 1 - shares
        with np.errstate(divide="ignore"):
            logarithms += np.log(np.nan_to_num(wanted, nan=0.0))
    scores: Scores = np.exp(logarithms / max(len(terms), 1))
    return scores


def _share_below(meaning: Meaning, evidence: _Evidence) -> Scores:
    """Mean over the sources of the share of tracks that each puts below; NaN without a source."""
    sources: list[FloatArray] = []
    if meaning.tags:
        odds = sum(_log_odds(evidence.tags[tag]) for tag in meaning.tags) / len(meaning.tags)
        for tag in meaning.opposite_tags:
            odds = odds - _log_odds(evidence.tags[tag]) / len(meaning.opposite_tags)
        sources.append(np.asarray(odds, np.float32))
    if meaning.genre is not None:
        sources.append(evidence.genres[meaning.genre])
    sources += [sign * evidence.descriptors[name] for name, sign in meaning.descriptors.items()]
    shares = np.stack([_shares(values) for values in sources])
    known = np.isfinite(shares)
    counts = known.sum(axis=0)
    mean: Scores = np.where(known, shares, 0).sum(axis=0) / np.maximum(counts, 1)
    return np.where(counts > 0, mean, np.nan)


def _shares(values: FloatArray) -> Scores:
    """Of each value, the share of those below it, and of half of those equal to it: 0 to 1."""
    finite = np.isfinite(values)
    shares = np.full(len(values), np.nan)
    if finite.any():
        _, place, counts = np.unique(values[finite], return_inverse=True, return_counts=True)
        below = np.cumsum(counts) - counts
        shares[finite] = ((below + counts / 2) / counts.sum())[place]
    return shares


def _log_odds(probabilities: FloatArray) -> Scores:
    clipped = np.clip(probabilities.astype(np.float64), 1e-4, 1 - 1e-4)
    odds: Scores = np.log(clipped / (1 - clipped))
    return odds


def _best(scores: Scores, passing: BoolArray, limit: int) -> list[int]:
    rows = np.flatnonzero(passing & (scores > 0))
    order = np.argsort(-scores[rows], kind="stable")[:limit]
    return [int(row) for row in rows[order]]


def _shown(meaning: Meaning, evidence: _Evidence) -> FloatArray:
    """What is shown of a term: a probability where there is one, else the first descriptor."""
    values = _probabilities(meaning, evidence)
    if values is None:
        values = evidence.descriptors[next(iter(meaning.descriptors))]
    return values


def _probabilities(meaning: Meaning, evidence: _Evidence) -> FloatArray | None:
    """The highest probability of a meaning's tags and genre, [n]; None where it has neither."""
    found = [evidence.tags[tag] for tag in meaning.tags]
    found += [evidence.genres[meaning.genre]] if meaning.genre is not None else []
    return np.fmax.reduce(found) if found else None


def _of_track(values: Mapping[Term, FloatArray], row: int) -> dict[str, float | None]:
    found = {str(term): float(of_all[row]) for term, of_all in values.items()}
    return {term: value if np.isfinite(value) else None for term, value in found.items()}


def _unlikely(
    terms: Sequence[Term], known: Mapping[str, Meaning], evidence: _Evidence
) -> dict[str, float]:
    found = {}
    for term in terms:
        probabilities = _probabilities(known[term.words], evidence)
        if probabilities is None or term.negated != known[term.words].denies:
            continue
        highest = float(np.nanmax(probabilities))
        if highest < LIKELY:
            found[term.words] = highest
    return found


def _source(term: Term, meaning: Meaning) -> str:
    """``piano: MTT piano``."""
    named = [f"{tag.network} {tag.name}" for tag in meaning.tags]
    named += [f"not {tag.network} {tag.name}" for tag in meaning.opposite_tags]
    named += [f"predicted genre {meaning.genre}"] if meaning.genre is not None else []
    named += [name if sign > 0 else f"low {name}" for name, sign in meaning.descriptors.items()]
    return f"{term}: {', '.join(named)}"


def _nothing_known(
    unmatched: Sequence[str], known: Mapping[str, Meaning], *, has_tags: bool
) -> str:
    words = ", ".join(repr(word) for word in unmatched)
    more = "" if has_tags else " Tags of a model such as musicnn know more words."
    return (
        f"nothing here tells of {words or 'that'}; known words: {', '.join(sorted(known))}.{more}"
    )
