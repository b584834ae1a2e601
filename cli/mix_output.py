"""What the commands that make lists print and store: table, JSON, playlist, reasons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.closeness import explanation, marked
from recommender.cli.listed_tracks import listed_track, seed_as_dict, seed_name
from recommender.cli.options import AsJson, User
from recommender.cli.output import busy, clock, counted, note, print_json, print_table, say
from recommender.cli.playlist_output import PlaylistOptions
from recommender.cli.saving import SaveOptions, note_saved, recipe_of, save_list
from recommender.cli.service_options import ServiceOptions
from recommender.cli.similar_options import Full
from recommender.cli.table_layout import Column, Cut
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import Catalog, StoredPlaylist, Track
    from recommender.cli.mix_options import RuleOptions
    from recommender.playlists.repeats import Repeats
    from recommender.recommendation.mix_request import MixRequest
    from recommender.recommendation.mix_result import Mix, MixEntry, SimilarGroupList
    from recommender.recommendation.seeds import Seed
    from recommender.recommendation.service import SimilarityService

SCHEMA_VERSION = 1
"""Of the JSON object; raised when a key changes its name or meaning."""

SEEDS_NAMED = 3
"""Seeds that are named above a table; the others are counted."""

_WITH_SEEDS = "with the seeds; where they sound different, with the nearest"
SIMILARITY = {
    "mix": _WITH_SEEDS,
    "radio": _WITH_SEEDS,
    "grow": "with the nearest track of the list",
    "path": "with the track before",
    "order": "with the track before",
}
"""Kind of list → what the similarities of its tracks are measured with."""

STEPWISE = ("path", "order")
"""Kinds whose first track has none before it."""

Why = Annotated[bool, typer.Option("--why", help="Also say which rule left out how many tracks.")]


@dataclass(frozen=True)
class ListOptions(ServiceOptions, SaveOptions, PlaylistOptions):
    """What becomes of a list, and which catalogue it is made of."""

    as_json: AsJson = False
    why: Why = False
    full: Full = False
    user: User = ""

    def check_all(self, with_seed: bool = False) -> None:
        """Refuse options that contradict each other, before anything is computed."""
        self.check_playlist(self.as_json, with_seed, also_written=self.to)
        self.check_saving(also_written=self.m3u)


@dataclass(frozen=True)
class Finished:
    """A list, ready to be printed when the catalogue is closed.

    Attributes:
        mix: the list.
        track_ids: what a stored playlist has.
        playlist: what stands in the playlist file.
        saved: as it is stored now; None where nothing was stored.
        replaced: the playlist that it has replaced or, in a dry run, would replace.
    """

    mix: "Mix"
    track_ids: list[int]
    playlist: "list[Track | Seed]"
    saved: "StoredPlaylist | None" = None
    replaced: "StoredPlaylist | None" = None


def run_list(
    options: ListOptions,
    request_of: "Callable[[SimilarityService, Repeats], MixRequest]",
    *,
    with_seeds: bool = False,
    recipe: "Callable[[Mix, Repeats], dict[str, Any] | None]" = recipe_of,
    rules: "RuleOptions | None" = None,
) -> None:
    """Make a list, print it, and write and store it where that is asked for.

    Args:
        options: of the command, checked.
        request_of: what is asked of the service, given also what is not to be repeated; may note
            what of its arguments cannot be used.
        with_seeds: begin playlists with the seeds.
        recipe: what is stored to make the list anew.
        rules: what is not to be repeated is among them; None for nothing.
    """
    from recommender.playlists.repeats import Repeats

    with busy("searching"), options.open() as service:
        replaced = options.known(service.catalog, options.user)
        repeats = Repeats()
        if rules is not None:
            repeats = rules.repeats(service.catalog, options.user)
        found = service.mix(request_of(service, repeats))
        stored = partial(recipe, found, repeats)
        finished = _finished(service.catalog, found, options, with_seeds, stored, replaced)
    if not options.dry_run or options.on_stdout:
        options.write(finished.playlist, options.save)
    print_list(finished, options)


def _finished(
    catalog: "Catalog",
    found: "Mix",
    options: ListOptions,
    with_seeds: bool,
    recipe: "Callable[[], dict[str, Any] | None]",
    replaced: "StoredPlaylist | None",
) -> Finished:
    tracks = [entry.track for entry in found.entries]
    before = found.seeds if with_seeds else []
    ids = [seed.track.id for seed in before if seed.track is not None]
    ids += [track.id for track in tracks]
    playlist = options.tracks(catalog, [*before, *tracks])
    saved = None
    if options.save is not None and not options.dry_run and tracks:
        saved = save_list(catalog, options, options.user, ids, replaced, recipe(), options.absolute)
    return Finished(found, ids, playlist, saved, replaced)


def print_list(finished: Finished, options: ListOptions) -> None:
    """Print a list in the form that the options ask for, and what is to be known of it."""
    found = finished.mix
    if options.as_json:
        print_json(list_as_dict(found, options.full, finished.saved))
    elif not options.on_stdout:
        print_mix(found)
    if options.why and not options.as_json:
        print_left_out(found, beside_playlist=options.on_stdout)
    for remark in found.notes:
        note(remark)
    if not found.entries and not found.notes:
        note("nothing was found: --why says which rule left out how many tracks.")
    note_saved(options, finished.saved, finished.replaced, finished.track_ids)


def print_mix(found: "Mix") -> None:
    """Print the seeds and, where there are entries, the table and what its columns mean."""
    for line in _headings(found):
        say(line)
    if not found.entries:
        return
    stepwise = found.request.kind in STEPWISE
    print_entries(found.entries, stepwise)
    length = f"{counted(len(found.entries), 'track')}, {clock(60 * found.minutes)}"
    with_what = SIMILARITY[found.request.kind]
    if with_what is _WITH_SEEDS and len(found.seeds) == 1 and not found.unlike:
        with_what = "with the seed"
    say(f"{length}. Similarity is that {with_what}.")
    why = explanation(found.entries, found.calibration, nothing="None is close")
    if why is not None:
        say(why)


def _headings(found: "Mix") -> list[str]:
    kind, seeds = found.request.kind, found.seeds
    if kind == "order":
        return [f"order of {counted(len(seeds), 'track')}"]
    if kind == "path":
        return [f"from: {seed_name(seeds[0])}", f"to:   {seed_name(seeds[-1])}"]
    lines = [f"like: {_names(seeds)}"]
    return lines + ([f"not:  {_names(found.unlike)}"] if found.unlike else [])


def _names(seeds: "Sequence[Seed]") -> str:
    names = [seed_name(seed) for seed in seeds[:SEEDS_NAMED]]
    if len(seeds) > SEEDS_NAMED:
        names.append(f"{len(seeds) - SEEDS_NAMED} more")
    return "; ".join(names)


def print_entries(entries: "Sequence[MixEntry]", stepwise: bool = False) -> None:
    """The table of a list; `stepwise`: the first entry has no similarity."""
    print_table(
        (
            Column("no.", number=True),
            Column("similarity", number=True),
            Column("title", least=16),
            Column("artist", least=12),
            Column("length", number=True),
            Column("album", least=12, drop=2),
            Column("id", number=True, drop=1),
            Column("path", least=16, drop=3, cut=Cut.START),
        ),
        (
            (
                entry.position,
                None if stepwise and entry.position == 1 else marked(entry),
                entry.track.title,
                entry.track.artist,
                clock(entry.track.duration),
                entry.track.tags.album,
                entry.track.id,
                entry.track.location,
            )
            for entry in entries
        ),
    )


def print_left_out(
    found: "Mix | SimilarGroupList[Any]", of: str | None = None, *, beside_playlist: bool = False
) -> None:
    """Print which rule left out how many tracks.

    Args:
        of: the name of one of several lists.
        beside_playlist: whether standard output is a playlist; then on standard error.
    """
    rows = [(rule, f"{count:,}") for rule, count in found.left_out.items() if count]
    if beside_playlist:
        for rule, count in rows:
            note(f"left out, {rule}: {count}")
        return
    say()
    if of is not None:
        say(f"{one_line(of)}:")
    if rows:
        print_table((f"left out of {found.catalogue:,} by", ">tracks"), rows)
    else:
        say(f"no rule left out any of {counted(found.catalogue, 'track')}.")


def list_as_dict(
    found: "Mix", full: bool = False, saved: "StoredPlaylist | None" = None
) -> dict[str, Any]:
    """A list for JSON; `cli/README.md` explains the keys."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": found.request.kind,
        "seeds": [seed_as_dict(seed) for seed in found.seeds],
        "unlike": [seed_as_dict(seed) for seed in found.unlike],
        "request": recipe_of(found),
        "model": found.space.model,
        "threshold": None if found.calibration is None else found.calibration.midpoint,
        "entries": [_entry_as_dict(entry, full) for entry in found.entries],
        "minutes": round(found.minutes, 2),
        "catalogue": found.catalogue,
        "left_out": dict(found.left_out),
        "shortest_artist_gap": found.shortest_artist_gap,
        "shortest_album_gap": found.shortest_album_gap,
        "notes": found.notes,
        "saved": None if saved is None else {"id": saved.id, "name": saved.name},
    }


def _entry_as_dict(entry: "MixEntry", full: bool) -> dict[str, Any]:
    return {
        "position": entry.position,
        **listed_track(entry.track, full),
        "album": entry.track.tags.album,
        "duration": entry.track.duration,
        "similarity": round(entry.similarity, 4),
        "close": entry.close,
    }
