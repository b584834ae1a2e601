"""`recsys models` and `recsys train`."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from recommender.cli.output import (
    AsJson,
    Device,
    counting,
    note,
    print_json,
    print_table,
    say,
    torch_device,
)


class Protocol(StrEnum):
    """How GTZAN is split."""

    FILTERED = "filtered"
    STRATIFIED = "stratified"


def models_command(as_json: AsJson = False) -> None:
    """List the shipped models with what was measured, and the architectures that can be trained."""
    from recommender.models import registered
    from recommender.models.registry import model_names
    from recommender.weights import DEFAULT_MODEL, find, shipped_models

    cards = [find(name).card for name in shipped_models()]
    if as_json:
        print_json([{**vars(card), "default": card.name == DEFAULT_MODEL} for card in cards])
        return
    print_table(
        ("model", "architecture", ">test accuracy", ">unheard artists", ">precision@10", "seeds"),
        (
            (
                card.name + (" (default)" if card.name == DEFAULT_MODEL else ""),
                card.architecture,
                _mean_and_spread(card.results, "test_track"),
                _mean_and_spread(card.results, "disjoint_track"),
                _mean_and_spread(card.results, "test_precision"),
                len(card.results.get("seeds", ())),
            )
            for card in cards
        ),
    )
    say()
    say("architectures for 'recsys train':")
    print_table(("name", "summary"), ((n, registered(n).summary) for n in model_names()))


def _mean_and_spread(results: object, name: str) -> str:
    figures = results.get(name) if isinstance(results, dict) else None
    if not figures:
        return "not measured"
    spread = "" if figures["sd"] is None else f" ± {100 * figures['sd']:.1f}"
    return f"{100 * figures['mean']:.1f}{spread} %"


def train_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="An architecture; 'recsys models' lists them.")
    ],
    gtzan: Annotated[
        Path,
        typer.Option(
            metavar="PATH", help="GTZAN: a folder of ten genre folders, or a log-Mel archive."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Where weights, their card, results and checkpoints go."
        ),
    ],
    seeds: Annotated[
        str,
        typer.Option(
            metavar="NUMBERS",
            help="Comma-separated. A network is trained with each; all are reported, the weights "
            "of the first are kept.",
        ),
    ] = "0",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Passes over the training data. Default: the recipe's."),
    ] = None,
    protocol: Annotated[
        Protocol,
        typer.Option(help="The split: fault-filtered, or stratified by genre."),
    ] = Protocol.FILTERED,
    device: Annotated[
        Device, typer.Option(help="Where to train; auto: on a GPU when there is one.")
    ] = Device.AUTO,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processor threads. Default: torch's choice.")
    ] = None,
) -> None:
    """Train a genre network on GTZAN; an interrupted run goes on where it was."""

    from recommender import gtzan as data_set
    from recommender.models import registered
    from recommender.recipe import make_model
    from recommender.training import EpochReport, TrainingSettings

    registered(name)
    numbers = _seed_numbers(seeds)
    if threads:
        import torch

        torch.set_num_threads(threads)
    settings = TrainingSettings(model=name)
    if epochs:
        settings = replace(settings, epochs=epochs)
    with counting("hearing GTZAN") as progress:
        data = data_set.load(gtzan, progress=progress, cache=out / "gtzan.npz")
    for track_id, reason in data.missing:
        note(f"skipped {track_id}: {reason}")

    def told(seed: int, report: EpochReport) -> None:
        note(
            f"seed {seed} epoch {report.epoch}/{settings.epochs}: loss {report.train_loss:.3f}, "
            f"validation loss {report.valid_loss:.3f}, accuracy {report.valid_accuracy:.3f}, "
            f"{report.seconds:.1f} s"
        )

    command = f"recsys train {name} --gtzan GTZAN --protocol {protocol.value} --seeds {seeds}" + (
        f" --epochs {epochs}" if epochs else ""
    )
    card = make_model(
        settings,
        data,
        out,
        numbers,
        protocol=protocol.value,
        device=torch_device(device),
        command=command,
        on_epoch=told,
    )
    for figure in ("valid_track", "test_track", "disjoint_track", "test_precision"):
        say(f"{figure}: {_mean_and_spread(card.results, figure)} over {len(numbers)} seeds")
    say(f"weights, card and results: {out}")


def _seed_numbers(text: str) -> list[int]:
    from recommender.errors import UsageError

    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--seeds takes numbers such as 0,1,2, not {text!r}.") from None
