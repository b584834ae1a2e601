"""`recsys study`: the paper's runs, repeated."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.output import (
    AsJson,
    Device,
    GtzanPath,
    Threads,
    busy,
    counting,
    note,
    print_json,
    print_table,
    say,
    torch_device,
    writing_file,
)

if TYPE_CHECKING:
    from recommender.research.model_building.ablation import AblationRow
    from recommender.research.reproduction.outcomes import Outcome
    from recommender.research.reproduction.runner import Job
    from recommender.research.training.loop import EpochReport

study_app = typer.Typer(
    name="study",
    help="Repeat Rush & Datta's comparative study: list its runs, carry them out, report.",
    no_args_is_help=True,
)

OUTCOMES = Path("data/results/study")
CHECKPOINTS = Path("runs/study")
VARIANTS = Path("data/results/ablation.csv")

Outcomes = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="Where the outcomes of the runs are kept.")
]


class StudyProtocol(StrEnum):
    """How GTZAN is split."""

    FILTERED = "filtered"
    PAPER = "paper"
    STRATIFIED = "stratified"


Protocols = Annotated[
    list[StudyProtocol] | None,
    typer.Option(
        "--protocol",
        help="Only this split; may be repeated. 'paper' splits clips, so that parts of one "
        "recording are on both sides. Default: all, in this order.",
        show_default=False,
    ),
]
Families = Annotated[
    list[str] | None,
    typer.Option(
        "--family",
        metavar="NAME",
        help="Only this run, family or architecture, as 'recsys study list' names them; may be "
        "repeated. Default: all.",
        show_default=False,
    ),
]


@study_app.command("list")
def list_command(
    protocol: Protocols = None,
    family: Families = None,
    out: Outcomes = OUTCOMES,
    as_json: AsJson = False,
) -> None:
    """List the declared runs, what the paper reports of each, and which are done."""
    from recommender.research.reproduction.runner import is_done

    jobs = _jobs(protocol, family)
    if as_json:
        print_json(
            [
                {"run": j.run.name, "protocol": j.protocol, "seed": j.seed, "done": is_done(j, out)}
                for j in jobs
            ]
        )
        return
    runs = list(dict.fromkeys(job.run for job in jobs))
    protocols = list(dict.fromkeys(job.protocol for job in jobs))

    def done(run: object, name: str) -> str:
        own = [job for job in jobs if job.run is run and job.protocol == name]
        return f"{sum(is_done(job, out) for job in own)} of {len(own)}"

    print_table(
        ("run", "family", ">paper %", ">epochs", *(f">{name}" for name in protocols)),
        (
            (
                run.name,
                run.family,
                "none" if run.paper.valid is None else run.paper.valid,
                run.epochs,
                *(done(run, name) for name in protocols),
            )
            for run in runs
        ),
    )
    say()
    say(f"{sum(is_done(job, out) for job in jobs)} of {len(jobs)} networks are trained ({out})")


@study_app.command("run")
def run_command(
    gtzan: GtzanPath,
    protocol: Protocols = None,
    family: Families = None,
    device: Annotated[
        Device, typer.Option(help="Where to train; auto: on a GPU when there is one.")
    ] = Device.AUTO,
    threads: Threads = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Only the first so many seeds of each run. Default: all."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Train the 2D networks to the paper's epochs on a processor too, for days.",
        ),
    ] = False,
    smoke_test: Annotated[
        bool,
        typer.Option(
            "--smoke_test",
            help="One step of training on a few tracks, the first seed of each run: tries the "
            "machinery, measures nothing. Give it a folder of its own with --out.",
        ),
    ] = False,
    out: Outcomes = OUTCOMES,
    checkpoints: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Where interrupted runs go on from."),
    ] = CHECKPOINTS,
) -> None:
    """Carry out the declared runs that are not done yet; one that was interrupted goes on.

    Two of these beside each other, of different families, use two processors best.
    """
    from recommender.research.datasets import gtzan as data_set
    from recommender.research.reproduction.runner import run_jobs, is_done

    jobs = _jobs(protocol, family, seeds=1 if smoke_test else seeds)
    if threads:
        import torch

        torch.set_num_threads(threads)
    with counting("analysis GTZAN") as progress:
        data = data_set.load(gtzan, progress=progress, cache=checkpoints / "gtzan.npz")
    waiting = [job for job in jobs if not is_done(job, out)]
    note(f"{len(waiting)} of {len(jobs)} networks to train")

    def epoch_ended(job: "Job", report: "EpochReport") -> None:
        note(
            f"{job.name} epoch {report.epoch}: loss {report.train_loss:.3f}, accuracy "
            f"{report.train_accuracy:.3f}; validation loss {report.valid_loss:.3f}, accuracy "
            f"{report.valid_accuracy:.3f}; {report.seconds:.1f} s"
        )

    def run_ended(job: "Job", outcome: "Outcome") -> None:
        say(
            f"{job.name}: test accuracy {100 * outcome.test_track:.1f} % by track, "
            f"{100 * outcome.test_clip:.1f} % by clip; best epoch {outcome.best_epoch} of "
            f"{outcome.epochs}"
        )

    run_jobs(
        waiting,
        data,
        out,
        checkpoints,
        device=torch_device(device),
        full=full,
        smoke_test=smoke_test,
        command="recsys study run --gtzan GTZAN" + (" --full" if full else ""),
        on_epoch=epoch_ended,
        on_outcome=run_ended,
    )
    say(f"outcomes: {out}; 'recsys study report' compares them with the paper")


@study_app.command("report")
def report_command(
    out: Outcomes = OUTCOMES,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where report.md, study.csv and pictures/ go. Default: beside the outcomes.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the outcomes with the paper: a page, a table and pictures.

    The figures of the fault-filtered split come first.
    Those of the paper's split, which leaks, are marked.
    """
    from recommender.errors import UsageError
    from recommender.research.reproduction.latency import Timings
    from recommender.research.reproduction.outcomes import read_outcomes
    from recommender.research.reproduction.report import flat_rows, write_report

    outcomes = read_outcomes(out)
    if not outcomes:
        raise UsageError(f"{out} holds no outcomes: 'recsys study run --gtzan GTZAN' makes them.")
    folder = to or out
    with busy("comparing"), writing_file(folder):
        written = write_report(outcomes, folder, Timings.read(out))
    if as_json:
        print_json(flat_rows(outcomes))
        return
    say(f"report of {len(outcomes)} networks: {written[0]}, {written[1].name}, and pictures")


