"""Recognise a worker process that runs the caller's script because it has no ``__main__`` guard.

A spawned process imports the script that started it. If that calls `ingest` without
``if __name__ == "__main__":``, every worker comes to the same call. It ends there with an exit
status by which its parent knows what to say.
"""

import multiprocessing
import sys

WORKER_NAME = "recsys-worker"
UNGUARDED = 79
"""Exit status of a worker that came to the caller's own `ingest`."""


def end_unguarded_worker() -> None:
    """End this process if it is a worker; does nothing in any other."""
    if multiprocessing.current_process().name == WORKER_NAME:
        sys.exit(UNGUARDED)
