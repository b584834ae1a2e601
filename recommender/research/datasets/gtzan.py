"""GTZAN (Tzanetakis & Cook 2002): 1,000 excerpts of 30 s in ten genres, and its committed splits.

The data set is kept as log-Mel spectrograms on one grid of columns, whether it was read from a
folder of sound files or from an archive of spectrograms. Of the F frames of
the STFT with a hop of 512 samples, column c is frame floor((c + 0.5) * F / 387.5), which gives 387
columns, 77.5 ms apart. Levels are bytes: dB = byte / 255 * range_db - range_db, so that 0 dB is the
loudest point of the clip and -range_db (80 dB at most) the quietest.
"""

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.errors import AudioError, DatasetError, UnreadableAudio
from recommender.utils.files import replacing_file

GENRES: tuple[str, ...] = (
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
)
"""Label i is GENRES[i], everywhere."""

SPLITS: dict[str, tuple[str, ...]] = {
    "filtered": ("train", "valid", "test", "test_artist_disjoint"),
    "stratified": ("train", "valid", "test"),
    "paper": ("train", "valid", "test"),
}
"""Protocols and their splits; sources in data/gtzan/README.md. `paper` lists clips, not tracks."""

CORRUPT_IN_CIRCULATION = frozenset({"jazz.00054"})
"""The file that is damaged in the copy most people download."""

N_MELS = 128
COLUMNS = 387
HOP_LENGTH = 512
SHORTEST_S, LONGEST_S = 29.0, 32.0  # the real clips last 29.93 to 30.65 s
SOUND_ENDINGS = frozenset({".wav", ".au", ".flac", ".mp3"})
FOLDERS_WITHIN = ("", "genres", "genres_original", "Data/genres_original")
EXPECTED = (
    "expected a log-Mel archive (.npz), or a folder that is or contains 'genres' or "
    "'genres_original' with folders named blues, classical, … rock of files such as "
    "blues.00000.wav"
)

Progress = Callable[[int, int], None]
"""Called with (tracks done, tracks in all)."""


def _text(name: str) -> str:
    return (resources.files("recommender.data") / "gtzan" / name).read_text(encoding="utf-8")


@cache
def split_ids(protocol: str, name: str) -> tuple[str, ...]:
    """Track ids of a committed split, for example ``split_ids("filtered", "train")``.

    Raises:
        DatasetError: no such protocol or split.
    """
    if name not in SPLITS.get(protocol, ()):
        existing = ", ".join(f"{p}/{s}" for p, splits in SPLITS.items() for s in splits)
        raise DatasetError(f"GTZAN has no split '{protocol}/{name}'; there are: {existing}")
    return tuple(_text(f"splits/{protocol}/{name}.txt").split())


def genre_of(track_id: str) -> str:
    """Genre of a track or clip id: ``blues`` of ``blues.00000`` and of ``blues.00000.1``."""
    return track_id.partition(".")[0]


@cache
def artists() -> dict[str, str]:
    """Track id → artist for all 1,000 tracks; '' when unknown (and then equal to no other)."""
    return {
        row["track_id"]: row["artist"] for row in csv.DictReader(io.StringIO(_text("artists.csv")))
    }


