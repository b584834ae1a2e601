"""What the interface takes and gives: tracks, lists, artists, albums."""

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from recommender.server.settings import MOST_TRACKS

SCHEMA_VERSION: Literal[1] = 1
LARGEST_ID = 2**31 - 1
"""Of a track, playlist or exclusion."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID, strict=True)]
TrackId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of a track.", examples=[17])]
Key = Annotated[
    str, Path(pattern="^[0-9a-f]{20}$", description="Id.", examples=["0123456789abcdef0123"])
]
Number = Annotated[int, Query(ge=1, le=MOST_TRACKS, description="Length of the list.")]
Limit = Annotated[int, Query(ge=1, le=MOST_TRACKS, description="Entries on a page.")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="Entries before the page.")]
Name = Annotated[str, Field(min_length=1, max_length=500)]


class Answer(BaseModel):
    """Base of all answers."""

    schema_version: Literal[1] = SCHEMA_VERSION


class Given(BaseModel):
    """Base of what clients send: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class TrackModel(BaseModel):
    """A track.

    `path` and `file` are there where the server is set up to show them. A part of a file, as a cue
    sheet divides it, has `segment` and its bounds in seconds.
    """

    id: int
    title: str
    artist: str | None
    artists: list[str]
    album: str | None
    album_artist: str | None
    genre: str | None
    predicted_genre: str | None
    track_number: int | None
    year: int | None
    duration: float
    state: Literal["analysed", "missing", "unavailable", "failed"]
    damaged: bool
    segment: int = 0
    start: float | None = None
    end: float | None = None
    recording_mbid: str | None = None
    isrcs: list[str] = []
    path: str | None = None
    file: str | None = None


class TrackAnswer(Answer):
    """One track."""

    track: TrackModel


class DescriptorsModel(BaseModel):
    """Musical descriptors of a track; null for what cannot be told.

    `loudness` (LUFS), `loudness_range` (LU) and `tuning` (cents from A = 440 Hz) are estimates of
    the windows that were analysed; `tempo` is in beats a minute, and `second_tempo` the other one
    that the beat may be felt at; `key` is 0 (C) to 11 (B); `brightness` in Hz; `dynamic_complexity`
    in dB; all else from 0 to 1.
    """

    loudness: float | None
    loudness_range: float | None
    tempo: float | None
    tempo_confidence: float | None
    second_tempo: float | None
    beat_strength: float | None
    key: int | None
    mode: Literal["major", "minor"] | None
    key_name: str | None
    camelot: str | None
    key_confidence: float | None
    tuning: float | None
    energy: float | None
    danceability: float | None
    acousticness: float | None
    brightness: float | None
    percussive: float | None
    vocals: float | None
    dynamic_complexity: float | None
    speech: float | None


class DescriptorsAnswer(Answer):
    """The musical descriptors of a track; null where none were computed."""

    descriptors: DescriptorsModel | None


class TrackPage(Answer):
    """Tracks; `next` is the address of the page that follows."""

    items: list[TrackModel]
    next: str | None = None


class SeedModel(BaseModel):
    """What a list was made for; `track` where it is in the catalogue."""

    track: TrackModel | None = None
    title: str | None = None
    artist: str | None = None
    duration: float | None = None


class WhyModel(BaseModel):
    """What makes a track and the seed alike.

    `groups`: what each group of features contributes to the similarity, which is their sum.
    `reranking`: what is added to that for the order of the list. `alike`, `differ`: what their
    musical descriptors have in common or not; `words` is all of it in a line.
    """

    groups: dict[str, float]
    reranking: dict[str, float]
    alike: list[str]
    differ: list[str]
    words: str


class NeighbourModel(BaseModel):
    """A track that sounds alike.

    `similarity` is the cosine of both embeddings; `close` whether that is more likely within a
    genre than not. The list is in the order of `rank`, which need not be that of `similarity`.
    `why` is null where nobody asked for it.
    """

    rank: int
    similarity: float
    close: bool | None
    track: TrackModel
    why: WhyModel | None = None


class SimilarList(Answer):
    """Tracks that sound like a seed, best first; `hint` says why there are none.

    `lacking`: musical descriptor that was filtered by, and number of tracks left out without it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "schema_version": 1,
                "seed": {"title": "Chibi Ninja", "artist": "Eric Skiff", "duration": 122.4},
                "ranking": "reranked",
                "hint": None,
                "items": [
                    {
                        "rank": 1,
                        "similarity": 0.578,
                        "close": True,
                        "track": {
                            "id": 65,
                            "title": "Searching",
                            "artist": "Eric Skiff",
                            "artists": ["Eric Skiff"],
                            "album": "Resistor Anthems",
                            "album_artist": None,
                            "genre": None,
                            "predicted_genre": "jazz",
                            "track_number": 3,
                            "year": 2012,
                            "duration": 190.2,
                            "state": "analysed",
                            "damaged": False,
                        },
                    }
                ],
            }
        }
    )

    seed: SeedModel
    ranking: str
    items: list[NeighbourModel]
    hint: str | None = None
    lacking: dict[str, int] = {}


class MixEntryModel(BaseModel):
    """A track in a list; `similarity` is to the seeds, of a path and an order to the one before."""

    position: int
    similarity: float
    close: bool | None
    track: TrackModel


class MixAnswer(Answer):
    """A list, what each rule left out of it, and what else is to be known of it."""

    kind: Literal["mix", "radio", "path", "order", "grow"]
    items: list[MixEntryModel]
    left_out: dict[str, int]
    notes: list[str]
    minutes: float


class ArtistModel(BaseModel):
    """An artist, with the number of tracks and albums."""

    id: str
    name: str
    tracks: int
    albums: int


class ArtistPage(Answer):
    """Artists, by name."""

    items: list[ArtistModel]
    total: int
    next: str | None = None


class AlbumModel(BaseModel):
    """An album."""

    id: str
    name: str
    artist: str | None
    artist_id: str | None
    year: int | None
    tracks: int
    duration: float


class AlbumPage(Answer):
    """Albums, by name."""

    items: list[AlbumModel]
    total: int
    next: str | None = None


class ArtistAnswer(Answer):
    """An artist with its albums and its tracks."""

    artist: ArtistModel
    albums: list[AlbumModel]
    tracks: list[TrackModel]


class AlbumAnswer(Answer):
    """An album with its tracks, in order."""

    album: AlbumModel
    tracks: list[TrackModel]


class SimilarArtistModel(BaseModel):
    """An artist that sounds alike, with the tracks to begin with."""

    id: str
    name: str
    similarity: float
    close: bool | None
    tracks: int
    entry_points: list[NeighbourModel]


class SimilarArtists(Answer):
    """Artists that sound alike, best first."""

    items: list[SimilarArtistModel]


class SimilarAlbumModel(BaseModel):
    """An album that sounds alike, with the tracks to begin with."""

    id: str
    name: str
    artist: str | None
    similarity: float
    close: bool | None
    tracks: int
    entry_points: list[NeighbourModel]


class SimilarAlbums(Answer):
    """Albums that sound alike, best first."""

    items: list[SimilarAlbumModel]


class DuplicatePair(BaseModel):
    """Why two tracks are copies of one recording."""

    one: int
    other: int
    same_sound: bool
    similarity: float
    seconds_apart: float


class DuplicateGroupModel(BaseModel):
    """Copies of one recording."""

    tracks: list[TrackModel]
    evidence: list[DuplicatePair]


class DuplicatePage(Answer):
    """Groups of copies."""

    items: list[DuplicateGroupModel]
    total: int
    next: str | None = None
