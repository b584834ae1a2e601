"""What filters and artist caps compare of tracks, as arrays. Names are numbers (`utils.codes`).

Every function works on a connection, inside the caller's transaction.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Text, and_, bindparam, cast, select

from recommender.audio.tags import Tags
from recommender.catalog.chunks import CHUNK
from recommender.catalog.queries import LARGEST_ID
from recommender.catalog.records import TrackState
from recommender.catalog.schema import (
    AnalysisRow,
    CatalogRow,
    DescriptorsRow,
    TrackRow,
    table,
)
from recommender.utils.albums import album_key
from recommender.utils.arrays import BoolArray, IntArray, Scores
from recommender.utils.artists import artist_key, may_name_several
from recommender.utils.codes import NO_NAME, name_code
from recommender.utils.content_words import is_christmas_music, is_speech
from recommender.utils.names import genre_key, label_key

ARTISTS = 4
"""Names of a track that are kept as numbers."""

MORE_ARTISTS = 1
"""In the last place of a track with more names than that."""

LIKELY_SPEECH = 0.5
"""Likelihood from which on a track counts as speech."""

CHRISTMAS, SPEECH = 1, 2
"""Flags in `TrackColumns.content`."""


@dataclass(frozen=True, eq=False)
class TrackColumns:
    """What filters compare of n tracks. A track that is not ANALYSED has NaN and zeros.

    Attributes:
        durations: np.ndarray [shape=(n,)], float64, seconds.
        artists: np.ndarray [shape=(n, ARTISTS)], int64: codes of `artist_key` of the names in
            `Track.artists`, each name as the tags have it; `NO_NAME` for nobody.
        compound: np.ndarray [shape=(n,)], bool: whether those are not the artists to compare: a
            name may stand for several, two are one artist, or there are more names than places.
        genres: np.ndarray [shape=(n,)], int64: code of `genre_key` of the tag.
        predicted: np.ndarray [shape=(n,)], int64: code of `label_key` of the most probable genre,
            by the analysis in the active space.
        damaged: np.ndarray [shape=(n,)], bool: whether the file is, see `audio.damage`.
        albums: np.ndarray [shape=(n,)], int64: code of `album_key`; `NO_NAME` for no album.
        content: np.ndarray [shape=(n,)], uint8: `CHRISTMAS` and `SPEECH`, added up, by
            `utils.content_words`; speech by its likelihood where that is known.
    """

    durations: Scores
    artists: IntArray
    compound: BoolArray
    genres: IntArray
    predicted: IntArray
    damaged: BoolArray
    albums: IntArray
    content: npt.NDArray[np.uint8]

    @classmethod
    def empty(cls, count: int) -> "TrackColumns":
        """Of tracks that are not there."""
        return cls(
            np.full(count, np.nan),
            np.zeros((count, ARTISTS), dtype=np.int64),
            np.zeros(count, dtype=np.bool_),
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.bool_),
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.uint8),
        )


_TRACKS, _ANALYSES, _DESCRIPTORS = table(TrackRow), table(AnalysisRow), table(DescriptorsRow)
_NAMES = (
    # The lists as text: the same few come often, and each is parsed once.
    cast(_TRACKS.c.artists, Text),
    cast(_TRACKS.c.album_artists, Text),
    _TRACKS.c.artist,
    _TRACKS.c.album_artist,
)
_OF_IDS = (
    _TRACKS.c.id.in_(bindparam("ids", expanding=True)),
    _TRACKS.c.state == TrackState.ANALYSED,
)
_ACTIVE = select(table(CatalogRow).c.active_space_id).scalar_subquery()
_COLUMNS = (
    select(
        _TRACKS.c.id,
        _TRACKS.c.duration,
        _TRACKS.c.genre,
        _TRACKS.c.damage.is_not(None),
        _ANALYSES.c.genre_probabilities,
        _TRACKS.c.title,
        _TRACKS.c.album,
        _TRACKS.c.library_id,
        _TRACKS.c.path,
        _DESCRIPTORS.c.speech,
        *_NAMES,
    )
    .select_from(_TRACKS)
    .outerjoin(_DESCRIPTORS, _DESCRIPTORS.c.track_id == _TRACKS.c.id)
    .outerjoin(
        _ANALYSES, and_(_ANALYSES.c.track_id == _TRACKS.c.id, _ANALYSES.c.space_id == _ACTIVE)
    )
    .where(*_OF_IDS)
)
_CREDITED = select(_TRACKS.c.id, *_NAMES).where(*_OF_IDS)


def track_columns(connection: Connection, ids: IntArray) -> TrackColumns:
    """See `Catalog.track_columns`."""
    columns = TrackColumns.empty(len(ids))
    row_of = {track_id: row for row, track_id in enumerate(ids.tolist())}
    for start in range(0, len(ids), CHUNK):
        chunk = _valid(ids[start : start + CHUNK])
        found = connection.execute(_COLUMNS, {"ids": chunk})
        for track_id, duration, genre, is_damaged, probabilities, *texts in found:
            title, album, library, path, speech, *names = texts
            row = row_of[track_id]
            columns.durations[row] = duration
            columns.genres[row] = name_code(genre_key(genre))
            columns.damaged[row] = is_damaged
            columns.predicted[row] = name_code(label_key(_most_probable(probabilities)))
            columns.artists[row], columns.compound[row] = artist_codes(_tags(*names).credited)
            folder = f"{library}:{path.rpartition('/')[0]}"
            album_artists = _tags(*names).album_artists
            columns.albums[row] = name_code(album_key(album, album_artists, folder))
            talks = is_speech(genre) if speech is None else speech >= LIKELY_SPEECH
            is_christmas = is_christmas_music(title, album, genre)
            columns.content[row] = CHRISTMAS * is_christmas + SPEECH * talks
    return columns


def credited_artists(connection: Connection, ids: IntArray) -> dict[int, tuple[str, ...]]:
    """See `Catalog.credited_artists`."""
    found: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(ids), CHUNK):
        rows = connection.execute(_CREDITED, {"ids": _valid(ids[start : start + CHUNK])})
        found.update((track_id, _tags(*names).credited) for track_id, *names in rows)
    return found


def _valid(ids: IntArray) -> list[int]:
    return [track_id for track_id in ids.tolist() if 0 < track_id <= LARGEST_ID]


def _most_probable(probabilities: Mapping[str, float] | None) -> str:
    return max(probabilities, key=lambda label: probabilities[label]) if probabilities else ""


@lru_cache(maxsize=50_000)
def artist_codes(names: tuple[str, ...]) -> tuple[tuple[int, ...], bool]:
    """The values of `TrackColumns.artists` and `TrackColumns.compound` of a track's names."""
    codes = [name_code(artist_key(name)) for name in dict.fromkeys(names)]
    somebody = [code for code in codes if code != NO_NAME]
    is_compound = (
        any(may_name_several(name) for name in names)
        or len(codes) > ARTISTS
        or len(set(somebody)) < len(somebody)
    )
    if len(codes) > ARTISTS:
        codes = [*codes[: ARTISTS - 1], MORE_ARTISTS]
    return (*codes, *[NO_NAME] * (ARTISTS - len(codes))), is_compound


@lru_cache(maxsize=50_000)
def _tags(
    artists: str | None, album_artists: str | None, artist: str | None, album_artist: str | None
) -> Tags:
    """The names in a track's tags, of the lists as JSON."""
    return Tags(
        artist=artist,
        album_artist=album_artist,
        artists=tuple(json.loads(artists or "null") or ()),
        album_artists=tuple(json.loads(album_artists or "null") or ()),
    )


def genre_labels(connection: Connection) -> tuple[str, ...]:
    """See `Catalog.genre_labels`."""
    query = (
        select(AnalysisRow.genre_probabilities)
        .join(TrackRow, TrackRow.id == AnalysisRow.track_id)
        .where(
            TrackRow.state == TrackState.ANALYSED,
            AnalysisRow.space_id == select(CatalogRow.active_space_id).scalar_subquery(),
        )
    )
    rows: Sequence[Any] = connection.scalars(query).all()
    return tuple(dict.fromkeys(label for probabilities in rows for label in probabilities or ()))
