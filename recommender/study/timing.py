"""How long the declared runs' networks take to hear a clip.

Weights do not change the time: the networks are measured with random ones. Timings of different
machines, or of one that does something else meanwhile, do not compare.
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

from recommender import gtzan
from recommender.errors import DatasetError, UsageError
from recommender.files import replace_file
from recommender.models import GenreNetwork, create_model
from recommender.study.protocols import CLIPS_PER_TRACK
from recommender.study.runs import CLIP_FRAMES, RUNS, StudyRun

FILE = "timing.json"
WARM_UP = 3
"""Repetitions before the measured ones."""
THREADS = 1


@dataclass(frozen=True)
class RunTiming:
    """What a run's network takes, with `parameters` of it."""

    run: str
    parameters: int
    milliseconds_per_clip: float


@dataclass(frozen=True)
class Timings:
    """What was measured, and where.

    Attributes:
        device: the processor, in words.
        threads: of the processor.
        clips, bands, frames: shape of a batch.
        repetitions: the median is over.
        command: that made it.
        runs: in the order measured.
    """

    device: str
    threads: int
    clips: int
    bands: int
    frames: int
    repetitions: int
    command: str
    runs: tuple[RunTiming, ...]

    def write(self, folder: Path) -> None:
        """Write `FILE` in `folder`, in one step. Raises `OSError`."""
        replace_file(folder / FILE, (json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> "Timings | None":
        """What is in `folder`; None where nothing was measured.

        Raises:
            DatasetError: the file is no timing.
        """
        path = folder / FILE
        if not path.exists():
            return None
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            values["runs"] = tuple(RunTiming(**run) for run in values["runs"])
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{path} cannot be read ({error}): measure again with 'recsys study time'."
            ) from error


def measure(
    runs: Sequence[StudyRun] = RUNS,
    *,
    repetitions: int = 20,
    command: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Timings:
    """Time the networks on one thread of the processor, evaluating, without gradients.

    A batch is the three clips of one track; the time is the median of the repetitions by clip.

    Args:
        runs: one after the other.
        repetitions: after `WARM_UP` that do not count.
        command: written down.
        progress: told (done, in all).

    Raises:
        UsageError: less than one repetition.
    """
    if repetitions < 1:
        raise UsageError("at least one repetition is needed.")
    found = []
    with _threads(THREADS):
        for run in runs:
            found.append(_timed(run, repetitions))
            if progress is not None:
                progress(len(found), len(runs))
    return Timings(
        device=processor(),
        threads=THREADS,
        clips=CLIPS_PER_TRACK,
        bands=gtzan.N_MELS,
        frames=CLIP_FRAMES,
        repetitions=repetitions,
        command=command,
        runs=tuple(found),
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
    seconds = []
    with torch.inference_mode():
        for _ in range(WARM_UP + repetitions):
            start = time.perf_counter()
            network(clips)
            seconds.append(time.perf_counter() - start)
    by_clip = 1000 * float(np.median(seconds[WARM_UP:])) / len(clips)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return RunTiming(run.name, parameters, round(by_clip, 3))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
