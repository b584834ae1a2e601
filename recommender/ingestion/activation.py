"""Which embedding space a catalogue recommends in, before and after an ingest."""

from collections.abc import Iterable

from recommender.catalog import Catalog, ProjectionOrigin
from recommender.embedding.model_files import find_model
from recommender.embedding.space import SpaceId
from recommender.ingestion.file_analysis import FileJob
from recommender.ingestion.report import Counters
from recommender.ingestion.settings import IngestSettings


def activate(catalog: Catalog, settings: IngestSettings, space: SpaceId) -> None:
    """Recommend in `space` from now on, with the model's projection and genre head.

    Args:
        catalog: written to, where anything differs.
        settings: the model and the windows.
        space: that of `settings`.
    """
    _update_predicted_genres(catalog, settings, space)
    # The projection first: whoever finds the space active finds what to recommend with, also
    # when the package brings other weights one day.
    settings.projection().store(catalog, space)
    catalog.set_active(space, settings.analysis_settings())


def switch_space(
    catalog: Catalog, settings: IngestSettings, space: SpaceId, counters: Counters
) -> None:
    """Recommend in `space`, unless some tracks were analysed in the former one only.

    Sets `not_analysed`, `switched` and `adaptation_left` of `counters`.
    """
    analysed = dict(catalog.spaces()).get(space, 0)
    counters.not_analysed = catalog.counts().analysed - analysed
    former = catalog.active_space()
    if counters.not_analysed and former != space:
        return
    activate(catalog, settings, space)  # also where nothing switches: the projection may be new
    if former is not None and former != space:
        counters.switched = True
        adapted = catalog.projection(former, ProjectionOrigin.ADAPTED)
        here = catalog.projection(space, ProjectionOrigin.ADAPTED)
        counters.adaptation_left = adapted is not None and here is None


def tracks_to_reanalyse(catalog: Catalog, space: SpaceId, jobs: Iterable[FileJob]) -> int:
    """Number of known tracks among `jobs`, where the active space's model has other weights now."""
    active = catalog.active_space()
    if active is None or active.model != space.model or active.weights == space.weights:
        return 0
    return sum(
        (job.track_id is not None and not job.is_analysed)
        + sum(not segment.is_analysed for segment in job.segments)
        for job in jobs
    )


def _update_predicted_genres(catalog: Catalog, settings: IngestSettings, space: SpaceId) -> None:
    """Predict all genres again, from stored activations, if the genre head is another one."""
    stored, files = catalog.analysis_settings(), find_model(settings.model)
    if stored is None or (
        catalog.active_space() == space and stored.get("head") == files.card.head_digest
    ):
        return
    head, labels = files.head(), files.card.labels
    for ids, activations in catalog.activation_batches(space):
        predicted = {}
        for track_id, row in zip(ids.tolist(), activations, strict=True):
            # One by one, as they are analysed: a batch of many differs in the last digits.
            probabilities = head.probabilities(row[None])[0].tolist()
            predicted[track_id] = dict(zip(labels, probabilities, strict=True))
        with catalog.writing() as write:
            write.set_predicted_genres(space, predicted)
