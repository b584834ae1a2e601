"""`recsys exclude`: what is never in mixes."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.option_groups import grouped
from recommender.cli.options import AsJson, Database
from recommender.cli.output import counted, note, open_catalog, print_json, print_table, say
from recommender.cli.table_layout import Column
from recommender.cli.track_arguments import known_track
from recommender.errors import UsageError
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import Catalog, Exclusion

SCHEMA_VERSION = 1
"""Of the JSON object; raised when a key changes its name or meaning."""

exclude_app = typer.Typer(
    help="Keep tracks, artists, folders and genres out of every mix, until that is lifted.",
    no_args_is_help=True,
)


@dataclass(frozen=True)
class WhatIsExcluded:
    """What exclusions name; each option may be given several times."""

    artist: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An artist; case and accents do not count."),
    ] = None
    genre: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A genre, as files are tagged.")
    ] = None
    folder: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="A folder and all that is below it.")
    ] = None
    track: Annotated[
        list[str] | None, typer.Option(metavar="TRACK", help="A track id, a path, or a title.")
    ] = None

    def named(self, catalog: "Catalog") -> list[tuple[str, str]]:
        """Kind and value of each. Raises `TrackNotFound` and `AmbiguousTrack`."""
        return [
            *(("artist", name) for name in self.artist or ()),
            *(("genre", name) for name in self.genre or ()),
            *(("folder", path) for path in self.folder or ()),
            *(("track", str(known_track(catalog, words).id)) for words in self.track or ()),
        ]


@exclude_app.command("list")
def exclude_list_command(as_json: AsJson = False, db: Database = None) -> None:
    """List what is kept out of mixes."""
    with open_catalog(db) as catalog:
        found = [(one, _name(catalog, one)) for one in catalog.exclusions()]
    if as_json:
        exclusions = [_as_dict(one, name) for one, name in found]
        print_json({"schema_version": SCHEMA_VERSION, "exclusions": exclusions})
    elif found:
        columns = (
            Column("id", number=True),
            Column("kind", least=6),
            Column("what", least=24),
            Column("since (UTC)", number=True, drop=1),
        )
        print_table(
            columns, ((one.id, one.kind, name, f"{one.added_at:%Y-%m-%d}") for one, name in found)
        )
    else:
        note("nothing is excluded: 'recsys exclude add' keeps something out of mixes.")


def _name(catalog: "Catalog", one: "Exclusion") -> str:
    """What an exclusion names, in words."""
    if one.track_id is None:
        return one.value
    track = catalog.track(one.track_id)
    title = f"{track.artist} – {track.title}" if track.artist else track.title
    return f"{title} (track {track.id})"


def _as_dict(one: "Exclusion", name: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "value": one.value,
        "name": name,
        "track_id": one.track_id,
        "added_at": one.added_at,
    }


@exclude_app.command("add")
@grouped
def exclude_add_command(*, what: WhatIsExcluded, db: Database = None) -> None:
    """Keep tracks, artists, folders or genres out of every mix.

    \b
    For example:
      recsys exclude add --artist "Talk Radio" --folder ~/Music/Audiobooks
    """
    with open_catalog(db) as catalog:
        named = what.named(catalog)
        if not named:
            raise UsageError("nothing to exclude: give --artist, --genre, --folder or --track.")
        for kind, value in named:
            _add(catalog, kind, value)


def _add(catalog: "Catalog", kind: str, value: str) -> None:
    """Add one exclusion, and say what it keeps out."""
    known = {one.id for one in catalog.exclusions()}
    before = len(catalog.excluded_tracks())
    one = catalog.add_exclusion(kind, value)
    shown = f"{one.kind} {one_line(_name(catalog, one))}"
    if one.id in known:
        say(f"excluded already: {shown}")
        return
    more = len(catalog.excluded_tracks()) - before
    tracks = _tracks_named(catalog, one) if kind in ("artist", "genre") else more
    say(f"excluded: {shown} ({counted(tracks, 'track')})")
    if not tracks:
        note(f"so far {kind} {one_line(value)!r} means no track, or none that is not excluded.")


def _tracks_named(catalog: "Catalog", one: "Exclusion") -> int:
    """How many tracks have an artist or a genre."""
    from recommender.utils.artists import artist_key
    from recommender.utils.names import genre_key

    if one.kind == "genre":
        key = genre_key(one.value)
        return sum(n for genre, n in catalog.genres().items() if genre_key(genre) == key)
    key = artist_key(one.value)
    named = catalog.search(one.value)
    return sum(any(artist_key(name) == key for name in track.artists) for track in named)


@exclude_app.command("remove")
@grouped
def exclude_remove_command(
    ids: Annotated[
        list[int] | None,
        typer.Argument(metavar="ID…", help="As 'recsys exclude list' shows them."),
    ] = None,
    *,
    what: WhatIsExcluded,
    db: Database = None,
) -> None:
    """Let tracks, artists, folders or genres into mixes again.

    \b
    For example:
      recsys exclude remove 3 --artist "Talk Radio"
    """
    with open_catalog(db) as catalog:
        chosen = _chosen(catalog, ids or [], what)
        for one in chosen:
            shown = f"{one.kind} {one_line(_name(catalog, one))}"
            catalog.remove_exclusion(one.id)
            say(f"excluded no longer: {shown}")


def _chosen(catalog: "Catalog", ids: list[int], what: WhatIsExcluded) -> "list[Exclusion]":
    """The exclusions that arguments name. Raises `UsageError` for one that is not there."""
    exclusions = catalog.exclusions()
    named = what.named(catalog)
    if not ids and not named:
        raise UsageError("nothing to remove: give an id, as 'recsys exclude list' shows them.")
    wanted = [(f"with the id {id}", [one for one in exclusions if one.id == id]) for id in ids]
    wanted += [
        (f"of {kind} {value!r}", [one for one in exclusions if _is(one, kind, value)])
        for kind, value in named
    ]
    for name, found in wanted:
        if not found:
            raise UsageError(f"there is no exclusion {name}: see 'recsys exclude list'.")
    return list({one.id: one for _, found in wanted for one in found}.values())


def _is(one: "Exclusion", kind: str, value: str) -> bool:
    """Whether an exclusion is of this kind and names the same."""
    from recommender.utils.artists import artist_key
    from recommender.utils.files import real_path
    from recommender.utils.names import genre_key

    if one.kind != kind:
        return False
    if kind == "artist":
        return artist_key(one.value) == artist_key(value)
    if kind == "genre":
        return genre_key(one.value) == genre_key(value)
    if kind == "folder":
        return real_path(Path(one.value)) == real_path(Path(value).expanduser())
    return one.value == value
