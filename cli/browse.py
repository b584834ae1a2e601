"""`recsys list`, `show`, `status`, `failures`, `export`: what the catalogue holds."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from recommender.cli.output import (
    AsJson,
    Database,
    clock,
    note,
    open_catalog,
    print_json,
    print_table,
    say,
    track_as_dict,
)


def list_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Words that all occur in title, artist, album or path."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many tracks.")] = None,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """List the tracks of the catalogue."""
    with open_catalog(db) as catalog:
        tracks = catalog.search(" ".join(words or []), limit)
    if as_json:
        print_json([track_as_dict(track) for track in tracks])
        return
    print_table(
        (">id", "title", "artist", "album", "genre", "genre heard", ">length", "state", "path"),
        (
            (
                track.id,
                track.title,
                track.artist,
                track.tags.album,
                track.tags.genre,
                track.genre_heard,
                clock(track.duration),
                track.state,
                track.path,
            )
            for track in tracks
        ),
    )


def show_command(
    track: Annotated[str, typer.Argument(help="A path, a track id, or words of one title.")],
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Show one track: its tags, and what was heard."""
    from recommender.errors import TrackNotFound
    from recommender.resolve import resolve

    with open_catalog(db) as catalog:
        found = resolve(catalog, track)
        if isinstance(found, Path):
            raise TrackNotFound(
                f"{found} is not in the catalogue: add it with 'recsys ingest {found.parent}'."
            )
        spaces = [
            str(space)
            for space, _ in catalog.spaces()
            if catalog.hearing_of(found.id, space) is not None
        ]
    if as_json:
        print_json({**track_as_dict(found), "spaces": spaces})
        return
    rows: list[tuple[str, object]] = [
        ("id", found.id),
        ("file", found.file),
        ("state", found.state),
        *((name.replace("_", " "), value) for name, value in asdict(found.tags).items()),
        ("length", clock(found.duration)),
        ("size", f"{found.size:,} bytes"),
        ("content digest", found.digest),
        ("heard at", found.heard_at),
        ("heard by", found.heard_by),
        *(("space", space) for space in spaces),
        (
            "windows heard",
            ", ".join(f"{start:.1f}+{length:.1f} s" for start, length in found.windows),
        ),
    ]
    probable = sorted(found.genre_probabilities.items(), key=lambda pair: -pair[1])
    rows.append(("genre heard", ", ".join(f"{genre} {p:.0%}" for genre, p in probable[:4])))
    print_table(("", ""), rows)


def status_command(as_json: AsJson = False, db: Database = None) -> None:
    """Say what the catalogue holds, in numbers."""
    with open_catalog(db) as catalog:
        counts, state = catalog.counts(), catalog.state()
        libraries, spaces = catalog.libraries(), catalog.spaces()
        active, listening = catalog.active_space(), catalog.active_listening()
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
                "listening": listening,
            }
        )
        return
    rows: list[tuple[str, object]] = [("catalogue", url)]
    rows += [("library", library.root) for library in libraries]
    rows += [
        ("tracks heard", f"{counts.heard:,} ({counts.seconds_of_music / 3600:,.1f} hours)"),
        ("tracks missing", f"{counts.missing:,}"),
        ("tracks that fail now", f"{counts.failed_tracks:,}"),
        ("failures", f"{counts.failures:,}"),
    ]
    for space, tracks in spaces:
        mark = " (recommends)" if space == active else ""
        rows.append(("space", f"{space}: {tracks:,} tracks{mark}"))
    print_table(("", ""), rows)
    if not libraries:
        note("nothing has been ingested yet: run 'recsys ingest FOLDER'.")


def failures_command(as_json: AsJson = False, db: Database = None) -> None:
    """List the files that could not be heard, and why."""
    with open_catalog(db) as catalog:
        failures = catalog.failures()
    if as_json:
        print_json(
            [
                {**asdict(f), "library": f.library.root, "file": f.library.root / f.path}
                for f in failures
            ]
        )
        return
    print_table(
        ("kind", "path", "reason", "when"),
        ((f.kind, f.path, f.reason, f.failed_at.strftime("%Y-%m-%d %H:%M")) for f in failures),
    )
    if not failures:
        note("no failures.")


def export_command(
    file: Annotated[Path, typer.Argument(help="A .npz or .parquet file to write.")],
    db: Database = None,
) -> None:
    """Export embeddings and tags for research."""
    from recommender.export import export

    with open_catalog(db) as catalog:
        count = export(catalog, file)
    say(f"{count:,} tracks written to {file}")