@study_app.command("time")
def time_command(
    repetitions: Annotated[
        int, typer.Option(min=1, help="The median of as many batches counts.")
    ] = 20,
    out: Outcomes = OUTCOMES,
    as_json: AsJson = False,
) -> None:
    """Measure how long networks take, on one processor thread.

    Each declared run's takes a clip, with random weights, which do not change the time; each
    shipped model takes a whole track.
    """
    from dataclasses import asdict

    from recommender.embedding.model_files import shipped_models
    from recommender.research.reproduction.latency import FILE, measure

    with counting("timing") as progress:
        command = f"recsys study time --repetitions {repetitions}"
        timings = measure(
            models=shipped_models(), repetitions=repetitions, command=command, progress=progress
        )
    with writing_file(out / FILE):
        timings.write(out)
    if as_json:
        print_json(asdict(timings))
        return
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
    say(f"{timings.device}, threads: {timings.threads}; written: {out / FILE}")


@study_app.command("levers")
def ablation_command(
    gtzan: GtzanPath,
    device: Annotated[
        Device, typer.Option(help="Where to train; auto: on a GPU when there is one.")
    ] = Device.AUTO,
    threads: Threads = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The table, CSV; gets what it lacks.")
    ] = VARIANTS,
    checkpoints: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where interrupted trainings go on from.")
    ] = CHECKPOINTS / "levers",
    as_json: AsJson = False,
) -> None:
    """Train the default model's network with one thing changed at a time.

    What it gives is measured on the validation tracks alone.
    'recsys train default --levers FILE' puts the table into the model's card.
    """
    from dataclasses import asdict

    from recommender.research.datasets import gtzan as data_set
    from recommender.research.model_building import ablation
    from recommender.research.reproduction.formatting import percent, share

    if threads:
        import torch

        torch.set_num_threads(threads)
    with counting("analysis GTZAN") as progress:
        data = data_set.load(gtzan, progress=progress, cache=checkpoints / "gtzan.npz")

    def epoch_ended(changed: str, report: "EpochReport") -> None:
        note(f"{changed}: epoch {report.epoch}, validation loss {report.valid_loss:.3f}")

    def row_added(row: "AblationRow") -> None:
        note(f"{row.changed}, seed {row.seed}: accuracy {100 * row.accuracy:.1f} %")

    with writing_file(out):
        ablation.run_jobs(
            data,
            out,
            checkpoints,
            device=torch_device(device),
            on_epoch=epoch_ended,
            on_row=row_added,
        )
    rows = ablation.read(out)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    print_table(
        ("changed", ">seeds", ">accuracy %", ">log loss"),
        (
            (
                line.changed,
                line.seeds,
                percent(line.accuracy, line.accuracy_sd),
                share(line.log_loss, line.log_loss_sd),
            )
            for line in ablation.summary(rows)
        ),
    )
    say()
    say(f"validation tracks, the network alone; written: {out}")


def _jobs(
    protocols: list[StudyProtocol] | None, families: list[str] | None, seeds: int | None = None
) -> list["Job"]:
    from recommender.errors import UsageError
    from recommender.research.reproduction.experiments import RUNS
    from recommender.research.reproduction.runner import declared_jobs

    known = {name for run in RUNS for name in (run.name, run.family, run.model)}
    for name in families or ():
        if name not in known:
            raise UsageError(
                f"no run or family is named {name!r}; 'recsys study list' names them all."
            )
    chosen = [p.value for p in protocols or StudyProtocol]
    return declared_jobs(chosen, families, seeds)
