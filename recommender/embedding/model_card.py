"""The card of a model: what its weights are, how to use them, and what they achieve. No torch."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recommender.embedding.card_check import card_error
from recommender.errors import WeightsError

ADVICE = "Install the package again, or train the model again with 'recsys train'."

HELD_OUT = "held_out"
"""In the results of a card: those of the train-only model that all hyper-parameters come from.
It is there where the weights are a refit on the test tracks too, and have no test results."""


@dataclass(frozen=True)
class ModelCard:
    """What travels with the weights of a model.

    Attributes:
        name: of the model; part of its `SpaceId`.
        networks: `architecture` (registered name) and `model_settings` of each network. Those that
            take patches come first.
        descriptors: whether handcrafted descriptors follow the networks' activations.
        labels: genres, in the order of the genre head's outputs.
        front_end: settings of the spectrogram (fields of `features.log_mel.FrontEnd`).
        windowing: the windows of a track that are analysed unless the user says otherwise (fields
            of `audio.windows.Windowing`).
        weights_digest: of the bytes of the weights file.
        head_digest: of the values of the genre head.
        projection_digest: of the values of the projection.
        similarity_calibration: fields of `embedding.similarity_scale.SimilarityCalibration`, fitted
            for the projection; empty where none was fitted.
        network_frames: columns of the centre crop of each window that the networks are given; 0:
            the whole window.
        patches: settings of what tagging networks take in place of the spectrogram (fields of
            `features.mel_patches.PatchFrontEnd`); empty without such networks.
        duplicate_threshold: least cosine of two duplicates (`embedding.duplicates`); None: a value
            that is safe for any model.
        data: what the weights were trained, chosen and tested on.
        training: settings and epochs of each network's training.
        results: figures by name, with the command that gives them and the seeds they are over.
        licence: of the weights, with a note on the training data.
        notes: choices and limits, in words.
    """

    name: str
    networks: tuple[Mapping[str, Any], ...]
    descriptors: bool
    labels: tuple[str, ...]
    front_end: Mapping[str, Any]
    windowing: Mapping[str, Any]
    weights_digest: str
    head_digest: str
    projection_digest: str
    similarity_calibration: Mapping[str, float] = field(default_factory=dict)
    network_frames: int = 0
    patches: Mapping[str, Any] = field(default_factory=dict)
    duplicate_threshold: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "ModelCard":
        """Parse a card file. Raises `WeightsError` when it is missing or not a card."""
        try:
            values = _with_present_names(json.loads(path.read_text(encoding="utf-8")))
            for name in ("networks", "labels"):
                values[name] = tuple(values[name])
            values["notes"] = tuple(values.get("notes", ()))
            card = cls(**values)
            problem = card_error(card)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            raise WeightsError(f"{path} is no model card ({error}). {ADVICE}") from error
        if problem is not None:
            raise WeightsError(f"{path} is no model card: {problem}. {ADVICE}")
        return card

    def write(self, path: Path) -> None:
        """Write as indented JSON. Raises `OSError`."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")

    @property
    def has_test_results(self) -> bool:
        """Whether these very weights were tested on tracks that they were not trained on."""
        return "test_track" in self.results or HELD_OUT not in self.results

    @property
    def measured(self) -> Mapping[str, Any]:
        """The figures to judge the model by: its own, or else those under `HELD_OUT`."""
        return self.results if self.has_test_results else self.results[HELD_OUT]

    @property
    def architecture_summary(self) -> str:
        """The architectures, and descriptors where there are any: ``2 × conv1d + descriptors``."""
        counts = Counter(str(network["architecture"]) for network in self.networks)
        names = [name if count == 1 else f"{count} × {name}" for name, count in counts.items()]
        return " + ".join([*names, "descriptors"] if self.descriptors else names)


_FORMER_KEYS = {
    "closeness": "similarity_calibration",
    "heard_frames": "network_frames",
    "same_recording": "duplicate_threshold",
}
_FORMER_RESULTS = (
    (r"^honest$", HELD_OUT),
    (r"^plain_", "network_"),
    (r"^ranked_", "reranked_"),
    (r"(^|_)unseen_", r"\1held_out_genres_"),
    (r"_never$", "_anti_hub_rate"),
    (r"^tried_on_valid$", "ablation_on_valid"),
)
"""Names in cards of version 0.1, and patterns of such names, by what they are called now."""


def _with_present_names(values: dict[str, Any]) -> dict[str, Any]:
    """A card's values under the names of this version."""
    present = {_FORMER_KEYS.get(key, key): value for key, value in values.items()}
    calibration = present.get("similarity_calibration", {})
    if "half" in calibration:
        present["similarity_calibration"] = {
            "midpoint": calibration["half"],
            "slope": calibration["slope"],
        }
    if "results" in present:
        results = _with_present_result_names(present["results"])
        if HELD_OUT in results:
            results[HELD_OUT] = _with_present_result_names(results[HELD_OUT])
        present["results"] = results
    return present


def _with_present_result_names(results: Mapping[str, Any]) -> dict[str, Any]:
    """Results under the names of this version."""
    present = {}
    for key, value in results.items():
        for pattern, name in _FORMER_RESULTS:
            key = re.sub(pattern, name, key)
        present[key] = value
    return present
