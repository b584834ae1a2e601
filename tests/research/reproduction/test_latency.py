"""Latency of networks and models."""

from dataclasses import replace
from pathlib import Path

import pytest
from toy_outcomes import outcome

from recommender.errors import DatasetError, UsageError
from recommender.research.reproduction import latency
from recommender.research.reproduction.experiments import run_named
from recommender.research.reproduction.latency import ModelTiming, RunTiming, Timings
from recommender.research.reproduction.report import report_text


def test_timings_are_measured_written_and_reported(tmp_path: Path) -> None:
    assert Timings.read(tmp_path) is None
    runs = [run_named("lstm-10"), run_named("conv1d-2-blocks")]
    progress: list[tuple[int, int]] = []
    timings = latency.measure(
        runs,
        ["fast", "lstm"],
        repetitions=1,
        command="as here",
        progress=lambda *done: progress.append(done),
    )
    assert progress == [(1, 4), (2, 4), (3, 4), (4, 4)]
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
