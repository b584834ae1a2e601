"""A server in a process of its own, as `recsys serve` runs it."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from command_line import RECSYS

WAIT_S = 60.0


@dataclass
class Server:
    """A server that runs.

    Attributes:
        lines: what it has printed, line by line.
    """

    process: "subprocess.Popen[str]"
    lines: "queue.Queue[str | None]"

    def line(self) -> str:
        """The next line that it prints. Raises `AssertionError` where it ends before that."""
        found = self.lines.get(timeout=WAIT_S)
        assert found is not None, "the server has ended"
        return found.rstrip("\n")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it to stop; returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)


@contextmanager
def server_process(
    *words: object, database: Path | None = None, command: str = "serve"
) -> Iterator[Server]:
    """Run ``recsys serve --port 0``, or another server, with these options; ended at the end."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if database is not None:
        environment["RECSYS_DB"] = str(database)
    process = subprocess.Popen(
        [*RECSYS, command, "--port", "0", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
        env=environment,
    )
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    try:
        yield Server(process, lines)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _read(process: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)
