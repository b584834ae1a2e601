"""What the interface takes and gives of what users store: exclusions, history, playlists."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from recommender.server.api.models import Answer, Given, Id, Name, TrackModel


class ExclusionModel(BaseModel):
    """What is never in mixes; of a folder the name alone, unless paths are shown."""

    id: int
    kind: Literal["track", "artist", "folder", "genre"]
    value: str
    added_at: datetime


class ExclusionList(Answer):
    """What is never in mixes."""

    items: list[ExclusionModel]


class ExclusionAnswer(Answer):
    """One exclusion."""

    exclusion: ExclusionModel


class NewExclusion(Given):
    """A track by its id, an artist or a genre by name."""

    kind: Literal["track", "artist", "genre"]
    value: Name = Field(examples=["Various DJs"])


class EventModel(BaseModel):
    """What a user did with a track."""

    kind: Literal["like", "unlike", "skip", "play"]
    track_id: int
    at: datetime
    source: str


class EventPage(Answer):
    """What the user did, the latest first."""

    items: list[EventModel]
    total: int
    next: str | None = None


class EventAnswer(Answer):
    """An event as it was stored; `is_new` is false where it was known."""

    event: EventModel
    is_new: bool


class NewEvent(Given):
    """What the user did with a track, now where no time is given."""

    kind: Literal["like", "unlike", "skip", "play"]
    track_id: Id
    at: datetime | None = Field(default=None, examples=["2026-11-25T14:00:00Z"])


class PlaylistModel(BaseModel):
    """A stored playlist; `recipe` is the request that it is made from again."""

    id: int
    name: str
    comment: str
    shared: bool
    track_ids: list[int]
    recipe: dict[str, Any] | None
    created_at: datetime
    changed_at: datetime
    run_at: datetime | None


class PlaylistPage(Answer):
    """The user's playlists and the shared ones, by name."""

    items: list[PlaylistModel]
    total: int
    next: str | None = None


class PlaylistAnswer(Answer):
    """A playlist, and its tracks in order."""

    playlist: PlaylistModel
    tracks: list[TrackModel]
