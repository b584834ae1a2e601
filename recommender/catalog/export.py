"""Export of a catalogue's embeddings, predicted genres and tags as one table: npz or parquet."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.column_types import encode_path
from recommender.catalog.projector import catalog_projector
from recommender.catalog.records import Track
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError, UsageError
from recommender.musical_descriptors import NAMES, MusicalDescriptors
from recommender.utils.arrays import FloatArray
from recommender.utils.files import AnyPath, as_path, real_path, replacing_file

NUMBERS = ("track_number", "year", "key")
_REALS = ("start", "end", *(name for name in NAMES if name not in ("key", "mode")))
ABSENT_NUMBER = -1
"""Stands for an absent number in an npz file, whose arrays have no None."""


@dataclass(frozen=True)
class _Table:
    """The exported table: n tracks, `space` is that of the embeddings.

    Attributes:
        columns: name → n plain values.
        matrices: name → np.ndarray [shape=(n, d)], float32.
        labels: of the columns of the genre probabilities.
    """

    columns: dict[str, list[Any]]
    matrices: dict[str, FloatArray]
    labels: tuple[str, ...]
    space: SpaceId


def export(catalog: Catalog, file: AnyPath) -> int:
    r"""Write every track that can be recommended, by id.

    The columns are id, path (absolute; bytes that are not UTF-8 as ``\xNN``, and a backslash as
    two), segment, start and end (s) of a track in a file that a cue sheet divides (segment 0, and
    NaN or null, for all of a file), duration (s), the tags, predicted_genre, the musical
    descriptors (NaN or null for what is not known; of the key -1 in an npz), genre_probabilities
    (float32 [n, g]), activations (the model's, float32 [n, d]) and embedding (unit vectors, float32
    [n, p]).
    `genre_labels` has the g genres that the columns of genre_probabilities stand for, and `space`
    names the space of the embeddings: arrays of the npz; of a parquet file entries of the schema's
    metadata, the labels as a JSON list, and a matrix is a column of fixed-size lists. A file that
    exists is replaced only when the new one is complete.

    Args:
        catalog: stays open.
        file: its ending, ``.npz`` or ``.parquet``, selects the format.

    Returns:
        The number of tracks.

    Raises:
        CatalogError: nothing has been analysed yet.
        SpaceMismatch: it was analysed with other weights than the installed ones.
        UsageError: another ending, the folder does not exist, or pyarrow is not installed.
        TypeError: `file` is no path.
        OSError: the file cannot be written.
    """
    file = as_path(file, "file")
    writers = {".npz": _write_npz, ".parquet": _write_parquet}
    if file.suffix not in writers:
        raise UsageError(f"{file}: give a file that ends in .npz or .parquet.")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {file.absolute().parent}: create it first.")
    table = _table(catalog)
    # A link stays one: the file it leads to is replaced.
    with replacing_file(real_path(file)) as output:
        writers[file.suffix](output, table)
    return len(table.columns["id"])


def _table(catalog: Catalog) -> _Table:
    projector = catalog_projector(catalog)
    ids, activations = catalog.activations(projector.space)
    if not len(ids):
        raise CatalogError("no track can be recommended, so there is nothing to export: ingest.")
    tracks = catalog.tracks(ids.tolist())
    labels = tuple(dict.fromkeys(label for t in tracks for label in t.genre_probabilities))
    matrices = {
        "genre_probabilities": _probabilities(tracks, labels),
        "activations": activations,
        "embedding": projector.project(activations),
    }
    described = catalog.musical_descriptors(ids.tolist())
    nothing = MusicalDescriptors()
    rows = [_row(track, described.get(track.id, nothing)) for track in tracks]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return _Table(columns, matrices, labels, projector.space)


def _row(track: Track, descriptors: MusicalDescriptors) -> dict[str, Any]:
    return {
        "id": track.id,
        "path": encode_path(str(track.file)),
        "segment": track.segment,
        "start": track.start,
        "end": track.end,
        "duration": track.duration,
        **{
            name: value
            for name, value in asdict(track.tags).items()
            if not isinstance(value, tuple)  # the texts "artist" and "album_artist" have them all
        },
        "isrcs": "; ".join(track.tags.isrcs) or None,
        "predicted_genre": track.predicted_genre,
        **{name: getattr(descriptors, name) for name in NAMES},
    }


def _probabilities(tracks: Sequence[Track], labels: Sequence[str]) -> FloatArray:
    """np.ndarray [shape=(n, g)], float32: NaN where a track has no probability of a genre."""
    rows = [[t.genre_probabilities.get(label, np.nan) for label in labels] for t in tracks]
    return np.array(rows, dtype=np.float32).reshape(len(tracks), len(labels))


def _write_npz(file: BinaryIO, table: _Table) -> None:
    """Absent text is an empty string."""
    arrays: dict[str, Any] = {
        name: np.array([_absent(name) if value is None else value for value in values])
        for name, values in table.columns.items()
    }
    arrays |= table.matrices
    labels = np.array(table.labels, dtype=np.str_)
    np.savez_compressed(file, space=np.array(str(table.space)), genre_labels=labels, **arrays)


def _absent(name: str) -> str | int | float:
    if name in _REALS:
        return np.nan
    return ABSENT_NUMBER if name in NUMBERS else ""


def _write_parquet(file: BinaryIO, table: _Table) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            "parquet needs pyarrow: install the package with its extra 'parquet', or export .npz."
        ) from error
    types = {
        **dict.fromkeys(("id", "segment", *NUMBERS), pa.int64()),
        **dict.fromkeys(("duration", *_REALS), pa.float64()),
    }
    arrays = {
        name: pa.array(values, types.get(name, pa.string()))
        for name, values in table.columns.items()
    }
    for name, matrix in table.matrices.items():
        arrays[name] = pa.FixedSizeListArray.from_arrays(
            pa.array(matrix.ravel()), type=pa.list_(pa.float32(), matrix.shape[1])
        )
    metadata = {"space": str(table.space), "genre_labels": json.dumps(table.labels)}
    pq.write_table(pa.table(arrays).replace_schema_metadata(metadata), file)
