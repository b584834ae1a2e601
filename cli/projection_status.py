"""The projection that a catalogue is recommended with, for `recsys status` and `evaluate`."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recommender.catalog import Catalog, StoredProjection


@dataclass(frozen=True)
class ProjectionInUse:
    """The projection in use.

    Attributes:
        origin: ``adapted`` or ``model``; None without a usable projection, see `trouble`.
        digest: of its values.
        stored_at: when an adapted one was fitted.
        kind: name of the candidate that was adopted.
        tracks: number of tracks it was fitted on.
        model_installed: whether the installed model analyses in the catalogue's space.
        trouble: why nothing can be recommended.
    """

    origin: str | None = None
    digest: str | None = None
    stored_at: datetime | None = None
    kind: str | None = None
    tracks: int | None = None
    model_installed: bool = False
    trouble: str | None = None

    @property
    def in_words(self) -> str:
        """One line."""
        if self.trouble is not None:
            return f"none ({self.trouble})"
        words = "the model's own"
        if self.stored_at is not None:
            words = f"adapted, {self.stored_at:%Y-%m-%d %H:%M} UTC: {self.kind}"
        if not self.model_installed:
            words += " (the installed model has other weights: 'recsys ingest' analyses with those)"
        return words


def projection_in_use(catalog: "Catalog") -> ProjectionInUse:
    """The projection of a catalogue that has an active space."""
    from recommender.catalog.projector import catalog_projector
    from recommender.errors import RecsysError

    try:
        found = catalog_projector(catalog)
    except RecsysError as error:
        return ProjectionInUse(trouble=str(error))
    digest, installed = found.projection.digest, found.installed
    adapted = found.adapted
    if adapted is None:
        return ProjectionInUse("model", digest, model_installed=installed)
    details = adapted.details
    return ProjectionInUse(
        "adapted", digest, adapted.stored_at, details["kept"], details["tracks"], installed
    )


def remark_on_adaptation(adapted: "StoredProjection | None") -> list[str]:
    """Caution for figures on tracks that the projection was fitted on."""
    if adapted is None:
        return []
    return [
        f"The projection was adapted to these tracks on {adapted.stored_at:%Y-%m-%d}, so these "
        "figures are optimistic; 'recsys adapt --dry-run' evaluates it on held-out tracks."
    ]


def adaptation_as_dict(adapted: "StoredProjection | None") -> dict[str, Any] | None:
    """Time and candidate of an adaptation for JSON; None for the model's own projection."""
    return adapted and {"stored_at": adapted.stored_at, "kind": adapted.details["kept"]}
