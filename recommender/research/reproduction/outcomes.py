"""What came out of the study's runs: one JSON file for each run, protocol and seed.

A file is written when its run ends and says all that the report needs, down to the single tracks.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from recommender.errors import DatasetError
from recommender.research.training.loop import EpochReport
from recommender.utils.files import replace_file


@dataclass(frozen=True)
class Outcome:
    """One trained network, measured. Accuracies and precisions are shares in [0, 1].

    Attributes:
        run, protocol, seed: which.
        smoke_test: True where it was only one step to try the machinery: then no figure counts.
        device: what it was trained on, and how many threads.
        parameters: of the network.
        epochs_allowed: at most; fewer than declared where the run was capped.
        epochs, best_epoch: trained for, and the one that was kept.
        seconds_per_epoch: median, with the measuring of the validation tracks.
        train_clip: accuracy by clip on the training side, of the kept network.
        valid_track, valid_clip, test_track, test_clip, disjoint_track, disjoint_clip: accuracies by
            track (mean of the clips' probabilities) and by 10 s clip; disjoint: of the test tracks
            with an not_analysed artist; None where the protocol has none.
        valid_precision, test_precision: precision@10 with artist filter among the tracks of the
            side; None where clips are split, and where all activations are the same.
        projection: the one the precisions are of, chosen on the validation side.
        history: the epochs.
        predicted: genre index of each test track, in the order of the split.
        clips_predicted: share of the test clips that were called each genre.
        precisions: precision@10 of each test track; None for those without a relevant candidate.
        command: that made it.
    """

    run: str
    protocol: str
    seed: int
    smoke_test: bool
    device: str
    parameters: int
    epochs_allowed: int
    epochs: int
    best_epoch: int
    seconds_per_epoch: float
    train_clip: float
    valid_track: float
    valid_clip: float
    test_track: float
    test_clip: float
    disjoint_track: float | None
    disjoint_clip: float | None
    valid_precision: float | None
    test_precision: float | None
    projection: str
    history: tuple[EpochReport, ...]
    labels: tuple[int, ...]
    predicted: tuple[int, ...]
    clips_predicted: tuple[float, ...]
    precisions: tuple[float | None, ...]
    command: str

    def write(self, folder: Path) -> None:
        """Write under `folder`, replacing the file in one step."""
        path = outcome_path(folder, self.run, self.protocol, self.seed)
        lines = (f"{json.dumps(k)}: {json.dumps(v)}" for k, v in asdict(self).items())
        text = "{\n" + ",\n".join(lines) + "\n}\n"  # a line for each field: readable, and short
        replace_file(path, text.encode())

    @classmethod
    def read(cls, path: Path) -> "Outcome":
        """Parse a file. Raises `DatasetError` when it is missing or no outcome."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            values["history"] = tuple(EpochReport(**epoch) for epoch in values["history"])
            for name in ("labels", "predicted", "clips_predicted", "precisions"):
                values[name] = tuple(values[name])
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{path} is no outcome of a study run ({error}): remove it and run the study again."
            ) from error


def outcome_path(folder: Path, run: str, protocol: str, seed: int) -> Path:
    """Where the outcome of a run is kept."""
    return folder / protocol / f"{run}-seed-{seed}.json"


def read_outcomes(folder: Path) -> list[Outcome]:
    """Every outcome under `folder`, sorted by path."""
    paths: Iterable[Path] = sorted(folder.glob("*/*-seed-*.json"))
    return [Outcome.read(path) for path in paths]
