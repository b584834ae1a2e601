"""What the AudioMuse-compatible routes give and take, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel


class Entry(BaseModel):
    """A track, by the id of the media server."""

    item_id: str
    title: str
    author: str
    album: str


class FoundEntry(Entry):
    """A track that was searched for."""

    album_artist: str


class DistantEntry(Entry):
    """A track and how far it is: 1 - similarity, from 0 to 1."""

    distance: float


class PathAnswer(BaseModel):
    """A path, and the sum of its steps."""

    path: list[Entry]
    total_distance: float


class Song(BaseModel):
    """A song that stands for an artist."""

    item_id: str
    title: str


class Match(BaseModel):
    """Songs that stand for two artists."""

    artist1_representative_songs: list[Song]
    artist2_representative_songs: list[Song]


class ArtistEntry(BaseModel):
    """An artist and how far it is."""

    artist: str
    artist_id: str | None
    divergence: float
    component_matches: list[Match]


class Farthest(BaseModel):
    """The track that is farthest away."""

    max_distance: float
    farthest_item_id: str | None


class StoredPlaylist(BaseModel):
    """A playlist that was stored, and the ids that are not known."""

    message: str
    playlist_id: str
    tracks: int
    unknown: list[str]


class Results(BaseModel):
    """Tracks that were found."""

    results: list[DistantEntry]


class StoredRadio(BaseModel):
    """A playlist that is made anew from a recipe of a radio."""

    id: str
    name: str
    tracks: int


class Score(BaseModel):
    """Musical descriptors of a track, as the plugins of beets and Picard read them.

    `mood_vector` has the predicted genres, as ``label:probability`` with commas.
    """

    item_id: str
    title: str
    author: str
    album: str
    tempo: float | None
    key: str | None
    scale: str | None
    energy: float | None
    mood_vector: str
    other_features: str


class SyncedScore(Score):
    """The same with its id, and its embedding where that is asked for."""

    id: str
    embedding: list[float] | None = None


class SyncPage(BaseModel):
    """A page of tracks."""

    has_more: bool
    page: int
    tracks: list[SyncedScore]


class Failed(BaseModel):
    """What is wrong."""

    error: str


_MEANINGS = {
    400: "A parameter is missing, or makes no sense.",
    401: "A token is needed.",
    403: "This is not permitted.",
    404: "There is none.",
    408: "The body comes too slowly.",
    413: "The request is too large.",
    503: "Nothing can be answered at present.",
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "model": Failed} for status, meaning in _MEANINGS.items()
}


def parameters(*names: str) -> dict[str, Any]:
    """Parameters in the address, which are all optional: what is missing is answered with 400.

    Names that end in ``#`` are whole numbers, those in ``?`` truth values.
    """
    kinds = {"#": {"type": "integer", "minimum": 0}, "?": {"type": "boolean"}}
    return {
        "parameters": [
            {
                "name": name.rstrip("#?"),
                "in": "query",
                "required": False,
                "schema": kinds.get(name[-1], {"type": "string"}),
            }
            for name in names
        ]
    }
