"""How long an ingest of files that have not changed takes, beside the floor: `os.scandir` + `stat`.

    python tests/bench/rescan_speed.py --files 100000

Writes a tree of empty files (twelve an album, three albums an artist) and a catalogue that has them
all as analysed, and ingests the tree, in this process, so often as `--repeat` says; each time the
floor, a walk that calls `stat` on every entry, runs just before. Prints the shortest of each, in
wall and processor seconds, their ratio, and by how much the peak of this process's memory grew.
The index is left alone: whether it is current does not depend on the number of files.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, update
from synthetic_catalog import analysis_row, track_row

from recommender.catalog import Catalog
from recommender.catalog.schema import AnalysisRow, LibraryRow, SpaceRow, TrackRow, table
from recommender.ingestion import IngestSettings, ingest

TRACKS_PER_ALBUM, ALBUMS_PER_ARTIST = 12, 3
BATCH = 1_000


def write_tree(root: Path, files: int) -> list[str]:
    """Empty files with paths of 70 characters; returns these."""
    paths = []
    for number in range(files):
        album, track = divmod(number, TRACKS_PER_ALBUM)
        artist = album // ALBUMS_PER_ARTIST
        folder = root / f"Artist {artist:06d}" / f"Album {album:07d} of many"
        if track == 0:
            folder.mkdir(parents=True)
        file = folder / f"{track + 1:02d} Song number {number:07d}.mp3"
        file.touch()
        paths.append(file.relative_to(root).as_posix())
    return paths


def write_catalog(catalog: Catalog, root: Path, paths: list[str], settings: IngestSettings) -> None:
    """All files as analysed in the space of `settings`."""
    catalog.set_active(settings.space(), settings.analysis_settings())
    with catalog._changing() as connection:
        connection.execute(update(SpaceRow).values(dimension=2))
        connection.execute(insert(table(LibraryRow)), [{"id": 1, "root": str(root)}])
        for start in range(0, len(paths), BATCH):
            tracks, analyses = [], []
            for track_id, path in enumerate(paths[start : start + BATCH], start + 1):
                found = (root / path).stat()
                stat = {"path": path, "size": found.st_size, "mtime_ns": found.st_mtime_ns}
                tracks.append(track_row(track_id, "folk", 200.0) | stat)
                analyses.append(analysis_row(track_id, 200.0, {"folk": 1.0}, bytes(4)))
            connection.execute(insert(table(TrackRow)), tracks)
            connection.execute(insert(table(AnalysisRow)), analyses)


def walk(folder: str) -> int:
    """The floor: number of entries below `folder`, of each of which the size and time are read."""
    count = 0
    folders = [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                found = entry.stat()
                count += found.st_size >= 0 and found.st_mtime_ns >= 0
                if entry.is_dir():
                    folders.append(entry.path)
    return count


def timed(task: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    task()
    return time.perf_counter() - wall, time.process_time() - processor


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    settings = IngestSettings(update_index=False)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "music"
        paths = write_tree(root, options.files)
        with Catalog.open(Path(folder) / "catalog.db") as catalog:
            write_catalog(catalog, root, paths, settings)
        floors, ours = [], []
        before_mb = peak_mb()
        for _ in range(options.repeat):
            floors.append(timed(lambda: walk(str(root))))
            with Catalog.open(Path(folder) / "catalog.db") as catalog:
                ours.append(timed(lambda: ingest(catalog, [root], settings)))
                report = ingest(catalog, [root], settings)
        assert report.unchanged == options.files, report
    print(f"{options.files:,} files, {report.scanned:,} scanned\n")
    print("| | wall s | CPU s |\n|---|---:|---:|")
    floor, floor_cpu = map(min, zip(*floors, strict=True))
    own, own_cpu = map(min, zip(*ours, strict=True))
    print(f"| scandir + stat | {floor:.2f} | {floor_cpu:.2f} |")
    print(f"| ingest, nothing changed | {own:.2f} | {own_cpu:.2f} |")
    print(f"| ratio | {own / floor:.2f} | {own_cpu / floor_cpu:.2f} |\n")
    print(f"peak of memory: {peak_mb():.0f} MB, {peak_mb() - before_mb:.0f} MB more than before")


if __name__ == "__main__":
    main()
