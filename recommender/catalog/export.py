"""The catalogue for a researcher: embeddings and tags in one table, as npz or parquet."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.column_types import encode_path
from recommender.catalog.projector import catalog_projector
from recommender.catalog.records import Track
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError, UsageError
from recommender.utils.arrays import FloatArray
from recommender.utils.files import real_path, replacing_file

NUMBERS = ("track_number", "year")
ABSENT_NUMBER = -1
"""Stands in an npz file for a number that is not known, as its arrays know no None."""


@dataclass(frozen=True)
class _Table:
    """Columns of plain values, the two matrices [shape=(n, d)] and [shape=(n, p)], their space."""

    columns: dict[str, list[Any]]
    activations: FloatArray
    embedding: FloatArray
    space: SpaceId


def export(catalog: Catalog, file: Path) -> int:
    r"""Write every track that can be recommended, by id.

    The columns are id, path (absolute; bytes that are not UTF-8 as ``\xNN``, and a backslash as
    two), duration (s), the tags, predicted_genre, activations (the model's, float32 [n, d]) and
    embedding (unit vectors, float32 [n, p]). `space` names the space of the embeddings: an array
    of the npz, an entry of the parquet schema's metadata. A file that was there is replaced only
    when the new one is whole.

    Args:
        file: its ending, ``.npz`` or ``.parquet``, chooses the format.

    Returns:
        The number of tracks.

    Raises:
        CatalogError: nothing has been analysed yet.
        SpaceMismatch: it was analysed with other weights than the installed ones.
        UsageError: another ending, the folder is not there, or pyarrow is not installed.
        OSError: the file cannot be written.
    """
    writers = {".npz": _write_npz, ".parquet": _write_parquet}
    if file.suffix not in writers:
        raise UsageError(f"{file}: name a file that ends in .npz or .parquet.")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {file.absolute().parent}: make it first.")
    table = _table(catalog)
    # A link stays one: what it leads to is replaced.
    with replacing_file(real_path(file)) as output:
        writers[file.suffix](output, table)
    return len(table.activations)


def _table(catalog: Catalog) -> _Table:
    projector = catalog_projector(catalog)
    ids, activations = catalog.activations(projector.space)
    if not len(ids):
        raise CatalogError("no track can be recommended, so there is nothing to export: ingest.")
    rows = [_row(track) for track in catalog.tracks(ids.tolist())]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return _Table(columns, activations, projector.project(activations), projector.space)


def _row(track: Track) -> dict[str, Any]:
    return {
        "id": track.id,
        "path": encode_path(str(track.file)),
        "duration": track.duration,
        **asdict(track.tags),
        "predicted_genre": track.predicted_genre,
    }


def _write_npz(file: BinaryIO, table: _Table) -> None:
    """Absent text is an empty string."""
    arrays: dict[str, Any] = {
        name: np.array([_absent(name) if value is None else value for value in values])
        for name, values in table.columns.items()
    }
    arrays |= {"activations": table.activations, "embedding": table.embedding}
    np.savez_compressed(file, space=np.array(str(table.space)), **arrays)


def _absent(name: str) -> str | int:
    return ABSENT_NUMBER if name in NUMBERS else ""


def _write_parquet(file: BinaryIO, table: _Table) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            "parquet needs pyarrow: install the package with its extra 'parquet', or export .npz."
        ) from error
    kinds = {"id": pa.int64(), "duration": pa.float64(), **dict.fromkeys(NUMBERS, pa.int64())}
    arrays = {
        name: pa.array(values, kinds.get(name, pa.string()))
        for name, values in table.columns.items()
    }
    for name, matrix in (("activations", table.activations), ("embedding", table.embedding)):
        arrays[name] = pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])
    pq.write_table(pa.table(arrays).replace_schema_metadata({"space": str(table.space)}), file)
