"""What playlists, histories and exclusions cost in a catalogue, beside what is least.

    OMP_NUM_THREADS=1 python tests/bench/lists.py CATALOGUE [--listens 100000] [--repeat 3]

The catalogue (`synthetic_catalog.py` makes a large one) is copied. Prints processor seconds, the
least of several repetitions, of

- reading a playlist of every track, in each format, against parsing the same bytes alone (XML by
  xml.etree without checks; lines of text), and of writing it;
- importing a history of ListenBrainz of so many plays of those tracks, against `json.loads` of its
  lines, and importing it once more, where all is known;
- storing one play, and a playlist of 1,000 tracks; reading the seeds of today from that history;
- what a running service asks before each mix: the revision of the lists.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from recommender.catalog import Catalog
from recommender.catalog.migrations import upgrade
from recommender.catalog.records import Track
from recommender.history.importing import import_history
from recommender.history.seeds import history_seeds
from recommender.history.track_lookup import TrackLookup
from recommender.playlists.files import read_playlist, write_playlist
from recommender.recommendation.service import SimilarityService

FIRST = 1_600_000_000
"""Time of the first play, in seconds since 1970; one follows every four minutes."""


def least(action: Callable[[], object], repeat: int) -> float:
    """Processor seconds."""
    found = []
    for _ in range(repeat):
        started = time.process_time()
        action()
        found.append(time.process_time() - started)
    return min(found)


def say(what: str, seconds: float, floor: float | None = None, per: int | None = None) -> None:
    beside = "" if floor is None else f"   {1e3 * floor:8.1f} ms   {seconds / floor:6.1f} times"
    each = "" if per is None else f"   {1e6 * seconds / per:8.1f} µs each"
    print(f"{what:44}{1e3 * seconds:12.3f} ms{each}{beside}", flush=True)


def playlists(catalog: Catalog, tracks: list[Track], folder: Path, repeat: int) -> None:
    lookup = TrackLookup(catalog)
    say("names of all tracks read", least(lambda: TrackLookup(catalog), repeat), per=len(tracks))
    for ending in ("m3u8", "xspf"):
        file = folder / f"all.{ending}"
        writing = least(lambda file=file: write_playlist(file, tracks), repeat)
        say(f"{ending} of {len(tracks):,} entries written", writing, per=len(tracks))
        found = read_playlist(catalog, file, lookup=lookup)
        if found.tracks != tracks or found.unmatched:
            sys.exit(f"{file} was not read as it was written")
        data = file.read_bytes()
        parse = partial(ET.XML, data) if ending == "xspf" else partial(data.split, b"\n")
        reading = least(lambda file=file: read_playlist(catalog, file, lookup=lookup), repeat)
        say(f"{ending} read and matched; parsed alone", reading, least(parse, repeat), len(tracks))


def history(catalog: Catalog, tracks: list[Track], folder: Path, listens: int) -> None:
    file = folder / "listens.jsonl"
    with file.open("w", encoding="utf-8") as output:
        for number in range(listens):
            track = tracks[number * 7919 % len(tracks)]
            names = {
                "track_name": track.title,
                "artist_name": track.artist,
                "release_name": track.tags.album,
                "additional_info": {"duration_ms": round(track.duration * 1000)},
            }
            listen = {"listened_at": FIRST + 240 * number, "track_metadata": names}
            output.write(json.dumps(listen) + "\n")
    lines = file.read_text(encoding="utf-8").splitlines()
    parsing = least(lambda: [json.loads(line) for line in lines], 1)
    results = []
    for what in ("imported", "imported again"):
        seconds = least(lambda: results.append(import_history(catalog, file)), 1)
        say(f"{listens:,} listens {what}; parsed alone", seconds, parsing, listens)
    named = sum(1 for number in range(listens) if tracks[number * 7919 % len(tracks)].tags.title)
    if (results[0].added, results[1].added) != (results[0].matched, 0):
        sys.exit("a history imported again was added again")
    print(f"    matched {results[0].matched:,} of {named:,} with a title")


def single(catalog: Catalog, tracks: list[Track], file: Path, repeat: int) -> None:
    now = datetime.now(UTC)
    ids = [track.id for track in tracks[:1000]]
    times = iter(range(10**6))
    plays = lambda: [  # noqa: E731
        catalog.record("", "play", ids[0], now.replace(microsecond=next(times))) for _ in range(20)
    ]
    say("one play stored", least(plays, repeat) / 20)
    say("a playlist of 1,000 stored", least(lambda: catalog.save_playlist("a", ids), repeat))
    say("a playlist of 1,000 read", least(lambda: catalog.playlist("a"), repeat))
    with SimilarityService.open(file) as service:
        history_seeds(service)  # the index is open from now on
        say("seeds of today from that history", least(lambda: history_seeds(service), repeat))
    asked = least(lambda: [catalog.lists_revision() for _ in range(1000)], repeat) / 1000
    say("the revision of the lists", asked)
    folder = str(tracks[0].file.parent)
    catalog.add_exclusion("folder", folder)
    say("tracks of an excluded folder", least(catalog.excluded_tracks, repeat))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--listens", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(options.catalogue, folder / "catalog.db")
        upgrade(folder / "catalog.db", backup=False)
        with Catalog.open(folder / "catalog.db") as catalog:
            tracks = list(catalog.all_tracks())
            playlists(catalog, tracks, folder, options.repeat)
            history(catalog, tracks, folder, options.listens)
            single(catalog, tracks, folder / "catalog.db", options.repeat)


if __name__ == "__main__":
    main()
