"""`recsys study` and the checks of `recsys train`, from end to end."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from toy_gtzan import noise
from toy_outcomes import outcome

from recommender.cli import main
from recommender.research.reproduction.experiments import RUNS
from recommender.research.reproduction.outcomes import append_outcome, read_outcomes
from recommender.research.reproduction.published_results import packaged_study


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """Noise as a log-Mel archive."""
    data = noise(["filtered"])
    path = tmp_path_factory.mktemp("gtzan") / "noise.npz"
    np.savez(path, track_id=data.track_ids, logmel=data.log_mel, range_db=data.range_db)
    return path


def study(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from recommender.cli import main; main()", "study"]
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def recsys(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["recsys", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


class TestRun:
    @pytest.mark.slow
    def test_every_run_takes_one_step_on_noise(self, archive: Path, tmp_path: Path) -> None:
        done = study(
            "run", "--gtzan", archive, "--protocol", "filtered", "--smoke-test",
            *("--out", tmp_path, "--checkpoints", tmp_path / "c", "--device", "cpu"),
            *("--threads", 1),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        outcomes = read_outcomes(tmp_path)
        assert {o.run for o in outcomes} == {run.name for run in RUNS}
        assert {(o.epochs, o.smoke_test) for o in outcomes} == {(1, True)}
        listed = json.loads(study("list", "--out", tmp_path, "--json").stdout)
        done_jobs = [job for job in listed if job["done"]]
        assert len(done_jobs) == len(RUNS)
        assert {(job["protocol"], job["seed"]) for job in done_jobs} == {("filtered", 0)}

    @pytest.mark.parametrize("option", ["--smoke-test", "--rehearse"])
    def test_one_run_takes_one_step_on_noise(
        self, archive: Path, tmp_path: Path, monkeypatch, option: str
    ) -> None:
        """The former name of the option still works."""
        chosen = ("--protocol", "filtered", "--family", "lstm-10", "--device", "cpu")
        run = ("study", "run", "--gtzan", archive, "--out", tmp_path / "out", option)
        assert recsys(monkeypatch, *run, *chosen) == 0
        [one] = read_outcomes(tmp_path / "out")
        assert (one.run, one.epochs, one.smoke_test) == ("lstm-10", 1, True)
        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    def test_unknown_family_is_one_line(self, archive: Path, tmp_path: Path) -> None:
        done = study("run", "--gtzan", archive, "--out", tmp_path, "--family", "perceptron")
        assert done.returncode == 1
        assert done.stderr.startswith("recsys: no run or family is named 'perceptron'")
        assert "Traceback" not in done.stderr

    def test_a_copy_that_lacks_tracks_is_one_line(self, archive: Path, tmp_path: Path) -> None:
        done = study("run", "--gtzan", archive, "--out", tmp_path, "--checkpoints", tmp_path)
        assert done.returncode == 1
        assert "are not in this copy of GTZAN" in done.stderr
        assert "Traceback" not in done.stderr


class TestReport:
    def test_outcomes_of_a_folder(self, tmp_path: Path, monkeypatch, capsys) -> None:
        pytest.importorskip("matplotlib")
        report = ("study", "report", "--out", tmp_path, "--to", tmp_path / "to")
        assert recsys(monkeypatch, *report) == 1
        output = capsys.readouterr()
        assert output.out == ""
        assert "recsys study run" in output.err
        assert len(output.err.splitlines()) == 1
        append_outcome(tmp_path, outcome("lstm-128"))
        assert recsys(monkeypatch, *report, "--json") == 0
        assert [row["run"] for row in json.loads(capsys.readouterr().out)] == ["lstm-128"]
        written = {path.name for path in (tmp_path / "to").iterdir()}
        assert written == {"report.md", "study.csv", "pictures"}
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        assert recsys(monkeypatch, *report) == 1
        assert "needs matplotlib, of the extra 'study': pip install" in capsys.readouterr().err

    def test_packaged_outcomes_from_any_folder(self, tmp_path: Path, monkeypatch, capsys) -> None:
        """Nothing is written where no folder is given, and the page is the committed one."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "80")  # a page of tables is not wrapped
        before = {path: path.stat().st_mtime_ns for path in packaged_study().iterdir()}
        assert recsys(monkeypatch, "study", "report") == 0
        page = capsys.readouterr().out
        assert recsys(monkeypatch, "study", "list", "--json") == 0
        listed = json.loads(capsys.readouterr().out)
        assert sum(job["done"] for job in listed) == 64
        assert list(tmp_path.iterdir()) == []
        assert {path: path.stat().st_mtime_ns for path in packaged_study().iterdir()} == before
        committed = packaged_study() / "report.md"
        if committed.exists():  # the wheel is without it
            assert committed.read_text(encoding="utf-8").startswith(page.rstrip("\n"))


