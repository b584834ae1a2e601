"""The study's report against outcomes made by hand."""

import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.cli import main
from recommender.errors import DatasetError, UsageError
from recommender.evaluation.significance import holm, sign_flip_p
from recommender.research.datasets import gtzan
from recommender.research.reproduction import latency
from recommender.research.reproduction.aggregation import results_of
from recommender.research.reproduction.claims import (
    Verdict,
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
from recommender.research.reproduction.experiments import RUNS, run_named
from recommender.research.reproduction.figures import confusions
from recommender.research.reproduction.latency import ModelTiming, RunTiming, Timings
from recommender.research.reproduction.outcomes import Outcome
from recommender.research.reproduction.paired_tests import (
    family_pairs,
    paired,
    representatives,
)
from recommender.research.reproduction.report import csv_text, flat_rows, report_text, write_report
from recommender.research.reproduction.tables import leak_table, summary_table
from recommender.research.training.loop import EpochReport

HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN
PER_GENRE = 6
LABELS = tuple(label for label in range(10) for _ in range(PER_GENRE))
EVEN = (0.1,) * 10


def outcome(run: str, right: int = 30, seed: int = 0, **changes: Any) -> Outcome:
    """An outcome that analyses the first `right` of 60 tracks, and the others as the next genre."""
    predicted = [y if i < right else (y + 1) % 10 for i, y in enumerate(LABELS)]
    accuracy = round(right / len(LABELS), 4)
    plain = Outcome(
        run=run,
        protocol="filtered",
        seed=seed,
        smoke_test=False,
        device="CPU, threads: 1",
        parameters=1234,
        epochs_allowed=run_named(run).epochs,
        epochs=2,
        best_epoch=1,
        seconds_per_epoch=1.5,
        train_clip=accuracy,
        valid_track=accuracy,
        valid_clip=accuracy,
        test_track=accuracy,
        test_clip=accuracy,
        disjoint_track=accuracy,
        disjoint_clip=accuracy,
        valid_precision=0.3,
        test_precision=0.25,
        projection="standardised",
        history=(
            EpochReport(1, 2.0, accuracy, 2.1, accuracy, 1.0),
            EpochReport(2, 1.0, accuracy, 2.0, accuracy, 1.0),
        ),
        labels=LABELS,
        predicted=tuple(predicted),
        clips_predicted=EVEN,
        precisions=(0.2, 0.3) * 29 + (0.25, None),
        command="by hand",
    )
    return replace(plain, **changes)


def last_epoch(train: float, valid: float) -> tuple[EpochReport, ...]:
    return (EpochReport(1, 2.0, 0.5, 2.1, 0.5, 1.0), EpochReport(2, 1.0, train, 2.0, valid, 1.0))


def verdict(claim: Any, *outcomes: Outcome) -> Verdict:
    found: Verdict = claim.decide(results_of(outcomes, "filtered")).verdict
    return found


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {start} "))


def test_identical_runs_do_not_differ() -> None:
    scores = np.tile([0.0, 1.0, 1 / 3], 20)
    difference = paired(scores, scores.copy())
    assert (difference.value, difference.p, difference.tracks) == (0, 1, 60)
    assert not difference.told
    # Nor do those that are equal but for rounding.
    assert paired(np.mean([[0.2] * 60] * 3, axis=0), np.full(60, 0.2)).p == 1


def test_sign_flip_by_hand() -> None:
    # Of the 2^5 patterns of five equal differences only the two extremes are as far out.
    assert sign_flip_p(np.ones(5)) == pytest.approx(2 / 32)
    assert sign_flip_p(np.array([1.0, 1, 1, 1, 1, 0, 0])) == pytest.approx(2 / 32)
    # 1 1 1 -1 sums to 2, which 5 of 16 patterns reach.
    assert sign_flip_p(np.array([1.0, 1, 1, -1])) == pytest.approx(2 * 5 / 16)
    assert sign_flip_p(np.array([1.0])) == 1
    many = np.ones(290)
    assert sign_flip_p(many) == sign_flip_p(many) < 0.001


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([]) == []


def test_tracks_without_precision_are_left_out() -> None:
    assert paired(np.array([1, np.nan, 1.0]), np.array([0, 0, np.nan])).tracks == 1


def test_mean_and_deviation_over_seeds() -> None:
    outcomes = [outcome("lstm-128", right, seed) for seed, right in enumerate((30, 33, 36))]
    row = results_of(outcomes[::-1], "filtered")["lstm-128"]
    assert [o.seed for o in row.outcomes] == [0, 1, 2]
    assert row.mean("test_track") == pytest.approx(0.55)
    assert row.deviation("test_track") == pytest.approx(0.05)
    assert row.right()[[29, 30, 35, 36]].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    cells = line_of(summary_table(outcomes), "lstm-128").split(" | ")
    assert cells[1:5] == ["72", "55.0 ± 5.0", "55.0 ± 5.0", ".250 ± .000"]


def test_one_seed_has_no_deviation_and_missing_rows_say_so() -> None:
    text = summary_table([outcome("lstm-128")])
    assert "| 50.0 | 50.0 | .250 |" in line_of(text, "lstm-128")
    assert "not run" in line_of(text, "resnet101")
    assert sum("not run" in line for line in text.splitlines()) == len(RUNS) - 1


def test_seeds_that_differ_widen_the_interval() -> None:
    def low(seeds: Sequence[int]) -> float:
        encoder = [outcome("conv1d-encoder", right, s) for s, right in enumerate(seeds)]
        results = results_of([outcome("lstm-128", 30), *encoder], "filtered")
        [pair] = family_pairs(results)
        assert pair.accuracy.value == pytest.approx(-0.2)
        assert pair.accuracy_holm == pair.accuracy.p < 0.01
        return pair.accuracy.high

    assert low([42, 42, 42]) < 0  # told from noise
    assert low([24, 42, 60]) > 0  # other seeds might have turned it


def test_families_are_represented_by_their_last_main_run() -> None:
    names = ["lstm-10", "lstm-32", "resnet50v2", "conv1d-2-blocks", "conv1d-3-blocks"]
    results = results_of([outcome(name) for name in names], "filtered")
    standing = [row.run.name for row in representatives(results)]
    assert standing == ["lstm-32", "conv1d-2-blocks", "resnet50v2"]
    assert len(family_pairs(results)) == 3


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
    pinned_first = [outcome("lstm-128", 50), outcome("conv1d-encoder", 52)]
    rivals = [outcome("transformer", 20), outcome("conv2d", 25)]
    assert verdict(claim, *pinned_first, *rivals) is HOLDS
    assert verdict(claim, *pinned_first, rivals[0]) is OPEN
    assert verdict(claim, *pinned_first, rivals[0], replace(rivals[1], epochs_allowed=8)) is OPEN
    assert verdict(claim, *pinned_first, outcome("transformer", 60)) is FAILS
    assert verdict(claim, pinned_first[0], *rivals) is OPEN


def test_overfitting_is_seen_kept_or_at_the_last_epoch() -> None:
    fits = outcome("conv2d")
    kept = outcome("conv2d", train_clip=0.65, valid_clip=0.5)
    late = outcome("conv2d", history=last_epoch(0.9, 0.5))
    short = replace(fits, epochs_allowed=8)
    for made, found in ((fits, FAILS), (kept, HOLDS), (late, HOLDS), (short, OPEN)):
        assert verdict(overfits("conv2d"), made) is found
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


def leaky(run: str, right: int) -> Outcome:
    return outcome(
        run, right, protocol="paper", disjoint_track=None, disjoint_clip=None,
        valid_precision=None, test_precision=None, projection="", precisions=(),
    )  # fmt: skip


def test_the_leaky_protocol_is_marked_and_its_leak_counted() -> None:
    outcomes = [outcome("lstm-128", 30), leaky("lstm-128", 51)]
    text = report_text(outcomes)
    [heading] = [line for line in text.splitlines() if line.startswith("## LEAKY")]
    rows = text[text.index(heading) :].split("\n\n")[2].splitlines()[2:]
    assert len(rows) == len(RUNS)
    assert all("(LEAKY)" in row for row in rows)
    assert "  - `paper` (LEAKY): **" in text
    assert text.index("## The fault-filtered split") < text.index(heading)
    results = {p: results_of(outcomes, p) for p in ("filtered", "paper", "stratified")}
    row = line_of(leak_table(results), "lstm-128")
    assert row == "| lstm-128 | 50.0 | – | 85.0 | +35.0 | – |"


def test_verdicts_in_the_report_follow_the_figures() -> None:
    def lstm(few: int, some: int, many: int) -> str:
        runs = zip(("lstm-10", "lstm-32", "lstm-128"), (few, some, many), strict=True)
        text = report_text([outcome(name, right) for name, right in runs])
        start = text.index("- The LSTM improves")
        return text[start:].splitlines()[1]

    assert lstm(15, 30, 45) == "  - `filtered`: **holds**"
    assert lstm(45, 30, 15) == "  - `filtered`: **does not hold**"
    assert lstm(30, 30, 31) == "  - `filtered`: **cannot be told**"


def test_capped_rows_are_marked() -> None:
    text = report_text([outcome("conv2d", epochs_allowed=8), outcome("lstm-128")])
    rows = [line for line in text.splitlines() if line.startswith("| conv2d |")]
    assert rows[0].endswith("| 2 † |")
    assert "2, best 1, of 8 (declared 400: not run at full length)" in rows[1]
    assert "†" not in line_of(text, "lstm-128")


def test_rehearsals_and_strangers_are_refused() -> None:
    with pytest.raises(UsageError, match=r"filtered/lstm-10-seed-0\.json is of a smoke_test"):
        report_text([outcome("lstm-10", smoke_test=True)])
    with pytest.raises(DatasetError, match="no declared run"):
        flat_rows([replace(outcome("lstm-10"), run="lstm-11")])
    with pytest.raises(DatasetError, match="other test tracks"):
        csv_text([outcome("lstm-10"), outcome("lstm-32", labels=LABELS[1:])])


def test_csv_has_one_flat_line_an_outcome() -> None:
    outcomes = [outcome("lstm-128", seed=1), leaky("lstm-10", 40), outcome("lstm-128")]
    rows = list(csv.DictReader(io.StringIO(csv_text(outcomes))))
    order = [(row["protocol"], row["run"], row["seed"]) for row in rows]
    assert order == [
        ("filtered", "lstm-128", "0"),
        ("filtered", "lstm-128", "1"),
        ("paper", "lstm-10", "0"),
    ]
    assert {"test_track", "disjoint_track", "test_precision", "parameters", "leaky"} <= set(rows[0])
    assert not {"history", "labels", "predicted", "precisions", "smoke_test"} & set(rows[0])
    assert (rows[2]["leaky"], rows[2]["disjoint_track"], rows[2]["test_track"]) == (
        "True",
        "",
        "0.6667",
    )


def test_confusions_are_summed_over_seeds() -> None:
    results = results_of([outcome("conv2d", 6), outcome("conv2d", 60, seed=1)], "filtered")
    counts = confusions(results["conv2d"])
    assert counts.sum() == 120
    assert counts[0, 0] == 12
    assert (counts[1, 1], counts[1, 2]) == (6, 6)


def test_the_same_outcomes_give_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    outcomes = [outcome("lstm-128", 30), outcome("lstm-128", 33, 1), outcome("lstm-10", 20)]
    first = write_report(outcomes, tmp_path / "a")
    second = write_report(outcomes[::-1], tmp_path / "b")
    names = [path.relative_to(tmp_path / "a").as_posix() for path in first]
    assert names == [
        "report.md",
        "study.csv",
        "pictures/learning-lstm.png",
        "pictures/confusion-lstm-128.png",
    ]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_size < 80_000
    assert all(f"]({name})" in first[0].read_text("utf-8") for name in names[2:])


def test_timings_are_measured_written_and_reported(tmp_path: Path) -> None:
    assert Timings.read(tmp_path) is None
    runs = [run_named("lstm-10"), run_named("conv1d-2-blocks")]
    told: list[tuple[int, int]] = []
    timings = latency.measure(
        runs,
        ["fast", "lstm"],
        repetitions=1,
        command="as here",
        progress=lambda *done: told.append(done),
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [model.model for model in timings.models] == ["fast", "lstm"]
    assert all(model.milliseconds_per_track > 0 and model.windows == 5 for model in timings.models)
    assert [run.run for run in timings.runs] == ["lstm-10", "conv1d-2-blocks"]
    assert all(run.milliseconds_per_clip > 0 and run.parameters > 1000 for run in timings.runs)
    timings.write(tmp_path)
    assert Timings.read(tmp_path) == timings
    known = replace(
        timings,
        device="an abacus",
        runs=(RunTiming("lstm-10", 6846, 1.234),),
        models=(ModelTiming("fast", 5, 7.06),),
    )
    text = report_text([outcome("lstm-10")], known)
    assert "`as here` on an abacus, threads: 1" in text
    assert "| lstm-10 | 1.23 | 6,846 |" in text
    assert "| fast | 5 | 7.1 |" in text
    assert "| lstm-32 | not measured | – |" in text
    (tmp_path / latency.FILE).write_text("{}")
    with pytest.raises(DatasetError, match="recsys study time"):
        Timings.read(tmp_path)
    with pytest.raises(UsageError, match="repetition"):
        latency.measure(runs, repetitions=0)


def recsys(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["recsys", "study", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    report = ("report", "--out", str(tmp_path), "--to", str(tmp_path / "to"))
    assert recsys(monkeypatch, *report) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "recsys study run" in said.err
    assert len(said.err.splitlines()) == 1
    outcome("lstm-128").write(tmp_path)
    assert recsys(monkeypatch, *report, "--json") == 0
    assert [row["run"] for row in json.loads(capsys.readouterr().out)] == ["lstm-128"]
    written = {path.name for path in (tmp_path / "to").iterdir()}
    assert written == {"report.md", "study.csv", "pictures"}
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert recsys(monkeypatch, *report) == 1
    assert "plots need matplotlib: pip install" in capsys.readouterr().err
