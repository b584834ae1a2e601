"""What real worker processes do in tests: they import this module and little else."""

import os
import signal
import time

from recommender.errors import WeightsError
from recommender.ingestion.file_analysis import AnalysisFailure, FileJob


def load_nothing() -> str:
    return "model"


def load_nothing_of(model: str, windowing: object, limits: object) -> str:
    return model


def load_in_vain() -> str:
    raise WeightsError("the weights are gone")


def load_and_die() -> str:
    os._exit(7)


def misbehave(model: str, job: str) -> str:
    if job == "crash":
        os._exit(5)
    if job == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if job == "hang":
        time.sleep(1_000)
    return f"{model} {job}"


def analyse_or_die(model: str, job: FileJob) -> AnalysisFailure:
    """Like `analyse_file`, in a process that dies as the name of the file says."""
    name = job.path.stem
    if "segfault" in name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "killed" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    return AnalysisFailure("too-short", "as a test wants it")
