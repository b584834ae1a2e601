"""What a list is not to repeat, as rules that are looked up whenever the list is made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from recommender.catalog import Catalog, EventKind
from recommender.catalog.list_records import DEFAULT_USER
from recommender.errors import PlaylistError, PlaylistNotFound, UsageError
from recommender.playlists.files import ENDINGS, read_playlist
from recommender.recommendation.mix_request import MixRequest, latest_last
from recommender.utils.arguments import require_several, require_type

MOST_DAYS = 36_500
"""That are looked back at in the history."""

NAMES = ("not_played", "previous_playlists")
"""Of the rules, in the JSON of recipes."""


@dataclass(frozen=True)
class Repeats:
    """What a list is not to repeat, beside the tracks that `Rules.previous` names.

    Attributes:
        not_played: what the user played in the last so many days; None for no such rule.
        playlists: what is in these: names of stored ones, or absolute paths of playlist files.
        user: whose history and stored playlists; empty for the only one.

    Raises `UsageError` for days out of range, and `TypeError` for other types.
    """

    not_played: float | None = None
    playlists: tuple[str, ...] = ()
    user: str = DEFAULT_USER

    def __post_init__(self) -> None:
        """Refuse what cannot be looked up."""
        require_several(self.playlists, "playlists")
        for name in self.playlists:
            require_type(name, str, "a playlist", "a name (str)")
        object.__setattr__(self, "playlists", tuple(self.playlists))
        require_type(self.user, str, "user", "a str")
        days = self.not_played
        if days is None:
            return
        require_type(days, (int, float), "not_played", "a number of days or None")
        if not 0 <= days <= MOST_DAYS:
            raise UsageError(
                f"what was played is looked up for 0 to at most {MOST_DAYS:,} days, not {days:g}."
            )
        object.__setattr__(self, "not_played", float(days))

    def __bool__(self) -> bool:
        """Whether there is any such rule."""
        return self.not_played is not None or bool(self.playlists)

    def track_ids(
        self,
        catalog: Catalog,
        now: datetime | None = None,
        notes: list[str] | None = None,
        *,
        needed: bool = True,
    ) -> tuple[int, ...]:
        """The tracks that are not to be repeated, each once, the latest last.

        Args:
            catalog: stays open.
            now: None for the present.
            notes: gets a sentence for each playlist that can be used in part only.
            needed: whether a playlist that is not there or cannot be read is an error; otherwise it
                is among the notes.

        Raises `PlaylistError` and `UsageError` for such a playlist.
        """
        ids: list[int] = []
        if self.not_played is not None:
            since = (now or datetime.now(UTC)) - timedelta(days=self.not_played)
            ids += [one.track_id for one in catalog.history(self.user, since, [EventKind.PLAY])]
        for name in self.playlists:
            try:
                ids += playlist_tracks(catalog, name, self.user, notes)
            except (PlaylistError, UsageError) as error:
                if needed:
                    raise
                if notes is not None:
                    notes.append(f"of what was to be left out: {error}")
        return latest_last(ids)

    def as_rules(self) -> dict[str, Any]:
        """What `of_rules` reads, for the rules of a recipe; without the user."""
        values = (self.not_played, list(self.playlists))
        return {name: value for name, value in zip(NAMES, values, strict=True) if value}

    @classmethod
    def of_rules(cls, rules: object, user: str) -> "Repeats":
        """Of the rules of a recipe, which may have others. Raises `UsageError`."""
        values = rules if isinstance(rules, Mapping) else {}
        days, playlists = (values.get(name) for name in NAMES)
        try:
            return cls(days, () if playlists is None else playlists, user)
        except TypeError as error:
            raise UsageError(f"rules: {error}") from error


def not_repeating(request: MixRequest, track_ids: Iterable[int]) -> MixRequest:
    """A request that leaves out further tracks, before those that it left out already."""
    previous = latest_last((*track_ids, *request.rules.previous))
    return replace(request, rules=replace(request.rules, previous=previous))


def playlist_tracks(
    catalog: Catalog, name: str, user: str, notes: list[str] | None = None
) -> Sequence[int]:
    """The tracks of a stored playlist of a user, or of a playlist file.

    Args:
        notes: gets a sentence where entries of a file cannot be used.

    Raises `PlaylistError` where there is none, or the file cannot be read.
    """
    try:
        return catalog.playlist(name, user).track_ids
    except PlaylistNotFound as error:
        if not name.lower().endswith(ENDINGS):
            raise PlaylistNotFound(
                f"{name!r} is neither a stored playlist nor a playlist file "
                f"({', '.join(ENDINGS)}): 'recsys playlist list' lists those that are stored."
            ) from error
    content = read_playlist(catalog, Path(name))
    lost = sum(1 for one in content.unmatched if one.kind != "doubled")
    if notes is not None and lost:
        notes.append(f"{name}: {lost:,} of its entries are no tracks of the catalogue.")
    if notes is not None and content.fault is not None:
        notes.append(f"{name}: {content.fault}")
    return [track.id for track in content.tracks]
