"""Settings of an ingest."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import NoneType
from typing import Any

from recommender.audio.windows import Windowing
from recommender.catalog import Catalog
from recommender.catalog.projector import ModelProjection
from recommender.embedding.model_files import (
    DEFAULT_MODEL,
    added_models,
    find_model,
    named_models,
)
from recommender.embedding.space import SpaceId
from recommender.errors import UsageError
from recommender.ingestion.worker_limits import FileLimits
from recommender.utils.arguments import require_several, require_type


def usable_cores() -> int:
    """Number of cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usual_model(catalog: Catalog) -> str:
    """The model that a catalogue is ingested with where none is named.

    An added model that makes its recommendations; else the default one.
    """
    stored = catalog.analysis_settings()
    model = DEFAULT_MODEL if stored is None else str(stored["model"])
    return model if model in added_models() else DEFAULT_MODEL


@dataclass(frozen=True)
class IngestSettings:
    """Settings of an ingest.

    Attributes:
        model: name of a shipped or an added model, or path of a folder with weights and a card.
        windowing: which windows of a track are analysed; None for those that the model's card says.
        workers: number of processes that analyse files.
        exclude: patterns in gitignore syntax of what to leave out.
        timeout_s: seconds after which the reading of a file is given up; more, in proportion, for
            files of more than 100 MB (`worker_limits.FileLimits`).
        memory_limit_mb: megabytes that reading a file may take.
        retry_failed: try files that failed before again, even if they have not changed: after a
            crash for want of memory, say, or a fault of the network.
        reanalyze: analyse files again, even if they have not changed.
        reread_tags: compare the content of files that have not changed, and read their tags again:
            where a program wrote tags, or exchanged files, and kept their sizes and times.
        update_index: build the index of what can be recommended at the end, where it is stale;
            otherwise the next query does it.
        files_per_transaction: so many analysed files, at most, are written together.
        descriptors: compute the musical descriptors of what is analysed, and of tracks that lack
            them, whose embeddings stay.
        ray: address of a Ray cluster whose nodes analyse the files, with `workers` actors at most;
            None for processes of this machine.

    Raises `UsageError` for values out of range, and `TypeError` for those of a wrong type.
    """

    model: "str | os.PathLike[str]" = DEFAULT_MODEL
    windowing: Windowing | None = None
    workers: int = field(default_factory=usable_cores)
    exclude: tuple[str, ...] = ()
    timeout_s: float = 60.0
    memory_limit_mb: int = 1024
    retry_failed: bool = False
    reanalyze: bool = False
    reread_tags: bool = False
    update_index: bool = True
    files_per_transaction: int = 32
    descriptors: bool = True
    ray: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        require_type(self.model, (str, os.PathLike), "model", "a str or an os.PathLike")
        windowing = "a recommender.Windowing or None"
        require_type(self.windowing, (Windowing, NoneType), "windowing", windowing)
        require_type(self.workers, int, "workers", "an int")
        require_type(self.ray, (str, NoneType), "ray", "an address (str) or None")
        require_type(self.timeout_s, (int, float), "timeout_s", "a number of seconds")
        require_several(self.exclude, "patterns to exclude")
        if self.workers < 1:
            raise UsageError(f"at least 1 worker is needed, not {self.workers}.")
        self.limits  # noqa: B018  # refuses its values

    @property
    def limits(self) -> FileLimits:
        """What reading one file may cost."""
        return FileLimits(self.memory_limit_mb, self.timeout_s)

    def space(self) -> SpaceId:
        """The space of the activations that will be stored. Raises `WeightsError`."""
        return find_model(self.model).space(self.windowing)

    def projection(self) -> ModelProjection:
        """The model's own projection of those activations. Raises `WeightsError`."""
        return ModelProjection.of_files(find_model(self.model))

    def analysis_settings(self) -> Mapping[str, Any]:
        """What a catalogue keeps to analyse further files the same way: model and windowing.

        And the digest of the genre head that predicted the stored genres.
        """
        files = find_model(self.model)
        named = os.fspath(self.model) in named_models()
        model = os.fspath(self.model) if named else str(files.folder.resolve())
        windowing = dict(files.card.windowing) if self.windowing is None else asdict(self.windowing)
        return {"model": model, "windowing": windowing, "head": files.card.head_digest}
