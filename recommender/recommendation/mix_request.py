"""What a listener asks for: seeds, rules and a length. Plain data, storable as JSON.

A request is one of five kinds:

- ``mix``: tracks like several seeds, and unlike others.
- ``radio``: a list that goes on from its seeds without repeating anything.
- ``path``: from the first of two seeds to the second in small steps.
- ``order``: the seeds themselves, in their smoothest order.
- ``grow``: tracks to add to the seeds, which are a playlist.
"""

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from types import NoneType
from typing import Any, Literal, TypeVar, get_args

import numpy as np

from recommender.errors import UsageError
from recommender.recommendation.filters import Filters
from recommender.recommendation.seeds import Query
from recommender.recommendation.sound_filters import SoundFilters
from recommender.utils.arguments import require_several, require_type

Kind = Literal["mix", "radio", "path", "order", "grow"]

Christmas = Literal["december", "always", "never"]
"""When Christmas music may be listed."""

SCHEMA_VERSION = 1
"""Of `MixRequest.as_dict`."""

LONGEST_S = 900.0
"""Longer tracks are mostly recordings of whole concerts, sets of DJs, or audiobooks."""

_INTEGER = (int, np.integer)
_NUMBER = (int, float, np.number)

_Data = TypeVar("_Data", "SeedSet", "Length", "Rules")


_COMPARED = (int, np.integer, str, os.PathLike)


def latest_last(track_ids: Iterable[int]) -> tuple[int, ...]:
    """Each id once, where it comes last, as `Rules.previous` wants them."""
    return tuple(reversed(dict.fromkeys(reversed(tuple(track_ids)))))


@dataclass(frozen=True)
class SeedSet:
    """What a list is to be like and unlike.

    Attributes:
        like: of a path its two ends, of an order and of a list to grow all of its tracks.
        unlike: moves the list away from these; for mixes, radios and lists to grow.
        weights: how much each of `like` counts, above 0; for mixes and radios. Empty: all the same.

    Raises `UsageError` for a query that is in both and for weights that do not fit, and `TypeError`
    for a single query.
    """

    like: tuple[Query, ...]
    unlike: tuple[Query, ...] = ()
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        for name in ("like", "unlike"):
            require_several(getattr(self, name), name)
            object.__setattr__(self, name, tuple(getattr(self, name)))
        # By identity first: embeddings hold arrays, which have no one answer to ==.
        plain = [query for query in self.unlike if isinstance(query, _COMPARED)]
        both = [
            str(query)
            for query in self.like
            if any(query is other for other in self.unlike)
            or (isinstance(query, _COMPARED) and query in plain)
        ]
        if both:
            raise UsageError(f"{', '.join(both)}: a list cannot be both like and unlike a seed.")
        self._require_weights()

    def _require_weights(self) -> None:
        require_several(self.weights, "weights")
        for weight in self.weights:
            require_type(weight, _NUMBER, "a weight", "a number")
        weights = tuple(float(weight) for weight in self.weights)
        object.__setattr__(self, "weights", weights)
        if weights and len(weights) != len(self.like):
            raise UsageError(f"{len(self.like)} seeds have as many weights, not {len(weights)}.")
        if not all(0 < weight < math.inf for weight in weights):
            raise UsageError("the weight of a seed is above 0, and finite.")


