"""What the server costs under load: latency, processor time of both sides, memory, start.

    python tests/bench/synthetic_catalog.py small.db large.db --tracks 100000
    python tests/bench/serve_load.py large.db [--requests 200000] [--ingest FOLDER] [--keep-cores]

The server runs in one process and the load generator in another, each on a core of its own where
there are two (`--keep-cores`: wherever the system puts them). Requests of `similar` come at a fixed
rate over keep-alive connections, whether or not earlier ones were answered: latency counts from the
time at which a request was due, so that a pause of the server shows in every request that it
delays. Beside it stands the floor: the same load on ``/healthz``, which computes nothing.

- start: from the start of the process to its first line, and to its first list;
- `similar` at `--rate` over `--connections`: p50, p99, largest; processor time of each side;
- ``/rest/getSimilarSongs2``, as players ask for 20 songs like one, at the same rate;
- a radio of 50, one after another;
- with ``--requests N``: so many as fast as they are answered; memory before, on the way and after;
- with ``--ingest FOLDER``: the same load while one niced worker analyses the folder over and over.

The generator writes and reads bytes by itself: a client library would cost more than the server.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

SERVE = "from recommender.cli import main; main()"
TICKS = os.sysconf("SC_CLK_TCK")
WARM_UP = 200


async def answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> bool:
    """Send a request and read its answer; returns whether its status is 200."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    await reader.readexactly(length)
    return head.startswith(b"HTTP/1.1 200")


@dataclass
class Load:
    """What the generator is to do.

    Attributes:
        rate: requests a second; 0 for as fast as they are answered.
    """

    address: str
    paths: list[str]
    count: int
    connections: int
    rate: float
    body: str | None = None

    def request(self, at: int) -> bytes:
        where, path = urlsplit(self.address), self.paths[at % len(self.paths)]
        lines = [
            f"{'GET' if self.body is None else 'POST'} {path} HTTP/1.1",
            f"Host: {where.netloc}",
        ]
        content = b"" if self.body is None else self.body.replace("SEED", path_id(at)).encode()
        if content:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        return "\r\n".join([*lines, "", ""]).encode() + content


def path_of_player(track_id: int) -> str:
    return f"/rest/getSimilarSongs2?id={track_id}&count=20&f=json&c=bench&v=1.16.1"


def path_id(at: int) -> str:
    return str(1 + (at * 7919) % 1000)


async def generate(load: Load) -> dict[str, Any]:
    """Latencies in seconds, failures, and the processor time of this process."""
    latencies = np.zeros(load.count)
    failures = 0
    following = iter(range(load.count))
    where = urlsplit(load.address)
    pairs = [
        await asyncio.open_connection(where.hostname, where.port) for _ in range(load.connections)
    ]
    started, processor = time.perf_counter(), time.process_time()

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal failures
        for at in following:
            due = started + at / load.rate if load.rate else time.perf_counter()
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            if not await answered(reader, writer, load.request(at)):
                failures += 1
            latencies[at] = time.perf_counter() - due
        writer.close()

    await asyncio.gather(*(work(*pair) for pair in pairs))
    return {
        "latencies": latencies.tolist(),
        "failures": failures,
        "seconds": time.perf_counter() - started,
        "processor": time.process_time() - processor,
    }


def on_core(core: int | None) -> Callable[[], None] | None:
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


