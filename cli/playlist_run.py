"""`recsys playlist run`: makes stored playlists anew from their recipes."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.mix_output import Why, list_as_dict, print_left_out, print_mix
from recommender.cli.option_groups import grouped
from recommender.cli.options import ADVANCED, AsJson
from recommender.cli.output import note, print_json, print_table, say
from recommender.cli.saving import changes
from recommender.cli.service_options import ServiceOptions
from recommender.cli.table_layout import Column
from recommender.errors import PlaylistError, UsageError
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.playlists.recipes import RecipeRun

SCHEMA_VERSION = 1
"""Of the JSON object; raised when a key changes its name or meaning."""


@grouped
def playlist_run_command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Of a stored playlist with a recipe.")
    ] = None,
    *,
    every: Annotated[
        bool,
        typer.Option("--all", help="Every playlist that has a recipe, of all users or of --user."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be stored; write nothing.")
    ] = False,
    why: Why = False,
    as_json: AsJson = False,
    user: Annotated[
        str | None,
        typer.Option(
            envvar="RECSYS_USER",
            metavar="NAME",
            help="Whose playlists, where several people use the catalogue. Default: with --all "
            "those of all.",
            show_default=False,
            rich_help_panel=ADVANCED,
        ),
    ] = None,
    service: ServiceOptions,
) -> None:
    """Make stored playlists anew from their recipes, in place, and their files.

    One that fails stays as it was; the others are made, and the status is 1.

    \b
    For a timer:
      recsys playlist run --all
    """
    from recommender.playlists.recipes import run_recipes

    if every == (name is not None):
        raise UsageError("give the NAME of a playlist, or --all.")
    with service.open() as opened:
        if name is not None:
            playlists = [opened.catalog.playlist(name, user or "")]
        else:
            playlists = [one for one in opened.catalog.playlists(user) if one.recipe]
        runs = list(run_recipes(opened, playlists, dry_run=dry_run))
    if not every and runs[0].error is not None:
        raise PlaylistError(runs[0].error)
    if as_json:
        print_json({"schema_version": SCHEMA_VERSION, "playlists": [_as_dict(run) for run in runs]})
    elif runs:
        _print_runs(runs, why, dry_run)
    else:
        note("no playlist has a recipe: 'recsys mix SEED --save NAME' stores one.")
    for run in runs:
        if run.error is not None:
            note(f"failed: {one_line(run.error)}")
    if any(run.error is not None for run in runs):
        raise typer.Exit(1)


def _print_runs(runs: "list[RecipeRun]", why: bool, dry_run: bool) -> None:
    if len(runs) == 1 and runs[0].mix is not None:
        print_mix(runs[0].mix)
    made = [run for run in runs if run.mix is not None]
    for run in made:
        assert run.mix is not None
        if why:
            print_left_out(run.mix, of=run.after.name if len(runs) > 1 else None)
        for remark in run.mix.notes:
            note(remark if len(runs) == 1 else f"{one_line(run.after.name)}: {remark}")
    several = len({run.after.user for run in runs}) > 1
    columns = (
        Column("playlist", least=16),
        Column("tracks", number=True),
        Column("changes"),
        Column("file", least=16, drop=1),
        *([Column("user", least=4)] if several else []),
    )
    if made:
        say()
        print_table(columns, (_row(run, several) for run in made))
    if dry_run:
        note("nothing was written (--dry-run).")


def _row(run: "RecipeRun", with_user: bool) -> tuple[object, ...]:
    change = changes(run.before.track_ids, run.track_ids)
    row = (run.after.name, len(run.track_ids), change, run.after.target)
    return (*row, run.after.user) if with_user else row


def _as_dict(run: "RecipeRun") -> dict[str, Any]:
    return {
        "id": run.after.id,
        "name": run.after.name,
        "user": run.after.user,
        "tracks": list(run.track_ids),
        "target": run.after.target,
        "error": run.error,
        "list": None if run.mix is None else list_as_dict(run.mix),
    }
