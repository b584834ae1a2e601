"""The ablation of the default network: its table."""

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from toy_gtzan import toy_gtzan, toy_split

from recommender.errors import RecsysError
from recommender.research.datasets import gtzan
from recommender.research.model_building import ablation
from recommender.research.model_building.ablation import (
    DEFAULT,
    ENSEMBLE,
    OTHER_TRAINING,
    VARIANTS,
    AblationRow,
)
from recommender.research.model_building.recipes import NETWORK, RECIPES
from recommender.research.training.augmentation import Augmentation
from recommender.research.training.settings import TrainingSettings
from recommender.research.training.simclr import PretrainingSettings

TINY = TrainingSettings(
    model_settings={"filters": (8, 6)},
    epochs=2,
    batch_size=8,
    ema_decay=0.5,
    crop_frames=20,
    clips_per_track=2,
    augmentation=Augmentation(mask_bands=4, mask_frames=4),
)
FEW = {DEFAULT: TINY, "no ema_decay of weights": dataclasses.replace(TINY, ema_decay=0.0)}


@pytest.fixture
def data(monkeypatch) -> gtzan.Gtzan:
    split = toy_split()
    monkeypatch.setattr(gtzan, "split_ids", lambda protocol, name: split[name])
    monkeypatch.setattr(ablation, "VARIANTS", FEW)
    monkeypatch.setattr(ablation, "SEEDS", (0, 1))
    monkeypatch.setattr(ablation, "PretrainingSettings", partial(PretrainingSettings, epochs=1))
    return toy_gtzan(split)


def test_every_variant_changes_one_thing_of_the_default() -> None:
    assert VARIANTS[DEFAULT] == RECIPES["default"].networks[0] == NETWORK
    for name, settings in VARIANTS.items():
        differing = [
            field.name
            for field in dataclasses.fields(TrainingSettings)
            if getattr(settings, field.name) != getattr(NETWORK, field.name)
        ]
        if name == DEFAULT:
            assert differing == []
        else:
            assert differing in (
                ["model", "model_settings"],
                ["model_settings"],
                ["augmentation"],
                ["weight_decay"],
                ["label_smoothing"],
                ["ema_decay"],
                ["crop_frames"],
            )


@pytest.mark.slow
def test_the_table_is_filled_once_and_resumes(data, tmp_path: Path) -> None:
    path, seen = tmp_path / "ablation.csv", []
    whole = {
        "path": path,
        "checkpoints": tmp_path / "runs",
        "on_row": lambda row: seen.append(row.key),
    }
    ablation.run_ablation(data, **whole, selection=[(DEFAULT, 0)])
    first = ablation.read(path)
    assert [row.key for row in first] == [(DEFAULT, 0)]
    ablation.run_ablation(data, **whole)
    assert seen == [
        (DEFAULT, 0),
        (DEFAULT, 1),
        ("no ema_decay of weights", 0),
        *((name, 0) for name in OTHER_TRAINING),
        (ENSEMBLE, -1),
    ]
    rows = ablation.read(path)
    assert [row.key for row in rows] == seen
    assert rows[:1] == first
    assert rows[-1].epochs == 2 * TINY.epochs
    for row in rows:
        assert 0 <= row.accuracy <= 1
        assert row.log_loss > 0
    ablation.run_ablation(data, **whole)
    assert len(seen) == 4 + len(OTHER_TRAINING)
    losses = {row.log_loss for row in rows if row.seed == 0}
    assert len(losses) == 2 + len(OTHER_TRAINING)  # other training gives other networks


def test_the_summary_is_over_seeds() -> None:
    rows = [
        AblationRow(DEFAULT, seed, 30, 30, accuracy, 1.0, 5.0)
        for seed, accuracy in enumerate((0.6, 0.7))
    ]
    one = AblationRow("no mixup", 0, 30, 30, 0.55, 1.1, 5.0)
    default, mixup = ablation.summary([*rows, one])
    assert (default.variant, default.seeds, mixup.variant, mixup.seeds) == (
        DEFAULT,
        2,
        "no mixup",
        1,
    )
    assert default.accuracy == pytest.approx(0.65)
    assert default.accuracy_sd == pytest.approx(np.std([0.6, 0.7], ddof=1), abs=1e-4)
    assert (mixup.accuracy, mixup.accuracy_sd) == (0.55, None)


def test_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("model,seed\nfast,0\n")
    with pytest.raises(RecsysError, match="no table of an ablation"):
        ablation.read(path)
    assert ablation.read(tmp_path / "absent.csv") == []
