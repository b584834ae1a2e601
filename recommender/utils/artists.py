"""Names of artists: who a tag names, which names name nobody, and what two names are compared by.

A tag may name several artists, and nothing tells "Mira Lund & Otto Berg" from "Simon & Garfunkel".
`split_artists` divides only what surely divides ("A; B", "A feat. B"); `KnownArtists` divides the
rest where the catalogue proves it: where one of the parts is an artist on its own elsewhere.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from recommender.utils.names import label_key, name_key

_NOBODY = """
va various variousartist variousartists variousperformers diverse sampler compilation
compilations unknown unknownartist noartist notavailable none null undefined anonymous
anonymousartist artist artistunknown
verschiedene verschiedeneinterpreten verschiedenekunstler diverseinterpreten diversekunstler
unbekannt unbekannterinterpret unbekannterkunstler
artistesdivers artistesvaries diversartistes multiinterpretes interpretesdivers artisteinconnu
inconnu
variosartistas varios variosinterpretes artistasvarios artistadesconocido desconocido
artistivari aavv artistavari autorivari artistasconosciuto sconosciuto
diverseartiesten verschillendeartiesten onbekendeartiest onbekend
variosartistasdesconhecidos artistadesconhecido desconhecido
blandadeartister diverseartister okandartist diversekunstnere ukendtkunstner ukjentartist
erilaisiaesittajia eriesittajia tuntematonesittaja
rozniwykonawcy roznyartisci nieznanywykonawca nieznanyartysta
ruzniinterpreti ruzniumelci neznamyinterpret neznamyumelec
kulonbozoeloadok ismeretleneloado
разныеисполнители разныеартисты неизвестныйисполнитель неизвестен
сборник
διαφοροικαλλιτεχνες αγνωστοςκαλλιτεχνης
ヴァリアスアーティスト オムニバス 不明なアーティスト 不明
群星 合辑 未知艺术家 未知艺人 未知歌手 群星合辑 未知藝人
여러아티스트 알수없는아티스트 알수없음
"""

NOBODY = frozenset(label_key(word) for word in _NOBODY.split())
"""Keys of what taggers write for "several" and for "nobody knows", in the languages of the common
programs: two tracks that share one have nothing in common."""

_CERTAIN = re.compile(r"\s*[;\0]\s*")
_EDGES = re.compile(r"^[\s,]+|[\s,]+$")
_GUEST = re.compile(
    r"""\s*[(\[]\s*(?:feat|ft|featuring|with|w/)(?:\.|\b|(?<=/))\s*(?P<inside>[^)\]]+)[)\]]
      | \s+(?:feat|ft|featuring)(?:\.\s*|\s+)(?P<after>[^\s].*)$""",
    re.VERBOSE | re.IGNORECASE,
)
_UNCERTAIN = re.compile(
    r"""\s*,\s*(?:(?:&|and)\s+)?
      | \s*[/\\|]\s*
      | \s+(?:&|\+|x|×|and|und|et|y|e|og|och|con|mit|with|vs\.?|versus|presents|pres\.?)\s+
      | (?<=\S)\s*&\s*(?=\S)""",
    re.VERBOSE | re.IGNORECASE,
)
_ARTICLE_BEHIND = re.compile(r"^(.*\S), (the|die|der|das|les|los|las)$")
_CONJUNCTION = re.compile(r" (?:and|\+) ")
_LONGEST_RUN = 8
"""Parts that a known name may have ("Crosby, Stills, Nash & Young": four)."""

_TYPOGRAPHY = str.maketrans("‐‑‒–—−’‘ʼ´`“”„«»", "------'''''\"\"\"\"\"")


@lru_cache(maxsize=10_000)
def artist_key(name: str | None) -> str:
    """What artists are compared by; empty for a name that names nobody, as for None.

    Like `name_key`, and typographic signs, "and" for "&" and "Beatles, The" make no difference.
    """
    if names_nobody(name):
        return ""
    key = name_key((name or "").translate(_TYPOGRAPHY))
    key = _ARTICLE_BEHIND.sub(r"\2 \1", key)
    return _CONJUNCTION.sub(" & ", key)


def names_nobody(name: str | None) -> bool:
    """Whether a name stands for no artist: "Various Artists", "[unknown]", "-"."""
    key = label_key(name or "")
    letters = "".join(char for char in key if char.isalnum())
    return letters in NOBODY or key == "n/a" if letters else not key.strip("?.-_/ ")


@lru_cache(maxsize=10_000)
def split_artists(text: str | None) -> tuple[str, ...]:
    """The artists in one value of a tag, divided only where that is certain.

    At ";" and NUL, at "feat.", "ft." and "featuring", and at "with" in brackets. "AC/DC", "Earth,
    Wind & Fire" and "Tyler, The Creator" stay one.
    """
    found: dict[str, None] = {}
    for part in _CERTAIN.split(text or ""):
        for name in _with_guests(part):
            if name := _EDGES.sub("", name):
                found.setdefault(name)
    return tuple(found)


def _with_guests(text: str) -> Iterator[str]:
    """The artist before "feat." and those behind it."""
    guest = _GUEST.search(text)
    if guest is None or not text[: guest.start()].strip():
        yield text
        return
    inside = guest["inside"]
    yield text[: guest.start()]
    yield from _with_guests(inside or guest["after"])
    if inside and (rest := text[guest.end() :].strip(" -–,&")):
        yield from _with_guests(rest)


def credited_artists(artists: tuple[str, ...], album_artists: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a track's artists who are somebody, or else of its album's; or else nobody."""
    for names in (artists, album_artists):
        if somebody := tuple(name for name in names if not names_nobody(name)):
            return somebody
    return artists or album_artists


