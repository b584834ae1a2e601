"""Latency of the declared runs' networks by clip, and of shipped models by whole track.

Weights do not change the time: the runs' networks are measured with random ones, and the models on
noise. Timings of different machines, or of a busy one, cannot be compared.
"""

import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from recommender.embedding.embedder import Embedder
from recommender.errors import DatasetError, UsageError
from recommender.networks import GenreNetwork, create_model
from recommender.research.datasets import gtzan
from recommender.research.reproduction.experiments import CLIP_FRAMES, RUNS, StudyRun
from recommender.research.reproduction.splits import CLIPS_PER_TRACK
from recommender.utils.files import replace_file

FILE = "timing.json"
WARM_UP = 3
"""Repetitions before the measured ones."""
THREADS = 1


@dataclass(frozen=True)
class RunTiming:
    """Latency of a run's network of so many parameters."""

    run: str
    parameters: int
    milliseconds_per_clip: float


@dataclass(frozen=True)
class ModelTiming:
    """Latency of a shipped model, from the spectrograms of a decoded track on.

    Attributes:
        model: its name.
        windows: of a track, as its card says.
        milliseconds_per_track: for networks, descriptors and head together.
    """

    model: str
    windows: int
    milliseconds_per_track: float


@dataclass(frozen=True)
class Timings:
    """Latencies, and how they were measured.

    Attributes:
        device: the processor, in words.
        threads: of the processor.
        clips, bands, frames: shape of a batch.
        repetitions: the median is over.
        command: that produced it.
        runs, models: in the order measured.
    """

    device: str
    threads: int
    clips: int
    bands: int
    frames: int
    repetitions: int
    command: str
    runs: tuple[RunTiming, ...]
    models: tuple[ModelTiming, ...] = ()

    def write(self, folder: Path) -> None:
        """Write `FILE` in `folder` atomically. Raises `OSError`."""
        replace_file(folder / FILE, (json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> "Timings | None":
        """Read from `folder`; None where nothing was measured.

        Raises:
            DatasetError: the file is damaged.
        """
        path = folder / FILE
        if not path.exists():
            return None
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            values["runs"] = tuple(RunTiming(**run) for run in values["runs"])
            values["models"] = tuple(ModelTiming(**one) for one in values.get("models", ()))
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{path} cannot be read ({error}): measure again with 'recsys study time'."
            ) from error


def measure(
    runs: Sequence[StudyRun] = RUNS,
    models: Sequence[str] = (),
    *,
    repetitions: int = 20,
    command: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Timings:
    """Time networks and models on one thread of the processor, evaluating, without gradients.

    A batch is the three clips of one track; the time is the median of the repetitions by clip. A
    model analyses one track.

    Args:
        runs, models: one after the other.
        repetitions: after `WARM_UP` that do not count.
        command: stored in the result.
        progress: called with (done, total).

    Raises:
        UsageError: less than one repetition.
    """
    if repetitions < 1:
        raise UsageError("at least one repetition is needed.")
    report = progress or (lambda done, total: None)
    total = len(runs) + len(models)
    of_runs: list[RunTiming] = []
    of_models: list[ModelTiming] = []
    with _threads(THREADS):
        for run in runs:
            of_runs.append(_timed(run, repetitions))
            report(len(of_runs), total)
        for model in models:
            of_models.append(_model_timed(model, repetitions))
            report(len(runs) + len(of_models), total)
    return Timings(
        device=processor(),
        threads=THREADS,
        clips=CLIPS_PER_TRACK,
        bands=gtzan.N_MELS,
        frames=CLIP_FRAMES,
        repetitions=repetitions,
        command=command,
        runs=tuple(of_runs),
        models=tuple(of_models),
    )


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _timed(run: StudyRun, repetitions: int) -> RunTiming:
    torch.manual_seed(0)
    network: GenreNetwork = create_model(
        run.model, n_mels=gtzan.N_MELS, n_classes=len(gtzan.GENRES), **run.model_settings
    ).eval()
    clips = torch.randn(CLIPS_PER_TRACK, gtzan.N_MELS, CLIP_FRAMES)
    by_clip = _milliseconds(lambda: network(clips), repetitions) / len(clips)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return RunTiming(run.name, parameters, round(by_clip, 3))


def _model_timed(model: str, repetitions: int) -> ModelTiming:
    embedder = Embedder.load(model)
    count = embedder.windowing.count
    frames = embedder.front_end.frames(embedder.windowing.seconds)
    generator = np.random.default_rng(0)
    noise = 10 * generator.standard_normal((count, gtzan.N_MELS, frames), dtype=np.float32)
    windows = list(noise)
    taken = _milliseconds(lambda: embedder.analyse_spectrograms(windows), repetitions)
    return ModelTiming(model, count, round(taken, 2))


def _milliseconds(task: Callable[[], object], repetitions: int) -> float:
    """Median over the repetitions."""
    seconds = []
    with torch.inference_mode():
        for _ in range(WARM_UP + repetitions):
            start = time.perf_counter()
            task()
            seconds.append(time.perf_counter() - start)
    return 1000 * float(np.median(seconds[WARM_UP:]))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
