"""The model `combined`: the shipped default and the networks of `musicnn`, side by side.

Both analyse the same windows. The projection is that of each, one beside the other, so that the
similarity of two tracks is about the mean of their two similarities. The two cannot be whitened
jointly: that takes the activations of both on many tracks with genres and artists, and of GTZAN
only spectrograms are at hand that the networks of `musicnn` cannot read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.embedding.genre_head import GenreHead
from recommender.embedding.model_card import ModelCard
from recommender.embedding.model_files import (
    CARD,
    HEAD,
    PROJECTION,
    WEIGHTS,
    ModelFiles,
    file_digest,
    find_model,
)
from recommender.embedding.projection import Projection
from recommender.pretrained.musicnn_card import NOTES, RESULTS
from recommender.utils.files import replace_file

if TYPE_CHECKING:
    from recommender.utils.arrays import FloatArray

LENGTHS = (16.4, 1.3)
"""Root mean square of the projected activations before they are normalised, of `musicnn` and of the
default model, over 110 tracks: divided by them, both count the same."""

COMBINED_RESULTS = {
    "summary": "precision@2 of 45 tracks .68 (default .54, musicnn .59)",
    "processor_s_per_track": 0.44,
}
"""In place of those of `musicnn`, the others of which are of its networks alone."""

COMBINED_NOTES = (
    "On the two small sets at hand (45 tracks labelled by hand, 32 of GTZAN) both models side by "
    "side found as many tracks of a genre as either alone, or more, with weights from 1:2 to 2:1; "
    "equal weights are taken, and none was fitted. Sets of this size decide little: "
    "data/results/README.md has the intervals.",
    "Its similarities are not calibrated: no tracks with genres are at hand that the default model "
    "was not trained on, and that are enough.",
)


def write_combined(musicnn: ModelFiles, folder: Path) -> None:
    """Write the model to a folder.

    Args:
        musicnn: the model of that name.
        folder: to write to.

    Raises:
        OSError: it cannot be written.
        WeightsError: the shipped default model is damaged.
    """
    from safetensors.numpy import load_file, save

    default = find_model()
    ours, theirs = default.card, musicnn.card
    values: dict[str, Any] = dict(load_file(musicnn.folder / WEIGHTS))
    for name, array in load_file(default.folder / WEIGHTS).items():
        number, _, parameter = name.partition(".")
        values[f"{int(number) + len(theirs.networks)}.{parameter}"] = array
    replace_file(folder / WEIGHTS, save(values))
    projection = side_by_side(musicnn.projection(), default.projection())
    head = _extended(musicnn.head(), len(projection.mean))
    head.save(folder / HEAD)
    projection.save(folder / PROJECTION)
    ModelCard(
        name="combined",
        networks=(*theirs.networks, *ours.networks),
        descriptors=ours.descriptors,
        labels=theirs.labels,
        front_end=ours.front_end,
        windowing=ours.windowing,
        weights_digest=file_digest(folder / WEIGHTS),
        head_digest=head.digest,
        projection_digest=projection.digest,
        network_frames=ours.network_frames,
        patches=theirs.patches,
        duplicate_threshold=ours.duplicate_threshold,
        data=_data(ours.data, theirs.data),
        results=RESULTS | COMBINED_RESULTS,
        licence=f"{theirs.licence} Of the default model: {ours.licence}",
        notes=(*COMBINED_NOTES, *NOTES),
    ).write(folder / CARD)


def side_by_side(theirs: Projection, ours: Projection) -> Projection:
    """Both projections of the activations of both, each with unit mean square length."""
    matrix = np.zeros(
        (len(theirs.mean) + len(ours.mean), theirs.matrix.shape[1] + ours.matrix.shape[1]),
        np.float32,
    )
    rows, columns = theirs.matrix.shape
    matrix[:rows, :columns] = theirs.matrix / LENGTHS[0]
    matrix[rows:, columns:] = ours.matrix / LENGTHS[1]
    return Projection(np.concatenate([theirs.mean, ours.mean]), matrix).rounded()


def _extended(head: GenreHead, size: int) -> GenreHead:
    """A genre head that takes no notice of the activations beyond its own."""
    weight: FloatArray = np.zeros((size, head.weight.shape[1]), np.float32)
    weight[: len(head.weight)] = head.weight
    return GenreHead(weight, head.bias)


def _data(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    both = f"{theirs['trained_on']}; the default model: {ours['data_set']}"
    return {**theirs, "trained_on": both}
