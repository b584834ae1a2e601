"""`recsys list`, `show`, `status`, `failures`, `export`: what the catalogue holds."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.output import (
    AsJson,
    Database,
    busy,
    clock,
    counted,
    note,
    open_catalog,
    print_facts,
    print_json,
    print_table,
    say,
    track_as_dict,
    writing_file,
)
from recommender.cli.projection_status import projection_in_use

if TYPE_CHECKING:
    from recommender.catalog import Catalog, Failure, Track

GENRES_SHOWN = 4


def list_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORDS",
            help="Words that all occur in title, artist, album or path; none: every track.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many tracks. Default: all.")
    ] = None,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """List the tracks of the catalogue, or those that match all WORDS."""
    with open_catalog(db) as catalog:
        tracks = catalog.search(" ".join(words or []), limit)
    if as_json:
        print_json([track_as_dict(track) for track in tracks])
        return
    if not tracks:
        note(
            "no track matches." if words else "the catalogue is empty: run 'recsys ingest FOLDER'."
        )
        return
    print_table(
        (">id", "title", "artist", "album", "genre", "genre analysed", ">length", "state", "path"),
        (
            (
                track.id,
                track.title,
                track.artist,
                track.tags.album,
                track.tags.genre,
                track.predicted_genre,
                clock(track.duration),
                track.state,
                track.path,
            )
            for track in tracks
        ),
    )


def show_command(
    track: Annotated[
        str,
        typer.Argument(metavar="TRACK", help="A path, a track id, or words that match one title."),
    ],
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Show one track: its tags, and what was analysed."""
    from recommender.recommendation.query import resolve

    with open_catalog(db) as catalog:
        found = resolve(catalog, track)
        if isinstance(found, Path):
            raise _not_in_catalogue(catalog, found)
        spaces = [
            str(space)
            for space, _ in catalog.spaces()
            if catalog.analysis_of(found.id, space) is not None
        ]
    if as_json:
        print_json({**track_as_dict(found), "spaces": spaces})
    else:
        print_facts(_facts(found, spaces))


def _not_in_catalogue(catalog: "Catalog", file: Path) -> Exception:
    from recommender.errors import TrackNotFound
    from recommender.utils.files import real_path

    for failure in catalog.failures():
        if failure.library.root / failure.path == real_path(file):
            return TrackNotFound(f"{file} could not be analysed ({failure.kind}): {failure.reason}")
    return TrackNotFound(
        f"{file} is not in the catalogue: add it with 'recsys ingest {file.absolute().parent}'."
    )


def _facts(track: "Track", spaces: list[str]) -> list[tuple[str, object]]:
    probable = sorted(track.genre_probabilities.items(), key=lambda pair: -pair[1])
    genres = ", ".join(f"{genre} {p:.0%}" for genre, p in probable[:GENRES_SHOWN])
    windows = ", ".join(f"{start:.1f}+{length:.1f} s" for start, length in track.windows)
    return [
        ("id", track.id),
        ("file", track.file),
        ("state", track.state),
        *((name.replace("_", " "), value) for name, value in asdict(track.tags).items()),
        ("length", clock(track.duration)),
        ("size", f"{track.size:,} bytes"),
        ("content hash", track.content_hash),
        (
            "analysed at",
            track.analysed_at and track.analysed_at.isoformat(sep=" ", timespec="seconds"),
        ),
        ("analysed by", track.analysed_by and f"recsys {track.analysed_by}"),
        *(("space", space) for space in spaces),
        ("windows analysed", windows),
        ("genre analysed", genres),
    ]


def status_command(as_json: AsJson = False, db: Database = None) -> None:
    """Say what the catalogue holds, in numbers."""
    with open_catalog(db) as catalog:
        counts = replace(catalog.counts(), failures=len(_failures(catalog)))
        state, libraries, spaces = catalog.state(), catalog.libraries(), catalog.spaces()
        active, analysis_settings = catalog.active_space(), catalog.analysis_settings()
        projection = None if active is None else projection_in_use(catalog)
        url = catalog.url
    if as_json:
        print_json(
            {
                "catalogue": url,
                "revision": state.revision,
                **asdict(counts),
                "library_roots": [library.root for library in libraries],
                "spaces": {str(space): tracks for space, tracks in spaces},
                "active_space": None if active is None else str(active),
                "analysis_settings": analysis_settings,
                "projection": None if projection is None else asdict(projection),
            }
        )
        return
    rows: list[tuple[str, object]] = [("catalogue", url)]
    rows += [("library", library.root) for library in libraries]
    rows += [
        ("tracks analysed", f"{counts.analysed:,} ({counts.seconds_of_music / 3600:,.1f} hours)"),
        ("tracks missing", f"{counts.missing:,}"),
        ("tracks that fail now", f"{counts.failed_tracks:,}"),
        ("files that fail", f"{counts.failures:,}"),
    ]
    for space, tracks in spaces:
        mark = " (recommends)" if space == active else ""
        rows.append(("space", f"{space}: {counted(tracks, 'track')}{mark}"))
    if projection is not None:
        rows.append(("projection", projection.in_words))
    print_facts(rows)
    if not libraries:
        note("nothing has been ingested yet: run 'recsys ingest FOLDER'.")


def failures_command(as_json: AsJson = False, db: Database = None) -> None:
    """List the files that could not be analysed, and why."""
    with open_catalog(db) as catalog:
        failures = _failures(catalog)
    if as_json:
        print_json(
            [
                {**asdict(f), "library": f.library.root, "file": f.library.root / f.path}
                for f in failures
            ]
        )
    elif failures:
        print_table(
            ("kind", "path", "reason", "when (UTC)"),
            ((f.kind, f.path, f.reason, f"{f.failed_at:%Y-%m-%d %H:%M}") for f in failures),
        )
    else:
        note("no failures.")


def _failures(catalog: "Catalog") -> list["Failure"]:
    """The failures without the videos that hold no sound, which are only remembered as such."""
    from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND

    return [failure for failure in catalog.failures() if failure.kind != VIDEO_WITHOUT_SOUND]


def export_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .npz or .parquet file to write.")],
    db: Database = None,
) -> None:
    """Export embeddings and tags for research, as NumPy arrays or as a table."""
    from recommender.catalog.export import export

    with open_catalog(db) as catalog, writing_file(file), busy("exporting"):
        count = export(catalog, file)
    say(f"{counted(count, 'track')} written to {file}")
