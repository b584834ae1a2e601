"""What the proxy adds to a server: calls and streams through it, beside the same ones direct.

    recsys ingest FOLDER --db small.db
    python tests/bench/proxy_load.py small.db FOLDER [--runs 40]

Supysonic (`tests/peers/make_environments.sh supysonic`) serves the folder, the catalogue is linked
to it, and the proxy stands before it; each is a process. Every call is made direct and through the
proxy in turn, one at a time over connections that are kept: medians and least times of wall-clock,
and processor time of the proxy for each call. The two meet the same server in the same state. Of
similar songs the floor is what the proxy has to ask the server: each song of the list.
"""

import argparse
import http.client
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import pytest
from serving_process import Server, server_process
from supysonic_server import LOGIN, PASSWORD, supysonic

from recommender.catalog import Catalog
from recommender.server.linking.link import link

TICKS = os.sysconf("SC_CLK_TCK")
PROOF = {"u": LOGIN, "p": PASSWORD, "v": "1.12.0", "c": "bench", "f": "json"}


@dataclass
class Asker:
    """One connection that is kept."""

    address: str
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)

    def __call__(self, method: str, part: str = "", **given: object) -> bytes:
        headers = {"Range": part} if part else {}
        self.connection.request(
            "GET", f"/rest/{method}.view?{urlencode({**PROOF, **given})}", headers=headers
        )
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 206):
            raise SystemExit(f"{method}: status {answer.status}")
        return content

    def found(self, method: str, **given: object) -> dict:
        found = json.loads(self(method, **given))["subsonic-response"]
        if found["status"] != "ok":
            raise SystemExit(f"{method}: {found}")
        return found


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def compare(
    name: str,
    runs: int,
    direct: Callable[[], object],
    through: Callable[[], object],
    proxy: Server,
) -> None:
    """A row of the table."""
    times: tuple[list[float], list[float]] = ([], [])
    for call in (direct, through):  # connections, and what either side keeps
        call()
    spent = cpu_seconds(proxy.process.pid)
    for _ in range(runs):
        for kept, call in zip(times, (direct, through), strict=True):
            started = time.perf_counter()
            call()
            kept.append(1000 * (time.perf_counter() - started))
    spent = 1000 * (cpu_seconds(proxy.process.pid) - spent) / runs
    one, other = ([statistics.median(kept), min(kept)] for kept in times)
    added = other[1] - one[1]
    print(
        f"| {name} | {one[0]:.1f} ({one[1]:.1f}) | {other[0]:.1f} ({other[1]:.1f}) "
        f"| {added:+.1f} | {spent:.1f} |"
    )


@contextmanager
def servers(database: Path, music: Path) -> Iterator[tuple[Asker, Asker, Server]]:
    """Direct, through the proxy, and the proxy."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        copy = Path(shutil.copy(database, folder / "catalog.db"))
        behind = stack.enter_context(supysonic(music, folder / "supysonic"))
        with Catalog.open(copy) as catalog:
            report = link(catalog, "subsonic", behind, LOGIN, PASSWORD)
        print(f"{sum(report.matched.values())} of {report.songs} songs linked\n", flush=True)
        running = server_process("--server", behind, database=copy, command="proxy")
        proxy = stack.enter_context(running)
        yield Asker(behind), Asker(proxy.line()), proxy


def measure(direct: Asker, through: Asker, proxy: Server, runs: int) -> None:
    songs = direct.found("search3", query="", songCount=500)["searchResult3"]["song"]
    largest = max(songs, key=lambda song: song["size"])
    id, size = largest["id"], largest["size"]
    listed = through.found("getSonicSimilarTracks", id=id, count=10)["sonicMatch"]
    near = [one["entry"]["id"] for one in listed]
    part = f"bytes={size // 2}-{size // 2 + 65535}"
    print("| | direct, ms: median (least) | through the proxy | added, least | CPU of the proxy |")
    print("|---|---:|---:|---:|---:|")

    songs_of_list = lambda ask: [ask("getSong", id=one) for one in near]  # noqa: E731
    for name, one, other in (
        ("ping", lambda ask: ask("ping"), None),
        ("getSong, passed on", lambda ask: ask("getSong", id=id), None),
        (f"stream of {size / 1e6:.1f} MB", lambda ask: ask("stream", id=id), None),
        ("64 KiB of its middle", lambda ask: ask("stream", part, id=id), None),
        (
            f"getSonicSimilarTracks of {len(near)} (direct: getSong of each)",
            songs_of_list,
            lambda ask: ask("getSonicSimilarTracks", id=id, count=len(near)),
        ),
        (
            f"getSimilarSongs of {len(near)} (direct: getSong of each)",
            songs_of_list,
            lambda ask: ask("getSimilarSongs", id=id, count=len(near)),
        ),
    ):
        compare(name, runs, partial(one, direct), partial(other or one, through), proxy)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", type=Path)
    parser.add_argument("music", type=Path)
    parser.add_argument("--runs", type=int, default=40)
    options = parser.parse_args()
    try:
        with servers(options.database, options.music.resolve()) as (direct, through, proxy):
            measure(direct, through, proxy, options.runs)
    except pytest.skip.Exception as reason:
        print(f"Not measured: {reason}.")


if __name__ == "__main__":
    main()