def credited_by_tags(
    artists: tuple[str, ...], artist: str | None, of_album: tuple[str, ...], by: str | None
) -> tuple[str, ...]:
    """`credited_artists` of the values of tags, or of the texts where there is one value only."""
    return credited_artists(artists or split_artists(artist), of_album or split_artists(by))


def may_name_several(name: str) -> bool:
    """Whether evidence could divide the name (`KnownArtists.divided`)."""
    return _UNCERTAIN.search(name) is not None


class KnownArtists:
    """The artists of a catalogue: the evidence for what "A & B" or "A, B" names."""

    def __init__(self, tracks: Mapping[str, int]) -> None:
        """Of names that a tag has by themselves, with the number of their tracks."""
        counts: dict[str, int] = {}
        for name, count in tracks.items():
            if key := artist_key(name):
                counts[key] = counts.get(key, 0) + count
        self._count: Callable[[str], int] = lambda key: counts.get(key, 0)

    @classmethod
    def counted_by(cls, count: Callable[[str], int]) -> "KnownArtists":
        """Where the number of tracks of an `artist_key` is looked up."""
        known = cls({})
        known._count = count
        return known

    def keys(self, names: Sequence[str]) -> tuple[str, ...]:
        """`artist_key` of every artist that `names`, values of a tag, stand for, without nobody."""
        found = (artist_key(part) for name in names for part in self.divided(name))
        return tuple(dict.fromkeys(key for key in found if key))

    def divided(self, name: str) -> list[str]:
        """The artists in one name: itself, unless there is evidence that it names several.

        A part that is known by itself divides the name around it; the longest known parts first.
        What is left between them stays as it is. Single words prove less than full names ("Earth"
        in "Earth, Wind & Fire"): they must be half of three parts and more, and of two parts no
        rarer than the whole.
        """
        bounds = self._bounds(name)
        groups = self._groups(name, bounds)
        known = [(start, end) for start, end, found in groups if found]
        texts = [name[bounds[start][0] : bounds[end - 1][1]] for start, end in known]
        if not known or not (
            any(" " in artist_key(text) for text in texts)
            or self._few_words_suffice(name, texts, len(bounds))
        ):
            return [name]
        divided: list[str] = []
        for start, end, found in groups:
            part = name[bounds[start][0] : bounds[end - 1][1]]
            divided += self.divided(part) if found else [part]
        return divided

    def _few_words_suffice(self, whole: str, known: Sequence[str], parts: int) -> bool:
        if parts > 2:
            return 2 * len(known) >= parts
        most = max(self._count(artist_key(text)) for text in known)
        return self._count(artist_key(whole)) <= most

    def _bounds(self, name: str) -> list[tuple[int, int]]:
        """Where the parts of a name begin and end; ", The …" divides only before a known artist."""
        bounds = []
        start = 0
        for divider in _UNCERTAIN.finditer(name):
            rest = name[divider.end() :]
            is_epithet = divider.group().strip() == "," and rest.lower().startswith("the ")
            if divider.start() <= start or not rest or (is_epithet and not self._begins(rest)):
                continue
            bounds.append((start, divider.start()))
            start = divider.end()
        return [*bounds, (start, len(name))]

    def _begins(self, text: str) -> bool:
        """Whether the text up to its next divider is a known artist."""
        return self._count(artist_key(_UNCERTAIN.split(text, maxsplit=1)[0])) > 0

    def _groups(self, name: str, bounds: Sequence[tuple[int, int]]) -> list[tuple[int, int, bool]]:
        """Runs of parts, as (first, behind last, known), of which the known ones are the longest.

        The whole is none.
        """
        groups: list[tuple[int, int, bool]] = []
        start, count = 0, len(bounds)
        while start < count:
            for end in range(min(count, start + _LONGEST_RUN), start, -1):
                text = name[bounds[start][0] : bounds[end - 1][1]]
                if (start, end) != (0, count) and self._count(artist_key(text)) > 0:
                    groups.append((start, end, True))
                    start = end
                    break
            else:
                if groups and not groups[-1][2]:
                    groups[-1] = (groups[-1][0], start + 1, False)
                else:
                    groups.append((start, start + 1, False))
                start += 1
        return groups