@dataclass(frozen=True, eq=False)
class Gtzan:
    """Spectrograms and labels of the tracks that could be read.

    Attributes:
        track_ids: n ids such as ``blues.00000``, sorted.
        labels: np.ndarray [shape=(n,)], int64, indices into `GENRES`.
        log_mel: np.ndarray [shape=(n, 128, 387)], uint8, Mel band low to high, then time.
        range_db: np.ndarray [shape=(n,)], float32, dB between the loudest and the quietest level.
        missing: (track id, reason) of every file that could not be read.
    """

    track_ids: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    log_mel: npt.NDArray[np.uint8]
    range_db: npt.NDArray[np.float32]
    missing: tuple[tuple[str, str], ...] = ()

    @property
    def genres(self) -> tuple[str, ...]:
        """Its genres, in the order of the labels."""
        return GENRES

    @property
    def facts(self) -> dict[str, str]:
        """What it is, for a model's card."""
        return {"data_set": "GTZAN as log-Mel spectrograms, a column each 1,708 samples"}

    @property
    def weights_licence(self) -> str:
        """Of weights that were trained on it."""
        return (
            "Weights: MIT, as the package. Trained on GTZAN (Tzanetakis & Cook 2002), whose "
            "recordings are copyrighted and no part of this package."
        )

    def genres_of(self, ids: Sequence[str]) -> list[str]:
        """Genre of each track, whether it is here or not."""
        return [genre_of(track_id) for track_id in ids]

    def artists_of(self, ids: Sequence[str]) -> list[str]:
        """Artist of each track, blank where unknown."""
        by_id = artists()
        return [by_id[track_id] for track_id in ids]

    def split(self, protocol: str, name: str) -> tuple[str, ...]:
        """Track ids of a split; see `split_ids`."""
        return split_ids(protocol, name)

    def select(
        self, ids: Iterable[str], allow_missing: Collection[str] = ()
    ) -> npt.NDArray[np.int64]:
        """Indices of the tracks `ids`, in that order.

        Args:
            ids: track ids.
            allow_missing: ids that may be absent and are then left out, for example
                `CORRUPT_IN_CIRCULATION`.

        Raises:
            DatasetError: other tracks are absent; the message names them.
        """
        position = {track_id: i for i, track_id in enumerate(self.track_ids)}
        wanted = tuple(ids)
        absent = [i for i in wanted if i not in position and i not in allow_missing]
        if absent:
            reasons = dict(self.missing)
            named = [f"{i} ({reasons[i]})" if i in reasons else i for i in absent[:5]]
            more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
            raise DatasetError(
                f"{len(absent)} of the {len(wanted)} tracks needed are not in this copy of GTZAN: "
                f"{', '.join(named)}{more}; complete the copy and try again"
            )
        return np.array([position[i] for i in wanted if i in position], dtype=np.int64)

    def decibels(self, index: int) -> npt.NDArray[np.float32]:
        """Levels of one track: np.ndarray [shape=(128, 387)], float32, dB in [-80, 0]."""
        span = np.float32(self.range_db[index])
        decibels: npt.NDArray[np.float32] = self.log_mel[index] * (span / np.float32(255)) - span
        return decibels


def load(path: Path, progress: Progress | None = None, cache: Path | None = None) -> Gtzan:
    """Read GTZAN from a log-Mel archive or from a folder of sound files.

    Args:
        path: a ``.npz`` with ``track_id`` str[n], ``logmel`` uint8[n, 128, 387] and ``range_db``
            float32[n]; or a folder that is or contains ``genres`` or ``genres_original`` (or the
            genre folders themselves). Fewer than ten genres are accepted.
        progress: called after every sound file.
        cache: an archive of the spectrograms computed from sound, reused as long as the names,
            sizes and times of the sound files stay the same.

    Raises:
        DatasetError: `path` is neither, or the archive is damaged, or no file could be read.
    """
    if path.is_file():
        return _from_arrays(read_archive(path), path)
    files = _sound_files(path)
    listing = _listing_digest(files)
    if cache is not None and cache.is_file():
        arrays = read_archive(cache)
        if str(arrays.get("listing", "")) == listing:
            return _from_arrays(arrays, cache)
    gtzan = _analyse(files, progress)
    if not gtzan.track_ids:
        track_id, reason = gtzan.missing[0]
        raise DatasetError(f"no sound file of {path} could be read; {track_id}: {reason}")
    if cache is not None:
        _write_archive(gtzan, listing, cache)
    return gtzan


def column_frames(frames: int) -> npt.NDArray[np.int64]:
    """The STFT frames that become columns: np.ndarray [shape=(387,)], int64, of `frames` in all."""
    columns = np.arange(COLUMNS, dtype=np.int64)
    return (2 * columns + 1) * frames // (2 * COLUMNS + 1)  # exact, in whole numbers


