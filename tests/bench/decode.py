"""What reading the windows of a track costs in each format, and how exact it is.

Writes a 3-minute piece in every format, reads it, and prints a table: size, CPU milliseconds for
the windows and for the whole track (least of several runs, one thread), and the largest difference
between a window and the same slice of the whole track (full scale is 1).

    OMP_NUM_THREADS=1 python tests/bench/decode.py --seconds 180
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from recommender.audio.reader import AudioClip, DecodedWindows, read_whole, read_windows
from recommender.audio.windows import Windowing

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
import sounds


def cpu_ms(work: Callable[[], object], runs: int) -> float:
    """Least CPU milliseconds of this process over several runs, after one to warm up."""
    work()
    spent = []
    for _ in range(runs):
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return 1e3 * min(spent)


def largest_difference(decoded: DecodedWindows, whole: AudioClip) -> float:
    """Largest difference of a sample between the windows and the same slices of the whole."""
    differences = []
    for clip, start in zip(decoded.clips, decoded.starts, strict=True):
        first = round(start * whole.sample_rate)
        same = whole.samples[first : first + len(clip.samples)]
        differences.append(float(np.abs(same - clip.samples[: len(same)]).max()))
    return max(differences)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=180.0, help="length of the piece")
    parser.add_argument("--windows", type=int, default=3, help="windows a track (0 = whole)")
    parser.add_argument("--runs", type=int, default=5, help="runs to take the least of")
    parser.add_argument("--files", type=Path, nargs="*", help="measure these files instead")
    options = parser.parse_args()
    windowing = Windowing(count=options.windows)

    with tempfile.TemporaryDirectory() as folder:
        files = {path.name[:24]: path for path in options.files or ()} or {
            name: sounds.write_sound(
                Path(folder) / f"{name}{sounds.ending(name)}",
                sounds.music(options.seconds, sounds.native_rate(name)),
                sounds.native_rate(name),
                channels=2,
                format_name=name,
            )
            for name in sounds.FORMATS
        }
        print(f"{'format':24} {'MB':>6} {'windows ms':>10} {'whole ms':>9} {'difference':>10}")
        for name, path in files.items():
            windows_ms = cpu_ms(partial(read_windows, path, windowing), options.runs)
            whole_ms = cpu_ms(partial(read_whole, path), 1)
            difference = largest_difference(read_windows(path, windowing), read_whole(path))
            size = path.stat().st_size / 1e6
            print(f"{name:24} {size:6.1f} {windows_ms:10.1f} {whole_ms:9.1f} {difference:10.1e}")


if __name__ == "__main__":
    main()
