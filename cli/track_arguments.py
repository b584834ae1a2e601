"""Arguments that name a track of the catalogue."""

from pathlib import Path
from typing import TYPE_CHECKING

from recommender.errors import TrackNotFound

if TYPE_CHECKING:
    from recommender.catalog import Catalog, Track


def known_track(catalog: "Catalog", text: str) -> "Track":
    """The track that a track id, a path or words mean.

    Raises `TrackNotFound`, for a file that failed with the reason, and `AmbiguousTrack`.
    """
    from recommender.recommendation.query import resolve

    found = resolve(catalog, text)
    if isinstance(found, Path):
        raise _not_in_catalogue(catalog, found)
    return found


def _not_in_catalogue(catalog: "Catalog", file: Path) -> TrackNotFound:
    from recommender.utils.files import real_path

    for failure in catalog.failures():
        if failure.library.root / failure.path == real_path(file):
            return TrackNotFound(f"{file} could not be analysed ({failure.kind}): {failure.reason}")
    return TrackNotFound(
        f"{file} is not in the catalogue: add it with 'recsys ingest {file.absolute().parent}'."
    )
