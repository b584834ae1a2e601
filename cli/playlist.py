"""`recsys playlist`: the playlists that the catalogue stores, and the recipes of some."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.listed_tracks import listed_track
from recommender.cli.options import AsJson, Database, User
from recommender.cli.output import (
    clock,
    confirm,
    counted,
    note,
    open_catalog,
    print_facts,
    print_json,
    print_table,
    say,
)
from recommender.cli.playlist_output import (
    STDOUT,
    print_playlist,
    require_writable,
    write_playlist_file,
)
from recommender.cli.playlist_run import playlist_run_command
from recommender.cli.saving import (
    DryRun,
    Replace,
    changes,
    replace_by_hand,
    replaced_playlist,
)
from recommender.cli.seed_arguments import note_fault, note_unmatched
from recommender.cli.similar_options import Absolute
from recommender.cli.table_layout import Column, Cut
from recommender.cli.track_arguments import known_track
from recommender.errors import PlaylistError, UsageError
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import StoredPlaylist, Track

SCHEMA_VERSION = 1
"""Of the JSON objects; raised when a key changes its name or meaning."""

playlist_app = typer.Typer(
    help="Store playlists in the catalogue, make them anew from their recipes, and read and write "
    "playlist files.",
    no_args_is_help=True,
)

playlist_app.command("run")(playlist_run_command)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of a stored playlist.")]


@playlist_app.command("list")
def playlist_list_command(as_json: AsJson = False, user: User = "", db: Database = None) -> None:
    """List the stored playlists, and how each is made."""
    with open_catalog(db) as catalog:
        playlists = catalog.playlists(user)
    if as_json:
        found = [playlist_as_dict(one) for one in playlists]
        print_json({"schema_version": SCHEMA_VERSION, "playlists": found})
    elif playlists:
        columns = (
            Column("id", number=True, drop=2),
            Column("name", least=16),
            Column("tracks", number=True),
            Column("recipe", least=6),
            Column("made (UTC)", number=True, drop=1),
            Column("file", least=16, drop=3, cut=Cut.START),
        )
        print_table(
            columns,
            (
                (
                    one.id,
                    one.name,
                    len(one.track_ids),
                    one.recipe and one.recipe.get("kind"),
                    f"{one.run_at or one.changed_at:%Y-%m-%d %H:%M}",
                    one.target,
                )
                for one in playlists
            ),
        )
    else:
        note("no playlist is stored: 'recsys mix SEED --save NAME', 'recsys playlist import FILE'.")


def playlist_as_dict(playlist: "StoredPlaylist") -> dict[str, Any]:
    """A stored playlist for JSON, without its tracks."""
    return {
        "id": playlist.id,
        "name": playlist.name,
        "user": playlist.user,
        "comment": playlist.comment,
        "tracks": len(playlist.track_ids),
        "recipe": playlist.recipe,
        "target": playlist.target,
        "absolute": playlist.absolute,
        "created_at": playlist.created_at,
        "changed_at": playlist.changed_at,
        "run_at": playlist.run_at,
    }


@playlist_app.command("show")
def playlist_show_command(
    name: Name, as_json: AsJson = False, user: User = "", db: Database = None
) -> None:
    """Show the tracks of a stored playlist."""
    with open_catalog(db) as catalog:
        playlist = catalog.playlist(name, user)
        tracks = catalog.tracks(playlist.track_ids)
    if as_json:
        entries = [{"position": at, **listed_track(track)} for at, track in enumerate(tracks, 1)]
        print_json(
            {"schema_version": SCHEMA_VERSION, **playlist_as_dict(playlist), "entries": entries}
        )
        return
    print_facts(_facts(playlist, tracks))
    if tracks:
        say()
        _print_tracks(tracks)


def _facts(playlist: "StoredPlaylist", tracks: "list[Track]") -> list[tuple[str, object]]:
    recipe = playlist.recipe
    facts = [
        ("name", playlist.name),
        ("tracks", f"{len(tracks):,} ({clock(sum(track.duration for track in tracks))})"),
        ("comment", playlist.comment or None),
        ("recipe", None if recipe is None else recipe.get("kind")),
        ("file", playlist.target),
        ("changed", f"{playlist.changed_at:%Y-%m-%d %H:%M} UTC"),
        ("made anew", playlist.run_at and f"{playlist.run_at:%Y-%m-%d %H:%M} UTC"),
    ]
    return [(key, value) for key, value in facts if value is not None]


def _print_tracks(tracks: "list[Track]") -> None:
    columns = (
        Column("no.", number=True),
        Column("title", least=16),
        Column("artist", least=12),
        Column("length", number=True),
        Column("album", least=12, drop=2),
        Column("id", number=True, drop=1),
        Column("state", least=11, drop=3),
    )
    print_table(
        columns,
        (
            (at, t.title, t.artist, clock(t.duration), t.tags.album, t.id, t.state)
            for at, t in enumerate(tracks, 1)
        ),
    )


@playlist_app.command("save")
def playlist_save_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is to be called.")],
    tracks: Annotated[
        list[str],
        typer.Argument(
            metavar="TRACK…", help="Track ids, paths, or words that match one title each."
        ),
    ],
    comment: Annotated[str, typer.Option(metavar="TEXT", help="A remark on it.")] = "",
    replace: Replace = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    user: User = "",
    db: Database = None,
) -> None:
    """Store a playlist of single tracks, in their order.

    A playlist that is made by a recipe, and can be made anew, is stored by 'recsys mix … --save
    NAME', and likewise by radio, path and order.
    """
    with open_catalog(db) as catalog:
        replaced = replaced_playlist(catalog, name, user, allowed=replace or dry_run)
        ids = [known_track(catalog, words).id for words in tracks]
        saved = None
        if not dry_run:
            saved = replace_by_hand(catalog, name, user, ids, replaced, comment)
    if as_json:
        print_json(_stored_as_dict(name, ids, saved))
    else:
        _say_stored(name, ids, saved, replaced)


def _stored_as_dict(
    name: str, ids: "list[int]", saved: "StoredPlaylist | None"
) -> "dict[str, object]":
    number = None if saved is None else saved.id
    return {"schema_version": SCHEMA_VERSION, "name": name, "id": number, "tracks": ids}


def _say_stored(
    name: str,
    ids: "list[int]",
    saved: "StoredPlaylist | None",
    replaced: "StoredPlaylist | None",
) -> None:
    change = "" if replaced is None else f", {changes(replaced.track_ids, ids)}"
    count = counted(len(ids), "track")
    if saved is None:
        say(f"{one_line(name)!r} would have {count}{change} (--dry-run).")
    else:
        say(f"saved as {one_line(saved.name)!r}: {count}{change}.")


@playlist_app.command("import")
def playlist_import_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A playlist file: .m3u, .m3u8 or .xspf.")
    ],
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What it is to be called. Default: its title, or the name of the file.",
            show_default=False,
        ),
    ] = None,
    replace: Replace = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    user: User = "",
    db: Database = None,
) -> None:
    """Store a playlist file.

    Entries that are no tracks of the catalogue are named, and left out. Of a damaged file, what can
    be read is stored, but replaces no playlist.
    """
    from recommender.playlists.files import read_playlist

    with open_catalog(db) as catalog:
        content = read_playlist(catalog, file, doubles=True)
        name = name or content.title or file.stem
        replaced = replaced_playlist(catalog, name, user, allowed=replace or dry_run)
        ids = [track.id for track in content.tracks]
        if not ids:
            note_unmatched(file, content.unmatched, len(content.unmatched))
            raise PlaylistError(
                f"{file} names no track of the catalogue: ingest the folder of its music first."
                if content.unmatched
                else f"{file} names no file."
            )
        if content.fault is not None and replaced is not None:
            raise UsageError(
                f"{file} does not replace the playlist {replaced.name!r}: {one_line(content.fault)}"
            )
        saved = None
        if not dry_run:
            comment = content.comment or ""
            saved = replace_by_hand(catalog, name, user, ids, replaced, comment, read_from=file)
    if as_json:
        print_json(
            {
                **_stored_as_dict(name, ids, saved),
                "unmatched": [
                    {"entry": u.number, "location": u.location, "kind": u.kind, "reason": u.reason}
                    for u in content.unmatched
                ],
                "fault": content.fault,
            }
        )
    else:
        _say_stored(name, ids, saved, replaced)
    note_unmatched(file, content.unmatched, len(content.unmatched) + len(ids))
    note_fault(file, content.fault)


@playlist_app.command("export")
def playlist_export_command(
    name: Name,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A .m3u, .m3u8 or .xspf file; '-' writes M3U8 to standard output."
        ),
    ],
    absolute: Absolute = False,
    user: User = "",
    db: Database = None,
) -> None:
    """Write a stored playlist to a playlist file."""
    from recommender.playlists.m3u import with_existing_files

    if file != STDOUT:
        require_writable(file)
    with open_catalog(db) as catalog:
        playlist = catalog.playlist(name, user)
        tracks = with_existing_files(catalog, catalog.tracks(playlist.track_ids))
    if file == STDOUT:
        print_playlist(tracks, absolute, playlist.name)
    else:
        write_playlist_file(file, tracks, absolute, playlist.name)


@playlist_app.command("remove")
def playlist_remove_command(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    user: User = "",
    db: Database = None,
) -> None:
    """Drop a stored playlist and its recipe; no file is touched."""
    with open_catalog(db) as catalog:
        playlist = catalog.playlist(name, user)
        tracks = counted(len(playlist.track_ids), "track")
        if not yes:
            confirm(f"Drop the playlist {playlist.name!r} of {tracks}?")
        catalog.remove_playlist(playlist.id)
    say(f"playlist {one_line(playlist.name)!r} of {tracks} dropped.")
