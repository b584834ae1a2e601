"""The table of outcomes: written line by line, read back whole."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from toy_outcomes import outcome

from recommender.errors import DatasetError
from recommender.research.reproduction.aggregation import sorted_outcomes
from recommender.research.reproduction.outcomes import (
    TABLE,
    append_outcome,
    read_outcomes,
    write_outcomes,
)
from recommender.research.reproduction.published_results import packaged_study
from recommender.research.reproduction.runner import completed


def test_outcomes_are_read_as_they_were_appended(tmp_path: Path) -> None:
    assert read_outcomes(tmp_path) == []
    outcomes = [outcome("lstm-10"), outcome("lstm-10", seed=1), outcome("conv2d", 12)]
    for one in outcomes:
        append_outcome(tmp_path, one)
    assert read_outcomes(tmp_path) == outcomes
    assert len((tmp_path / TABLE).read_text().splitlines()) == len(outcomes)


def test_an_outcome_that_is_there_stays(tmp_path: Path) -> None:
    append_outcome(tmp_path, outcome("lstm-10", 30))
    append_outcome(tmp_path, outcome("lstm-10", 40))
    assert read_outcomes(tmp_path) == [outcome("lstm-10", 30)]


def test_an_outcome_at_full_length_takes_the_place_of_a_capped_one(tmp_path: Path) -> None:
    capped, other = outcome("conv2d", 20, epochs_allowed=6), outcome("lstm-10")
    for one in (capped, other):
        append_outcome(tmp_path, one)
    assert completed(tmp_path) == {capped.key, other.key}
    assert completed(tmp_path, full=True) == {other.key}
    full = outcome("conv2d", 30)
    append_outcome(tmp_path, full)
    append_outcome(tmp_path, capped)
    assert sorted(read_outcomes(tmp_path), key=lambda one: one.run) == [full, other]
    assert completed(tmp_path, full=True) == {full.key, other.key}


def test_no_outcome_is_lost_when_several_are_appended_at_once(tmp_path: Path) -> None:
    outcomes = [outcome("lstm-128", seed=seed) for seed in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: append_outcome(tmp_path, one), outcomes))
    found = sorted(read_outcomes(tmp_path), key=lambda one: one.seed)
    assert found == outcomes


def test_an_append_that_fails_leaves_the_table_as_it_was(tmp_path: Path, monkeypatch) -> None:
    append_outcome(tmp_path, outcome("lstm-10"))
    before = (tmp_path / TABLE).read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        append_outcome(tmp_path, outcome("lstm-32"))
    assert (tmp_path / TABLE).read_bytes() == before


@pytest.mark.parametrize("line", ['{"run": "lstm-10"}', "{", "[]", '{"history": 1}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    write_outcomes(tmp_path, [outcome("lstm-10")])
    with (tmp_path / TABLE).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DatasetError, match=f"line 2 of .*{TABLE}"):
        read_outcomes(tmp_path)


def test_the_packaged_table_is_whole_and_in_order() -> None:
    outcomes = read_outcomes(packaged_study())
    assert len(outcomes) == 64
    assert outcomes == sorted_outcomes(outcomes)
    assert len({one.key for one in outcomes}) == len(outcomes)
    assert all(len(one.predicted) == len(one.labels) for one in outcomes)
    assert all(len(one.history) == one.epochs for one in outcomes)
