"""`recsys list`, `show`, `status`, `failures` and `export`: what the catalogue holds."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.descriptor_output import (
    descriptor_facts,
    descriptors_as_dict,
    print_definitions,
)
from recommender.cli.index_status import index_in_use
from recommender.cli.option_groups import grouped
from recommender.cli.options import AsJson, Database
from recommender.cli.output import (
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
from recommender.cli.sound_options import SoundOptions, note_lacking
from recommender.cli.table_layout import Column, Cut
from recommender.cli.track_arguments import known_track
from recommender.errors import UsageError

if TYPE_CHECKING:
    from recommender.catalog import Catalog, Failure, Track
    from recommender.musical_descriptors import MusicalDescriptors
    from recommender.recommendation.sound_filters import SoundFilters

GENRES_SHOWN = 4


@grouped
def list_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORD…",
            help="Words that all occur in title, artist, album or path. None: every track.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most N tracks. Default: all.")
    ] = None,
    *,
    sound: SoundOptions,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """List the tracks of the catalogue, or those that match every WORD.

    In a narrow terminal texts are shortened, then path, album and tagged genre are left out.
    """
    with open_catalog(db) as catalog:
        filters = sound.filters()
        filtered = bool(filters.wanted())
        tracks = catalog.search(" ".join(words or []), None if filtered else limit)
        if filtered:
            tracks = _with_sound(catalog, tracks, filters)[:limit]
        found = catalog.musical_descriptors([t.id for t in tracks] if as_json or filtered else [])
    if as_json:
        print_json(
            [
                {**track_as_dict(track), "descriptors": descriptors_as_dict(found.get(track.id))}
                for track in tracks
            ]
        )
    elif tracks and filtered:
        print_table(SOUND_COLUMNS, (_sound_row(track, found[track.id]) for track in tracks))
    elif tracks:
        print_table(TRACK_COLUMNS, map(_track_row, tracks))
    elif words or filtered:
        note("no track matches.")
    else:
        note("the catalogue is empty: run 'recsys ingest FOLDER'.")


TRACK_COLUMNS = (
    Column("id", number=True),
    Column("title", least=16),
    Column("artist", least=12),
    Column("album", least=12, drop=5),
    Column("genre", least=8, drop=4),
    Column("predicted", least=9, drop=3),
    Column("length", number=True, drop=2),
    Column("state", least=11, drop=1),
    Column("path", least=16, drop=6, cut=Cut.START),
)


SOUND_COLUMNS = (
    *TRACK_COLUMNS[:3],
    Column("bpm", number=True),
    Column("key", least=8),
    Column("energy", number=True, drop=7),
    *TRACK_COLUMNS[3:],
)


def _with_sound(
    catalog: "Catalog", tracks: "list[Track]", filters: "SoundFilters"
) -> "list[Track]":
    """Those of the tracks that pass; says how many lack what is filtered by."""
    import numpy as np

    if filters.is_relative:
        raise UsageError("'%', 'same' and 'compatible' need a seed, as 'recsys similar' has one.")
    ids = np.array([track.id for track in tracks], dtype=np.int64)
    passes = np.ones(len(ids), dtype=np.bool_)
    lacking = {}
    of_each = filters.passing(lambda name: catalog.descriptor_columns(ids, [name])[:, 0])
    for name, passing, count in of_each:
        passes &= passing
        lacking |= {name: count} if count else {}
    note_lacking(lacking)
    return [track for track, passing in zip(tracks, passes.tolist(), strict=True) if passing]


def _sound_row(track: "Track", found: "MusicalDescriptors") -> tuple[object, ...]:
    row = _track_row(track)
    tempo = None if found.tempo is None else f"{found.tempo:.0f}"
    also = "" if found.second_tempo is None else f"/{found.second_tempo:.0f}"
    key = None if found.key_name is None else f"{found.camelot} {found.initial_key}"
    energy = None if found.energy is None else f"{found.energy:.2f}"
    return (*row[:3], tempo and tempo + also, key, energy, *row[3:])


def _track_row(track: "Track") -> tuple[object, ...]:
    return (
        track.id,
        track.title,
        track.artist,
        track.tags.album,
        track.tags.genre,
        track.predicted_genre,
        clock(track.duration),
        track.state if track.damage is None else f"{track.state}, damaged",
        track.location,
    )


def show_command(
    track: Annotated[
        str,
        typer.Argument(
            metavar="TRACK",
            help="A path (FILE#3: track 3 of a file with a cue sheet), a track id, or words that "
            "match one title.",
        ),
    ] = "",
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Say what each musical descriptor is, and what it was judged by."
        ),
    ] = False,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Show one track: its tags, and what its analysis found."""
    if explain:
        print_definitions()
    if not track:
        if not explain:
            raise UsageError("name a track: a path, a track id, or words that match one title.")
        return
    with open_catalog(db) as catalog:
        found = known_track(catalog, track)
        spaces = [
            str(space)
            for space, _ in catalog.spaces()
            if catalog.analysis_of(found.id, space) is not None
        ]
        descriptors = catalog.musical_descriptors([found.id]).get(found.id)
    if as_json:
        described = descriptors_as_dict(descriptors)
        print_json({**track_as_dict(found), "spaces": spaces, "descriptors": described})
    else:
        print_facts([*_facts(found, spaces), *descriptor_facts(descriptors)])


