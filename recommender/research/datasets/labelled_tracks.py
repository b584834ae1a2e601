"""Any labelled sound files in the place of GTZAN: spectrograms, genres, artists, splits by artist.

Of each track the thirty seconds in its middle are analysed, on GTZAN's grid of columns; a shorter
one is repeated to that length.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommender.errors import AudioError, DatasetError
from recommender.research.datasets.artist_split import split_by_artist
from recommender.research.datasets.gtzan import (
    COLUMNS,
    HOP_LENGTH,
    N_MELS,
    Gtzan,
    Progress,
    column_frames,
    read_archive,
)
from recommender.research.datasets.manifests import DataSet, LabelledFile
from recommender.utils.files import replace_file, replacing_file

PROTOCOL = "artists"
"""How these data sets are split: no artist is in two of the splits."""

SECONDS = 30.0


@dataclass(frozen=True, eq=False)
class LabelledTracks(Gtzan):
    """Spectrograms and labels of a data set other than GTZAN.

    Attributes:
        data_set: which it is.
        names: genres; label i is ``names[i]``.
        artist_names: of each track; blank where unknown.
        splits: name → track ids.
    """

    data_set: DataSet | None = None
    names: tuple[str, ...] = ()
    artist_names: tuple[str, ...] = ()
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def genres(self) -> tuple[str, ...]:
        """Its genres, in the order of the labels."""
        return self.names

    @property
    def facts(self) -> dict[str, str]:
        """What it is, for a model's card."""
        assert self.data_set is not None
        facts = {"data_set": self.data_set.title, "data_licence": self.data_set.licence}
        return facts | ({"citation": self.data_set.citation} if self.data_set.citation else {})

    @property
    def weights_licence(self) -> str:
        """Of weights that were trained on it."""
        assert self.data_set is not None
        return (
            f"Weights: whoever trained them decides. Trained on {self.data_set.title}; licence of "
            f"the data: {self.data_set.licence}."
        )

    def genres_of(self, ids: Sequence[str]) -> list[str]:
        """Genre of each track."""
        return [self.names[self.labels[row]] for row in self.select(ids)]

    def artists_of(self, ids: Sequence[str]) -> list[str]:
        """Artist of each track, blank where unknown."""
        return [self.artist_names[row] for row in self.select(ids)]

    def split(self, protocol: str, name: str) -> tuple[str, ...]:
        """Track ids of a split. Raises `DatasetError` where there is none of that name."""
        if protocol != PROTOCOL or name not in self.splits:
            raise DatasetError(f"there is no split '{protocol}/{name}' of these tracks.")
        return self.splits[name]


def load(
    data_set: DataSet, path: Path, cache: Path, progress: Progress | None = None
) -> LabelledTracks:
    """Read and analyse the tracks of a data set.

    Args:
        data_set: which.
        path: its manifest or folder.
        cache: an archive of the spectrograms, reused while the list and the files stay the same.
            Beside it, ``splits.json`` says which track is in which split.
        progress: called after every sound file.

    Raises:
        DatasetError: the manifest or the files it names are not what they should be, or tracks are
            too few to be split; see `manifests` and `artist_split`.
    """
    files = data_set.files(path)
    split_by_artist([file.genre for file in files], [file.artist for file in files])  # or raise
    ids = [f"{number:06d}" for number in range(len(files))]
    listing = _digest(files)
    arrays = read_archive(cache) if cache.is_file() else {}
    if str(arrays.get("listing", "")) != listing:
        _analyse(files, ids, listing, cache, progress)
        arrays = read_archive(cache)
    present = [int(track_id) for track_id in arrays["track_id"]]
    kept = [files[row] for row in present]
    names = tuple(sorted({file.genre for file in kept}))
    track_ids = tuple(ids[row] for row in present)
    rows = split_by_artist([file.genre for file in kept], [file.artist for file in kept])
    splits = {name: tuple(track_ids[row] for row in own) for name, own in rows.items()}
    _write_splits(cache.with_name("splits.json"), splits, dict(zip(track_ids, kept, strict=True)))
    return LabelledTracks(
        track_ids,
        np.array([names.index(file.genre) for file in kept], dtype=np.int64),
        arrays["logmel"],
        arrays["range_db"].astype(np.float32),
        tuple((str(track), str(reason)) for track, reason in arrays["missing"]),
        data_set,
        names,
        tuple(file.artist for file in kept),
        splits,
    )


def _analyse(
    files: Sequence[LabelledFile],
    ids: Sequence[str],
    listing: str,
    cache: Path,
    progress: Progress | None,
) -> None:
    """Write the archive of spectrograms. Raises `DatasetError` where no file can be read."""
    levels: dict[str, tuple[npt.NDArray[np.uint8], float]] = {}
    missing = []
    for done, (track_id, file) in enumerate(zip(ids, files, strict=True), start=1):
        try:
            levels[track_id] = _spectrogram(file.path)
        except AudioError as error:
            missing.append((str(file.path), str(error)))
        if progress is not None:
            progress(done, len(files))
    if not levels:
        raise DatasetError(f"no file can be read as sound; {missing[0][0]}: {missing[0][1]}")
    with replacing_file(cache) as out:
        np.savez_compressed(
            out,
            track_id=np.array(list(levels)),
            logmel=np.stack([values for values, _ in levels.values()]),
            range_db=np.array([span for _, span in levels.values()], np.float32),
            missing=np.array(missing, dtype=np.str_).reshape(-1, 2),
            listing=np.array(listing),
        )


def _spectrogram(path: Path) -> tuple[npt.NDArray[np.uint8], float]:
    """np.ndarray [shape=(128, 387)], uint8, and its range in dB, as of GTZAN."""
    from recommender.audio.reader import read_windows
    from recommender.audio.windows import Windowing
    from recommender.features.log_mel import FrontEnd, log_mel, tile_to_length

    (clip,) = read_windows(path, Windowing(count=1, seconds=SECONDS, long_after=1e9)).clips
    front_end = FrontEnd(hop_length=HOP_LENGTH, n_mels=N_MELS)
    values = tile_to_length(log_mel([clip], front_end)[0].values, front_end.frames(SECONDS))
    columns = values[:, column_frames(values.shape[1])]
    range_db = max(-float(columns.min()), 1.0)
    levels = np.rint((columns + range_db) * (255 / range_db)).clip(0, 255).astype(np.uint8)
    assert levels.shape == (N_MELS, COLUMNS)
    return levels, range_db


def _digest(files: Sequence[LabelledFile]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        stat = file.path.stat()
        line = f"{file.path}\0{file.genre}\0{file.artist}\0{stat.st_size}\0{stat.st_mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _write_splits(
    path: Path, splits: Mapping[str, Sequence[str]], files: Mapping[str, LabelledFile]
) -> None:
    listed = {name: [str(files[track].path) for track in ids] for name, ids in splits.items()}
    replace_file(path, json.dumps(listed, indent=1).encode("utf-8", "surrogateescape") + b"\n")