def generated(load: Load, core: int | None) -> dict[str, Any]:
    """What a generator in a process of its own measures."""
    run = subprocess.run(
        [sys.executable, __file__, "--generate"],
        input=json.dumps(load.__dict__),
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=on_core(core),
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


class Served:
    """The server's process."""

    def __init__(self, database: Path, core: int | None) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, "serve", "--port", "0", "--db", str(database)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=on_core(core),
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        self.first_line = time.perf_counter() - self.started

    def processor(self) -> float:
        """Seconds of processor time up to now."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> dict[str, float]:
        """Megabytes: private, and of mapped files."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        found = dict(line.split(":", 1) for line in lines)
        return {name: int(found[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile")}

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


def row(name: str, found: dict[str, Any], served: float) -> str:
    latencies = 1000 * np.array(found["latencies"])
    count = len(latencies)
    p50, p99 = np.percentile(latencies, [50, 99])
    per = [1000 * seconds / count for seconds in (served, found["processor"])]
    return (
        f"| {name} | {count / found['seconds']:.0f} | {p50:.2f} | {p99:.2f} | "
        f"{latencies.max():.1f} | {per[0]:.2f} | {per[1]:.2f} | {found['failures']} |"
    )


def measured(name: str, server: Served, load: Load, core: int | None) -> None:
    before = server.processor()
    found = generated(load, core)
    print(row(name, found, server.processor() - before), flush=True)


@contextmanager
def ingesting(database: Path, folder: Path | None) -> Iterator[None]:
    """Analyse a folder again and again, with one niced worker."""
    if folder is None:
        yield
        return
    again = (
        f"while true; do {sys.executable} -c '{SERVE}' ingest '{folder}' --db '{database}' "
        "--workers 1 --reanalyze >/dev/null 2>&1; done"
    )
    process = subprocess.Popen(["nice", "-n", "10", "bash", "-c", again], start_new_session=True)
    try:
        time.sleep(5)
        yield
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path, nargs="?")
    parser.add_argument("--generate", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--ingest", type=Path)
    parser.add_argument("--keep-cores", action="store_true")
    options = parser.parse_args()
    if options.generate:
        load = Load(**json.load(sys.stdin))
        json.dump(asyncio.run(generate(load)), sys.stdout)
        return
    cores: list[int | None] = sorted(os.sched_getaffinity(0))[:2]  # type: ignore[assignment]
    mine, other = (None, None) if options.keep_cores or len(cores) < 2 else cores
    server = Served(options.database, mine)
    try:
        run(options, server, other)
    finally:
        server.stop()


def run(options: argparse.Namespace, server: Served, core: int | None) -> None:
    drawn = random.Random(0)
    similar = [f"/api/v1/tracks/{drawn.randint(1, 1000)}/similar?k=10" for _ in range(997)]
    first = Load(server.address, similar[:1], 1, 1, 0)
    generated(first, core)
    listed, spent = time.perf_counter() - server.started, server.processor()
    print(
        f"first line {server.first_line:.2f} s, first list {listed:.2f} s; processor time of the "
        f"server up to then {spent:.2f} s\n"
    )
    generated(Load(server.address, similar, WARM_UP, 4, 0), core)
    print("| load | requests a second | p50, ms | p99, ms | largest | server, CPU ms a request | "
          "generator, CPU ms | failures |\n|---|---:|---:|---:|---:|---:|---:|---:|")  # fmt: skip
    count = int(options.rate * options.seconds)
    similar_load = Load(server.address, similar, count, options.connections, options.rate)
    floor = Load(server.address, ["/healthz"], count, options.connections, options.rate)
    measured("nothing (/healthz)", server, floor, core)
    measured("similar, k = 10", server, similar_load, core)
    songs = [path_of_player(drawn.randint(1, 1000)) for _ in range(997)]
    player_load = Load(server.address, songs, count, options.connections, options.rate)
    measured("getSimilarSongs2, 20 songs", server, player_load, core)
    wanted = '{"seeds": {"like": [SEED]}, "length": {"tracks": 50}}'
    measured(
        "radio of 50", server, Load(server.address, ["/api/v1/radio"], 100, 1, 0, wanted), core
    )
    if options.ingest:
        with ingesting(options.database, options.ingest):
            measured("similar beside an ingest", server, similar_load, core)
    if options.requests:
        parts = 4
        many = Load(server.address, similar, options.requests // parts, options.connections, 0)
        memory = [server.memory()]
        for part in range(parts):
            measured(f"as fast as answered, part {part + 1} of {parts}", server, many, core)
            memory.append(server.memory())
        print(f"\nmemory, MB, before each part of {many.count:,} requests and after the last:")
        for found in memory:
            print(f"  private {found['RssAnon']:.0f}, mapped files {found['RssFile']:.0f}")


if __name__ == "__main__":
    main()
