"""`recsys models` and `recsys train`."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.output import (
    AsJson,
    Device,
    GtzanPath,
    Threads,
    counted,
    counting,
    note,
    print_json,
    print_table,
    say,
    torch_device,
)

if TYPE_CHECKING:
    from recommender.embedding.model_card import ModelCard
    from recommender.research.training.loop import EpochReport


class Protocol(StrEnum):
    """How GTZAN is split."""

    FILTERED = "filtered"
    STRATIFIED = "stratified"


class Taught(StrEnum):
    """Which sides of the split a model learns from."""

    TRAIN = "train"
    TRAIN_AND_VALID = "train+valid"
    ALL = "all"


def models_command(as_json: AsJson = False) -> None:
    """List the shipped models and the paper's families that can be trained, with their figures."""
    from recommender.embedding.model_files import DEFAULT_MODEL, find_model, shipped_models
    from recommender.research.reproduction.formatting import NONE
    from recommender.research.reproduction.published_results import (
        milliseconds_per_track,
        spread,
        family_results,
    )

    cards = [find_model(name).card for name in shipped_models()]
    families, took = family_results(), milliseconds_per_track()
    if as_json:
        models = [
            {
                **vars(card),
                "default": card.name == DEFAULT_MODEL,
                "milliseconds_per_track": took.get(card.name),
            }
            for card in cards
        ]
        print_json({"models": models, "families": [vars(family) for family in families]})
        return
    say("shipped models, for 'recsys ingest --model' (mean ± deviation over seeds):")
    print_table(
        (
            "model",
            "networks",
            ">test accuracy",
            ">not_analysed artists",
            ">precision@10",
            ">as recommended",
            "seeds",
            ">ms a track",
        ),
        (
            (
                card.name if card.has_test_results else f"{card.name} *",
                card.architecture_summary,
                *(_mean_and_spread(card.measured, figure) for figure in FIGURES),
                len(card.measured.get("seeds", ())),
                f"{took[card.name]:.1f}" if card.name in took else NONE,
            )
            for card in cards
        ),
    )
    if not all(card.has_test_results for card in cards):
        say("* taught all tracks; its figures are those of the same taught the training tracks")
    say()
    say("families of the paper as it trains them, for 'recsys train' ('recsys study report'):")
    print_table(
        ("family", "section", ">parameters", ">test accuracy", ">precision@10", "seeds", "summary"),
        (
            (
                family.name,
                family.section,
                f"{family.parameters:,}",
                spread(family.test_track) + ("" if family.full_length else " (capped)"),
                spread(family.test_precision),
                len(family.test_track),
                family.summary,
            )
            for family in families
        ),
    )


FIGURES = ("test_track", "disjoint_track", "test_precision", "reranked_test_precision")


def _mean_and_spread(results: Mapping[str, Any], name: str) -> str:
    from recommender.research.reproduction.formatting import NONE, percent

    figures = results.get(name)
    return f"{percent(figures['mean'], figures['sd'])} %" if figures else NONE


def train_command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="'default', 'fast' (without a network), 'best' (several networks), or a family of "
            "the paper; 'recsys models' lists them.",
        ),
    ],
    gtzan: GtzanPath,
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
    taught: Annotated[
        Taught,
        typer.Option(
            help="The sides to learn from. With more than 'train' nothing is chosen: every choice "
            "is taken from the model in --as-chosen-in.",
        ),
    ] = Taught.TRAIN,
    as_chosen_in: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A model made by the same recipe from 'train' alone, for --taught train+valid or "
            "all.",
        ),
    ] = None,
    levers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What 'recsys study levers' wrote: goes into the card, as what was tried.",
        ),
    ] = None,
    device: Annotated[
        Device, typer.Option(help="Where to train; auto: on a GPU when there is one.")
    ] = Device.AUTO,
    threads: Threads = None,
) -> None:
    """Train a model on GTZAN; an interrupted run goes on where it was."""

    from recommender.research.datasets import gtzan as data_set
    from recommender.research.model_building.build import build_model
    from recommender.research.model_building.recipes import recipe
    from recommender.research.model_building.refit import refit_model

    recipe = recipe(name)
    numbers = _seed_numbers(seeds)
    chosen = _chosen_model(taught, as_chosen_in)
    if threads:
        import torch

        torch.set_num_threads(threads)
    if epochs:
        shortened = tuple(replace(network, epochs=epochs) for network in recipe.networks)
        recipe = replace(recipe, networks=shortened)
    with counting("analysis GTZAN") as progress:
        data = data_set.load(gtzan, progress=progress, cache=out / "gtzan.npz")
    for track_id, reason in data.missing:
        note(f"skipped {track_id}: {reason}")

    def told(what: str, network: int, report: "EpochReport") -> None:
        judged = (
            ""
            if chosen is not None
            else f"validation loss {report.valid_loss:.3f}, accuracy {report.valid_accuracy:.3f}; "
        )
        which = f" network {network + 1}" if len(recipe.networks) > 1 else ""
        note(
            f"{what}{which} epoch {report.epoch}/{recipe.networks[network].epochs}: "
            f"loss {report.train_loss:.3f}, accuracy {report.train_accuracy:.3f}; {judged}"
            f"{report.seconds:.1f} s"
        )

    command = f"recsys train {name} --gtzan GTZAN --protocol {protocol.value} --seeds {seeds}" + (
        f" --epochs {epochs}" if epochs else ""
    )
    where = torch_device(device)
    tried = [] if levers is None else _tried(levers)
    if chosen is None:
        card = build_model(
            name,
            recipe,
            data,
            out,
            numbers,
            protocol=protocol.value,
            device=where,
            command=command,
            tried=tried,
            on_epoch=told,
        )
    else:
        card = refit_model(
            chosen,
            recipe,
            data,
            out,
            numbers,
            taught.value,
            device=where,
            command=f"{command} --taught {taught.value} --as-chosen-in FOLDER",
            tried=tried,
            on_epoch=told,
        )
    for ran in card.training["networks"]:
        say(f"seed {numbers[0]}: best epoch {ran['best_epoch']} of {ran['epochs_run']} run")
    over = counted(len(numbers), "seed")
    for figure in ("valid_track", *FIGURES) if card.has_test_results else ():
        say(f"{figure}: {_mean_and_spread(card.results, figure)} over {over}")
    say(f"weights, card and results: {out}")


def _chosen_model(taught: Taught, folder: Path | None) -> "ModelCard | None":
    """The card of the model that choices are taken from; None where they are made."""
    from recommender.embedding.model_files import find_model
    from recommender.errors import UsageError

    if (taught is Taught.TRAIN) != (folder is None):
        raise UsageError(
            "--taught train+valid or all and --as-chosen-in FOLDER go together: first train on "
            "'train' alone, then name the folder that it went to."
        )
    return None if folder is None else find_model(str(folder)).card


def _tried(path: Path) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from recommender.errors import UsageError
    from recommender.research.model_building.ablation import read, summary

    rows = read(path)
    if not rows:
        raise UsageError(f"{path} holds no levers: 'recsys study levers --gtzan GTZAN' fills it.")
    return [asdict(line) for line in summary(rows)]


def _seed_numbers(text: str) -> list[int]:
    from recommender.errors import UsageError

    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--seeds takes numbers such as 0,1,2, not {text!r}.") from None
