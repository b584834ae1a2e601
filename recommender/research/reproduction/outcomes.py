"""Outcomes of the study's runs: one table, a line for each run, protocol and seed.

The table is JSON Lines: a line is appended when its run ends and holds all that the report needs,
down to the predictions of single tracks. Learning curves are stored column by column.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock

from recommender.errors import DatasetError
from recommender.research.training.settings import EpochReport
from recommender.utils.files import replace_file

TABLE = "outcomes.jsonl"
LOCK = ".outcomes.lock"

Key = tuple[str, str, int]
"""Run, protocol and seed."""


@dataclass(frozen=True)
class Outcome:
    """One trained network, evaluated. Accuracies and precisions are between 0 and 1.

    Attributes:
        run, protocol, seed: which.
        smoke_test: True where it was only one step to try the code: then no figure counts.
        device: what it was trained on, and how many threads.
        parameters: of the network.
        epochs_allowed: at most; fewer than declared where the run was capped.
        epochs, best_epoch: trained for, and the one that was selected.
        seconds_per_epoch: median, with the evaluation on the validation tracks.
        train_clip: accuracy by clip on the training split, of the selected network.
        valid_track, valid_clip, test_track, test_clip, disjoint_track, disjoint_clip: accuracies by
            track (mean of the clips' probabilities) and by 10 s clip; disjoint: of the
            artist-disjoint test tracks; None where the protocol has none.
        valid_precision, test_precision: precision@10 with artist filter among the tracks of the
            split; None where clips are split, and where all activations are the same.
        projection: the one the precisions are of, chosen on the validation split.
        history: the epochs.
        labels: genre index of each test track, in the order of the split.
        predicted: predicted genre index of each test track.
        clips_predicted: part of the test clips predicted as each genre.
        precisions: precision@10 of each test track; None for those without a relevant candidate.
        command: that produced it.
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

    @property
    def key(self) -> Key:
        """Identifies the outcome in a table."""
        return self.run, self.protocol, self.seed

    @property
    def name(self) -> str:
        """For messages: ``filtered/lstm-10-seed-0``."""
        return f"{self.protocol}/{self.run}-seed-{self.seed}"

    def to_json(self) -> str:
        """One line, without a line break."""
        epochs = [asdict(epoch) for epoch in self.history]
        columns = [field.name for field in fields(EpochReport) if field.name != "epoch"]
        values = {
            **asdict(self),
            "history": {name: [epoch[name] for epoch in epochs] for name in columns},
        }
        return json.dumps(values, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> "Outcome":
        """Parse a line. Raises `ValueError`, `KeyError` or `TypeError` when it is no outcome."""
        values: dict[str, Any] = json.loads(line)
        history = values["history"]
        rows = zip(*history.values(), strict=True)
        values["history"] = tuple(
            EpochReport(epoch=epoch, **dict(zip(history, row, strict=True)))
            for epoch, row in enumerate(rows, start=1)
        )
        for name in ("labels", "predicted", "clips_predicted", "precisions"):
            values[name] = tuple(values[name])
        return cls(**values)


def append_outcome(folder: Path, outcome: Outcome) -> None:
    """Add an outcome to the table in `folder`, atomically; processes may do so at the same time.

    An outcome of the same run, protocol and seed that is there already stays, unless it was allowed
    fewer epochs: then it is replaced.

    Raises:
        DatasetError: the table is damaged.
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK):
        outcomes = read_outcomes(folder)
        known = {other.key: other for other in outcomes}
        former = known.get(outcome.key)
        if former is None or former.epochs_allowed < outcome.epochs_allowed:
            known[outcome.key] = outcome
            write_outcomes(folder, known.values())


def write_outcomes(folder: Path, outcomes: Iterable[Outcome]) -> None:
    """Replace the table in `folder` atomically. Raises `OSError`."""
    text = "".join(f"{outcome.to_json()}\n" for outcome in outcomes)
    replace_file(folder / TABLE, text.encode())


def read_outcomes(folder: Path) -> list[Outcome]:
    """The outcomes in `folder`, in the order of the table; none where there is no table.

    Raises:
        DatasetError: a line is no outcome.
    """
    path = folder / TABLE
    if not path.exists():
        return []
    outcomes = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            outcomes.append(Outcome.from_json(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(
                f"line {number} of {path} is no outcome of a study run ({error}): remove it and "
                "run the study again."
            ) from error
    return outcomes