def _labels(track_ids: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.array([GENRES.index(genre_of(i)) for i in track_ids], dtype=np.int64)


# Archives


def read_archive(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an archive of spectrograms by name. Raises `DatasetError`."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"{path} is not a readable log-Mel archive ({error}); {EXPECTED}"
        ) from error


def _from_arrays(arrays: dict[str, npt.NDArray[Any]], path: Path) -> Gtzan:
    absent = sorted({"track_id", "logmel", "range_db"} - arrays.keys())
    if absent:
        raise DatasetError(f"{path} has no array {', '.join(absent)}; {EXPECTED}")
    track_ids = tuple(map(str, arrays["track_id"]))
    log_mel, range_db = arrays["logmel"], arrays["range_db"]
    shape = (len(track_ids), N_MELS, COLUMNS)
    if log_mel.shape != shape or log_mel.dtype != np.uint8 or range_db.shape != shape[:1]:
        raise DatasetError(
            f"{path} holds logmel {log_mel.dtype}{list(log_mel.shape)} and range_db "
            f"{list(range_db.shape)} for {len(track_ids)} tracks; expected uint8{list(shape)}"
        )
    invalid = [i for i in track_ids if genre_of(i) not in GENRES]
    if invalid or len(set(track_ids)) != len(track_ids):
        example = f" such as '{invalid[0]}'" if invalid else ""
        raise DatasetError(f"{path} has track ids that are repeated or of no known genre{example}")
    missing = tuple((str(i), str(reason)) for i, reason in arrays.get("missing", ()))
    return Gtzan(track_ids, _labels(track_ids), log_mel, range_db.astype(np.float32), missing)


def _write_archive(gtzan: Gtzan, listing: str, path: Path) -> None:
    """Write the archive atomically."""
    with replacing_file(path) as out:
        np.savez_compressed(
            out,
            track_id=np.array(gtzan.track_ids),
            logmel=gtzan.log_mel,
            range_db=gtzan.range_db,
            missing=np.array(gtzan.missing, dtype=np.str_).reshape(-1, 2),
            listing=np.array(listing),
        )


# Folders of sound files


def _sound_files(path: Path) -> dict[str, Path]:
    """Track id → file, sorted by id. Raises `DatasetError` when the folder is another one."""
    if not path.is_dir():
        raise DatasetError(f"there is no {path}; {EXPECTED}")
    roots = [path / inner for inner in FOLDERS_WITHIN]
    root = next((r for r in roots if any((r / genre).is_dir() for genre in GENRES)), None)
    if root is None:
        raise DatasetError(f"{path} has no genre folders; {EXPECTED}")
    files = {  # of a track that is there in two formats, the ending first in the alphabet counts
        file.stem: file
        for genre in GENRES
        for file in sorted((root / genre).glob(f"{genre}.*"), reverse=True)
        if file.suffix.lower() in SOUND_ENDINGS and re.fullmatch(r"[a-z]+\.\d{5}", file.stem)
    }
    if not files:
        raise DatasetError(f"{root} has genre folders but no track in them; {EXPECTED}")
    return dict(sorted(files.items()))


def _listing_digest(files: dict[str, Path]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in files.values():
        stat = file.stat()
        digest.update(
            f"{file.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode(
                "utf-8", "surrogateescape"
            )
        )
    return digest.hexdigest()


def _analyse(files: dict[str, Path], progress: Progress | None) -> Gtzan:
    analysed: dict[str, tuple[npt.NDArray[np.uint8], float]] = {}
    missing: list[tuple[str, str]] = []
    for done, (track_id, file) in enumerate(files.items(), start=1):
        try:
            analysed[track_id] = _spectrogram(file)
        except AudioError as error:
            missing.append((track_id, str(error)))
        if progress is not None:
            progress(done, len(files))
    levels = [values for values, _ in analysed.values()]
    return Gtzan(
        tuple(analysed),
        _labels(tuple(analysed)),
        np.stack(levels) if levels else np.empty((0, N_MELS, COLUMNS), dtype=np.uint8),
        np.array([span for _, span in analysed.values()], dtype=np.float32),
        tuple(missing),
    )


def _spectrogram(file: Path) -> tuple[npt.NDArray[np.uint8], float]:
    """One sound file on the column grid: np.ndarray [shape=(128, 387)], uint8, and its range in dB.

    The bytes give the decibels back to half a step (0.16 dB), as those of the archive do.
    """
    # Imported here: reading splits or an archive needs neither torch nor a decoder.
    from recommender.audio.reader import read_whole
    from recommender.features.log_mel import FrontEnd, log_mel

    clip = read_whole(file)
    if not SHORTEST_S <= clip.duration <= LONGEST_S:
        raise UnreadableAudio(f"lasts {clip.duration:.1f} s, but tracks of GTZAN last 30 s")
    values = log_mel([clip], FrontEnd(hop_length=HOP_LENGTH, n_mels=N_MELS))[0].values
    range_db = max(-float(values.min()), 1.0)
    columns = values[:, column_frames(values.shape[1])]
    levels = np.rint((columns + range_db) * (255 / range_db)).clip(0, 255).astype(np.uint8)
    return levels, range_db
