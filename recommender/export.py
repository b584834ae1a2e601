"""The catalogue for a researcher: embeddings and tags in one table, as npz or parquet."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import Tags, Track
from recommender.errors import CatalogError, UsageError
from recommender.space import FloatArray
from recommender.weights import find

TAG_NAMES = tuple(field.name for field in fields(Tags))


def export(catalog: Catalog, file: Path) -> int:
    """Write every heard track of the active space.

    The columns are id, path (file name bytes that are no text as ``\\xNN``), duration (s), the
    tags, genre_heard, activations (the network's, [n, d]) and embedding (unit vectors, [n, p]).

    Args:
        file: its ending, ``.npz`` or ``.parquet``, chooses the format.

    Returns:
        The number of tracks.

    Raises:
        CatalogError: nothing has been heard yet.
        UsageError: another ending, the folder is not there, or pyarrow is not installed.
    """
    writers = {".npz": _write_npz, ".parquet": _write_parquet}
    if file.suffix not in writers:
        raise UsageError(f"{file}: name a file that ends in .npz or .parquet.")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {file.absolute().parent}: make it first.")
    columns, activations, embeddings = _columns(catalog)
    writers[file.suffix](file, columns, activations, embeddings)
    return len(activations)


def _columns(catalog: Catalog) -> tuple[dict[str, list[Any]], FloatArray, FloatArray]:
    active, listening = catalog.active_space(), catalog.active_listening()
    if active is None or listening is None:
        raise CatalogError("nothing has been heard yet: run 'recsys ingest FOLDER' first.")
    ids, activations = catalog.activations(active)
    if not len(ids):
        raise CatalogError("no track of the catalogue can be exported: ingest a folder first.")
    tracks = catalog.tracks(ids.tolist())
    embeddings = find(listening["model"]).projection().apply(activations)
    rows = [_row(track) for track in tracks]
    return {name: [row[name] for row in rows] for name in rows[0]}, activations, embeddings


def _row(track: Track) -> dict[str, Any]:
    return {
        "id": track.id,
        "path": str(track.file).encode("utf-8", "backslashreplace").decode("utf-8"),
        "duration": track.duration,
        **asdict(track.tags),
        "genre_heard": track.genre_heard,
    }


def _write_npz(
    file: Path, columns: dict[str, list[Any]], activations: FloatArray, embeddings: FloatArray
) -> None:
    """Absent text is an empty string and an absent number -1, as npz knows no None."""
    arrays = {
        name: np.array([_absent(name) if value is None else value for value in values])
        for name, values in columns.items()
    }
    np.savez_compressed(
        file, allow_pickle=False, **arrays, activations=activations, embedding=embeddings
    )


def _absent(name: str) -> str | int:
    return -1 if name in {"track_number", "year"} else ""


def _write_parquet(
    file: Path, columns: dict[str, list[Any]], activations: FloatArray, embeddings: FloatArray
) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            "parquet needs pyarrow: install the package with its extra 'parquet', or export .npz."
        ) from error
    kinds = {"id": pa.int64(), "duration": pa.float64(), "track_number": pa.int64()}
    kinds["year"] = pa.int64()
    arrays = {
        name: pa.array(values, kinds.get(name, pa.string())) for name, values in columns.items()
    }
    for name, matrix in (("activations", activations), ("embedding", embeddings)):
        flat = pa.array(matrix.ravel())
        arrays[name] = pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])
    pq.write_table(pa.table(arrays), file)