@dataclass(frozen=True)
class Length:
    """Where a list ends: whichever of the two is reached first.

    Attributes:
        tracks: most entries.
        minutes: the list ends before the entry that would exceed it.

    With neither, a list has the length that its kind has by default (`DEFAULT_TRACKS`).
    """

    tracks: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no list can have."""
        require_type(self.tracks, (*_INTEGER, NoneType), "tracks", "an int or None")
        require_type(self.minutes, (*_NUMBER, NoneType), "minutes", "a number or None")
        if self.tracks is not None and self.tracks < 1:
            raise UsageError(f"a list has at least 1 track, not {self.tracks}.")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise UsageError(f"a list lasts more than 0 minutes, not {self.minutes:g}.")
        _make_plain(self, {"tracks": int, "minutes": float})


@dataclass(frozen=True)
class Rules:
    """What is left out of a list; each is one reason for it. Names are compared as by `Filters`.

    A recording is listed once, whatever the rules; neither a seed nor a copy of one is listed
    (they are in the playlist already, or are playing).

    Attributes:
        artist_gap: among so many entries in a row no two share an artist. The end of `previous`
            and, of a radio, a single seed count as entries before the first. None for the default
            of the kind (`DEFAULT_ARTIST_GAP`), 0 for none.
        album_gap: the same for albums.
        strict: end a radio where no track keeps the gaps, as other lists do. Otherwise a track is
            then taken that keeps as much of them as any can, and `Mix.notes` says so.
        per_artist: most entries of any one artist. None for the default of the kind
            (`DEFAULT_PER_ARTIST`), 0 for any number.
        genre, predicted_genre, min_duration, max_duration, damaged: as of `Filters`.
        speech: whether audiobooks, podcasts and other speech may be listed, by the likelihood of
            speech, or else by their genre tags (`utils.content_words`).
        christmas: when Christmas music may be listed, by words in title, album and genre
            (`utils.content_words`).
        exclusions: whether the exclusions that the catalogue keeps ("never in mixes") hold.
        previous: ids of the tracks of the queue so far and of earlier sittings, the latest last:
            neither they nor copies of them are listed.
        variety: from 0, the same list each time, to 1, a list drawn from many more tracks.
        random_seed: what is drawn depends on this and the tracks alone.
        tempo, key, energy, danceability, acousticness, vocals: as of `SoundFilters`; what is
            relative to seeds holds for any of the liked ones.

    Raises `UsageError` and `TypeError` as `Filters`.
    """

    artist_gap: int | None = None
    album_gap: int | None = None
    strict: bool = False
    per_artist: int | None = None
    genre: str | None = None
    predicted_genre: str | None = None
    min_duration: float | None = None
    max_duration: float | None = LONGEST_S
    damaged: bool = True
    speech: bool = False
    christmas: Christmas = "december"
    exclusions: bool = True
    previous: tuple[int, ...] = ()
    variety: float = 0.0
    random_seed: int = 0
    tempo: str | None = None
    key: str | None = None
    energy: str | None = None
    danceability: str | None = None
    acousticness: str | None = None
    vocals: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no track can meet."""
        for name in ("artist_gap", "album_gap", "per_artist"):
            value = getattr(self, name)
            require_type(value, (*_INTEGER, NoneType), name, "an int or None")
            if value is not None and value < 0:
                raise UsageError(f"{name.replace('_', ' ')} must not be below 0, as {value} is.")
        for name in ("strict", "damaged", "speech", "exclusions"):
            require_type(getattr(self, name), bool, name, "a bool")
        require_type(self.christmas, str, "christmas", "a str")
        if self.christmas not in get_args(Christmas):
            raise UsageError(
                f"Christmas music is listed in december, always or never, not {self.christmas!r}."
            )
        require_type(self.variety, _NUMBER, "variety", "a number")
        if not 0 <= self.variety <= 1:
            raise UsageError(f"variety is from 0 to 1, not {self.variety:g}.")
        require_type(self.random_seed, _INTEGER, "random_seed", "an int")
        require_several(self.previous, "previous")
        for track_id in self.previous:
            require_type(track_id, _INTEGER, "a track in previous", "its id (int)")
        object.__setattr__(self, "previous", tuple(int(one) for one in self.previous))
        self._require_default_length()
        self.filters()
        gaps = ("artist_gap", "album_gap", "per_artist", "random_seed")
        _make_plain(self, dict.fromkeys(gaps, int))
        _make_plain(self, dict.fromkeys(("min_duration", "max_duration", "variety"), float))

    def _require_default_length(self) -> None:
        """Say where the greatest length comes from that a least one contradicts."""
        least, most = self.min_duration, self.max_duration
        if most == LONGEST_S and isinstance(least, _NUMBER) and least > most:
            raise UsageError(
                f"no track lasts at least {least:g} s and at most {most:g} s, the greatest length "
                "unless another is given: give another, or none."
            )

    def filters(self) -> Filters:
        """The rules that `Filters` has, for tracks by themselves. Raises as `Filters`."""
        return Filters(
            per_artist=None,
            genre=self.genre,
            predicted_genre=self.predicted_genre,
            min_duration=self.min_duration,
            max_duration=self.max_duration,
            damaged=self.damaged,
            **{one.name: getattr(self, one.name) for one in fields(SoundFilters)},
        )


MOST_STEPS = 100
"""Of a path; what it takes to find one grows with the square of its length."""

ORDERS = ("sound", "tempo-key")
"""What a list may be ordered by."""

DEFAULT_TRACKS: Mapping[Kind, int] = {"mix": 25, "radio": 50, "path": 11, "grow": 10}
"""Entries of a list that says nothing of its length; an order is as long as its seeds."""