class TestTrain:
    def test_a_missing_extra_is_named_before_anything_is_read(
        self, tmp_path: Path, monkeypatch, capsys
    ) -> None:
        monkeypatch.setitem(sys.modules, "sklearn", None)
        out = tmp_path / "model"
        for command in (
            ("train", "fast", "--gtzan", tmp_path / "absent", "--out", out),
            ("study", "run", "--gtzan", tmp_path / "absent", "--out", out),
            ("study", "ablation", "--gtzan", tmp_path / "absent", "--out", out / "table.csv"),
        ):
            assert recsys(monkeypatch, *command) == 1
            error = capsys.readouterr().err
            assert error == (
                "recsys: this needs sklearn, of the extra 'study': pip install "
                "'recommender[study]'.\n"
            )
        assert not out.exists()

    @pytest.mark.parametrize("option", ["--train-on", "--taught"])
    def test_a_training_set_needs_a_model(
        self, tmp_path: Path, monkeypatch, capsys, option: str
    ) -> None:
        train = ("train", "fast", "--gtzan", tmp_path, "--out", tmp_path / "model")
        assert recsys(monkeypatch, *train, option, "all") == 1
        assert "--train-on train+valid or all and --settings-from" in capsys.readouterr().err

    def test_a_former_name_of_the_command_works(self, tmp_path: Path, monkeypatch, capsys) -> None:
        levers = ("study", "levers", "--gtzan", tmp_path / "absent", "--out", tmp_path / "a.csv")
        assert recsys(monkeypatch, *levers) == 1
        assert "there is no" in capsys.readouterr().err


class TestLayers:
    def test_outcomes_with_layers_have_a_folder_of_their_own(
        self, archive: Path, tmp_path: Path, monkeypatch, capsys
    ) -> None:
        layers = ("--layers", "vocal,harmonic")
        chosen = ("--protocol", "filtered", "--family", "lstm-10", "--device", "cpu")
        run = ("study", "run", "--gtzan", archive, "--out", tmp_path, "--smoke-test")
        assert recsys(monkeypatch, *run, *chosen, *layers) == 0
        [one] = read_outcomes(tmp_path / "layers-harmonic-vocal")
        assert "--layers harmonic,vocal" in one.command
        assert read_outcomes(tmp_path) == []
        capsys.readouterr()
        assert recsys(monkeypatch, *run, *chosen, "--layers", "drums") == 1
        assert capsys.readouterr().err == (
            "recsys: no layer is named 'drums'; choose of: harmonic, percussive, vocal, "
            "accompaniment.\n"
        )

    def test_report_compares_with_the_same_runs_without(
        self, tmp_path: Path, monkeypatch, capsys
    ) -> None:
        append_outcome(tmp_path, outcome("lstm-128", right=30))
        report = ("study", "report", "--out", tmp_path, "--layers", "vocal")
        assert recsys(monkeypatch, *report) == 1
        assert "holds no outcomes: 'recsys study run" in capsys.readouterr().err
        append_outcome(tmp_path / "layers-vocal", outcome("lstm-128", right=36))
        assert recsys(monkeypatch, *report) == 0
        assert "50.0 → 60.0 (+10.0)" in capsys.readouterr().out
