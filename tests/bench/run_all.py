"""Runs the benchmarks that need no more than a folder of music, and writes what they print.

    make bench BENCH_MUSIC=~/Music
    python tests/bench/run_all.py [FOLDER] [--full] [--only NAME …] [--out data/results/bench.md]

Without FOLDER it renders the demo library. The folder is ingested once; a synthetic catalogue is
mixed of it (5,000 tracks, with `--full` 40,000) for the benchmarks of search and size. A benchmark
that fails, or whose arguments are not there, is a section with the reason, and the exit status is 1
where one has failed. All run one after another, with one thread each, as they say.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = ("numpy", "torch", "sqlalchemy", "faiss-cpu", "onnxruntime", "soxr", "av", "soundfile")


@dataclass(frozen=True)
class Bench:
    """A script of this folder.

    Attributes:
        arguments: with names in braces for `Inputs`.
        full: those added by `--full`.
    """

    script: str
    arguments: str = ""
    full: str = ""


BENCHES = (
    Bench("start_up.py", "{large}"),
    Bench("ingest_cost.py", "{music} --files 10 --runs 1", "--files 60 --runs 3"),
    Bench("engines.py"),
    Bench("tagging_cost.py", "{music} --files 10", "--files 40"),
    Bench("ingest_speed.py", "{music} --copies 200", "--copies 1000"),
    Bench("rescan_speed.py", "--files 10000", "--files 100000"),
    Bench("several_hosts.py", "{music} --files 20", "--files 60"),
    Bench("cue_sheets.py", "--albums 100", "--albums 2000"),
    Bench("catalog_size.py", "{large} --as-it-is"),
    Bench("lists.py", "{large} --listens 20000", "--listens 500000"),
    Bench("vector_statistics.py", "{large} --source {small}"),
    Bench("half_precision.py", "{music} --tracks 2000", "--tracks 5000"),
    Bench("index_speed.py", "--tracks 2000", "--tracks 20000 100000"),
    Bench("query_speed.py", "{large}"),
    Bench("incremental.py", "{large}"),
    Bench("web_page.py", "{large}"),
    Bench("library_map.py", "{small} {large}"),
    Bench(
        "search_scale.py",
        "{small} --sizes 1000 10000",
        "--sizes 1000 10000 40000 100000 250000 1000000",
    ),
    Bench("search_peers.py", "--sizes 1000 5000", "--sizes 1000 10000 100000"),
    Bench("many_files.py", "--files 500", "--files 100000"),
    Bench("mix_speed.py", "{large}"),
    Bench("serve_load.py", "{large} --seconds 5", "--seconds 20 --requests 20000"),
    Bench("proxy_load.py", "{small} {music} --runs 20", "--runs 100"),
    Bench(
        "mix_quality.py", "{large} --radios 20 --reach 100 --paths 20", "--radios 100 --reach 1000"
    ),
    Bench("decode.py", "--runs 2", "--runs 5"),
    Bench("damage.py", "--seeds 1", "--seeds 4"),
    Bench("content_hash.py", "{music}"),
    Bench("descriptors.py", "--seeds 1"),
)
"""In this order; scripts that are not there are left out with a line that says so."""


def machine() -> str:
    """A table of what the figures depend on."""
    packages = ", ".join(f"{name} {found}" for name in PACKAGES if (found := installed(name)))
    rows = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else "?"),
        "memory": memory(),
        "system": platform.platform(),
        "Python": platform.python_version(),
        "packages": packages,
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return "?"
    return f"{total / 2**30:.1f} GiB"


def run(command: list[str]) -> tuple[int, str, float]:
    """Status, output, seconds."""
    started = time.perf_counter()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=HERE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout.strip(), time.perf_counter() - started


def prepare(folder: Path, music: Path | None, tracks: int) -> dict[str, str]:
    """The inputs by name."""
    if music is None:
        music = folder / "music"
        render = "import sys; from recommender.demo import render_library as r; r(sys.argv[1])"
        checked(["-c", render, str(music)])
    small, large = folder / "small.db", folder / "large.db"
    ingest = "from recommender.cli import main; main()"
    checked(["-c", ingest, "ingest", str(music), "--db", str(small)])
    checked(["synthetic_catalog.py", str(small), str(large), "--tracks", str(tracks)])
    return {"music": str(music), "small": str(small), "large": str(large)}


def checked(command: list[str]) -> None:
    status, output, _ = run(command)
    if status:
        raise SystemExit(f"a benchmark's input cannot be made:\n{output}")


def section(bench: Bench, inputs: dict[str, str], full: bool) -> tuple[str, bool]:
    """What goes into the file, and whether it ran."""
    if not (HERE / bench.script).is_file():
        return f"## {bench.script}\n\nNot there.", True
    words = f"{bench.arguments} {bench.full if full else ''}".split()
    status, output, seconds = run([bench.script, *(word.format(**inputs) for word in words)])
    shown = " ".join(
        word.format(music="FOLDER", small="small.db", large="large.db") for word in words
    )
    body = output if status == 0 else f"It failed, with status {status}:\n\n```\n{output}\n```"
    return f"## `{bench.script} {shown}`\n\n{body}\n\n({seconds:.0f} s)", status == 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--full", action="store_true", help="sizes that take an hour")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="without .py")
    parser.add_argument("--out", type=Path, default=HERE.parents[1] / "data/results/bench.md")
    options = parser.parse_args()
    chosen = [b for b in BENCHES if not options.only or Path(b.script).stem in options.only]
    music = options.folder.resolve() if options.folder else None
    sections, failed = [f"# Benchmarks\n\n`make bench`\n\n{machine()}"], []
    with tempfile.TemporaryDirectory() as folder:
        inputs = prepare(Path(folder), music, 40_000 if options.full else 5_000)
        for bench in chosen:
            print(bench.script, flush=True)
            text, ran = section(bench, inputs, options.full)
            sections.append(text.replace(folder, "…"))
            if not ran:
                failed.append(bench.script)
            options.out.write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    print(f"written: {options.out}")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
