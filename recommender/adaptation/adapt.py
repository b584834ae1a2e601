"""Adapting the projection of a catalogue, and undoing it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recommender.adaptation.candidates import AS_SHIPPED, in_full
from recommender.adaptation.cross_validation import Measure, held_out, list_length, measure_of
from recommender.adaptation.selection import Choice, Tried, choose
from recommender.adaptation.training_data import Music
from recommender.catalog import Catalog, ProjectionOrigin, Track
from recommender.catalog.labels import TrackLabels
from recommender.catalog.projector import catalog_projector
from recommender.embedding.projection import Projection
from recommender.errors import UsageError
from recommender.evaluation.report import without_nan
from recommender.utils.arrays import usable_rows
from recommender.version import __version__

Label = Callable[[Sequence[Track]], TrackLabels]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Adaptation:
    """The outcome of `adaptation_of`.

    Attributes:
        projection: the one to recommend with, fitted on all tracks; None for the model's own.
        choice: the candidates on held-out tracks, which is kept, and why.
        measure: what was measured.
        k: length of the lists.
        tracks, artists: how many were fitted on; a track without artist counts as one.
        genres: those that discriminants learned.
    """

    projection: Projection | None
    choice: Choice
    measure: Measure
    k: int
    tracks: int
    artists: int
    genres: tuple[str, ...]

    @property
    def judged(self) -> bool:
        """Whether anything was measured but hubs."""
        return self.measure is not Measure.HUBS

    @property
    def shipped(self) -> Tried:
        """The figures of the model's own projection."""
        return self.choice.tried[0]

    @property
    def kept(self) -> Tried:
        """The figures of what is kept."""
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
                "k": self.k,
                "tracks": self.tracks,
                "artists": self.artists,
                "genres": list(self.genres),
                "candidates": [asdict(figures) for figures in self.choice.tried],
            }
        )
        return plain


def adaptation_of(own: Projection, music: Music, progress: Progress | None = None) -> Adaptation:
    """Try every candidate on held-out tracks, and fit the one to be kept on all.

    The same music gives the same outcome, in whatever order its tracks came.

    Args:
        own: the model's projection, with which `music` was made.
        music: at least `LEAST_TRACKS` tracks.
        progress: told (done, in all).

    Raises:
        UsageError: there are too few tracks, or too few artists.
        RecsysError: scikit-learn or SciPy is needed and not installed.
    """
    measure = measure_of(music)
    choice = choose(held_out(music, progress), measure)
    kept = choice.kept
    return Adaptation(
        projection=None if kept == AS_SHIPPED else in_full(own, kept, music),
        choice=choice,
        measure=measure,
        k=list_length(music.folds()),
        tracks=len(music),
        artists=int(music.groups.max()) + 1,
        genres=music.taught,
    )


def adapt(
    catalog: Catalog, label: Label, *, dry_run: bool = False, progress: Progress | None = None
) -> Adaptation:
    """Adapt the projection of the catalogue's active space, and recommend with it from now on.

    It is always the model's own projection that is adapted. Where nothing is better than that, an
    adaptation made before is dropped. Nothing is analysed again.

    Args:
        catalog: stays open.
        label: gives the tracks' genres and artists.
        dry_run: only measure.
        progress: told (done, in all).

    Raises:
        UsageError, RecsysError: as `adaptation_of` does.
        CatalogError, SpaceMismatch, WeightsError: as `projector.catalog_projector` does.
    """
    projector = catalog_projector(catalog)
    own, space = projector.own, projector.active
    ids, activations = catalog.activations(space)
    usable = usable_rows(activations)
    if not usable.all():
        ids, activations = ids[usable], activations[usable]
    labels = label(catalog.tracks(ids.tolist()))
    music = Music.of(own.projection, ids, activations, labels.genres, labels.artists)
    del activations  # the largest of all, and not needed any more
    found = adaptation_of(own.projection, music, progress)
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
    """Recommend with the model's own projection again; says whether it was adapted.

    Raises:
        UsageError: nothing was analysed yet.
    """
    active = catalog.active_space()
    if active is None:
        raise UsageError("nothing is adapted, as nothing was analysed: run 'recsys ingest FOLDER'.")
    return catalog.drop_projection(active, ProjectionOrigin.ADAPTED)