def _facts(track: "Track", spaces: list[str]) -> list[tuple[str, object]]:
    probable = sorted(track.genre_probabilities.items(), key=lambda pair: -pair[1])
    genres = ", ".join(f"{genre} {p:.0%}" for genre, p in probable[:GENRES_SHOWN])
    windows = ", ".join(f"{start:.1f}+{length:.1f} s" for start, length in track.windows)
    return [
        ("id", track.id),
        ("file", track.file),
        *_segment_facts(track),
        ("state", track.state),
        *(
            (name.replace("_", " "), value)
            for name, value in asdict(track.tags).items()
            if not isinstance(value, tuple)  # the lists say what the text before them says
        ),
        *(("ISRC", code) for code in track.tags.isrcs),
        ("length", clock(track.duration)),
        ("size", f"{track.size:,} bytes"),
        ("content hash", track.content_hash),
        (
            "analysed at",
            track.analysed_at and track.analysed_at.isoformat(sep=" ", timespec="seconds"),
        ),
        ("analysed by", track.analysed_by and f"recsys {track.analysed_by}"),
        *(("space", space) for space in spaces),
        ("damage", track.damage),
        ("windows analysed", windows),
        ("predicted genre", genres),
    ]


def _segment_facts(track: "Track") -> list[tuple[str, object]]:
    """Which part of a file that a cue sheet divides the track is."""
    if track.start is None or track.end is None:
        return []
    return [("part", f"track {track.segment}, from {track.start:.2f} s to {track.end:.2f} s")]


def status_command(as_json: AsJson = False, db: Database = None) -> None:
    """Show what the catalogue holds, in numbers."""
    with open_catalog(db) as catalog:
        status = _status(catalog)
    if as_json:
        print_json(status)
        return
    print_facts(_status_facts(status))
    if not status["library_roots"]:
        note("nothing has been ingested yet: run 'recsys ingest FOLDER'.")


def _status(catalog: "Catalog") -> dict[str, Any]:
    active = catalog.active_space()
    projection = None if active is None else projection_in_use(catalog)
    digest = None if projection is None else projection.digest
    index = None if active is None or digest is None else index_in_use(catalog, active, digest)
    return {
        "catalogue": catalog.url if catalog.file is not None else catalog.name,
        "revision": catalog.state().revision,
        **asdict(replace(catalog.counts(), failures=len(_failures(catalog)))),
        "library_roots": [library.root for library in catalog.libraries()],
        "spaces": {str(space): tracks for space, tracks in catalog.spaces()},
        "active_space": None if active is None else str(active),
        "analysis_settings": catalog.analysis_settings(),
        "projection": None if projection is None else asdict(projection),
        "projection_in_words": None if projection is None else projection.in_words,
        "index": None if index is None else asdict(index),
        "index_in_words": None if index is None else index.in_words,
    }


def _status_facts(status: dict[str, Any]) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = [("catalogue", status["catalogue"])]
    rows += [("library", root) for root in status["library_roots"]]
    hours = status["seconds_of_music"] / 3600
    rows += [
        ("tracks analysed", f"{status['analysed']:,} ({hours:,.1f} hours)"),
        ("tracks missing", f"{status['missing']:,}"),
        ("tracks unavailable", f"{status['unavailable']:,}"),
        ("tracks that fail now", f"{status['failed_tracks']:,}"),
        ("files that fail", f"{status['failures']:,}"),
    ]
    for space, tracks in status["spaces"].items():
        mark = " (recommends)" if space == status["active_space"] else ""
        rows.append(("space", f"{space}: {counted(tracks, 'track')}{mark}"))
    if status["projection"] is not None:
        rows.append(("projection", status["projection_in_words"]))
    if status["index"] is not None:
        rows.append(("index", status["index_in_words"]))
    return rows


def failures_command(
    damaged: Annotated[
        bool,
        typer.Option(
            "--damaged", help="List the tracks that were analysed although their file is damaged."
        ),
    ] = False,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """List the files that could not be analysed, and why."""
    with open_catalog(db) as catalog:
        if damaged:
            _print_damaged(catalog, as_json)
            return
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
            (
                Column("kind"),
                Column("path", least=24, cut=Cut.START),
                Column("reason", least=24, wraps=True),
                Column("when (UTC)", number=True, drop=1),
            ),
            ((f.kind, f.path, f.reason, f"{f.failed_at:%Y-%m-%d %H:%M}") for f in failures),
        )
    else:
        note("no failures.")


def _print_damaged(catalog: "Catalog", as_json: bool) -> None:
    tracks = [track for track in catalog.all_tracks(None) if track.damage is not None]
    if as_json:
        print_json([track_as_dict(track) for track in tracks])
    elif tracks:
        print_table(
            (
                Column("id", number=True),
                Column("path", least=24, cut=Cut.START),
                Column("length", number=True, drop=2),
                Column("state", least=11, drop=1),
                Column("damage", least=24),
            ),
            ((t.id, t.location, clock(t.duration), t.state, t.damage) for t in tracks),
        )
    else:
        note("no damaged tracks.")


def _failures(catalog: "Catalog") -> list["Failure"]:
    """The failures, without the rows that only say which videos hold no audio."""
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
