"""What storing activations in half precision does to lists: none changes but near ties.

    python tests/bench/half_precision.py FOLDER [--tracks 5000]

Ingests the music of FOLDER with activations stored in single precision, rounds those of a copy of
the catalogue to half, and compares what both recommend: for each ranking how many of the lists of
ten are the same, how many hold the same tracks, the largest difference of a score of one track,
and the largest difference of the two scores at a rank where tracks have changed places. With
`--tracks`, the same for a synthetic catalogue of so many tracks, of which `--queries` are drawn.

Also: the range of the numbers (half precision ends at 65,504), and the largest error in units of
the standard deviation of its dimension.
"""

import argparse
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

import numpy as np
import synthetic_catalog

from recommender.catalog import Catalog, writer
from recommender.catalog.activation_blob import SINGLE, checksum, encode
from recommender.ingestion import IngestSettings, ingest
from recommender.recommendation.service import SimilarityService
from recommender.search.reranking import RankingMethod
from recommender.utils.arrays import FloatArray

K = 10
Lists = dict[tuple[str, int], list[tuple[int, float]]]


def single(activations: FloatArray) -> bytes:
    """The blob in single precision."""
    return np.asarray(activations, SINGLE).tobytes()


def lists(file: Path, queries: int) -> Lists:
    """Ranking and track → ids and scores."""
    found: Lists = {}
    with SimilarityService.open(str(file), "cpu") as service:
        ids = service.index().ids
        drawn = np.random.default_rng(0).permutation(ids)[:queries].tolist()
        for method in get_args(RankingMethod):
            for id in drawn:
                neighbours = service.similar(id, K, ranking=method)
                found[method, id] = [(n.track.id, n.score) for n in neighbours]
    return found


def rounded_copy(file: Path) -> Path:
    """The same catalogue with its activations in half precision."""
    copy = file.with_name(f"half-{file.name}")
    shutil.copy(file, copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        rows = connection.execute("SELECT rowid, activations FROM analyses").fetchall()
        for row, blob in rows:
            half = encode(np.frombuffer(blob, SINGLE))
            connection.execute(
                "UPDATE analyses SET activations = ?, checksum = ? WHERE rowid = ?",
                (half, checksum(half), row),
            )
        connection.execute("UPDATE catalog SET uuid = ?", ("half precision",))
    return copy


def compare(name: str, file: Path, queries: int) -> None:
    """Rows of a Markdown table, one for each ranking."""
    before, after = lists(file, queries), lists(rounded_copy(file), queries)
    for method in get_args(RankingMethod):
        pairs = [(before[key], after[key]) for key in before if key[0] == method]
        same = sum(ids(one) == ids(other) for one, other in pairs)
        as_sets = sum(set(ids(one)) == set(ids(other)) for one, other in pairs)
        of_track = [
            abs(score - dict(one)[id])
            for one, other in pairs
            for id, score in other
            if id in dict(one)
        ]
        ties = [
            abs(score - other_score)
            for one, other in pairs
            for (id, score), (other_id, other_score) in zip(one, other, strict=False)
            if id != other_id
        ]
        print(
            f"| {name}, {method} | {len(pairs)} | {same} | {as_sets} "
            f"| {max(of_track, default=0):.1e} | {max(ties, default=0):.1e} |"
        )


def ids(found: list[tuple[int, float]]) -> list[int]:
    return [id for id, _ in found]


def print_range(file: Path) -> None:
    with Catalog.open(file) as catalog:
        space: Any = catalog.active_space()
        _, exact = catalog.activations(space)
    error = np.abs(exact.astype(np.float16).astype(np.float32) - exact).max(axis=0)
    spread = error / exact.std(axis=0)
    print(
        f"{len(exact)} tracks: numbers from {exact.min():.1f} to {exact.max():.1f}; error at most "
        f"{error.max():.1e}, in standard deviations of its dimension: median "
        f"{np.median(spread):.1e}, largest {spread.max():.1e}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tracks", type=int, default=5_000, help="0 for no synthetic catalogue")
    parser.add_argument("--queries", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.db", Path(folder) / "large.db"
        with patch.object(writer, "encode", single), Catalog.open(small) as catalog:
            ingest(catalog, [options.folder], IngestSettings(update_index=False))
        print_range(small)
        print("| | lists | same | same tracks | largest difference of a score | of a swap |")
        print("|---|" + "---:|" * 5)
        compare("music", small, options.queries)
        if options.tracks:
            with patch.object(synthetic_catalog, "encode", single):
                synthetic_catalog.write_catalog(small, large, options.tracks)
            compare("synthetic", large, options.queries)


if __name__ == "__main__":
    main()
