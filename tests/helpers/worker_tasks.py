"""What workers do in tests: their processes die and hang as the job says."""

import os
import signal
from pathlib import Path

import reader_tasks

from recommender.errors import WeightsError, WorkerCrashed, WorkerTimedOut
from recommender.ingestion.file_analysis import AnalysisFailure, FileJob
from recommender.ingestion.file_reader import FileReader
from recommender.ingestion.worker_limits import FileLimits

ANYWHERE = Path(os.devnull)


def load_reader() -> FileReader:
    return FileReader(FileLimits(timeout_s=2), decodes=False)


def load_reader_of(model: str, windowing: object, limits: FileLimits) -> FileReader:
    return FileReader(limits, decodes=False)


def load_in_vain() -> FileReader:
    raise WeightsError("the weights are gone")


def misbehave(reader: FileReader, job: str) -> object:
    try:
        if job == "crash":
            reader.call(reader_tasks.end, ANYWHERE)
        if job == "segfault":
            reader.call(reader_tasks.die, ANYWHERE, signal.SIGSEGV)
        if job == "hang":
            reader.call(reader_tasks.hang, ANYWHERE)
        return reader.call(reader_tasks.process_id, ANYWHERE)
    except (WorkerCrashed, WorkerTimedOut) as error:
        return error


def analyse_or_die(reader: FileReader, job: FileJob) -> AnalysisFailure | WorkerCrashed:
    """Like `analyse_file`, by a process that dies as the name of the file says."""
    name = job.path.stem
    try:
        if "segfault" in name:
            reader.call(reader_tasks.die, job.path, signal.SIGSEGV)
        if "killed" in name:
            reader.call(reader_tasks.die, job.path, signal.SIGKILL)
    except WorkerCrashed as error:
        return error
    return AnalysisFailure("too-short", "as a test wants it")
