"""Adapting the projection of a catalogue, and undoing it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recommender.adaptation.candidates import AS_SHIPPED, in_full
from recommender.adaptation.cross_validation import (
    Measure,
    cross_validate,
    list_length,
    measure_of,
    ranking_method,
)
from recommender.adaptation.selection import Choice, Tried, choose
from recommender.adaptation.settings import DEFAULT_SETTINGS, AdaptationSettings
from recommender.adaptation.training_data import ProjectedTracks, TrainingData
from recommender.catalog import Catalog, ProjectionOrigin, Track
from recommender.catalog.labels import TrackLabels
from recommender.catalog.projector import catalog_projector
from recommender.embedding.projection import Projection
from recommender.errors import UsageError
from recommender.evaluation.report import without_nan
from recommender.search.reranking import RankingMethod
from recommender.version import __version__

Label = Callable[[Sequence[Track]], TrackLabels]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Adaptation:
    """The outcome of `adaptation_of`.

    Attributes:
        projection: the one to recommend with, fitted on all tracks; None for the model's own.
        choice: the candidates on held-out tracks, which is kept, and why.
        measure: what it was selected by.
        k: length of the lists.
        ranking: how held-out tracks were ranked.
        tracks, artists: how many were fitted on; a track without artist counts as one.
        genres: those that LDA was fitted on.
    """

    projection: Projection | None
    choice: Choice
    measure: Measure
    k: int
    ranking: RankingMethod
    tracks: int
    artists: int
    genres: tuple[str, ...]

    @property
    def judged(self) -> bool:
        """Whether more than hubness was measured."""
        return self.measure is not Measure.HUBS

    @property
    def measured(self) -> str:
        """The name of the figure that the candidates were compared by, as evaluations name it."""
        return self.measure.description(self.k)

    @property
    def shipped(self) -> Tried:
        """The figures of the model's own projection."""
        return self.choice.tried[0]

    @property
    def kept(self) -> Tried:
        """The figures of the candidate that is kept."""
        name = self.choice.kept.name
        return next(figures for figures in self.choice.tried if figures.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the projection; what is undefined is None."""
        plain: dict[str, Any] = without_nan(
            {
                "kept": self.choice.kept.name,
                "adapted": self.projection is not None,
                "reason": self.choice.reason,
                "measure": self.measure.value,
                "measured": self.measured,
                "k": self.k,
                "ranking": self.ranking,
                "tracks": self.tracks,
                "artists": self.artists,
                "genres": list(self.genres),
                "candidates": [asdict(figures) for figures in self.choice.tried],
            }
        )
        return plain


def adaptation_of(
    own: Projection, data: TrainingData, progress: Progress | None = None
) -> Adaptation:
    """Evaluate every candidate on held-out tracks, and fit the one to be kept on all.

    The same tracks give the same outcome, in whatever order they came.

    Args:
        own: the model's projection, with which `data` was projected.
        data: the tracks, and the settings.
        progress: called with (done, total).

    Raises:
        UsageError: there are too few tracks, or too few artists.
        RecsysError: scikit-learn or SciPy is needed and not installed.
    """
    measure = measure_of(data)
    choice = choose(cross_validate(data, measure, progress), measure, data.settings)
    kept = choice.kept
    return Adaptation(
        projection=None if kept == AS_SHIPPED else in_full(own, kept, data),
        choice=choice,
        measure=measure,
        k=list_length(data),
        ranking=ranking_method(data),
        tracks=len(data),
        artists=int(data.groups.max()) + 1,
        genres=data.training_genres,
    )


def adapt(
    catalog: Catalog,
    label: Label,
    *,
    dry_run: bool = False,
    settings: AdaptationSettings = DEFAULT_SETTINGS,
    progress: Progress | None = None,
) -> Adaptation:
    """Adapt the projection of the catalogue's active space, and recommend with it from now on.

    It is always the model's own projection that is adapted. Where nothing is better than that, an
    earlier adaptation is dropped. Nothing is analysed again.

    Args:
        catalog: stays open.
        label: returns the genres and artists of tracks.
        dry_run: only evaluate; the catalogue stays as it is.
        settings: what is tried, and what is convincing.
        progress: called with (done, total).

    Raises:
        UsageError, RecsysError: as `adaptation_of` does.
        CatalogError, SpaceMismatch, WeightsError: as `projector.catalog_projector` does.
    """
    projector = catalog_projector(catalog)
    own, space = projector.own, projector.active
    tracks = ProjectedTracks.of(own.projection, catalog.activation_batches(space))
    labels = label(catalog.tracks(tracks.ids.tolist()))
    data = TrainingData.labelled(tracks, labels.genres, labels.artists, settings)
    found = adaptation_of(own.projection, data, progress)
    if dry_run:
        return found
    own.store(catalog, space)
    if found.projection is None:
        undo(catalog)
    else:
        details = {**found.as_dict(), "labels": labels.source, "recsys": __version__}
        catalog.store_projection(space, ProjectionOrigin.ADAPTED, found.projection, details)
    return found


def undo(catalog: Catalog) -> bool:
    """Recommend with the model's own projection again; returns whether it was adapted.

    Raises:
        UsageError: nothing was analysed yet.
    """
    active = catalog.active_space()
    if active is None:
        raise UsageError("nothing is adapted, as no music was analysed yet: ingest some first.")
    return catalog.drop_projection(active, ProjectionOrigin.ADAPTED)
