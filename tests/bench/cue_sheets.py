"""What cue sheets cost: a rescan with and without them, reading one, analysing an album.

    OMP_NUM_THREADS=1 python tests/bench/cue_sheets.py [--albums 2000] [--tracks 12] [--seconds 60]

Prints processor seconds, the least of several repetitions, of

- looking for what has changed in so many albums of one file each, where nothing has: without
  sheets, and with one for each (what the catalogue knows is read, nothing is opened);
- reading and parsing a sheet;
- analysing an album of so many tracks in one flac by its sheet, against the same sound cut into
  files; exit status 1 unless the embeddings are the same to the last bit.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from recommender.audio.cue_sheet import parse_cue_sheet
from recommender.audio.cue_text import read_cue_text
from recommender.audio.segments import Segment
from recommender.audio.tags import Tags
from recommender.catalog import Catalog, FileStat, Library
from recommender.embedding.space import Analysis, SpaceId
from recommender.ingestion import IngestSettings, ingest
from recommender.ingestion.cue_sheets import find_sheets
from recommender.ingestion.known_stream import KnownStream
from recommender.ingestion.plan import make_plan
from recommender.ingestion.scan import scan_folder

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
import sounds
from cue_albums import Album, track_samples

SPACE = SpaceId("bench", "w", "a")
REPETITIONS = 5


def least(work: Callable[[], object]) -> float:
    """Processor seconds that `work` takes, at least."""
    found = []
    for _ in range(REPETITIONS):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def fill(catalog: Catalog, root: Path, albums: int, tracks: int, *, sheets: bool) -> Library:
    """A folder of empty albums, and a catalogue that knows all of them."""
    album = Album(tuple(f"Track {n}" for n in range(tracks)), tuple(range(0, 60 * tracks, 60)))
    for number in range(albums):
        folder = root / f"{number:05d}"
        folder.mkdir(parents=True)
        (folder / "album.flac").write_bytes(b"")
        if sheets:
            album.write(folder / "album.cue")
    library, _ = catalog.scope_of(root)
    scan = scan_folder(root)
    one = Analysis(np.ones(4, np.float32), {}, 60.0, ((0.0, 10.0),), SPACE)
    with catalog.writing() as write:
        for stat in scan.files:
            for number in range(1, tracks + 1) if sheets else (0,):
                segment = Segment(number, 60.0 * number, 60.0 * number + 60)
                write.analysed(library, stat, "h", Tags(), one, "bench", segment=segment)
            if sheets:
                sheet = (root / stat.path).with_suffix(".cue").stat()
                path = stat.path.removesuffix(".flac") + ".cue"
                known = FileStat(path, sheet.st_size, sheet.st_mtime_ns)
                write.set_sheets(library, stat.path, [known])
    return library


def rescan(catalog: Catalog, library: Library) -> None:
    """What an ingest does up to the plan; it must find nothing to do."""
    known_sheets = catalog.known_sheets(library)
    stream = KnownStream(
        catalog.known_tracks(library, SPACE),
        catalog.known_failures(library),
        catalog.known_segments(library, SPACE),
        {sheet.file for sheet in known_sheets},
    )
    scan = scan_folder(library.root, settled=stream.settles)
    known = stream.rest()
    sheets = find_sheets(library, scan, known_sheets, known)
    plan = make_plan(library, scan, known, sheets=sheets)
    assert not plan.known
    assert not plan.new
    assert not plan.vanished


def processor_seconds(catalog: Catalog, folder: Path) -> float:
    """Of an ingest, all its processes together."""
    before = _used()
    ingest(catalog, folder, IngestSettings(workers=1, update_index=False))
    return _used() - before


def _used() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(one.ru_utime + one.ru_stime for one in used)


def vectors(catalog: Catalog) -> np.ndarray:
    """Activations of all tracks, in the order of their paths and numbers."""
    space = IngestSettings().space()
    found = [catalog.analysis_of(track.id, space) for track in catalog.search("")]
    return np.stack([one.activations for one in found if one is not None])


def analyse(folder: Path, tracks: int, seconds: int) -> bool:
    """Analyse an album both ways; whether the embeddings are the same."""
    samples = track_samples([seconds] * tracks)
    starts = tuple(float(seconds * number) for number in range(tracks))
    whole, cut, warm, loaded = (folder / name for name in ("whole", "cut", "warm", "loaded"))
    for path in (whole, cut, warm, loaded):
        path.mkdir()
    for path in (warm, loaded):  # the first loads torch, the second what each ingest loads
        sounds.write_sound(path / "a.flac", samples[0])
    sounds.write_sound(whole / "album.flac", np.concatenate(samples))
    Album(tuple(f"t{n}" for n in range(tracks)), starts).write(whole / "album.cue")
    for number, part in enumerate(samples):
        sounds.write_sound(cut / f"{number:03d}.flac", part)
    found = []
    for path in (warm, loaded, whole, cut):
        with Catalog.open(folder / f"{path.name}.db") as catalog:
            used = processor_seconds(catalog, path)
            found.append((used, vectors(catalog)))
    loading = found[1][0]
    for name, (used, _) in zip(("by its sheet", "cut into files"), found[2:], strict=True):
        each = (used - loading) / (tracks - 1)  # one was analysed with the loading
        print(f"{tracks} tracks of {seconds} s, {name:14} {each:7.3f} s a track")
    return bool(np.array_equal(found[2][1], found[3][1]))


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--albums", type=int, default=2000)
    parser.add_argument("--tracks", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for sheets in (False, True):
            name = "with" if sheets else "without"
            with Catalog.open(folder / f"{name}.db") as catalog:
                root = folder / name
                library = fill(catalog, root, options.albums, options.tracks, sheets=sheets)
                used = least(partial(rescan, catalog, library))
            tracks = options.albums * (options.tracks if sheets else 1)
            what = f"{options.albums} albums {name} sheets, {tracks} tracks"
            print(f"rescan of {what:45} {used:7.3f} s")
        sheet = folder / "with" / "00000" / "album.cue"
        used = least(lambda: [parse_cue_sheet(read_cue_text(sheet)) for _ in range(100)]) / 100
        print(f"reading a sheet of {options.tracks} tracks {1e3 * used:7.3f} ms")
        if not analyse(folder, options.tracks, options.seconds):
            sys.exit("the embeddings differ")


if __name__ == "__main__":
    main()
