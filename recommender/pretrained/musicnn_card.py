"""What is written of the networks of `musicnn`: weights, genre head, projection, card."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.audio.windows import Windowing
from recommender.embedding.genre_head import GenreHead
from recommender.embedding.model_card import ModelCard
from recommender.embedding.model_files import CARD, HEAD, PROJECTION, WEIGHTS, file_digest
from recommender.embedding.projection import Projection
from recommender.features.log_mel import FrontEnd
from recommender.features.mel_patches import PatchFrontEnd
from recommender.utils.files import replace_file

if TYPE_CHECKING:
    from recommender.pretrained.musicnn import TaggingNetwork

UNITS = 200
"""Activations of a network before its tags."""

WINDOWING = Windowing(count=5)
PATCHES = PatchFrontEnd(count=1)
"""One patch of three seconds in the centre of each window. Windows are decoded at the same rate as
for other models, so that what else is computed of them does not depend on the model."""

GENRES = {
    "rock": ("MSD", "rock"),
    "pop": ("MSD", "pop"),
    "electronic": ("MSD", "electronic"),
    "jazz": ("MSD", "jazz"),
    "metal": ("MSD", "metal"),
    "soul": ("MSD", "soul"),
    "folk": ("MSD", "folk"),
    "punk": ("MSD", "punk"),
    "blues": ("MSD", "blues"),
    "country": ("MSD", "country"),
    "hiphop": ("MSD", "Hip-Hop"),
    "funk": ("MSD", "funk"),
    "ambient": ("MSD", "ambient"),
    "classical": ("MTT", "classical"),
}
"""Predicted genre → the network and the tag whose score it is."""

CALIBRATION = {"midpoint": 0.709, "slope": 7.01}
"""Fitted on 32 tracks of GTZAN, as far as their sound is to be had."""

DUPLICATE_THRESHOLD = 0.975
"""Fourteen pairs of one recording at two bit rates lie above (.978 to 1.000), all pairs of other
recordings below (.962 at most) among 110 tracks."""

DATA = {
    "trained_on": "Million Song Dataset (200,000 songs with tags of Last.fm) and MagnaTagATune "
    "(19,000 clips with tags of a game), by the makers of musicnn",
    "source": "the wheel musicnn 0.1.0 of PyPI, networks MSD_musicnn and MTT_musicnn",
    "paper": "Pons & Serra, musicnn: pre-trained convolutional neural networks for music audio "
    "tagging (2019), arXiv:1909.06654",
    "chosen_on": "nothing of GTZAN: see data/results/README.md for what was compared",
}

LICENCE = (
    "ISC (Copyright 2019 Jordi Pons), as the wheel says of all that is in it. The sound of the "
    "Million Song Dataset was never published, and its metadata and tags are for research; "
    "MagnaTagATune is under CC BY-NC-SA 3.0. Other copies of these networks are distributed under "
    "non-commercial terms (Essentia's models: CC BY-NC-SA 4.0). Whether the ISC licence covers "
    "commercial use of weights trained on such data, no one has decided: judge for yourself."
)

RESULTS: dict[str, Any] = {
    "licence_name": "ISC",
    "summary": "ROC-AUC of tags .880 (MSD), .907 (MTT); GTZAN with an SVM 77.2 %",
    "processor_s_per_track": 0.42,
    "command": "figures of the makers: experiment.result in the wheel, and the paper's section 3",
    "msd_roc_auc": {"mean": 0.8802, "sd": None},
    "msd_pr_auc": {"mean": 0.2891, "sd": None},
    "mtt_roc_auc": {"mean": 0.9067, "sd": None},
    "mtt_pr_auc": {"mean": 0.3831, "sd": None},
    "gtzan_svm_accuracy": {"mean": 0.7724, "sd": None},
}

NOTES = (
    "Similarity is the cosine of the activations before the tags of both networks, standardised by "
    "what the networks themselves know of their means and deviations; whitening that was fitted on "
    "110 tracks was worse, and GTZAN's sound, which a better one could be fitted on, is not at "
    "hand. Its calibration is from 32 tracks.",
    "The accuracy on GTZAN is the makers': an SVM fitted on activations of MSD_musicnn. It is not "
    "comparable with figures of models that were trained on GTZAN alone.",
    "A predicted genre is the tag with the highest score among fourteen, of which 'classical' is "
    "MagnaTagATune's and the others the Million Song Dataset's; the two networks' scores are of "
    "one scale only roughly.",
    "A tag's probability is the mean over patches; rare tags have low probabilities everywhere.",
)


def write_musicnn(networks: "Mapping[str, TaggingNetwork]", folder: Path) -> None:
    """Write the model to a folder. Raises `OSError`."""
    from safetensors.numpy import save

    values = {
        f"{number}.{name}": array
        for number, network in enumerate(networks.values())
        for name, array in network.weights.items()
    }
    replace_file(folder / WEIGHTS, save(values))
    head, projection = genre_head(networks), whitening(networks)
    head.save(folder / HEAD)
    projection.save(folder / PROJECTION)
    ModelCard(
        name="musicnn",
        networks=tuple(
            {
                "architecture": "musicnn",
                "model_settings": {"data": data, "units": UNITS, "tags": list(network.tags)},
            }
            for data, network in networks.items()
        ),
        descriptors=False,
        labels=tuple(GENRES),
        front_end=asdict(FrontEnd()),
        windowing=asdict(WINDOWING),
        weights_digest=file_digest(folder / WEIGHTS),
        head_digest=head.digest,
        projection_digest=projection.digest,
        similarity_calibration=CALIBRATION,
        patches=asdict(PATCHES),
        duplicate_threshold=DUPLICATE_THRESHOLD,
        data=DATA,
        results=RESULTS,
        licence=LICENCE,
        notes=NOTES,
    ).write(folder / CARD)


def genre_head(networks: "Mapping[str, TaggingNetwork]") -> GenreHead:
    """The tags' own output layers for the tags in `GENRES`, with a softmax over these."""
    weight = np.zeros((sum(map(_width, networks.values())), len(GENRES)), np.float32)
    bias = np.zeros(len(GENRES), np.float32)
    for column, (data, tag) in enumerate(GENRES.values()):
        network, first = networks[data], _first_column(networks, data)
        row = network.tags.index(tag)
        weight[first : first + UNITS, column] = network.weights["tags.weight"][row]
        bias[column] = network.weights["tags.bias"][row]
    return GenreHead(weight, bias).rounded()


def whitening(networks: "Mapping[str, TaggingNetwork]") -> Projection:
    """Activations standardised by the statistics of the networks' last batch normalisation.

    The last layer before the tags is normalised: over the training songs, activation i has mean
    ``bias[i]`` and deviation ``|weight[i]|``.
    """
    width = sum(map(_width, networks.values()))
    mean = np.zeros(width, np.float32)
    matrix = np.zeros((width, UNITS * len(networks)), np.float32)
    for number, (data, network) in enumerate(networks.items()):
        rows = np.arange(UNITS) + _first_column(networks, data)
        mean[rows] = network.weights["dense_norm.bias"]
        deviation = np.abs(network.weights["dense_norm.weight"])
        matrix[rows, np.arange(UNITS) + UNITS * number] = 1 / np.maximum(deviation, 1e-3)
    return Projection(mean, matrix).rounded()


def _width(network: "TaggingNetwork") -> int:
    return UNITS + len(network.tags)


def _first_column(networks: "Mapping[str, TaggingNetwork]", data: str) -> int:
    before = list(networks)[: list(networks).index(data)]
    return sum(_width(networks[name]) for name in before)
