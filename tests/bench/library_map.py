"""What a map and clusters of a catalogue cost, and how good they are; beside principal components.

    recsys ingest MUSIC --db small.db
    python tests/bench/synthetic_catalog.py small.db large.db --tracks 40000
    python tests/bench/library_map.py small.db large.db

Each catalogue is copied first. Processor seconds of one thread (OMP_NUM_THREADS=1). Placing: the
last tenth of the tracks, at most 1,000, is taken off the map and placed on it again; beside their
trustworthiness stands that of the same tracks as they were fitted.
"""

import argparse
import resource
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from recommender.catalog.layout_records import LayoutKind
from recommender.library_map import (
    clusters,
    compute_clusters,
    compute_map,
    map_coordinates,
    place_new_tracks,
)
from recommender.library_map.components import vectors_of
from recommender.library_map.coordinates import principal_map
from recommender.library_map.quality import trustworthiness
from recommender.recommendation.service import SimilarityService


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def judge_map(service: SimilarityService) -> None:
    index, catalog = service.index(), service.catalog
    before, started = peak_mb(), time.process_time()
    principal_map(index)
    floor, started = time.process_time() - started, time.process_time()
    found = compute_map(catalog, index)
    seconds = time.process_time() - started
    quality = found.details["quality"]
    started = time.process_time()
    map_coordinates(service)
    read = time.process_time() - started
    print(
        f"map: {seconds:.1f} s (principal components {floor:.2f} s), peak {peak_mb()} MB "
        f"({before} before), read in {1000 * read:.1f} ms"
    )
    trust = quality["trustworthiness"]
    print(f"  trustworthiness {trust['map']:.3f}, of principal components {trust['pca']:.3f}")
    for name, hit in quality["neighbourhood_hit"].items():
        print(
            f"  neighbourhood hit, {name}: {hit['map']:.3f}, of principal components "
            f"{hit['pca']:.3f}, chance {hit['chance']:.3f}"
        )


def judge_placing(service: SimilarityService) -> None:
    index, catalog = service.index(), service.catalog
    whole = catalog.layout(LayoutKind.MAP)
    assert whole is not None
    count = min(1000, whole.details["fitted"] // 10)
    order = np.argsort(whole.ids[: whole.details["fitted"]], kind="stable")
    kept, taken = order[:-count], order[-count:]
    details = {**whole.details, "fitted": len(kept)}
    fewer = replace(whole, ids=whole.ids[kept], values=whole.values[kept], details=details)
    catalog.store_layout(fewer)
    started = time.process_time()
    place_new_tracks(catalog, index)
    seconds = time.process_time() - started
    vectors = vectors_of(index, index.rows(whole.ids[taken]))
    grown = catalog.layout(LayoutKind.MAP)
    assert grown is not None
    rows = {track_id: row for row, track_id in enumerate(grown.ids.tolist())}
    placed = grown.values[[rows[track_id] for track_id in whole.ids[taken].tolist()]]
    print(
        f"  placing {len(grown.ids) - len(kept)} tracks: {seconds:.1f} s; trustworthiness of "
        f"{count} of them {trustworthiness(vectors, placed)}, as they were fitted "
        f"{trustworthiness(vectors, whole.values[taken])}"
    )
    catalog.store_layout(whole)


def judge_clusters(service: SimilarityService) -> None:
    for method in ("kmeans", "hdbscan"):
        started = time.process_time()
        found = compute_clusters(service.catalog, service.index(), method)  # type: ignore[arg-type]
        seconds = time.process_time() - started
        started = time.process_time()
        clusters(service)
        read = time.process_time() - started
        stable = found.details["stability"]
        print(
            f"{method}: {seconds:.1f} s, {len(found.names)} clusters, noise "
            f"{found.noise / len(found.ids):.0%}; adjusted Rand index of resamples "
            f"{stable['mean']:.2f} (least {stable['least']:.2f}), null {stable['null_mean']:.2f} "
            f"(most {stable['null_most']:.2f}); read in {1000 * read:.1f} ms"
        )
        for name, figures in found.details["agreement"].items():
            print(
                f"  adjusted mutual information with {name}: {figures['ami']:.3f} "
                f"(p {figures['p']:.3f}, {figures['tracks']:,} tracks)"
            )
        print(f"  {'; '.join(f'{n} {s}' for n, s in zip(found.names, found.sizes, strict=True))}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalogs", type=Path, nargs="+")
    options = parser.parse_args()
    for file in options.catalogs:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(shutil.copy(file, Path(folder) / file.name))
            for index in file.parent.glob(f"{file.stem}.*.index*"):
                shutil.copy(index, folder)
            with SimilarityService.open(copy) as service:
                print(f"{file.name}: {len(service.index()):,} tracks")
                judge_map(service)
                judge_placing(service)
                judge_clusters(service)


if __name__ == "__main__":
    main()
