"""`recsys train`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.options import Device, Threads, torch_device
from recommender.cli.output import counted, note, say
from recommender.cli.training_setup import (
    STUDY_MODULES,
    TrainingDevice,
    load_data_set,
    load_gtzan,
    require_study_extra,
)

if TYPE_CHECKING:
    from recommender.embedding.model_card import ModelCard
    from recommender.research.datasets.gtzan import Gtzan
    from recommender.research.model_building.build import OnEpoch
    from recommender.research.model_building.recipes import Recipe

FIGURES = {
    "valid_track": "validation accuracy by track",
    "test_track": "test accuracy by track",
    "disjoint_track": "artist-disjoint test accuracy by track",
    "test_precision": "test precision@10, plain cosine",
    "reranked_test_precision": "test precision@10, reranked",
}
"""Printed at the end, where the model has them."""


class Protocol(StrEnum):
    """How GTZAN is split."""

    FILTERED = "filtered"
    STRATIFIED = "stratified"


class DataSetChoice(StrEnum):
    """Data sets whose lists of tracks can be read."""

    CSV = "csv"
    FMA = "fma"
    JAMENDO = "mtg-jamendo"
    AUDIOSET = "audioset"
    MILLION_SONGS = "msd"


class TrainingSet(StrEnum):
    """The splits a model is trained on."""

    TRAIN = "train"
    TRAIN_AND_VALID = "train+valid"
    ALL = "all"


RecipeName = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="'default', 'fast' (without a network), or a family of "
        "the paper; 'recsys models' lists them.",
    ),
]
GtzanOption = Annotated[
    Path | None,
    typer.Option(
        "--gtzan",
        metavar="PATH",
        help="GTZAN: a folder of ten genre folders, or a log-Mel archive.",
        show_default=False,
    ),
]
DataPath = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="In place of GTZAN: a CSV file with the columns path, genre and artist, split by "
        "artist; or the folder of the --data-set.",
        show_default=False,
    ),
]
DataSetName = Annotated[
    DataSetChoice, typer.Option("--data-set", help="What lies at --data; csv: a list.")
]
ModelFolder = Annotated[
    Path,
    typer.Option(metavar="FOLDER", help="For weights, card, results and checkpoints."),
]
Seeds = Annotated[
    str,
    typer.Option(
        metavar="NUMBERS",
        help="Comma-separated. The model is trained with each; all are reported, the weights "
        "of the first are saved.",
    ),
]
HeldOutSeeds = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Train without the held-out genres, four times a seed, with the first N seeds alone. "
        "Default: with every seed.",
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="At most so many. Default: the recipe's."),
]
ProtocolChoice = Annotated[
    Protocol,
    typer.Option(help="The split: fault-filtered, or stratified by genre."),
]
TrainOn = Annotated[
    TrainingSet,
    typer.Option(
        "--train-on",
        help="The splits to train on. Beyond 'train' nothing is chosen: hyper-parameters are "
        "those of the model in --settings-from.",
    ),
]
FormerTrainOn = Annotated[TrainingSet | None, typer.Option("--taught", hidden=True)]
SettingsFrom = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="A model trained by the same recipe on 'train' alone, for --train-on train+valid "
        "or all.",
    ),
]
FormerSettingsFrom = Annotated[Path | None, typer.Option("--as-chosen-in", hidden=True)]
AblationTable = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Table of 'recsys study ablation', to put into the model's card."
    ),
]
FormerAblationTable = Annotated[Path | None, typer.Option("--levers", hidden=True)]


def train_command(
    name: RecipeName,
    out: ModelFolder,
    gtzan: GtzanOption = None,
    data_path: DataPath = None,
    data_set: DataSetName = DataSetChoice.CSV,
    seeds: Seeds = "0",
    held_out_seeds: HeldOutSeeds = None,
    epochs: Epochs = None,
    protocol: ProtocolChoice = Protocol.FILTERED,
    training_set: TrainOn = TrainingSet.TRAIN,
    former_training_set: FormerTrainOn = None,
    settings_from: SettingsFrom = None,
    former_settings_from: FormerSettingsFrom = None,
    ablation: AblationTable = None,
    former_ablation: FormerAblationTable = None,
    device: TrainingDevice = Device.AUTO,
    threads: Threads = None,
) -> None:
    """Train a model on GTZAN, or on other tracks with genres and artists.

    An interrupted run resumes from its checkpoints.
    """
    require_study_extra(*STUDY_MODULES)
    training_set = former_training_set or training_set
    source = _settings_source(training_set, settings_from or former_settings_from)
    numbers, recipe = _seed_numbers(seeds), _find_recipe(name, epochs)
    rows = _ablation_rows(ablation or former_ablation)
    _require_one_data_set(gtzan, data_path, training_set)
    split_by = "artists" if data_path else protocol.value
    command = f"recsys train {name} {_data_words(data_path, data_set, protocol)} --seeds {seeds}"
    command += f" --held-out-seeds {held_out_seeds}" if held_out_seeds else ""
    command += f" --epochs {epochs}" if epochs else ""
    data = _load(gtzan, data_path, data_set, out, threads)
    common: dict[str, Any] = {
        "device": torch_device(device),
        "ablation": rows,
        "on_epoch": _epoch_printer(recipe, validated=source is None),
    }
    if source is None:
        from recommender.research.model_building.build import build_model

        common |= {"protocol": split_by, "command": command}
        common["held_out_seeds"] = held_out_seeds
        card = build_model(name, recipe, data, out, numbers, **common)
    else:
        from recommender.research.model_building.refit import refit_model

        common["command"] = f"{command} --train-on {training_set.value} --settings-from FOLDER"
        card = refit_model(source, recipe, data, out, numbers, training_set.value, **common)
    _print_results(card, numbers, out)


def _data_words(data: Path | None, data_set: DataSetChoice, protocol: Protocol) -> str:
    """The options that name the data, for the card."""
    if data is None:
        return f"--gtzan GTZAN --protocol {protocol.value}"
    return f"--data PATH --data-set {data_set.value}"


def _load(
    gtzan: Path | None, data: Path | None, data_set: DataSetChoice, out: Path, threads: int | None
) -> "Gtzan":
    if data is not None:
        return load_data_set(data_set.value, data, out / "tracks.npz", threads)
    assert gtzan is not None
    return load_gtzan(gtzan, out / "gtzan.npz", threads)


def _require_one_data_set(gtzan: Path | None, data: Path | None, training_set: TrainingSet) -> None:
    from recommender.errors import UsageError

    if (gtzan is None) == (data is None):
        raise UsageError("give either --gtzan PATH or --data PATH.")
    if data is not None and training_set is not TrainingSet.TRAIN:
        raise UsageError(
            "--train-on train+valid and all are for GTZAN: other tracks are trained on 'train'."
        )


def _find_recipe(name: str, epochs: int | None) -> "Recipe":
    from recommender.research.reproduction.experiments import find_recipe

    recipe = find_recipe(name)
    return recipe.with_epochs(epochs) if epochs else recipe


def _epoch_printer(recipe: "Recipe", *, validated: bool) -> "OnEpoch":
    from recommender.research.training.settings import EpochReport

    def print_epoch(what: str, network: int, report: EpochReport) -> None:
        which = f" network {network + 1}" if len(recipe.networks) > 1 else ""
        valid = (
            f"validation loss {report.valid_loss:.3f}, accuracy {report.valid_accuracy:.3f}; "
            if validated
            else ""
        )
        note(
            f"{what}{which} epoch {report.epoch}/{recipe.networks[network].epochs}: "
            f"loss {report.train_loss:.3f}, accuracy {report.train_accuracy:.3f}; {valid}"
            f"{report.seconds:.1f} s"
        )

    return print_epoch


def _print_results(card: "ModelCard", seeds: list[int], out: Path) -> None:
    from recommender.research.reproduction.formatting import percent

    for network in card.training["networks"]:
        say(f"seed {seeds[0]}: best epoch {network['best_epoch']} of {network['epochs_run']}")
    for name, description in FIGURES.items():
        if figures := card.results.get(name):
            mean_and_sd = percent(figures["mean"], figures["sd"])
            say(f"{description}: {mean_and_sd} % ({counted(len(seeds), 'seed')})")
    if not card.has_test_results:
        say("no test results: the model was trained on the test tracks, too")
    say(f"weights, card and results: {out}")


def _settings_source(training_set: TrainingSet, folder: Path | None) -> "ModelCard | None":
    """The card that hyper-parameters are taken from; None where they are chosen."""
    from recommender.embedding.model_files import find_model
    from recommender.errors import UsageError

    if (training_set is TrainingSet.TRAIN) != (folder is None):
        raise UsageError(
            "--train-on train+valid or all and --settings-from FOLDER go together: first train on "
            "'train' alone, then name the folder of that model."
        )
    return None if folder is None else find_model(str(folder)).card


def _ablation_rows(path: Path | None) -> list[dict[str, Any]]:
    """The ablation table over its seeds, for the card; empty without a table."""
    if path is None:
        return []
    from dataclasses import asdict

    from recommender.errors import UsageError
    from recommender.research.model_building.ablation import read, summary

    rows = read(path)
    if not rows:
        raise UsageError(
            f"{path} holds no ablation: 'recsys study ablation --gtzan GTZAN --out {path}' "
            "fills it."
        )
    return [asdict(line) for line in summary(rows)]


def _seed_numbers(text: str) -> list[int]:
    from recommender.errors import UsageError

    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--seeds takes numbers such as 0,1,2, not {text!r}.") from None
