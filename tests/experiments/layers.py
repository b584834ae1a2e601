"""Do layers of the spectrogram help among genres that were not trained on, and without a network?

Everything is done twice: on the stored spectrograms, and on those with their harmonic, percussive
and vocal layers (`recommender.research.reproduction.layers`) as further bands.

1. Statistics alone, no network: mean and deviation over time of each band; then those beside the
   package's descriptors (`recommender.features.descriptors`), without layers the descriptors alone.
   Genres by logistic regression (its C chosen on the validation tracks), precision@10 with artist
   filter by the projection that is best on them. One layer at a time is compared on the validation
   tracks alone.
2. Held-out genres: the folds of `leave_genres_out`, with those statistics (no `--network`) or with
   a declared run of the study trained on each fold. The projection is that of the best mean over
   the folds among the validation tracks; reported is the gallery of validation and test tracks,
   the tracks of held-out genres as queries.

    OMP_NUM_THREADS=1 nice python tests/experiments/layers.py --gtzan GTZAN
        [--network conv1d-2-blocks --seeds 3 --checkpoints FOLDER]

Differences are with less without layers, over queries (or test tracks), with a 95 % bootstrap
interval and p of the paired permutation test.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from recommender.evaluation.significance import bootstrap_interval, sign_flip_p
from recommender.features.descriptors import describe
from recommender.projections.lda import CANDIDATES
from recommender.research.datasets import gtzan
from recommender.research.model_building.leave_genres_out import FOLDS, without
from recommender.research.model_building.split_tracks import SplitTracks
from recommender.research.reproduction.experiments import run_named
from recommender.research.reproduction.layers import layered_settings
from recommender.research.reproduction.runner import track_precisions
from recommender.research.reproduction.splits import load_protocol
from recommender.research.training.inference import clip_activations
from recommender.research.training.loop import train
from recommender.utils.arrays import FloatArray

LAYERS = ("harmonic", "percussive", "vocal")
INPUTS: dict[str, tuple[str, ...]] = {"without": (), "with": LAYERS}
STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
"""Of the logistic regression: C."""

BANDS = gtzan.N_MELS

Embed = Callable[[SplitTracks], FloatArray]
"""From tracks to vectors [n, d]."""

Splits = tuple[SplitTracks, SplitTracks, SplitTracks]


def statistics(split: SplitTracks) -> FloatArray:
    """Mean and deviation over time of each band, each track standardised as a whole."""
    found = []
    for decibels in split.tracks.decibels:
        values = (decibels - decibels.mean()) / decibels.std()
        found.append(np.concatenate([values.mean(axis=1), values.std(axis=1)]))
    return np.array(found, dtype=np.float32)


def with_descriptors(split: SplitTracks) -> FloatArray:
    """The package's descriptors, and the statistics of the layers, where there are any."""
    plain = np.stack([describe(track[:BANDS]) for track in split.tracks.decibels])
    if split.tracks.decibels.shape[1] == BANDS:
        return plain
    return np.concatenate([plain, statistics(split)], axis=1)


def one_layer(position: int) -> Embed:
    """Statistics of the spectrogram and of one of its layers."""

    def embed(split: SplitTracks) -> FloatArray:
        bands = np.r_[:BANDS, (1 + position) * BANDS : (2 + position) * BANDS]
        decibels = split.tracks.decibels[:, bands]
        return statistics(replace(split, tracks=replace(split.tracks, decibels=decibels)))

    return embed


def accuracy(splits: Splits, embed: Embed) -> tuple[float, FloatArray]:
    """Best validation accuracy over `STRENGTHS`, and whether each test track is correct, [n]."""
    train_x, valid_x, test_x = standardised(*map(embed, splits))
    train_y, valid_y, test_y = (split.tracks.labels for split in splits)
    models = [
        LogisticRegression(C=strength, max_iter=2000).fit(train_x, train_y)
        for strength in STRENGTHS
    ]
    scores = [model.score(valid_x, valid_y) for model in models]
    best = int(np.argmax(scores))
    return scores[best], models[best].predict(test_x) == test_y


def standardised(train: FloatArray, *others: FloatArray) -> list[FloatArray]:
    """Each value to mean 0 and deviation 1 over the training tracks."""
    scaler = StandardScaler().fit(train)
    return [scaler.transform(vectors) for vectors in (train, *others)]


def precisions(splits: Splits, embed: Embed) -> tuple[float, FloatArray]:
    """Best validation precision@10 over projections, and precision of each test track, [n]."""
    train_x, valid_x, test_x = standardised(*map(embed, splits))
    fitted = {name: fit(train_x, splits[0].tracks.labels) for name, fit in CANDIDATES.items()}
    scores = {
        name: mean(track_precisions(p.apply(valid_x), splits[1])) for name, p in fitted.items()
    }
    best = max(scores, key=lambda name: scores[name])
    return scores[best], as_array(track_precisions(fitted[best].apply(test_x), splits[2]))


