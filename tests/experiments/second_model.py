"""What was compared before the models musicnn and combined were made as they are.

    recsys models add musicnn
    python tests/experiments/second_model.py input --shared DIR
    python tests/experiments/second_model.py metrics --shared DIR
    python tests/experiments/second_model.py weights --shared DIR

``input``: can the patches of musicnn be approximated from the stored spectrograms of GTZAN, so that
a projection could be fitted on all its tracks? ``metrics``: which activations and which scaling of
them find tracks of one genre? ``weights``: how much should the default model count beside it?
Judged by 32 tracks of GTZAN and by 45 of the music folder (`hand_labels.csv`, labels by whoever
measured): sets so small that they can only tell what is clearly worse.
"""

import argparse
import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommender.audio.reader import read_whole
from recommender.embedding.embedder import Embedder
from recommender.embedding.inference import ServingNetwork, serving_networks
from recommender.embedding.model_files import find_model
from recommender.evaluation.comparison import compare_models
from recommender.features.log_mel import mel_power
from recommender.features.mel_patches import PatchFrontEnd
from recommender.research.datasets import gtzan
from recommender.utils.arrays import unit_rows

FRONT_END = PatchFrontEnd()
UNITS, WIDTH = 200, 250
K = 2


@dataclass(frozen=True)
class Tracks:
    """Activations by model, projected but not normalised, with genres and artists."""

    name: str
    activations: Mapping[str, np.ndarray]
    lengths: Mapping[str, np.ndarray]
    genres: list[str]
    artists: list[str]


def sounds_of_gtzan(shared: Path) -> dict[str, Path]:
    paths = sorted((shared / "gtzan" / "audio").glob("*/*"))
    return {path.stem: path for path in paths}


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("question", choices=("input", "metrics", "weights"))
    parser.add_argument("--shared", type=Path, required=True)
    options = parser.parse_args()
    if options.question == "input":
        print_input(options.shared)
        return
    for tracks in (of_gtzan(options.shared), of_music(options.shared)):
        print(f"\n{tracks.name}, {len(tracks.genres)} tracks, precision@{K}\n")
        vectors = metrics(tracks) if options.question == "metrics" else weights(tracks)
        print_precision(vectors, tracks)


def print_input(shared: Path) -> None:
    """Correlation of approximated patches with those of the sound, and of what networks make."""
    data = gtzan.load(shared / "gtzan" / "gtzan_logmel.npz")
    rows = {track_id: row for row, track_id in enumerate(data.track_ids)}
    stored, real = [], []
    for track_id, path in sounds_of_gtzan(shared).items():
        samples = np.pad(read_whole(path, FRONT_END.sample_rate).samples, FRONT_END.n_fft // 2)
        power = mel_power(samples, FRONT_END.spectrogram)
        real.append(np.log10(1 + FRONT_END.gain * power))
        stored.append(_stretched(data.decibels(rows[track_id]), real[-1].shape[1]))
    x, y = (np.concatenate([one[:, ::7] for one in values], axis=1).T for values in (stored, real))
    x = np.c_[x / 20, np.ones(len(x))]
    matrix = np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ y)
    explained = 1 - np.square(y - x @ matrix).sum() / np.square(y - y.mean(axis=0)).sum()
    print(f"explained variance of the spectrogram, fitted on the same tracks: {explained:.2f}")
    made = [np.maximum((np.c_[one.T / 20, np.ones(one.shape[1])] @ matrix).T, 0) for one in stored]
    for name, network in zip(("MSD", "MTT"), serving_networks(find_model("musicnn")), strict=True):
        one, other = (_centred(network, spectrograms) for spectrograms in (real, made))
        nearest = np.mean((one @ other.T).argmax(axis=1) == np.arange(len(one)))
        cosine = float((one * other).sum(axis=1).mean())
        print(f"{name}: cosine of activations {cosine:.2f}, own track nearest {nearest:.0%}")


def _stretched(decibels: np.ndarray, frames: int) -> np.ndarray:
    """Stored columns, 77.5 ms apart, at the times of the patches' frames."""
    columns = (np.arange(gtzan.COLUMNS) + 0.5) * 1294 / (gtzan.COLUMNS + 0.5)
    known = columns * gtzan.HOP_LENGTH / 22_050
    wanted = np.arange(frames) * FRONT_END.hop_length / FRONT_END.sample_rate
    return np.stack([np.interp(wanted, known, band) for band in decibels])


