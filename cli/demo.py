"""`recsys demo`: the main job once, from nothing to recommendations."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from recommender.cli.browse import status_command
from recommender.cli.evaluate import evaluate_command
from recommender.cli.ingest import ingest_command
from recommender.cli.output import open_catalog, say
from recommender.cli.similar import similar_command


def demo_command(
    music: Annotated[
        Path | None, typer.Option(help="Use this music folder instead of the rendered library.")
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="Where the rendered library and the demo's catalogue go.")
    ] = Path("demo-library"),
) -> None:
    """Ingest a small rendered library (or MUSIC), ask for neighbours, and evaluate."""
    folder.mkdir(parents=True, exist_ok=True)
    db = str(folder / "catalog.db")
    if music is None:
        from recommender.demo import render_library

        music = folder / "music"
        say(f"rendering a demo library of synthesised music into {music} …")
        pieces = render_library(music)
        say(f"{len(pieces)} pieces in {len({piece.style for piece in pieces})} styles.")
    _step("ingest", str(music), "--db", db)
    ingest_command([music], db=db)
    _step("status", "--db", db)
    status_command(db=db)
    with open_catalog(db) as catalog:
        first = next(catalog.all_tracks(), None)
    if first is None:
        return
    _step("similar", str(first.file), "-k", "5", "--db", db)
    similar_command(str(first.file), k=5, db=db)
    _step("evaluate", "-k", "3", "--db", db)
    evaluate_command(k=3, db=db)
    say()
    say(f"The demo's catalogue is {db}; your own is kept elsewhere: recsys ingest ~/Music")


def _step(*words: str) -> None:
    say()
    say(f"$ recsys {shlex.join(words)}")
