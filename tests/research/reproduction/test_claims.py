"""Claims about runs, decided from outcomes made by hand."""

from dataclasses import replace

import numpy as np
from toy_outcomes import FAILS, HOLDS, OPEN, last_epoch, outcome, verdict

from recommender.research.datasets import gtzan
from recommender.research.reproduction.aggregation import results_of
from recommender.research.reproduction.claims import (
    any_reaches,
    beats,
    best,
    no_gain,
    reaches,
    same,
    together,
)
from recommender.research.reproduction.diagnostics import (
    does_not_converge,
    does_not_overfit,
    leans,
    overfits,
    predicts_one_genre,
)


def test_beats_needs_more_than_noise() -> None:
    claim = beats("lstm-128", "lstm-32")
    assert verdict(claim, outcome("lstm-128", 50), outcome("lstm-32", 30)) is HOLDS
    assert verdict(claim, outcome("lstm-128", 30), outcome("lstm-32", 50)) is FAILS
    assert verdict(claim, outcome("lstm-128", 31), outcome("lstm-32", 30)) is OPEN
    assert verdict(claim, outcome("lstm-128", 50)) is OPEN


def test_a_run_that_was_cut_short_decides_nothing() -> None:
    short = outcome("conv2d", 50, epochs_allowed=8)
    finding = beats("conv2d", "lstm-32").decide(
        results_of([short, outcome("lstm-32", 30)], "filtered")
    )
    assert finding.verdict is OPEN
    assert "not run at full length: conv2d" in finding.figures


def test_no_gain_and_same() -> None:
    base = outcome("conv1d-encoder", 40)
    for right, gain, equal in ((40, HOLDS, HOLDS), (20, HOLDS, FAILS), (58, FAILS, FAILS)):
        doubled = outcome("conv1d-encoder-doubled", right)
        assert verdict(no_gain("conv1d-encoder-doubled", "conv1d-encoder"), base, doubled) is gain
        assert verdict(same("conv1d-encoder-doubled", "conv1d-encoder"), base, doubled) is equal
    doubled = outcome("conv1d-encoder-doubled", 42)  # an interval beyond the margin
    assert verdict(no_gain("conv1d-encoder-doubled", "conv1d-encoder"), base, doubled) is OPEN


def test_best_wants_every_rival() -> None:
    claim = best(("lstm-128", "conv1d-encoder"), ("transformer", "conv2d"))
    leaders = [outcome("lstm-128", 50), outcome("conv1d-encoder", 52)]
    rivals = [outcome("transformer", 20), outcome("conv2d", 25)]
    assert verdict(claim, *leaders, *rivals) is HOLDS
    assert verdict(claim, *leaders, rivals[0]) is OPEN
    assert verdict(claim, *leaders, rivals[0], replace(rivals[1], epochs_allowed=8)) is OPEN
    assert verdict(claim, *leaders, outcome("transformer", 60)) is FAILS
    assert verdict(claim, leaders[0], *rivals) is OPEN


def test_overfitting_is_found_at_the_selected_or_at_the_last_epoch() -> None:
    fits = outcome("conv2d")
    kept = outcome("conv2d", train_clip=0.65, valid_clip=0.5)
    late = outcome("conv2d", history=last_epoch(0.9, 0.5))
    short = replace(fits, epochs_allowed=8)
    for outcomes, found in ((fits, FAILS), (kept, HOLDS), (late, HOLDS), (short, OPEN)):
        assert verdict(overfits("conv2d"), outcomes) is found
    assert verdict(does_not_overfit("conv2d"), fits) is HOLDS
    assert verdict(does_not_overfit("conv2d"), late) is FAILS
    # More epochs can only make it worse.
    assert verdict(overfits("conv2d"), replace(late, epochs_allowed=8)) is HOLDS


def test_one_genre_only_and_leaning() -> None:
    name = "conv1d-2-blocks-regularised"
    disco = gtzan.GENRES.index("disco")
    shares = np.full(10, 0.04 / 9)
    shares[disco] = 0.96
    stuck = outcome(name, clips_predicted=tuple(shares))
    assert verdict(predicts_one_genre(name), stuck) is HOLDS
    assert verdict(predicts_one_genre(name), outcome(name)) is FAILS
    assert verdict(leans(name, "disco"), stuck) is HOLDS
    assert verdict(leans(name, "jazz"), stuck) is FAILS
    assert verdict(leans(name, "disco"), outcome(name)) is FAILS
    assert verdict(leans(name, "disco"), stuck, outcome(name, seed=1)) is OPEN


def test_reaching_and_converging() -> None:
    claim = reaches("resnet50", 0.5)
    for right, found in ((45, HOLDS), (15, FAILS), (30, OPEN)):
        assert verdict(claim, outcome("resnet50", right)) is found
    short = outcome("resnet50", 15, epochs_allowed=5)
    assert verdict(claim, short) is OPEN
    assert verdict(claim, replace(outcome("resnet50", 45), epochs_allowed=5)) is HOLDS
    assert verdict(any_reaches(0.8), outcome("lstm-128", 59)) is HOLDS
    assert verdict(any_reaches(0.8), outcome("lstm-128", 30), short) is FAILS
    assert verdict(any_reaches(0.8), short) is OPEN
    stuck = outcome("resnet101", 6)
    assert verdict(does_not_converge("resnet101"), stuck) is HOLDS
    assert verdict(does_not_converge("resnet101"), outcome("resnet101", 30)) is FAILS
    assert verdict(does_not_converge("resnet101"), replace(stuck, epochs_allowed=3)) is OPEN


def test_claims_together() -> None:
    assert together([HOLDS, HOLDS]) is HOLDS
    assert together([HOLDS, OPEN]) is OPEN
    assert together([OPEN, FAILS, HOLDS]) is FAILS
