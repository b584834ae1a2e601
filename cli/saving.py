"""Saving a list as a playlist of the catalogue, with the request that makes it anew."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.output import counted, note, writing_file
from recommender.cli.playlist_output import note_written, require_writable
from recommender.errors import PlaylistNotFound, UsageError
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import Catalog, StoredPlaylist
    from recommender.playlists.repeats import Repeats
    from recommender.recommendation.mix_request import MixRequest
    from recommender.recommendation.mix_result import Mix
    from recommender.recommendation.seeds import Query, Seed

SAVING = "Saving"
"""Help panel of what is stored of a list."""

Replace = Annotated[
    bool,
    typer.Option(
        "--replace",
        help="Replace a playlist of that name, and its file if it has one.",
        rich_help_panel=SAVING,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Show the list and what would be replaced; write nothing.",
        rich_help_panel=SAVING,
    ),
]
Target = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="FILE",
        help="With --save: also a playlist file, now and whenever the playlist is made anew. "
        "Default: that of the playlist that is replaced, if it has one.",
        show_default=False,
        rich_help_panel=SAVING,
    ),
]


def replace_by_hand(
    catalog: "Catalog",
    name: str,
    user: str,
    track_ids: Sequence[int],
    replaced: "StoredPlaylist | None",
    comment: str,
    read_from: Path | None = None,
) -> "StoredPlaylist":
    """Store a list that no request made; what it replaces leaves it comment and file.

    The file is written with it, and either both are stored or neither; but not the file that the
    list was read from, which may have entries that are no tracks of the catalogue. A recipe is
    dropped, which would make another list of it, and that is noted.
    """
    target = None if replaced is None else replaced.target
    kept = target is not None and read_from is not None and _is_same(target, read_from)
    options = SaveOptions(save=name)
    saved = save_list(
        catalog, options, user, track_ids, replaced, comment=comment or None, write=not kept
    )
    _note_dropped_recipe(saved, replaced)
    return saved


def _note_dropped_recipe(saved: "StoredPlaylist", replaced: "StoredPlaylist | None") -> None:
    if saved.recipe is None and replaced is not None and replaced.recipe is not None:
        kind = one_line(str(replaced.recipe.get("kind")))
        note(
            f"its recipe ({kind}) is dropped: 'recsys playlist run' does not make "
            f"{one_line(saved.name)!r} anew any more."
        )


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


@dataclass(frozen=True)
class SaveOptions:
    """Under which name a list is stored."""

    save: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Store the list under this name, with its recipe: 'recsys playlist run NAME' "
            "makes it anew.",
            show_default=False,
            rich_help_panel=SAVING,
        ),
    ] = None
    to: Target = None
    replace: Replace = False
    dry_run: DryRun = False

    def check_saving(self, also_written: Path | None = None) -> None:
        """Refuse what does not go together; `also_written`: a file that needs no name."""
        if self.save is None:
            if self.to is not None or self.replace:
                raise UsageError("--to and --replace go with --save NAME.")
            if self.dry_run and also_written is None:
                raise UsageError("--dry-run goes with --save NAME or --m3u FILE.")
        elif not self.save.strip():
            raise UsageError("--save: a playlist needs a name.")
        if self.to is not None:
            require_writable(self.to)

    def known(self, catalog: "Catalog", user: str) -> "StoredPlaylist | None":
        """The playlist that would be replaced. Raises `UsageError` where nobody asked for that."""
        if self.save is None:
            return None
        allowed = self.replace or self.dry_run
        return replaced_playlist(catalog, self.save, user, allowed=allowed)

    def target(self, catalog: "Catalog", user: str) -> Path | None:
        """The playlist file that is written with the playlist: --to, or that of the replaced."""
        known = self.known(catalog, user)
        return known.target if self.to is None and known is not None else self.to


def replaced_playlist(
    catalog: "Catalog", name: str, user: str, *, allowed: bool
) -> "StoredPlaylist | None":
    """The playlist that one of this name replaces. Raises `UsageError` where it must not."""
    try:
        known = catalog.playlist(name, user)
    except PlaylistNotFound:
        return None
    if not allowed:
        raise UsageError(
            f"there is a playlist {known.name!r} of {counted(len(known.track_ids), 'track')}: "
            "--replace replaces it, --dry-run shows by what, another name keeps both."
        )
    return known


def recipe_of(found: "Mix", repeats: "Repeats | None" = None) -> "dict[str, Any]":
    """The request of a list, its seeds as track ids, or absolute paths, that mean the same later.

    Args:
        repeats: what is looked up whenever the list is made, in place of the tracks that the
            request names; None to name those.

    Raises `UsageError` for a seed that cannot be found again.
    """
    from recommender.playlists.recipes import with_repeats
    from recommender.playlists.repeats import Repeats
    from recommender.recommendation.mix_request import SeedSet

    request: MixRequest = found.request
    like = tuple(dict.fromkeys(map(_lasting, found.seeds)))
    weights = dict(zip(request.seeds.like, request.seeds.weights, strict=False))
    seeds = SeedSet(
        like,
        tuple(dict.fromkeys(map(_lasting, found.unlike))),
        tuple(weights[one] for one in like) if weights.keys() >= set(like) else (),
    )
    first = found.entries[0].track.id if request.first is not None and found.entries else None
    return with_repeats(replace(request, seeds=seeds, first=first).as_dict(), repeats or Repeats())


def no_recipe(_: "Mix", __: "Repeats") -> None:
    """Of a list that its request would not make anew."""


def _lasting(seed: "Seed") -> "Query":
    if seed.track is not None:
        return seed.track.id
    if seed.path is None:
        raise UsageError("a seed that is no file cannot be stored.")
    return str(seed.path.absolute())


def save_list(
    catalog: "Catalog",
    options: SaveOptions,
    user: str,
    track_ids: Sequence[int],
    replaced: "StoredPlaylist | None" = None,
    recipe: "dict[str, Any] | None" = None,
    absolute: bool = False,
    *,
    comment: str | None = None,
    write: bool = True,
) -> "StoredPlaylist":
    """Store a list, and write its file; both or neither.

    What it replaces leaves it its comment and its file, unless others are given.

    Args:
        write: whether the file is written now, and not only when the list is made anew.
    """
    from recommender.playlists.files import replacing_playlist

    assert options.save is not None
    name, target = options.save.strip(), options.to
    if comment is None:
        comment = "" if replaced is None else replaced.comment
    if replaced is not None and target is None:
        target, absolute = replaced.target, replaced.absolute

    def save() -> "StoredPlaylist":
        return catalog.save_playlist(
            name,
            track_ids,
            user,
            comment=comment,
            recipe=recipe,
            target=None if target is None else target.absolute(),
            absolute=absolute,
        )

    if target is None or not write:
        return save()
    require_writable(target)
    replacing = replacing_playlist(
        catalog, target, track_ids, absolute=absolute, title=name, comment=comment
    )
    with writing_file(target), replacing as (tracks, written):
        saved = save()
    note_written(target, tracks, written)
    return saved


def note_saved(
    options: SaveOptions,
    saved: "StoredPlaylist | None",
    replaced: "StoredPlaylist | None",
    track_ids: Sequence[int],
) -> None:
    """Say what was stored or, in a dry run, what would be."""
    if options.dry_run:
        change = ""
        if replaced is not None:
            change = f" Of playlist {replaced.name!r}, {changes(replaced.track_ids, track_ids)}."
        note(f"nothing was written (--dry-run).{change}")
    elif options.save is not None and saved is None:
        note("nothing was saved, as the list is empty.")
    elif saved is not None:
        again = "" if saved.recipe is None else f"; 'recsys playlist run {saved.name}' renews it"
        change = "" if replaced is None else f", {changes(replaced.track_ids, saved.track_ids)}"
        note(f"saved as {saved.name!r}: {counted(len(saved.track_ids), 'track')}{change}{again}.")
        _note_dropped_recipe(saved, replaced)


def changes(before: Sequence[int], after: Sequence[int]) -> str:
    """How a list differs from the one that it replaces: "12 new, 10 gone"."""
    new = len(set(after) - set(before))
    gone = len(set(before) - set(after))
    return f"{new} new, {gone} gone"
