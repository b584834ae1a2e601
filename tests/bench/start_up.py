"""What starting costs: `recsys similar ID` as a command, beside the floors of Python and imports.

    python tests/bench/start_up.py large.db --track 17

Each row is a process of its own, started `--repeat` times: the shortest wall time, and the least
processor time (user and system). The first rows are what no command of this kind can go below:
Python itself, and the imports of the libraries that it needs.
"""

import argparse
import os
import sys
import time
from pathlib import Path

IMPORTS = {
    "Python": "pass",
    "numpy": "import numpy",
    "SQLAlchemy": "import sqlalchemy",
    "Typer": "import typer",
    "numpy, SQLAlchemy, Typer": "import numpy, sqlalchemy, typer",
    "recommender.cli": "import recommender.cli",
    "recommender.catalog": "import recommender.catalog",
    "SimilarityService": "from recommender import SimilarityService",
}

OPEN = "from recommender import Catalog; Catalog.open({catalog!r}).close()"

COMMAND = "from recommender.cli import main; main()"


def measured(arguments: list[str], repeat: int) -> tuple[float, float]:
    """Least wall and processor milliseconds of a Python process; what it prints is dropped."""
    walls, processors = [], []
    silent = os.open(os.devnull, os.O_WRONLY)
    for _ in range(repeat):
        started = time.perf_counter()
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, *arguments],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, silent, 1)],
        )
        _, status, used = os.wait4(pid, 0)
        walls.append(1000 * (time.perf_counter() - started))
        processors.append(1000 * (used.ru_utime + used.ru_stime))
        if status:
            raise SystemExit(f"it failed: {arguments}")
    os.close(silent)
    return min(walls), min(processors)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalog", type=Path)
    parser.add_argument("--track", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    catalog = str(options.catalog)
    rows = {name: ["-c", statement] for name, statement in IMPORTS.items()}
    rows["Catalog.open"] = ["-c", OPEN.format(catalog=catalog)]
    similar = ["similar", str(options.track), "--db", catalog]
    rows["recsys --version"] = ["-c", COMMAND, "--version"]
    rows["recsys status"] = ["-c", COMMAND, "status", "--db", catalog]
    rows["recsys similar ID"] = ["-c", COMMAND, *similar]
    measured(rows["recsys similar ID"], 1)  # the index is current, and files are in memory
    print("| | wall ms | CPU ms |\n|---|---:|---:|")
    for name, arguments in rows.items():
        wall, processor = measured(arguments, options.repeat)
        print(f"| {name} | {wall:.0f} | {processor:.0f} |", flush=True)


if __name__ == "__main__":
    main()
