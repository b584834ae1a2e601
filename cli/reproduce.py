"""`recsys study`: the reproduction of the paper's experiments."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.ablation import ablation_command
from recommender.cli.latency import time_command
from recommender.cli.options import AsJson, Device, GtzanPath, Threads, torch_device
from recommender.cli.output import (
    busy,
    note,
    print_json,
    print_page,
    print_table,
    say,
    writing_file,
)
from recommender.cli.study_layers import Layers, chosen_layers, compare_layers
from recommender.cli.training_setup import (
    STUDY_MODULES,
    TrainingDevice,
    load_gtzan,
    require_study_extra,
)

if TYPE_CHECKING:
    from recommender.research.reproduction.outcomes import Key, Outcome
    from recommender.research.reproduction.runner import Job
    from recommender.research.training.settings import EpochReport

study_app = typer.Typer(
    name="study",
    help="Reproduce Rush & Datta's comparative study: list its runs, run them, report.",
    no_args_is_help=True,
)
study_app.command("ablation")(ablation_command)
study_app.command("levers", hidden=True)(ablation_command)

Outcomes = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FOLDER",
        help="The folder of the outcomes. Default: those that come with the package.",
        show_default=False,
    ),
]


class Precision(StrEnum):
    """Arithmetic of the training on a processor."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


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
        "recording are in several splits. Default: all, in this order.",
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
    out: Outcomes = None,
    as_json: AsJson = False,
) -> None:
    """List the declared runs, the paper's figure for each, and which are completed."""
    from recommender.research.reproduction.runner import completed

    jobs = _jobs(protocol, family)
    folder = _outcomes_folder(out)
    keys = completed(folder)
    if as_json:
        print_json(
            [
                {"run": j.run.name, "protocol": j.protocol, "seed": j.seed, "done": j.key in keys}
                for j in jobs
            ]
        )
        return
    _print_jobs(jobs, keys)
    say()
    say(f"{sum(job.key in keys for job in jobs)} of {len(jobs)} networks are trained ({folder})")


def _print_jobs(jobs: list["Job"], keys: set["Key"]) -> None:
    runs = list(dict.fromkeys(job.run for job in jobs))
    protocols = list(dict.fromkeys(job.protocol for job in jobs))

    def done(run: object, name: str) -> str:
        own = [job for job in jobs if job.run is run and job.protocol == name]
        return f"{sum(job.key in keys for job in own)} of {len(own)}"

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


OutcomesToAdd = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="FOLDER",
        help="Where outcomes are added, a line a run; runs that are there are skipped.",
    ),
]
SeedCount = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Only the first N seeds of each run. Default: all."),
]
FullLength = Annotated[
    bool,
    typer.Option(
        "--full",
        help="Train the 2D networks to the paper's epochs on a processor too, for days.",
    ),
]
SmokeTest = Annotated[
    bool,
    typer.Option(
        "--smoke-test",
        help="One step of training on a few tracks, the first seed of each run: tries the "
        "code, evaluates nothing.",
    ),
]
Rehearse = Annotated[bool, typer.Option("--rehearse", hidden=True)]
TrainingPrecision = Annotated[
    Precision,
    typer.Option(
        metavar="float32|bfloat16",
        help="Arithmetic of the training on a processor; bfloat16 takes half the time of the "
        "two-dimensional networks where the processor has AVX-512 BF16.",
    ),
]
Checkpoints = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Where interrupted runs resume from. Default: 'checkpoints' in --out.",
        show_default=False,
    ),
]


