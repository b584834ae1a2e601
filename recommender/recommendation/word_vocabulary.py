"""What words mean in a search: tags of networks, predicted genres, musical descriptors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from recommender.embedding.tags import Tag
from recommender.recommendation.word_query import normal

_SAME = (
    ("vocals", "vocal", "voice", "singing", "singer", "sung"),
    ("female vocals", "female vocal", "female vocalists", "female vocalist", "female voice"),
    ("female vocals", "female", "woman"),
    ("male vocals", "male vocal", "male vocalists", "male voice", "male", "man"),
    ("electronic", "electronica", "electro"),
    ("chill", "chillout"),
    ("hiphop", "hip hop", "rap"),
    ("beat", "beats"),
    ("choir", "choral"),
    ("metal", "heavy metal"),
    ("rnb", "r&b"),
    ("happy", "cheerful"),
    ("mellow", "gentle"),
    ("fast", "quick"),
    ("slow", "down tempo"),
    ("danceable", "dance"),
    ("energetic", "powerful"),
    ("calm", "relaxed", "peaceful"),
    ("acoustic", "unplugged"),
    ("spoken", "speech", "talking"),
)
"""Words of one meaning; the first is its name. A later line adds to an earlier one."""

_OPPOSITE_TAGS = {"vocals": ("no vocal", "no vocals", "no voice", "instrumental")}
"""Meaning → tags that deny it."""

_DENYING = {"instrumental": "vocals"}
"""Word → the meaning that it denies."""

_DESCRIPTORS = {
    "vocals": {"vocals": 1},
    "fast": {"tempo": 1},
    "slow": {"tempo": -1},
    "loud": {"loudness": 1},
    "quiet": {"loudness": -1},
    "danceable": {"danceability": 1},
    "energetic": {"energy": 1},
    "calm": {"energy": -1},
    "acoustic": {"acousticness": 1},
    "bright": {"brightness": 1},
    "dark": {"brightness": -1},
    "percussive": {"percussive": 1},
    "drums": {"percussive": 1},
    "spoken": {"speech": 1},
}
"""Meaning → musical descriptors that grow with it (1) or fall (-1)."""

_TAGS_OF = {"calm": ("mellow", "soft"), "energetic": ("loud",)}
"""Meaning → tags besides those of its own names."""


@dataclass(frozen=True)
class Meaning:
    """What speaks for a term and against it.

    Attributes:
        tags: whose probability speaks for it.
        opposite_tags: against it.
        genre: a predicted genre, by its label; None for none.
        descriptors: name → 1 where a high value speaks for it, -1 where a low one does.
        denies: whether the term means that this is absent.
    """

    tags: tuple[Tag, ...] = ()
    opposite_tags: tuple[Tag, ...] = ()
    genre: str | None = None
    descriptors: Mapping[str, int] = field(default_factory=dict)
    denies: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing here tells of it."""
        return not (self.tags or self.genre or self.descriptors)


def vocabulary(
    tags: Iterable[Tag], genres: Iterable[str], descriptors: Iterable[str]
) -> dict[str, Meaning]:
    """Term → meaning, of all terms that can be searched for.

    Args:
        tags: of the networks that have analysed tracks; there may be none.
        genres: that are predicted.
        descriptors: names of those that tracks have.
    """
    by_name: dict[str, list[Tag]] = {}
    for tag in tags:
        by_name.setdefault(normal(tag.name), []).append(tag)
    labels = {normal(genre): genre for genre in genres}
    present = set(descriptors)
    words = _meanings()
    for name in (*by_name, *labels):
        words.setdefault(name, name)
    found = {}
    for word, meaning in words.items():
        same = [other for other, its in words.items() if its == meaning]
        one = Meaning(
            tags=_tags(by_name, (*same, *_TAGS_OF.get(meaning, ()))),
            opposite_tags=_tags(by_name, _OPPOSITE_TAGS.get(meaning, ())),
            genre=next((labels[other] for other in same if other in labels), None),
            descriptors={
                name: sign
                for name, sign in _DESCRIPTORS.get(meaning, {}).items()
                if name in present
            },
            denies=word in _DENYING,
        )
        if not one.is_empty:
            found[word] = one
    return found


def _meanings() -> dict[str, str]:
    """Word → the name of its meaning, of all words that are known without any tags."""
    words = {meaning: meaning for meaning in _DESCRIPTORS}
    for names in _SAME:
        words |= dict.fromkeys(names, names[0])
    return words | _DENYING


def _tags(by_name: Mapping[str, list[Tag]], names: Iterable[str]) -> tuple[Tag, ...]:
    """The tags of these names, once each; those that deny something are not named by it."""
    denying = {tag for tags in _OPPOSITE_TAGS.values() for tag in tags}
    wanted = list(dict.fromkeys(names))
    opposite = all(name in denying for name in wanted)
    return tuple(
        tag for name in wanted if opposite or name not in denying for tag in by_name.get(name, ())
    )
