"""Recipes: requests that are stored with a playlist, and run again to replace its tracks.

A recipe is what `MixRequest.as_dict` gives; or `todays_recipe`, which asks the history for its
seeds whenever it is run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from recommender.catalog import Catalog, StoredPlaylist
from recommender.errors import PlaylistError, RecsysError, UsageError
from recommender.history.seeds import todays_request
from recommender.playlists.files import replacing_playlist
from recommender.recommendation.mix_request import SCHEMA_VERSION, MixRequest
from recommender.recommendation.mix_result import Mix

if TYPE_CHECKING:
    from recommender.recommendation.service import SimilarityService

TODAY = "today"
"""Kind of a recipe whose seeds are those of the history on the day it is run."""

_ANY_SEED = 1


@dataclass(frozen=True)
class RecipeRun:
    """What became of one recipe.

    Attributes:
        playlist: as it is now.
        mix: what it was replaced by; None where the run failed, and the playlist is as before.
        error: why it failed, in one line.
    """

    playlist: StoredPlaylist
    mix: Mix | None
    error: str | None = None


def todays_recipe(request: MixRequest, user: str) -> dict[str, Any]:
    """A recipe with the rules and the length of a request, and new seeds each day."""
    stored = request.as_dict()
    rules = {**stored["rules"], "previous": [], "random_seed": 0}
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": TODAY,
        "user": user,
        "rules": rules,
        "length": stored["length"],
    }


def check_recipe(recipe: Mapping[str, Any]) -> None:
    """Raise `UsageError` that says what is wrong with a recipe, if anything is."""
    if recipe.get("kind") == TODAY:
        _rules_of_today(recipe)
    else:
        MixRequest.from_dict(recipe)


def run_recipe(
    service: "SimilarityService", playlist: StoredPlaylist, today: date | None = None
) -> Mix:
    """Run a playlist's recipe and replace its tracks, and its file, by what it gives.

    Where anything fails, the playlist and its file stay as they are. A recipe that grows a list
    gives the list with what was added to it.

    Args:
        service: over the catalogue that stores the playlist.
        playlist: as the catalogue has it.
        today: None for the day it is.

    Raises:
        PlaylistError: it has no recipe, the recipe cannot be run or gives nothing, or its file
            cannot be written; the message names the playlist and says why.
        PlaylistNotFound: it was removed meanwhile.
    """
    try:
        mix = service.mix(recipe_request(service.catalog, playlist, today), today)
    except RecsysError as error:
        raise _failed(playlist, str(error)) from error
    ids = [entry.track.id for entry in mix.entries]
    if not ids:
        raise _failed(playlist, " ".join(("nothing was found.", *mix.notes)))
    if mix.request.kind == "grow":
        ids = [*(seed.track.id for seed in mix.seeds if seed.track is not None), *ids]
    replace_tracks(service.catalog, playlist, ids, datetime.now(UTC))
    return mix


def run_recipes(
    service: "SimilarityService", user: str | None = None, today: date | None = None
) -> Iterator[RecipeRun]:
    """Run every recipe, one after another; one that fails does not stop the others.

    Args:
        service: over the catalogue that stores the playlists.
        user: whose; None for all.
        today: None for the day it is.
    """
    for playlist in service.catalog.playlists(user):
        if playlist.recipe is None:
            continue
        try:
            mix = run_recipe(service, playlist, today)
        except RecsysError as error:
            yield RecipeRun(playlist, None, str(error))
        else:
            yield RecipeRun(service.catalog.playlist(playlist.id), mix)


def replace_tracks(
    catalog: Catalog,
    playlist: StoredPlaylist,
    track_ids: list[int],
    run_at: datetime | None = None,
) -> StoredPlaylist:
    """Replace the tracks of a playlist, and its file where it has one; both or neither.

    Each is the old one or the new one at any time. Where the process is killed between the two,
    the file is that of before until the next run.

    Args:
        run_at: where they are those of its recipe.

    Raises:
        PlaylistError: its file cannot be written; nothing was changed.
        PlaylistNotFound, TrackNotFound: as `Catalog.set_playlist_tracks`; neither was changed.
    """
    if playlist.target is None:
        return catalog.set_playlist_tracks(playlist.id, track_ids, run_at)
    target = playlist.target
    if not target.parent.is_dir():
        raise _failed(playlist, f"the folder {target.parent} of its file does not exist.")
    try:
        with replacing_playlist(
            catalog,
            target,
            track_ids,
            absolute=playlist.absolute,
            title=playlist.name,
            comment=playlist.comment,
        ):
            return catalog.set_playlist_tracks(playlist.id, track_ids, run_at)
    except OSError as error:
        reason = error.strerror or str(error)
        raise _failed(playlist, f"its file {target} cannot be written ({reason}).") from error


def recipe_request(catalog: Catalog, playlist: StoredPlaylist, today: date | None) -> MixRequest:
    """What a playlist's recipe asks for on a day (None: today). Raises `RecsysError`.

    With variety, other tracks are drawn each day, and the same ones all day.
    """
    recipe = playlist.recipe
    if recipe is None:
        raise UsageError("it has no recipe: it was made by hand.")
    if recipe.get("kind") != TODAY:
        request = MixRequest.from_dict(recipe)
        if not request.rules.variety:
            return request
        number = request.rules.random_seed + (today or date.today()).toordinal()
        return replace(request, rules=replace(request.rules, random_seed=number))
    rules = _rules_of_today(recipe)
    noon = None if today is None else datetime.combine(today, time(12)).astimezone()
    user = recipe.get("user", playlist.user)
    request, _ = todays_request(catalog, user, rules.rules, rules.length, noon)
    return request


def _rules_of_today(recipe: Mapping[str, Any]) -> MixRequest:
    """The rules and the length of a recipe for today, as a request with some seed."""
    user = recipe.get("user", "")
    if not isinstance(user, str):
        raise UsageError(f"a stored request: the user is a text, not {type(user).__name__}.")
    rest = {name: value for name, value in recipe.items() if name != "user"}
    if "seeds" in rest:
        raise UsageError("a stored request for today has no seeds of its own.")
    return MixRequest.from_dict({**rest, "kind": "mix", "seeds": {"like": [_ANY_SEED]}})


def _failed(playlist: StoredPlaylist, reason: str) -> PlaylistError:
    line = " ".join(reason.split())
    return PlaylistError(f"the playlist {playlist.name!r} stays as it is: {line}")