def held_out(
    splits: Splits, galleries: Sequence[SplitTracks], embeds: Sequence[Embed]
) -> FloatArray:
    """precision@10 of each query of a held-out genre, fold after fold: [q].

    Args:
        splits: of the protocol.
        galleries: the validation tracks, and those with the test tracks.
        embeds: one for each of `FOLDS`.
    """
    chosen_by: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    reported: dict[str, list[FloatArray]] = {name: [] for name in CANDIDATES}
    for fold, embed in zip(FOLDS, embeds, strict=True):
        training = without(splits[0], fold)
        vectors, *others = standardised(embed(training), *map(embed, galleries))
        for name, fit in CANDIDATES.items():
            projection = fit(vectors, training.tracks.labels)
            scores = [
                as_array(track_precisions(projection.apply(found), gallery))[
                    np.isin(gallery.genres, fold)
                ]
                for found, gallery in zip(others, galleries, strict=True)
            ]
            chosen_by[name].append(float(np.nanmean(scores[0])))
            reported[name].append(scores[1])
    best = max(CANDIDATES, key=lambda name: np.mean(chosen_by[name]))
    print(f"  projection {best}, held-out genres on validation {np.mean(chosen_by[best]):.3f}")
    return np.concatenate(reported[best])


def network_embeds(splits: Splits, name: str, seed: int, layers: int, folder: Path) -> list[Embed]:
    """Networks of a declared run, trained on each fold."""
    run = run_named(name)
    settings = run.settings(seed)
    model_settings = layered_settings(run.model, run.model_settings, layers)
    settings = replace(settings, model_settings=model_settings)

    def trained(fold: tuple[str, ...]) -> Embed:
        result = train(
            settings,
            without(splits[0], fold).tracks,
            without(splits[1], fold).tracks,
            len(gtzan.GENRES) - len(fold),
            checkpoint=folder / f"{name}-{layers}-{seed}-{'-'.join(fold)}.pt",
        )
        print(f"  {name} seed {seed} without {fold}: {len(result.history)} epochs", flush=True)
        return lambda split: clip_activations(
            result.network, split.tracks, settings.clip_frames
        ).mean(axis=1)

    return [trained(fold) for fold in FOLDS]


def mean(values: Sequence[float | None]) -> float:
    return float(np.nanmean(as_array(values)))


def as_array(values: Sequence[float | None]) -> FloatArray:
    return np.array(values, dtype=np.float64)


def compare(what: str, plain: FloatArray, layered: FloatArray) -> None:
    """Print both means and their paired difference."""
    both = np.stack([plain, layered]).astype(float)
    before, after = both[:, np.isfinite(both).all(axis=0)]
    difference = after - before
    low, high = bootstrap_interval(difference[:, None], 10_000, 0)
    print(
        f"{what}: {before.mean():.3f} without, {after.mean():.3f} with; {difference.mean():+.3f} "
        f"({low[0]:+.3f} to {high[0]:+.3f}), p = {sign_flip_p(difference):.3f}, n = {len(before)}",
        flush=True,
    )


def joined_gallery(splits: Splits) -> list[SplitTracks]:
    """Validation tracks, and validation and test tracks."""
    valid, test = splits[1:]
    tracks = replace(
        valid.tracks,
        decibels=np.concatenate([valid.tracks.decibels, test.tracks.decibels]),
        labels=np.concatenate([valid.tracks.labels, test.tracks.labels]),
    )
    return [valid, replace(valid, ids=valid.ids + test.ids, tracks=tracks)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gtzan", type=Path, required=True)
    parser.add_argument("--network", help="a declared run of the study")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    arguments = parser.parse_args()
    data = gtzan.load(arguments.gtzan)
    by_input: dict[str, Splits] = {}
    for name, layers in INPUTS.items():
        split = load_protocol(data, "filtered", layers=layers)
        by_input[name] = (split.train, split.valid, split.test)
    if arguments.network is None:
        of_statistics(by_input)
        return
    for seed in range(arguments.seeds):
        found = [
            held_out(
                splits,
                joined_gallery(splits),
                network_embeds(
                    splits, arguments.network, seed, len(INPUTS[name]), arguments.checkpoints
                ),
            )
            for name, splits in by_input.items()
        ]
        compare(f"{arguments.network} seed {seed}, held-out genres", *found)


def of_statistics(by_input: dict[str, Splits]) -> None:
    """Print the comparison without a network."""
    for name, embed in (("statistics", statistics), ("descriptors", with_descriptors)):
        for what, measure in (("accuracy", accuracy), ("precision@10", precisions)):
            found = {given: measure(splits, embed) for given, splits in by_input.items()}
            for given, (valid, _) in found.items():
                print(f"  {name}, {what} on validation, {given}: {valid:.3f}")
            compare(f"{name}, test {what}", found["without"][1], found["with"][1])
        queries = [
            held_out(splits, joined_gallery(splits), [embed] * len(FOLDS))
            for splits in by_input.values()
        ]
        compare(f"{name}, held-out genres, precision@10", *queries)
    train, valid, _ = by_input["with"]
    for position, layer in enumerate(LAYERS):
        figures = [
            measure((train, valid, valid), one_layer(position))[0]
            for measure in (accuracy, precisions)
        ]
        print(f"  {layer} alone, on validation: accuracy, precision@10 {figures}", flush=True)


if __name__ == "__main__":
    main()
