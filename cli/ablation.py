"""`recsys study ablation`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.options import AsJson, Device, GtzanPath, Threads, torch_device
from recommender.cli.output import note, print_json, print_table, say, writing_file
from recommender.cli.training_setup import (
    STUDY_MODULES,
    TrainingDevice,
    load_gtzan,
    require_study_extra,
)

if TYPE_CHECKING:
    from recommender.research.model_building.ablation import AblationRow
    from recommender.research.training.settings import EpochReport


TableFile = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", help="The table, CSV; what it lacks is added."),
]
Checkpoints = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Where interrupted trainings resume from. Default: 'checkpoints' where the table is.",
        show_default=False,
    ),
]


def ablation_command(
    gtzan: GtzanPath,
    out: TableFile,
    device: TrainingDevice = Device.AUTO,
    threads: Threads = None,
    checkpoints: Checkpoints = None,
    as_json: AsJson = False,
) -> None:
    """Train the default model's network with one thing changed at a time.

    The variants are evaluated on the validation tracks alone.
    'recsys train default --ablation FILE' puts the table into the model's card.
    """
    from recommender.research.model_building.ablation import run_ablation

    require_study_extra(*STUDY_MODULES)
    checkpoints = checkpoints or out.parent / "checkpoints"
    data = load_gtzan(gtzan, checkpoints / "gtzan.npz", threads)

    def epoch_ended(variant: str, report: "EpochReport") -> None:
        note(f"{variant}: epoch {report.epoch}, validation loss {report.valid_loss:.3f}")

    def row_added(row: "AblationRow") -> None:
        note(f"{row.variant}, seed {row.seed}: accuracy {100 * row.accuracy:.1f} %")

    with writing_file(out):
        run_ablation(
            data,
            out,
            checkpoints,
            device=torch_device(device),
            on_epoch=epoch_ended,
            on_row=row_added,
        )
    _print_ablation(out, as_json)


def _print_ablation(path: Path, as_json: bool) -> None:
    from dataclasses import asdict

    from recommender.research.model_building import ablation
    from recommender.research.reproduction.formatting import percent, rate

    rows = ablation.read(path)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    print_table(
        ("variant", ">seeds", ">accuracy %", ">log loss"),
        (
            (
                line.variant,
                line.seeds,
                percent(line.accuracy, line.accuracy_sd),
                rate(line.log_loss, line.log_loss_sd),
            )
            for line in ablation.summary(rows)
        ),
    )
    say()
    say(f"validation tracks, the network alone; written: {path}")