def _centred(network: ServingNetwork, spectrograms: list[np.ndarray]) -> np.ndarray:
    rows = []
    for values in spectrograms:
        starts = [int((i + 0.5) * values.shape[1] / 3 - 93) for i in range(3)]
        patches = np.stack([values[:, s : s + FRONT_END.frames] for s in starts])
        rows.append(network.activations(patches.astype(np.float32))[:, :UNITS].mean(axis=0))
    found = np.array(rows)
    return unit_rows(found - found.mean(axis=0))


def of_gtzan(shared: Path) -> Tracks:
    """With `fast`, which has seen less than half of them in training; `default` has seen all."""
    paths, artists = sounds_of_gtzan(shared), gtzan.artists()
    genres = [gtzan.genre_of(track_id) for track_id in paths]
    found = _analysed(list(paths.values()), "fast")
    return Tracks("GTZAN", *found, genres, [artists[track_id] for track_id in paths])


def of_music(shared: Path) -> Tracks:
    """With `default`."""
    with Path(__file__).with_name("hand_labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = _analysed([shared / "music" / row["path"] for row in rows], "default")
    artists = [row["artist"] for row in rows]
    return Tracks("music folder", *found, [row["genre"] for row in rows], artists)


def _analysed(paths: list[Path], other: str) -> tuple[dict, dict]:
    activations, lengths = {}, {}
    for model in (other, "musicnn"):
        embedder, projection = Embedder.load(model), find_model(model).projection()
        activations[model] = np.stack([embedder.analyse(path).activations for path in paths])
        lengths[model] = projection.affine(activations[model])
    return activations, lengths


def metrics(tracks: Tracks) -> dict[str, np.ndarray]:
    """Vectors of musicnn by which tracks could be compared."""
    raw, scaled = tracks.activations["musicnn"], tracks.lengths["musicnn"]
    found = {
        "both, standardised": scaled,
        "MSD, standardised": scaled[:, :UNITS],
        "MTT, standardised": scaled[:, UNITS:],
        "MSD, as they are": raw[:, :UNITS],
        "MSD, log odds of tags": _log_odds(raw[:, UNITS:WIDTH]),
    }
    centred = scaled - scaled.mean(axis=0)
    for shrinkage in (0.1, 0.5, 0.9):
        covariance = np.cov(centred.T)
        scale = np.trace(covariance) / len(covariance)
        covariance = (1 - shrinkage) * covariance + shrinkage * scale * np.eye(len(covariance))
        values, axes = np.linalg.eigh(covariance)
        found[f"both, whitened on these tracks, shrinkage {shrinkage}"] = (
            centred @ axes / np.sqrt(values)
        )
    return found


def _log_odds(probabilities: np.ndarray) -> np.ndarray:
    odds = np.log(np.clip(probabilities, 1e-4, 1) / (1 - np.clip(probabilities, 0, 1 - 1e-4)))
    return odds - odds.mean(axis=0)


def weights(tracks: Tracks) -> dict[str, np.ndarray]:
    """Both models side by side, the other one with several weights."""
    (other, theirs), (_, ours) = tracks.lengths.items()
    parts = [values / np.sqrt(np.square(values).sum(axis=1).mean()) for values in (theirs, ours)]
    joined = {
        f"{other} × {weight}": np.c_[weight * parts[0], parts[1]] for weight in (0.5, 1.0, 2.0)
    }
    return {f"{other} alone": theirs, "musicnn alone": ours, **joined}


def print_precision(vectors: Mapping[str, np.ndarray], tracks: Tracks) -> None:
    units = {name: unit_rows(values.astype(np.float32)) for name, values in vectors.items()}
    found = compare_models(units, tracks.genres, tracks.artists, k=K, bootstrap=0)
    filtered = found.with_filter or found.without_filter
    print("| vectors | precision | with artist filter |\n|---|---:|---:|")
    for one, other in zip(found.without_filter, filtered, strict=True):
        values = (one.scores.precision.value, other.scores.precision.value)
        print(f"| {one.model} | {values[0]:.3f} | {values[1]:.3f} |")


if __name__ == "__main__":
    main()
