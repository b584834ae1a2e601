"""`recsys demo`: from a folder of music to recommendations and their evaluation."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from recommender.cli.browse import status_command
from recommender.cli.evaluate import evaluate_command
from recommender.cli.ingest import ingest_command
from recommender.cli.output import counted, counting, note, open_catalog, say, writing_file
from recommender.cli.similar import similar_command
from recommender.errors import UsageError


def demo_command(
    music: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Use this music instead of a library of synthesised pieces."
        ),
    ] = None,
    folder: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Where the demo's catalogue and library are written."),
    ] = Path("demo-library"),
) -> None:
    """Ingest a small library (rendered, or your music), list neighbours, and evaluate."""
    with writing_file(folder):
        folder.mkdir(parents=True, exist_ok=True)
        database = "own-music.db"
        if music is None:
            database = "catalog.db"
            music = folder / "music"
            _render(music)
    db = str(folder / database)
    _step("ingest", str(music), "--db", db)
    ingest_command([music], db=db)
    _step("status", "--db", db)
    status_command(db=db)
    with open_catalog(db) as catalog:
        first = next(catalog.all_tracks(), None)
    if first is None:
        note(f"nothing in {music} could be analysed, so there is nothing to recommend.")
        raise typer.Exit(1)
    _step("similar", str(first.file), "-k", "5", "--db", db)
    similar_command(str(first.file), k=5, db=db)
    _step("evaluate", "-k", "3", "--db", db)
    try:
        evaluate_command(k=3, db=db)
    except UsageError as error:  # the user's own music may have no genre tags
        note(f"not evaluated: {error}")
    say()
    say(f"The demo's catalogue is {db}; your own is another file: recsys ingest ~/Music")
    say("To serve it to players and programs:")
    say(f"  {shlex.join([_program(), 'serve', '--db', db])}")


def _render(folder: Path) -> None:
    from recommender.demo import render_library

    say(f"rendering a demo library of synthesised music into {folder} …")
    with counting("rendering") as progress:
        pieces = render_library(folder, progress=progress)
    styles = {piece.style for piece in pieces}
    say(f"{counted(len(pieces), 'piece')} in {counted(len(styles), 'style')}.")


def _program() -> str:
    """What runs this program here: its name, or the path by which it was called."""
    called = sys.argv[0]
    found = shutil.which("recsys")
    if Path(called).name != "recsys" or not Path(called).exists():
        return "recsys"
    return "recsys" if found and Path(found).samefile(called) else called


def _step(*words: str) -> None:
    say()
    say(f"$ recsys {shlex.join(words)}")
