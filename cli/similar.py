"""`recsys similar`: the tracks that sound most like one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from recommender.cli.closeness import explanation, marked
from recommender.cli.group_options import GroupOptions, explanation_as_dict
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
    groups: GroupOptions,
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
        found = service.recommend(
            track, k, filters, ranking.value, weights=groups.weights, why=groups.why
        )
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
        "weights": dict(found.weights),
        "neighbours": [_neighbour_as_dict(neighbour, full) for neighbour in found.neighbours],
    }


def _neighbour_as_dict(neighbour: "Neighbour", full: bool) -> dict[str, Any]:
    return {
        "rank": neighbour.rank,
        **listed_track(neighbour.track, full),
        "similarity": round(neighbour.similarity, 4),
        "score": round(neighbour.score, 4),
        "close": neighbour.close,
        **({} if neighbour.why is None else {"why": explanation_as_dict(neighbour.why)}),
    }


def print_recommendation(found: "Recommendation") -> None:
    """Print the seed and, where there are neighbours, the table and what its columns mean."""
    say(f"like: {seed_name(found.seed)}")
    if not found.neighbours:
        return
    by_score = found.ranking != "cosine" or bool(found.weights)
    columns = _columns(by_score, found.neighbours[0].why is not None)
    print_table(
        [column for column, _ in columns],
        ([value(neighbour) for _, value in columns] for neighbour in found.neighbours),
    )
    if found.weights:
        weights = ", ".join(f"{name} x{weight:g}" for name, weight in found.weights.items())
        say(f"Ordered by score, for which some features count otherwise ({weights}).")
    elif by_score:
        say(
            "Ordered by score, which reranking derives from the similarities in the whole "
            "catalogue; so similarity need not fall."
        )
    why = explanation(found.neighbours, found.calibration)
    if why is not None:
        say(why)


def _columns(
    by_score: bool, explained: bool
) -> "list[tuple[Column, Callable[[Neighbour], object]]]":
    """The columns of the table, with what stands in them."""
    columns: list[tuple[Column, Callable[[Neighbour], object]]] = [
        (Column("rank", number=True), lambda one: one.rank),
        (Column("score", number=True), lambda one: f"{one.score:.3f}"),
        (Column("similarity", number=True), marked),
        (Column("title", least=16), lambda one: one.track.title),
        (Column("artist", least=12), lambda one: one.track.artist),
        (Column("predicted", least=9, drop=1), lambda one: one.track.predicted_genre),
        (Column("album", least=12, drop=3), lambda one: one.track.tags.album),
        (Column("id", number=True, drop=2), lambda one: one.track.id),
        (Column("path", least=16, drop=4, cut=Cut.START), lambda one: one.track.location),
        (Column("why", least=30, wraps=True), lambda one: one.why),
    ]
    # The score is the similarity where nothing else orders; words need the room of some columns.
    hidden = {"album", "path"} if explained else {"why"}
    hidden |= set() if by_score else {"score"}
    return [pair for pair in columns if pair[0].heading not in hidden]
