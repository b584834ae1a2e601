"""`recsys similar`: what sounds like this?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.output import (
    AsJson,
    Database,
    Device,
    RankedBy,
    RankingChoice,
    busy,
    counted,
    note,
    print_json,
    print_table,
    track_as_dict,
    writing_file,
)

if TYPE_CHECKING:
    from recommender.embedding.similarity_scale import SimilarityCalibration
    from recommender.recommendation.service import Neighbour


def similar_command(
    track: Annotated[
        str,
        typer.Argument(
            metavar="TRACK",
            help="A path (in the catalogue or not), a track id, or words that match one title.",
        ),
    ],
    k: Annotated[int, typer.Option("-k", min=1, help="How many tracks to list.")] = 10,
    same_artist: Annotated[
        bool, typer.Option(help="Whether tracks by TRACK's own artist may be listed.")
    ] = True,
    per_artist: Annotated[
        int,
        typer.Option(
            min=0,
            help="At most so many tracks of any one artist, TRACK's own included; 0: no limit.",
        ),
    ] = 2,
    genre: Annotated[
        str | None, typer.Option(help="Only tracks whose tag says this genre.")
    ] = None,
    analysed: Annotated[
        str | None, typer.Option(help="Only tracks in which the network analyses this genre.")
    ] = None,
    min_duration: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Only tracks of at least this length."),
    ] = None,
    max_duration: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Only tracks of at most this length."),
    ] = None,
    keep_duplicates: Annotated[
        bool, typer.Option("--keep-duplicates", help="List copies of a recording, too.")
    ] = False,
    m3u: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the list as an extended M3U8 playlist."),
    ] = None,
    ranking: RankingChoice = RankedBy.NEIGHBOURHOOD,
    device: Annotated[
        Device, typer.Option(help="Where FAISS searches; auto: on a GPU when it sees one.")
    ] = Device.AUTO,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """List the tracks that sound most like TRACK, best first."""
    from recommender.recommendation.filters import Filters
    from recommender.recommendation.service import SimilarityService

    filters = Filters(
        same_artist=same_artist,
        per_artist=per_artist or None,
        genre=genre,
        predicted_genre=analysed,
        min_duration=min_duration,
        max_duration=max_duration,
        keep_duplicates=keep_duplicates,
    )
    with busy("analysing"), SimilarityService.open(db, device=device.value) as service:
        neighbours = service.similar(track, k, filters, ranking.value)
        similarity_calibration = service.similarity_calibration
    if m3u is not None:
        from recommender.recommendation.playlist import write_m3u

        with writing_file(m3u):
            written = write_m3u(m3u, [neighbour.track for neighbour in neighbours])
        note(f"playlist of {counted(written, 'track')} written: {m3u}")
    if as_json:
        print_json([_as_dict(neighbour, similarity_calibration) for neighbour in neighbours])
    elif neighbours:
        _print(neighbours)
        _print_if_far(max(found.similarity for found in neighbours), similarity_calibration)
    else:
        note("no other track passes these filters.")


def _as_dict(
    neighbour: "Neighbour", similarity_calibration: "SimilarityCalibration | None"
) -> dict[str, object]:
    found = {
        "rank": neighbour.rank,
        "score": round(neighbour.score, 4),
        "similarity": round(neighbour.similarity, 4),
        "close": None
        if similarity_calibration is None
        else similarity_calibration.is_close(neighbour.similarity),
    }
    return {**found, **track_as_dict(neighbour.track)}


def _print_if_far(best: float, similarity_calibration: "SimilarityCalibration | None") -> None:
    if similarity_calibration is not None and not similarity_calibration.is_close(best):
        note(
            f"nothing in the catalogue is really close: the nearest reaches {best:.3f}, and two "
            f"tracks are more likely of one genre than not from {similarity_calibration.midpoint:.3f} on."
        )


def _print(neighbours: "list[Neighbour]") -> None:
    headings = (">rank", ">similarity", "title", "artist", "album", "genre analysed", "path")
    print_table(
        headings,
        (
            (
                found.rank,
                f"{found.similarity:.3f}",
                found.track.title,
                found.track.artist,
                found.track.tags.album,
                found.track.predicted_genre,
                found.track.path,
            )
            for found in neighbours
        ),
    )
