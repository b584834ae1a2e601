"""Recipes: requests that are stored with a playlist, and run again to replace its tracks.

A recipe is what `MixRequest.as_dict` gives, or `todays_recipe`, which asks the history for its
seeds whenever it is run. Beside the rules of `Rules` both may have those of `Repeats`, which are
looked up anew each time (`with_repeats`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from recommender.catalog import Catalog, StoredPlaylist
from recommender.errors import (
    PlaylistError,
    PlaylistNotFound,
    RecsysError,
    TrackNotFound,
    UsageError,
)
from recommender.history.seeds import todays_request
from recommender.playlists.files import replacing_playlist
from recommender.playlists.repeats import NAMES, Repeats, not_repeating
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
        before, after: the playlist as it was and as it is; the same where the run failed, or
            nothing was to be stored.
        mix: what the recipe gave; None where it failed.
        error: why it failed, in one line.
    """

    before: StoredPlaylist
    after: StoredPlaylist
    mix: Mix | None
    error: str | None = None

    @property
    def track_ids(self) -> tuple[int, ...]:
        """What the playlist has now or, where nothing was to be stored, would have."""
        if self.mix is None or self.after is not self.before:
            return self.after.track_ids
        return tuple(tracks_of(self.mix))


def todays_recipe(request: MixRequest, user: str) -> dict[str, Any]:
    """A recipe with the rules and the length of a request, and new seeds each day.

    What the request does not repeat is not among the rules: the history is asked each day.
    """
    stored = request.as_dict()
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": TODAY,
        "user": user,
        "rules": {**stored["rules"], "previous": [], "random_seed": 0},
        "length": stored["length"],
    }


def with_repeats(recipe: Mapping[str, Any], repeats: Repeats) -> dict[str, Any]:
    """A recipe that looks up what it is not to repeat, in place of the tracks that it names."""
    if not repeats:
        return dict(recipe)
    return {**recipe, "rules": {**recipe["rules"], "previous": [], **repeats.as_rules()}}


def check_recipe(recipe: Mapping[str, Any]) -> None:
    """Raise `UsageError` that says what is wrong with a recipe, if anything is."""
    Repeats.of_rules(recipe.get("rules"), "")
    if recipe.get("kind") == TODAY:
        _rules_of_today(recipe)
    else:
        _request_of(recipe)


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
    mix = recipe_mix(service, playlist, today)
    replace_tracks(service.catalog, playlist, tracks_of(mix), datetime.now(UTC))
    return mix


def recipe_mix(
    service: "SimilarityService", playlist: StoredPlaylist, today: date | None = None
) -> Mix:
    """What a playlist's recipe gives; nothing is stored. As `run_recipe`, which raises the same."""
    notes: list[str] = []
    try:
        mix = service.mix(_request(service, playlist, today, notes), today)
    except TrackNotFound as error:
        advice = "Its seeds are gone: save it again under its name, with others."
        raise _failed(playlist, f"{error} {advice}") from error
    except RecsysError as error:
        raise _failed(playlist, str(error)) from error
    if not mix.entries:
        raise _failed(playlist, " ".join(("nothing was found.", *notes, *mix.notes)))
    return replace(mix, notes=[*notes, *mix.notes])


def tracks_of(mix: Mix) -> list[int]:
    """The tracks of a playlist that a list replaces: what grows keeps what it had."""
    grows = mix.seeds if mix.request.kind == "grow" else []
    kept = [seed.track.id for seed in grows if seed.track is not None]
    return [*kept, *(entry.track.id for entry in mix.entries)]