DEFAULT_ARTIST_GAP: Mapping[Kind, int] = {"radio": 15}
"""About an hour of music; 0 for other kinds, in which an artist has few entries anyway."""

DEFAULT_ALBUM_GAP: Mapping[Kind, int] = {"radio": 30}
"""About two hours: most albums are by one artist, whose gap would allow every fifteenth entry."""

DEFAULT_PER_ARTIST: Mapping[Kind, int] = {"mix": 2, "grow": 2, "path": 1}
"""As in lists of similar tracks; one on a path; any number in a radio, which may be endless."""


@dataclass(frozen=True)
class MixRequest:
    """A list to be made.

    Attributes:
        kind: what kind of list.
        seeds: what it begins with.
        rules: what is left out.
        length: where it ends.
        steps: of a path: from one end to the other, so that it has one track more; None for
            ``length.tracks - 1``. At most `MOST_STEPS`.
        threshold: of a list to grow: least similarity (cosine) to the nearest of its tracks. With
            it and without a length, every track so near is added.
        first: of an order: the seed that comes first; None for whichever suits.
        by: of an order: ``sound``, or ``tempo-key``; None for the first.

    Raises `UsageError` for fields that do not belong to the kind or contradict each other.
    """

    kind: Kind
    seeds: SeedSet
    rules: Rules = field(default_factory=Rules)
    length: Length = field(default_factory=Length)
    steps: int | None = None
    threshold: float | None = None
    first: "Query | None" = None
    by: str | None = None

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        require_type(self.kind, str, "kind", "a str")
        if self.kind not in get_args(Kind):
            raise UsageError(f"a list is one of {', '.join(get_args(Kind))}, not {self.kind!r}.")
        require_type(self.seeds, SeedSet, "seeds", "a SeedSet")
        require_type(self.rules, Rules, "rules", "Rules")
        require_type(self.length, Length, "length", "a Length")
        require_type(self.steps, (*_INTEGER, NoneType), "steps", "an int or None")
        require_type(self.threshold, (*_NUMBER, NoneType), "threshold", "a number or None")
        self._require_seeds()
        self._require_own_fields()
        self._require_steps()
        _make_plain(self, {"steps": int, "threshold": float})

    def _require_seeds(self) -> None:
        if not self.seeds.like:
            raise UsageError("a list needs a seed that it is to be like.")
        if self.kind == "path" and len(self.seeds.like) != 2:
            raise UsageError(f"a path has 2 ends, not {len(self.seeds.like)}.")
        if self.kind in ("path", "order") and self.seeds.unlike:
            raise UsageError(f"{_article(self.kind)} has no seeds that it is to be unlike.")
        if self.seeds.weights and self.kind not in ("mix", "radio"):
            raise UsageError(f"in a list of the kind {self.kind!r} seeds have no weights.")

    def _require_own_fields(self) -> None:
        for name in ("artist_gap", "album_gap"):
            if self.kind in ("path", "order") and getattr(self.rules, name):
                raise UsageError(f"{_article(self.kind)} has no {name.replace('_', ' ')}.")
        owners = {"steps": "path", "threshold": "grow", "first": "order", "by": "order"}
        for name, kind in owners.items():
            if getattr(self, name) is not None and self.kind != kind:
                raise UsageError(f"{name!r} is for lists of the kind {kind!r}, not {self.kind!r}.")
        if self.by not in (None, *ORDERS):
            raise UsageError(f"lists are ordered by {' or '.join(ORDERS)}, not {self.by!r}.")
        if self.threshold is not None and not -1 <= self.threshold <= 1:
            raise UsageError(f"a similarity is from -1 to 1; the threshold is {self.threshold:g}.")

    def _require_steps(self) -> None:
        if self.kind == "order" and self.length != Length():
            raise UsageError("an order is as long as its seeds are many; it takes no length.")
        if self.kind != "path":
            return
        if self.length.minutes is not None:
            raise UsageError("a path has a number of steps; it takes no minutes.")
        tracks = self.length.tracks
        if self.steps is not None and tracks is not None and tracks != self.steps + 1:
            raise UsageError(f"a path of {self.steps} steps has {self.steps + 1} tracks.")
        if self.tracks is not None and self.tracks < 2:
            raise UsageError("a path has at least one step, from its one end to the other.")
        if self.tracks is not None and self.tracks > MOST_STEPS + 1:
            raise UsageError(f"a path has at most {MOST_STEPS} steps, not {self.tracks - 1:,}.")

    @property
    def tracks(self) -> int | None:
        """Most entries of the list; None where minutes, a threshold or the seeds end it."""
        if self.steps is not None:
            return self.steps + 1
        if self.length.tracks is not None:
            return self.length.tracks
        ends_itself = self.length.minutes is not None or self.threshold is not None
        return None if ends_itself else DEFAULT_TRACKS.get(self.kind)

    @property
    def artist_gap(self) -> int:
        """`Rules.artist_gap` with the default of the kind."""
        own = self.rules.artist_gap
        return DEFAULT_ARTIST_GAP.get(self.kind, 0) if own is None else own

    @property
    def album_gap(self) -> int:
        """`Rules.album_gap` with the default of the kind."""
        own = self.rules.album_gap
        return DEFAULT_ALBUM_GAP.get(self.kind, 0) if own is None else own

    @property
    def per_artist(self) -> int:
        """`Rules.per_artist` with the default of the kind; 0 for any number."""
        own = self.rules.per_artist
        return DEFAULT_PER_ARTIST.get(self.kind, 0) if own is None else own

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, for `from_dict`; paths as text.

        Raises `UsageError` for a seed that cannot be stored: a sound or an embedding.
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": self.kind,
            "seeds": {
                "like": [_plain(query) for query in self.seeds.like],
                "unlike": [_plain(query) for query in self.seeds.unlike],
                **({"weights": list(self.seeds.weights)} if self.seeds.weights else {}),
            },
            "rules": {**asdict(self.rules), "previous": list(self.rules.previous)},
            "length": asdict(self.length),
            "steps": self.steps,
            "threshold": self.threshold,
            "first": None if self.first is None else _plain(self.first),
            "by": self.by,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "MixRequest":
        """What `as_dict` gave. Fields that are not there have their defaults.

        Raises `UsageError` that names an unknown key, a value of a wrong type, or one that is out
        of range, and for another version.
        """
        known = {one.name for one in fields(cls)} | {"schema_version"}
        given = _mapping(values, "a stored request", known)
        version = given.pop("schema_version", SCHEMA_VERSION)
        if version != SCHEMA_VERSION:
            raise UsageError(
                f"the stored request is of version {version!r}; this program knows version "
                f"{SCHEMA_VERSION}. Use the program that stored it, or save the request anew."
            )
        for name, kind in {"seeds": SeedSet, "rules": Rules, "length": Length}.items():
            if name in given:
                given[name] = _made(kind, given[name], name)
        try:
            return cls(**given)
        except TypeError as error:
            raise UsageError(f"a stored request: {error}") from error


