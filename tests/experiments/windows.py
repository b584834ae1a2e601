"""How many windows a track needs: what more of them give, and what they cost.

First table: the validation tracks of GTZAN from their stored spectrograms of 30 s, analysed through
1, 2 or 3 windows as when serving, and as one piece. Accuracy by track, precision@10 with
artist filter with its 95 % interval, and the paired difference to the 3 windows (bootstrap over
queries). The test tracks are not looked at: the number of windows is a choice.

Second table: songs of more than a minute, analysed from their files. How near the embedding is to
that of the whole track (all consecutive windows), how much of the whole track's list of five
nearest songs it finds, and CPU milliseconds a track: decoding, and all of it (median over songs,
one thread). Of two encodings of one recording (``X.hq.ogg`` beside ``X.ogg``) one is used.

    python tests/experiments/windows.py --shared SHARED [--music FOLDER] [--model NAME]
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from recommender.audio.reader import read_windows
from recommender.audio.windows import Windowing
from recommender.embedding.embedder import Embedder
from recommender.embedding.model_files import DEFAULT_MODEL, find_model
from recommender.errors import AudioError
from recommender.evaluation.labelled_vectors import LabelledVectors
from recommender.evaluation.metrics import DEFAULT_K
from recommender.evaluation.report import evaluate_retrieval
from recommender.evaluation.retrieval import score_queries
from recommender.research.datasets import gtzan
from recommender.research.model_building.split_tracks import SplitTracks, load_split
from recommender.utils.arrays import FloatArray

STORED_COUNTS = (1, 2, 3)
COUNTS = (1, 2, 3, 5, 8, 0)
WHOLE = 0
LIST = 5
LONGER_THAN_S = 60.0
ENDINGS = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".au", ".aiff", ".wma"}
HEADINGS = (
    f"| windows | cosine with the whole: median | lowest tenth | worst | same of {LIST} "
    "| same nearest | CPU ms: decoding | all |"
)


def stored_outputs(
    embedder: Embedder, split: SplitTracks, starts: list[int], frames: int
) -> tuple[FloatArray, FloatArray]:
    """Activations [n, d] and genre probabilities [n, n_classes], of the windows of each track."""
    analysed = [
        embedder.analyse_spectrograms([track[:, s : s + frames] for s in starts])
        for track in split.tracks.decibels
    ]
    activations, probabilities = zip(*analysed, strict=True)
    return np.stack(activations), np.stack(probabilities)


def stored_table(model: str, archive: Path) -> None:
    """Print the first table."""
    weights = find_model(model)
    embedder, projection = Embedder(weights), weights.projection()
    seconds = weights.card.windowing["seconds"]
    split = load_split(gtzan.load(archive), "filtered", "valid")
    columns = split.tracks.decibels.shape[2]
    frames = round(columns * seconds / 30)
    placings = {
        str(count): [round(columns * start / 30) for start in Windowing(count, seconds).starts(30)]
        for count in STORED_COUNTS
    }
    outcomes = {
        name: stored_outputs(embedder, split, starts, frames) for name, starts in placings.items()
    }
    outcomes["one piece of 30 s"] = stored_outputs(embedder, split, [0], columns)
    genres = [track_id.partition(".")[0] for track_id in split.ids]
    usual = _query_precisions(projection.apply(outcomes["3"][0]), genres, split.artists)
    print(f"| windows of {seconds:g} s | accuracy | precision@{DEFAULT_K} | minus that of 3 |")
    print("|---|---|---|---|")
    for name, (activations, probabilities) in outcomes.items():
        vectors = projection.apply(activations)
        right = (probabilities.argmax(axis=1) == split.tracks.labels).mean()
        found = evaluate_retrieval(vectors, genres, split.artists, k=DEFAULT_K).with_filter
        assert found is not None  # artists were given
        rate = found.overall.precision
        low, high = _interval(_query_precisions(vectors, genres, split.artists) - usual)
        print(
            f"| {name} | {right:.3f} | {rate.value:.3f} [{rate.low:.3f}, {rate.high:.3f}] "
            f"| [{low:+.3f}, {high:+.3f}] |"
        )


def _query_precisions(vectors: FloatArray, genres: list[str], artists: list[str]) -> np.ndarray:
    """Precision of each query that has a relevant candidate, in the order of the tracks."""
    tracks = LabelledVectors.of(vectors, genres, artists)
    scores = score_queries(tracks, DEFAULT_K, artist_filter=True)
    return scores.precision[scores.relevant > 0]


def _interval(differences: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    draws = np.random.default_rng(0).integers(len(differences), size=(2_000, len(differences)))
    low, high = np.quantile(differences[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True)
class Song:
    """One song analysed one way: its activations and CPU seconds."""

    activations: FloatArray
    windows: int
    decoding: float
    rest: float


def analysed(path: Path, embedder: Embedder) -> Song:
    """Decode, then analyse, each with its CPU time."""
    began = time.process_time()
    found = read_windows(path, embedder.windowing, embedder.front_end.sample_rate)
    decoded = time.process_time()
    activations, _ = embedder.analyse_clips(found.clips)
    done = time.process_time()
    return Song(activations, len(found.clips), decoded - began, done - decoded)


def long_songs(folder: Path, embedder: Embedder) -> list[Path]:
    """The songs of more than a minute; of `X.hq.ogg` and `X.ogg` the latter."""
    songs = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in ENDINGS or ".hq." in path.name:
            continue
        try:
            if embedder.analyse(path).duration > LONGER_THAN_S:
                songs.append(path)
        except AudioError as error:
            print(f"not analysed: {path.name}: {error}")
    return songs


def songs_table(model: str, folder: Path) -> None:
    """Print the second table."""
    embedders = {count: Embedder.load(model, Windowing(count)) for count in COUNTS}
    songs = long_songs(folder, embedders[1])
    outcomes = {
        count: [analysed(path, embedder) for path in songs] for count, embedder in embedders.items()
    }

    def vectors(count: int) -> FloatArray:
        return embedders[count].project(np.stack([song.activations for song in outcomes[count]]))

    print(f"\n{len(songs)} songs of more than {LONGER_THAN_S:g} s\n")
    print(HEADINGS, "|" + 8 * "---|", sep="\n")
    whole = vectors(WHOLE)
    expected = nearest(whole)
    for count in COUNTS:
        mine = vectors(count)
        near = (mine * whole).sum(axis=1)
        found = nearest(mine)
        shares = [len(set(a) & set(b)) / LIST for a, b in zip(found, expected, strict=True)]
        decoding = np.median([song.decoding for song in outcomes[count]])
        total = np.median([song.decoding + song.rest for song in outcomes[count]])
        windows = np.median([song.windows for song in outcomes[count]])
        print(
            f"| {count or f'whole ({windows:g})'} | {np.median(near):.3f} "
            f"| {np.quantile(near, 0.1):.3f} | {near.min():.3f} | {np.mean(shares):.2f} "
            f"| {np.mean(found[:, 0] == expected[:, 0]):.2f} "
            f"| {1e3 * decoding:.0f} | {1e3 * total:.0f} |"
        )


def nearest(vectors: FloatArray) -> np.ndarray:
    """Rows of the nearest songs to each song, nearest first, [n, LIST]."""
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -np.inf)
    return np.argsort(-similarities, axis=1, kind="stable")[:, :LIST]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--music", type=Path, help="songs; by default SHARED/music")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    args = parser.parse_args()
    torch.set_num_threads(1)
    stored_table(args.model, args.shared / "gtzan" / "gtzan_logmel.npz")
    songs_table(args.model, args.music or args.shared / "music")


if __name__ == "__main__":
    main()
