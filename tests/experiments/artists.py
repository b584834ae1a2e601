"""Does a model's space order tracks within a genre, or does it only separate genres?

Artists have a sound of their own. So among the held-out tracks of one genre (GTZAN's filtered valid
and test splits), those by the query's artist should come first; a space of ten labels would put
them anywhere. Queries are tracks whose artist has another held-out track in the genre; candidates
are the genre's other held-out tracks.

    OMP_NUM_THREADS=1 python tests/experiments/artists.py --shared SHARED [--model NAME ...]

Printed for each model, as the 487 are recommended (`recommender.search.reranking`) and by plain
cosine, over all queries: artist-match@10 (share of queries with at least one track of the same
artist among the nearest 10) with its 95 % interval, the share of the first 10 that are by the
artist, each with what chance gives; then artist-match@10 genre by genre.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from stored import judged, outputs

from recommender.embedding.model_files import find_model
from recommender.evaluation.labelled_vectors import GivenSimilarities, LabelledVectors
from recommender.evaluation.report import GenreScores, mean_scores
from recommender.evaluation.retrieval import QueryScores, score_queries
from recommender.research.datasets import gtzan
from recommender.research.model_building.split_tracks import SplitTracks, load_tracks
from recommender.search.reranking import ranking
from recommender.utils.arrays import FloatArray

K = 10
GENRES = "all genres"


def held_out(data: gtzan.Gtzan) -> SplitTracks:
    """The valid and test tracks of the filtered split."""
    splits = [gtzan.split_ids("filtered", name) for name in ("valid", "test")]
    return load_tracks(data, [track_id for ids in splits for track_id in ids])


def artist_scores(scores: FloatArray, split: SplitTracks) -> dict[str, QueryScores]:
    """Genre → how well each of its queries finds its artist among the genre's tracks.

    Args:
        scores: np.ndarray [shape=(n, n)], of every track for every other.
        split: the n tracks.
    """
    genres = np.array([track_id.partition(".")[0] for track_id in split.ids])
    artists = np.array(split.artists)
    found = {}
    for genre in gtzan.GENRES:
        own = np.flatnonzero(genres == genre)
        given = GivenSimilarities(scores[np.ix_(own, own)])
        tracks = LabelledVectors.of(given, artists[own].tolist())
        found[genre] = score_queries(tracks, K, artist_filter=False)
    return found


def joined(parts: list[QueryScores]) -> QueryScores:
    """The queries of all genres together."""
    return QueryScores(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in QueryScores.__dataclass_fields__
        )
    )


def summary(name: str, scores: QueryScores, resamples: int = 1000) -> GenreScores:
    """Means over the queries that have something to find."""
    return mean_scores(name, scores, np.ones(len(scores.rows), dtype=bool), K, resamples, 0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--model", action="append", help="instead of every shipped model; repeat")
    args = parser.parse_args()
    torch.set_num_threads(1)
    split = held_out(gtzan.load(args.shared / "gtzan" / "gtzan_logmel.npz"))
    print(
        "| model | queries | artist-match@10 | chance | share of the 10 | chance "
        "| artist-match@10 by genre (chance) |\n|" + 7 * "---|"
    )
    for model in judged(args.model):
        vectors = outputs(find_model(model), split)[0]
        order = ranking(vectors)
        print_row(model, artist_scores(order.query_vectors @ order.database_vectors.T, split))
        print_row(f"{model}, by plain cosine", artist_scores(vectors @ vectors.T, split))


def print_row(model: str, by_genre: dict[str, QueryScores]) -> None:
    every = summary(GENRES, joined(list(by_genre.values())))
    genres = [summary(genre, scores, 0) for genre, scores in by_genre.items()]
    by_genre_text = ", ".join(
        f"{row.genre} {row.hit.value:.2f} ({row.hit.chance:.2f})" for row in genres if row.queries
    )
    print(
        f"| {model} | {every.queries} | {every.hit.value:.3f} [{every.hit.low:.3f}, "
        f"{every.hit.high:.3f}] | {every.hit.chance:.3f} | {every.precision.value:.3f} "
        f"| {every.precision.chance:.3f} | {by_genre_text} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
