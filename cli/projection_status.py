"""Which projection a catalogue is recommended with, as `recsys status` and `evaluate` tell it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recommender.catalog import Catalog, StoredProjection


@dataclass(frozen=True)
class ProjectionInUse:
    """The projection in use.

    Attributes:
        origin: ``adapted`` or ``model``; None where there is none, and `trouble` says why.
        digest: of its values.
        stored_at: when an adapted one was made.
        kind: which of the candidates an adapted one is.
        tracks: how many tracks it was fitted on.
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
    """The projection of a catalogue in which something was analysed."""
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
    """What to bear in mind of figures on tracks that the projection was fitted to."""
    if adapted is None:
        return []
    return [
        f"The projection was adapted to these tracks on {adapted.stored_at:%Y-%m-%d}, so that these "
        "figures flatter it; 'recsys adapt --dry-run' measures it on tracks held out."
    ]


def adaptation_as_dict(adapted: "StoredProjection | None") -> dict[str, Any] | None:
    """When, and which; None for the model's own."""
    return adapted and {"stored_at": adapted.stored_at, "kind": adapted.details["kept"]}
