"""Recipes: requests that are stored with a playlist, and run again to replace its tracks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from recommender.catalog import StoredPlaylist
from recommender.recommendation.mix_result import Mix
from recommender.recommendation.service import SimilarityService


@dataclass(frozen=True)
class RecipeRun:
    """What became of one recipe: `mix`, or else `error`, one line, and the playlist as before."""

    playlist: StoredPlaylist
    mix: Mix | None
    error: str | None = None


def run_recipe(
    service: SimilarityService, playlist: StoredPlaylist, today: date | None = None
) -> Mix:
    """Run a playlist's recipe and replace its tracks, and its file, by what it gives."""
    raise NotImplementedError


def run_recipes(
    service: SimilarityService, user: str | None = None, today: date | None = None
) -> Iterator[RecipeRun]:
    """Run every recipe, one after another; one that fails does not stop the others."""
    raise NotImplementedError
