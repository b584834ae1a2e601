"""`recsys study time`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.options import AsJson
from recommender.cli.output import counting, print_json, print_table, say, writing_file

if TYPE_CHECKING:
    from recommender.research.reproduction.latency import Timings


def time_command(
    repetitions: Annotated[
        int, typer.Option(min=1, metavar="N", help="The median of so many batches is reported.")
    ] = 20,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Where timing.json goes. Default: nothing is written.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the latency of networks and models, on one processor thread.

    For each declared run a clip, with random weights, which do not change the time.
    For each shipped model a whole track.
    """
    from dataclasses import asdict

    from recommender.embedding.model_files import shipped_models
    from recommender.research.reproduction.latency import FILE, measure

    with counting("timing") as progress:
        command = f"recsys study time --repetitions {repetitions}"
        timings = measure(
            models=shipped_models(), repetitions=repetitions, command=command, progress=progress
        )
    if out is not None:
        with writing_file(out / FILE):
            timings.write(out)
    if as_json:
        print_json(asdict(timings))
        return
    _print_timings(timings)
    say(
        f"{timings.device}, threads: {timings.threads}"
        + ("" if out is None else f"; written: {out / FILE}")
    )


def _print_timings(timings: "Timings") -> None:
    print_table(
        ("run", ">ms a clip", ">parameters"),
        ((run.run, f"{run.milliseconds_per_clip:.2f}", run.parameters) for run in timings.runs),
    )
    say()
    print_table(
        ("model", ">windows", ">ms a track"),
        ((m.model, m.windows, f"{m.milliseconds_per_track:.1f}") for m in timings.models),
    )
    say()