@study_app.command("run")
def run_command(
    gtzan: GtzanPath,
    out: OutcomesToAdd,
    protocol: Protocols = None,
    family: Families = None,
    device: TrainingDevice = Device.AUTO,
    threads: Threads = None,
    seeds: SeedCount = None,
    full: FullLength = False,
    precision: TrainingPrecision = Precision.FLOAT32,
    layers: Layers = None,
    smoke_test: SmokeTest = False,
    rehearse: Rehearse = False,
    checkpoints: Checkpoints = None,
) -> None:
    """Run the declared experiments that are not completed; an interrupted one resumes.

    Two processes at once, of different families, make the best use of two processors.
    """
    from recommender.research.reproduction.runner import completed, run_jobs

    require_study_extra(*STUDY_MODULES)
    smoke_test = smoke_test or rehearse
    jobs = _jobs(protocol, family, seeds=1 if smoke_test else seeds)
    checkpoints = checkpoints or out / "checkpoints"
    chosen, folder = chosen_layers(layers, out)
    data = load_gtzan(gtzan, checkpoints / "gtzan.npz", threads)
    keys = completed(folder, full=full)
    waiting = [job for job in jobs if job.key not in keys]
    note(f"{len(waiting)} of {len(jobs)} networks to train")
    with writing_file(out):
        run_jobs(
            waiting,
            data,
            folder,
            checkpoints / folder.relative_to(out),
            device=torch_device(device),
            full=full,
            precision=precision.value,
            layers=chosen,
            smoke_test=smoke_test,
            command=" ".join(
                ["recsys study run --gtzan GTZAN"]
                + (["--full"] if full else [])
                + ([] if precision is Precision.FLOAT32 else [f"--precision {precision.value}"])
                + ([f"--layers {','.join(chosen)}"] if chosen else [])
            ),
            on_epoch=_print_epoch,
            on_outcome=_print_outcome,
        )
    say(f"outcomes: {folder}; 'recsys study report --out {folder}' compares them with the paper")


def _print_epoch(job: "Job", report: "EpochReport") -> None:
    note(
        f"{job.name} epoch {report.epoch}: loss {report.train_loss:.3f}, accuracy "
        f"{report.train_accuracy:.3f}; validation loss {report.valid_loss:.3f}, accuracy "
        f"{report.valid_accuracy:.3f}; {report.seconds:.1f} s"
    )


def _print_outcome(job: "Job", outcome: "Outcome") -> None:
    say(
        f"{job.name}: test accuracy {100 * outcome.test_track:.1f} % by track, "
        f"{100 * outcome.test_clip:.1f} % by clip; best epoch {outcome.best_epoch} of "
        f"{outcome.epochs}"
    )


@study_app.command("report")
def report_command(
    out: Outcomes = None,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where report.md, study.csv and pictures/ go. Default: the page is printed.",
            show_default=False,
        ),
    ] = None,
    layers: Layers = None,
    as_json: AsJson = False,
) -> None:
    """Compare the outcomes with the paper: a page, a table and figures.

    The results of the fault-filtered split come first.
    Those of the paper's split, which leaks, are marked. With --layers: runs with those layers
    against the same runs without.
    """
    from recommender.errors import UsageError
    from recommender.research.reproduction.latency import Timings
    from recommender.research.reproduction.outcomes import read_outcomes
    from recommender.research.reproduction.report import flat_rows, report_text, write_report

    require_study_extra("scipy", *(("matplotlib", "PIL") if to else ()))
    folder = _outcomes_folder(out)
    outcomes = read_outcomes(folder)
    if not outcomes:
        raise UsageError(
            f"{folder} holds no outcomes: 'recsys study run --gtzan GTZAN --out {folder}' adds "
            "them."
        )
    if layers:
        compare_layers(outcomes, layers, folder)
        return
    timings = Timings.read(folder)
    if to is not None:
        with busy("comparing"), writing_file(to):
            written = write_report(outcomes, to, timings)
        note(f"report of {len(outcomes)} networks: {written[0]}, {written[1].name}, and figures")
    if as_json:
        print_json(flat_rows(outcomes))
    elif to is None:
        with busy("comparing"):
            text = report_text(outcomes, timings)
        print_page(text)


study_app.command("time")(time_command)


def _outcomes_folder(out: Path | None) -> Path:
    from recommender.research.reproduction.published_results import packaged_study

    return packaged_study() if out is None else out


def _jobs(
    protocols: list[StudyProtocol] | None, families: list[str] | None, seeds: int | None = None
) -> list["Job"]:
    from recommender.errors import UsageError
    from recommender.research.reproduction.experiments import RUNS
    from recommender.research.reproduction.runner import declared_jobs

    names = {name for run in RUNS for name in (run.name, run.family, run.model)}
    for name in families or ():
        if name not in names:
            raise UsageError(
                f"no run or family is named {name!r}; 'recsys study list' names them all."
            )
    chosen = [p.value for p in protocols or StudyProtocol]
    return declared_jobs(chosen, families, seeds)