def _mapping(values: object, what: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise UsageError(f"{what} is an object with names, not {type(values).__name__}.")
    unknown = [str(name) for name in values if name not in known]
    if unknown:
        raise UsageError(
            f"{what}: unknown {', '.join(map(repr, unknown))}; known are "
            f"{', '.join(sorted(known))}."
        )
    return dict(values)


def _made(kind: type[_Data], values: object, what: str) -> _Data:
    given = _mapping(values, what, {one.name for one in fields(kind)})
    for name in ("like", "unlike", "weights", "previous"):
        if name in given and not isinstance(given[name], list | tuple):
            raise UsageError(f"{what}: {name!r} is a list, not {type(given[name]).__name__}.")
    for name in ("like", "unlike"):
        for query in given.get(name, ()):
            if isinstance(query, bool) or not isinstance(query, int | str):
                raise UsageError(
                    f"{what}: {name!r} holds track ids and paths, not {type(query).__name__}."
                )
    try:
        return kind(**given)
    except TypeError as error:
        raise UsageError(f"{what}: {error}") from error


def _make_plain(owner: object, kinds: Mapping[str, type[int] | type[float]]) -> None:
    """Make numbers of numpy in fields of a frozen object such as JSON has; None stays."""
    for name, kind in kinds.items():
        value = getattr(owner, name)
        if value is not None:
            object.__setattr__(owner, name, kind(value))


def _plain(query: Query) -> int | str:
    if isinstance(query, np.integer | int):
        return int(query)
    if isinstance(query, str):
        return query
    if isinstance(query, os.PathLike):
        return os.fspath(query)
    raise UsageError(
        "a sound that is no file, and an embedding, cannot be stored as a seed; name a track of "
        "the catalogue or the path of a file."
    )


def _article(kind: Kind) -> str:
    return f"{'an' if kind == 'order' else 'a'} {kind}"