def run_recipes(
    service: "SimilarityService",
    playlists: Iterable[StoredPlaylist],
    today: date | None = None,
    *,
    dry_run: bool = False,
) -> Iterator[RecipeRun]:
    """Run recipes one after another; one that fails does not stop the others.

    Args:
        service: over the catalogue that stores the playlists.
        playlists: one without a recipe fails.
        today: None for the day it is.
        dry_run: store nothing.
    """
    make = recipe_mix if dry_run else run_recipe
    for playlist in playlists:
        try:
            mix = make(service, playlist, today)
            after = playlist if dry_run else service.catalog.playlist(playlist.id)
        except RecsysError as error:
            yield RecipeRun(playlist, playlist, None, str(error))
        else:
            yield RecipeRun(playlist, after, mix)


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
        PlaylistError: its file cannot be written, and nothing was changed; or what
            `replacing_playlist` raises, where the message says that the tracks were.
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


def save_by_hand(
    catalog: Catalog, name: str, track_ids: list[int], user: str, comment: str = ""
) -> StoredPlaylist:
    """Store a list that no request made, also in place of one of its name, whose file is written.

    Args:
        comment: empty to keep that of the playlist that is replaced.

    Raises:
        UsageError: the playlist of that name is made by a recipe, which would be lost or would
            replace the list at its next run; or as `Catalog.save_playlist`.
        PlaylistError, PlaylistNotFound, TrackNotFound: as `replace_tracks`.
    """
    try:
        known = catalog.playlist(name, user)
    except PlaylistNotFound:
        return catalog.save_playlist(name, track_ids, user, comment=comment)
    if known.recipe is not None:
        raise UsageError(
            f"the playlist {known.name!r} is made by a recipe, which would be lost: change the "
            "tracks of that playlist, remove it before, or choose another name."
        )
    stored = replace_tracks(catalog, known, track_ids)
    return catalog.describe_playlist(stored.id, comment=comment) if comment else stored


def _request(
    service: "SimilarityService", playlist: StoredPlaylist, today: date | None, notes: list[str]
) -> MixRequest:
    """What a playlist's recipe asks for on a day (None: today). Raises `RecsysError`.

    With variety, other tracks are drawn each day, and the same ones all day.
    """
    recipe = playlist.recipe
    if recipe is None:
        raise UsageError("it has no recipe: it was made by hand.")
    user = recipe.get("user", playlist.user) if recipe.get("kind") == TODAY else playlist.user
    noon = None if today is None else datetime.combine(today, time(12)).astimezone()
    repeats = Repeats.of_rules(recipe.get("rules"), user)
    not_again = repeats.track_ids(service.catalog, noon, notes, needed=False)
    if recipe.get("kind") == TODAY:
        asked = not_repeating(_rules_of_today(recipe), not_again)
        request, seeds = todays_request(service, user, asked.rules, asked.length, noon)
        notes += seeds.notes
        return request
    request = not_repeating(_request_of(recipe), not_again)
    if not request.rules.variety:
        return request
    number = request.rules.random_seed + (today or date.today()).toordinal()
    return replace(request, rules=replace(request.rules, random_seed=number))


def _request_of(recipe: Mapping[str, Any]) -> MixRequest:
    """The request of a recipe, without what is looked up."""
    rules = recipe.get("rules")
    if isinstance(rules, Mapping):
        own = {name: value for name, value in rules.items() if name not in NAMES}
        recipe = {**recipe, "rules": own}
    return MixRequest.from_dict(recipe)


def _rules_of_today(recipe: Mapping[str, Any]) -> MixRequest:
    """The rules and the length of a recipe for today, as a request with some seed."""
    user = recipe.get("user", "")
    if not isinstance(user, str):
        raise UsageError(f"a stored request: the user is a text, not {type(user).__name__}.")
    rest = {name: value for name, value in recipe.items() if name != "user"}
    if "seeds" in rest:
        raise UsageError("a stored request for today has no seeds of its own.")
    return _request_of({**rest, "kind": "mix", "seeds": {"like": [_ANY_SEED]}})


def _failed(playlist: StoredPlaylist, reason: str) -> PlaylistError:
    line = " ".join(reason.split())
    return PlaylistError(f"the playlist {playlist.name!r} stays as it is: {line}")
