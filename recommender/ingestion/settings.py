"""How an ingest is to be done."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from recommender.catalog.projector import ModelProjection
from recommender.embedding.model_files import DEFAULT_MODEL, find_model, shipped_models
from recommender.embedding.space import SpaceId
from recommender.errors import UsageError

if TYPE_CHECKING:
    from recommender.audio.reader import Windowing


def usable_cores() -> int:
    """Number of cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class IngestSettings:
    """How an ingest is to be done.

    Attributes:
        model: name of a shipped model, or path of a folder with weights and a card.
        windowing: how tracks are analysed; None for the way the model's card says.
        workers: number of processes that analyse files.
        exclude: patterns in gitignore syntax of what to leave out.
        timeout_s: seconds after which a file that is still being analysed is given up.
        retry_failed: try files that failed before again, even if they have not changed: after a
            crash for want of memory, say, or a fault of the network.

    Raises `UsageError` for values out of range.
    """

    model: str = DEFAULT_MODEL
    windowing: "Windowing | None" = None
    workers: int = field(default_factory=usable_cores)
    exclude: tuple[str, ...] = ()
    timeout_s: float = 300.0
    retry_failed: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.workers < 1:
            raise UsageError(f"at least 1 worker is needed, not {self.workers}.")
        if self.timeout_s <= 0:
            raise UsageError(f"the timeout must be above 0 s, not {self.timeout_s:g}.")

    def space(self) -> SpaceId:
        """The space of the activations that will be stored. Raises `WeightsError`."""
        return find_model(self.model).space(self.windowing)

    def projection(self) -> ModelProjection:
        """The model's own projection of those activations. Raises `WeightsError`."""
        return ModelProjection.of_files(find_model(self.model))

    def analysis_settings(self) -> Mapping[str, Any]:
        """What a catalogue keeps to analyse further files the same way: model and windowing.

        And the digest of the head that told the genres.
        """
        files = find_model(self.model)
        model = self.model if self.model in shipped_models() else str(files.folder.resolve())
        windowing = dict(files.card.windowing) if self.windowing is None else asdict(self.windowing)
        return {"model": model, "windowing": windowing, "head": files.card.head_digest}
