"""`recsys similar`: what sounds like this?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.output import AsJson, Database, note, print_json, print_table, track_as_dict

if TYPE_CHECKING:
    from recommender.similarity import Neighbour


def similar_command(
    track: Annotated[
        str,
        typer.Argument(
            help="A path (in the catalogue or not), a track id, or words that match one title."
        ),
    ],
    k: Annotated[int, typer.Option("-k", min=1, help="How many tracks.")] = 10,
    same_artist: Annotated[
        bool, typer.Option(help="Whether the seed's own artist may be listed.")
    ] = True,
    per_artist: Annotated[
        int,
        typer.Option(
            min=0, help="At most so many tracks an artist, the seed's own included; 0: no limit."
        ),
    ] = 2,
    genre: Annotated[str | None, typer.Option(help="Only tracks tagged with this genre.")] = None,
    heard: Annotated[
        str | None, typer.Option(help="Only tracks in which the network hears this genre.")
    ] = None,
    min_duration: Annotated[
        float | None, typer.Option(min=0, help="Only tracks of at least so many seconds.")
    ] = None,
    max_duration: Annotated[
        float | None, typer.Option(min=0, help="Only tracks of at most so many seconds.")
    ] = None,
    keep_duplicates: Annotated[
        bool, typer.Option("--keep-duplicates", help="Also copies of the same recording.")
    ] = False,
    m3u: Annotated[
        Path | None, typer.Option(help="Also write the list as an extended M3U8 playlist.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where FAISS searches: auto, cpu or cuda.")] = "auto",
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """List the tracks that sound most like TRACK, nearest first."""
    from recommender.filters import Filters
    from recommender.similarity import SimilarityService

    filters = Filters(
        same_artist=same_artist,
        per_artist=per_artist or None,
        genre=genre,
        heard=heard,
        min_duration=min_duration,
        max_duration=max_duration,
        keep_duplicates=keep_duplicates,
    )
    with SimilarityService.open(db, device=device) as service:  # type: ignore[arg-type]
        neighbours = service.similar(track, k, filters)
    if m3u is not None:
        from recommender.playlist import write_m3u

        write_m3u(m3u, [neighbour.track for neighbour in neighbours])
        note(f"playlist written: {m3u}")
    if as_json:
        print_json([_as_dict(neighbour) for neighbour in neighbours])
    elif neighbours:
        _print(neighbours)
    else:
        note("no other track passes these filters.")


def _as_dict(neighbour: "Neighbour") -> dict[str, object]:
    found = {"rank": neighbour.rank, "similarity": round(neighbour.similarity, 4)}
    return {**found, **track_as_dict(neighbour.track)}


def _print(neighbours: "list[Neighbour]") -> None:
    headings = (">rank", ">similarity", "title", "artist", "album", "genre heard", "path")
    print_table(
        headings,
        (
            (
                found.rank,
                f"{found.similarity:.3f}",
                found.track.title,
                found.track.artist,
                found.track.tags.album,
                found.track.genre_heard,
                found.track.path,
            )
            for found in neighbours
        ),
    )
