"""The study's report on outcomes made by hand, and on the packaged ones."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from toy_outcomes import LABELS, leaky, line_of, outcome

from recommender.errors import DatasetError, UsageError
from recommender.research.reproduction.aggregation import results_of
from recommender.research.reproduction.experiments import RUNS
from recommender.research.reproduction.figures import confusions
from recommender.research.reproduction.report import csv_text, flat_rows, report_text, write_report
from recommender.research.reproduction.tables import leak_table, summary_table


def test_mean_and_deviation_over_seeds() -> None:
    outcomes = [outcome("lstm-128", right, seed) for seed, right in enumerate((30, 33, 36))]
    row = results_of(outcomes[::-1], "filtered")["lstm-128"]
    assert [o.seed for o in row.outcomes] == [0, 1, 2]
    assert row.mean("test_track") == pytest.approx(0.55)
    assert row.deviation("test_track") == pytest.approx(0.05)
    assert row.correct()[[29, 30, 35, 36]].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    cells = line_of(summary_table(outcomes), "lstm-128").split(" | ")
    assert cells[1:5] == ["72", "55.0 ± 5.0", "55.0 ± 5.0", ".250 ± .000"]


def test_one_seed_has_no_deviation_and_missing_rows_say_so() -> None:
    text = summary_table([outcome("lstm-128")])
    assert "| 50.0 | 50.0 | .250 |" in line_of(text, "lstm-128")
    assert "not run" in line_of(text, "resnet101")
    assert sum("not run" in line for line in text.splitlines()) == len(RUNS) - 1


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
    assert lstm(30, 30, 31) == "  - `filtered`: **inconclusive**"


def test_capped_rows_are_marked() -> None:
    text = report_text([outcome("conv2d", epochs_allowed=8), outcome("lstm-128")])
    rows = [line for line in text.splitlines() if line.startswith("| conv2d |")]
    assert rows[0].endswith("| 2 † |")
    assert "2, best 1, of 8 (declared 400: not run at full length)" in rows[1]
    assert "†" not in line_of(text, "lstm-128")


def test_smoke_tests_and_undeclared_runs_are_refused() -> None:
    with pytest.raises(UsageError, match=r"filtered/lstm-10-seed-0 is of a smoke test"):
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
