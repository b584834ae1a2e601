"""`recsys similar`: the tracks that sound most like one."""

from typing import TYPE_CHECKING, Any

from recommender.cli.closeness import explanation, marked
from recommender.cli.listed_tracks import listed_track, seed_as_dict, seed_name
from recommender.cli.option_groups import grouped
from recommender.cli.options import (
    AsJson,
    Database,
    Device,
    Limits,
    RankedBy,
    RankingChoice,
)
from recommender.cli.output import busy, note, open_service, print_json, print_table, say
from recommender.cli.playlist_output import PlaylistOptions
from recommender.cli.similar_options import (
    AllowSpeech,
    Damaged,
    Full,
    Genre,
    KeepDuplicates,
    ListLength,
    MaxDuration,
    MinDuration,
    PerArtist,
    PredictedGenre,
    SameArtist,
    SearchDevice,
    TrackQuery,
    WithSeed,
)
from recommender.cli.sound_options import SoundOptions, note_lacking
from recommender.cli.table_layout import Column, Cut

if TYPE_CHECKING:
    from recommender.recommendation.result_list import Neighbour
    from recommender.recommendation.service import Recommendation

SCHEMA_VERSION = 1
"""Of the JSON object; raised when a key changes its name or meaning."""


@grouped
def similar_command(
    track: TrackQuery,
    *,
    k: ListLength = 10,
    same_artist: SameArtist = True,
    per_artist: PerArtist = 2,
    genre: Genre = None,
    predicted_genre: PredictedGenre = None,
    min_duration: MinDuration = None,
    max_duration: MaxDuration = None,
    sound: SoundOptions,
    speech: AllowSpeech = True,
    playlist: PlaylistOptions,
    as_json: AsJson = False,
    keep_duplicates: KeepDuplicates = False,
    damaged: Damaged = True,
    ranking: RankingChoice = RankedBy.RERANKED,
    with_seed: WithSeed = False,
    full: Full = False,
    device: SearchDevice = Device.AUTO,
    limits: Limits = None,
    db: Database = None,
) -> None:
    """List the tracks that sound most like TRACK, best first."""
    from recommender.recommendation.filters import Filters

    playlist.check_playlist(as_json, with_seed)
    filters = Filters(
        same_artist=same_artist,
        per_artist=per_artist or None,
        genre=genre,
        predicted_genre=predicted_genre,
        min_duration=min_duration,
        max_duration=max_duration,
        keep_duplicates=keep_duplicates,
        damaged=damaged,
        speech=speech,
        **vars(sound.filters()),
    )
    with busy("searching"), open_service(db, device.value, limits) as service:
        found = service.recommend(track, k, filters, ranking.value)
        tracks = [neighbour.track for neighbour in found.neighbours]
        listed = playlist.tracks(service.catalog, [*[found.seed] * with_seed, *tracks])
    playlist.write(listed)
    if as_json:
        print_json(_as_dict(found, full))
    elif not playlist.on_stdout:
        print_recommendation(found)
    note_lacking(found.lacking)
    if not found.neighbours:
        note(found.hint or "no other track passes these filters.")


def _as_dict(found: "Recommendation", full: bool) -> dict[str, Any]:
    scale = found.calibration
    return {
        "schema_version": SCHEMA_VERSION,
        "seed": seed_as_dict(found.seed),
        "model": found.space.model,
        "ranking": found.ranking,
        "threshold": None if scale is None else scale.midpoint,
        "lacking": dict(found.lacking),
        "neighbours": [_neighbour_as_dict(neighbour, full) for neighbour in found.neighbours],
    }


def _neighbour_as_dict(neighbour: "Neighbour", full: bool) -> dict[str, Any]:
    return {
        "rank": neighbour.rank,
        **listed_track(neighbour.track, full),
        "similarity": round(neighbour.similarity, 4),
        "score": round(neighbour.score, 4),
        "close": neighbour.close,
    }


def print_recommendation(found: "Recommendation") -> None:
    """Print the seed and, where there are neighbours, the table and what its columns mean."""
    say(f"like: {seed_name(found.seed)}")
    if not found.neighbours:
        return
    reranked = found.ranking != "cosine"
    _print_neighbours(found.neighbours, reranked)
    if reranked:
        say(
            "Ordered by score, which reranking derives from the similarities in the whole "
            "catalogue; so similarity need not fall."
        )
    why = explanation(found.neighbours, found.calibration)
    if why is not None:
        say(why)


def _print_neighbours(neighbours: "list[Neighbour]", reranked: bool) -> None:
    columns = [
        Column("rank", number=True),
        Column("score", number=True),
        Column("similarity", number=True),
        Column("title", least=16),
        Column("artist", least=12),
        Column("predicted", least=9, drop=1),
        Column("album", least=12, drop=3),
        Column("id", number=True, drop=2),
        Column("path", least=16, drop=4, cut=Cut.START),
    ]
    rows = [
        (
            found.rank,
            f"{found.score:.3f}",
            marked(found),
            found.track.title,
            found.track.artist,
            found.track.predicted_genre,
            found.track.tags.album,
            found.track.id,
            found.track.location,
        )
        for found in neighbours
    ]
    if not reranked:  # the score is the similarity
        columns = [column for column in columns if column.heading != "score"]
        rows = [(row[0], *row[2:]) for row in rows]
    print_table(columns, rows)
