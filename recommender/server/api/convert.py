"""From the records of the library to what the interface gives."""

from collections.abc import Sequence

from recommender.catalog import StoredPlaylist
from recommender.catalog.list_records import DEFAULT_USER, Event, Exclusion
from recommender.catalog.records import Track
from recommender.recommendation.explanation import Explanation
from recommender.recommendation.mix_result import Mix, SimilarAlbum, SimilarArtist
from recommender.recommendation.result_list import Neighbour
from recommender.recommendation.seeds import Seed
from recommender.recommendation.service import Recommendation
from recommender.server.api import models, stored_models
from recommender.server.music_library import (
    ListedAlbum,
    ListedArtist,
    album_id_of,
    artist_id_of,
)
from recommender.utils.names import storable


class Converter:
    """Makes models.

    Attributes:
        show_paths: whether they name files.
    """

    def __init__(self, show_paths: bool) -> None:
        """Names of files are no text always, and so are titles that are made of them."""
        self.show_paths = show_paths

    def track(self, track: Track) -> models.TrackModel:
        """A track."""
        tags = track.tags
        shown = self.show_paths
        return models.TrackModel.model_construct(
            id=track.id,
            title=storable(track.title),
            artist=track.artist,
            artists=list(track.artists),
            album=tags.album,
            album_artist=tags.album_artist,
            genre=tags.genre,
            predicted_genre=track.predicted_genre,
            track_number=tags.track_number,
            year=tags.year,
            duration=track.duration,
            state=track.state.value,
            damaged=track.damage is not None,
            segment=track.segment,
            start=track.start,
            end=track.end,
            recording_mbid=tags.recording_mbid,
            isrcs=list(tags.isrcs),
            path=storable(track.path) if shown else None,
            file=storable(str(track.file)) if shown else None,
        )

    def tracks(self, tracks: Sequence[Track]) -> list[models.TrackModel]:
        """Tracks, in their order."""
        return [self.track(track) for track in tracks]

    def seed(self, seed: Seed) -> models.SeedModel:
        """What a list was made for; the names of uploads are those of their tags."""
        return models.SeedModel(
            track=None if seed.track is None else self.track(seed.track),
            title=None if seed.title is None else storable(seed.title),
            artist=seed.artist,
            duration=seed.duration,
        )

    def neighbour(self, found: Neighbour) -> models.NeighbourModel:
        """A neighbour."""
        return models.NeighbourModel.model_construct(
            rank=found.rank,
            similarity=found.similarity,
            close=found.close,
            track=self.track(found.track),
            why=None if found.why is None else _why(found.why),
        )

    def similar(self, found: Recommendation) -> models.SimilarList:
        """A list of neighbours."""
        return models.SimilarList(
            seed=self.seed(found.seed),
            ranking=found.ranking,
            items=[self.neighbour(one) for one in found.neighbours],
            hint=found.hint,
            lacking=dict(found.lacking),
        )

    def mix(self, mix: Mix) -> models.MixAnswer:
        """A list."""
        return models.MixAnswer(
            kind=mix.request.kind,
            items=[
                models.MixEntryModel.model_construct(
                    position=entry.position,
                    similarity=entry.similarity,
                    close=entry.close,
                    track=self.track(entry.track),
                )
                for entry in mix.entries
            ],
            left_out=dict(mix.left_out),
            notes=[storable(note) for note in mix.notes],
            minutes=mix.minutes,
        )

    def similar_artist(self, found: SimilarArtist) -> models.SimilarArtistModel:
        """An artist that sounds alike."""
        return models.SimilarArtistModel(
            id=artist_id_of(found.artist),
            name=found.artist,
            similarity=found.similarity,
            close=found.close,
            tracks=found.tracks,
            entry_points=[self.neighbour(one) for one in found.entry_points],
        )

    def similar_album(self, found: SimilarAlbum) -> models.SimilarAlbumModel:
        """An album that sounds alike."""
        first = found.entry_points[0].track if found.entry_points else None
        by = found.artist if first is None else first.tags.album_artist or first.tags.artist
        return models.SimilarAlbumModel(
            id=album_id_of(found.album, by),
            name=found.album,
            artist=found.artist,
            similarity=found.similarity,
            close=found.close,
            tracks=found.tracks,
            entry_points=[self.neighbour(one) for one in found.entry_points],
        )

    def exclusion(self, exclusion: Exclusion) -> stored_models.ExclusionModel:
        """What is never in mixes."""
        value = exclusion.value
        if exclusion.kind == "folder" and not self.show_paths:
            value = value.rstrip("/").rpartition("/")[2]
        return stored_models.ExclusionModel(
            id=exclusion.id,
            kind=exclusion.kind.value,
            value=storable(value),
            added_at=exclusion.added_at,
        )


def artist_of(artist: ListedArtist) -> models.ArtistModel:
    """An artist of the library."""
    return models.ArtistModel(
        id=artist.id,
        name=artist.name,
        tracks=len(artist.track_ids),
        albums=len(artist.album_ids),
    )


def album_of(album: ListedAlbum) -> models.AlbumModel:
    """An album of the library."""
    return models.AlbumModel(
        id=album.id,
        name=album.name,
        artist=album.artist,
        artist_id=album.artist_id,
        year=album.year,
        tracks=len(album.track_ids),
        duration=album.duration,
    )


def event_of(event: Event) -> stored_models.EventModel:
    """What a user did."""
    return stored_models.EventModel(
        kind=event.kind.value, track_id=event.track_id, at=event.at, source=event.source
    )


def playlist_of(playlist: StoredPlaylist) -> stored_models.PlaylistModel:
    """A stored playlist."""
    return stored_models.PlaylistModel(
        id=playlist.id,
        name=playlist.name,
        comment=playlist.comment,
        shared=playlist.user == DEFAULT_USER,
        track_ids=list(playlist.track_ids),
        recipe=None if playlist.recipe is None else _without_paths(playlist.recipe),
        created_at=playlist.created_at,
        changed_at=playlist.changed_at,
        run_at=playlist.run_at,
    )


def _without_paths(recipe: object) -> dict[str, object]:
    """A recipe whose seeds are paths shows that there are some, not which."""
    assert isinstance(recipe, dict)
    shown = dict(recipe)
    seeds = shown.get("seeds")
    if isinstance(seeds, dict):
        shown["seeds"] = {
            name: [one if isinstance(one, int) else None for one in queries]
            if isinstance(queries, list)
            else queries
            for name, queries in seeds.items()
        }
    if not isinstance(shown.get("first"), int):
        shown.pop("first", None)
    return shown


def _why(why: Explanation) -> models.WhyModel:
    return models.WhyModel(
        groups=dict(why.groups),
        reranking=dict(why.reranking),
        alike=list(why.alike),
        differ=list(why.differ),
        words=str(why),
    )
