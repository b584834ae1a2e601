"""Who a tag names: nobody, one artist or several."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.utils.artists import (
    KnownArtists,
    artist_key,
    credited_artists,
    names_nobody,
    split_artists,
)

ONE = (
    "AC/DC",
    "Earth, Wind & Fire",
    "Simon & Garfunkel",
    "Tyler, The Creator",
    "Crosby, Stills, Nash & Young",
    "Peter, Paul and Mary",
    "Florence + the Machine",
    "Ft. Knox",
    "Featherweight",
    "Band of Feat",
    "Sleeping with Sirens",
    "Malcolm X",
    "Ebony (and the Ivories)",
    "!!!",
    "Sunn O)))",
)


@pytest.mark.parametrize("name", ONE)
def test_names_that_stay_one(name: str) -> None:
    assert split_artists(name) == (name,)
    assert KnownArtists({name: 3, "Mira Lund": 5}).keys([name]) == (artist_key(name),)


@pytest.mark.parametrize(
    ("text", "artists"),
    [
        ("A; B", ("A", "B")),
        ("A;B ; A", ("A", "B")),
        ("A\0B", ("A", "B")),
        ("Mira Lund feat. Otto Berg", ("Mira Lund", "Otto Berg")),
        ("Mira Lund FEAT Otto Berg", ("Mira Lund", "Otto Berg")),
        ("Mira Lund ft. Otto Berg", ("Mira Lund", "Otto Berg")),
        ("Mira Lund ft.Otto Berg", ("Mira Lund", "Otto Berg")),
        ("Mira Lund, featuring Otto Berg", ("Mira Lund", "Otto Berg")),
        ("Mira Lund (feat. Otto Berg)", ("Mira Lund", "Otto Berg")),
        ("Mira Lund [ft. Otto Berg] & Co", ("Mira Lund", "Otto Berg", "Co")),
        ("Mira Lund (with Otto Berg)", ("Mira Lund", "Otto Berg")),
        ("Mira Lund (w/ Otto Berg)", ("Mira Lund", "Otto Berg")),
        ("AC/DC feat. Simon & Garfunkel; B", ("AC/DC", "Simon & Garfunkel", "B")),
        ("feat. Otto Berg", ("feat. Otto Berg",)),
        (" ; ", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_what_surely_divides(text: str | None, artists: tuple[str, ...]) -> None:
    assert split_artists(text) == artists


@pytest.mark.parametrize(
    "name",
    [
        *("Various Artists", "various", "VA", "V.A.", "V/A", "Various_Artists", "VARIOUS ARTISTS"),
        *("Unknown Artist", "<unknown>", "[unknown]", "Unknown", "n/a", "-", "???", "", "  "),
        *("Verschiedene Interpreten", "Artistes divers", "Varios artistas", "Artisti vari"),
        *("AA.VV.", "Неизвестный исполнитель", "不明なアーティスト", "群星", "여러 아티스트"),
        *("Unbekannter Künstler", "Vários Artistas", "Διάφοροι Καλλιτέχνες", "Různí interpreti"),
    ],
)
def test_names_of_nobody(name: str) -> None:
    assert names_nobody(name)
    assert artist_key(name) == ""


@pytest.mark.parametrize("name", ["Björk", "!!!", "Variety", "The Unknowns", "Na", "歌", "A-ha"])
def test_names_of_somebody(name: str) -> None:
    assert not names_nobody(name)


@pytest.mark.parametrize(
    "names",
    [
        ("Mira Lund", "MIRA LUND", " mira  lund ", "Mìra Lund", "\uff2dira Lund"),
        ("Guns N' Roses", "Guns N’ Roses"),
        ("Jay-Z", "Jay‐Z", "JAY–Z"),
        ("Simon & Garfunkel", "Simon and Garfunkel", "SIMON + GARFUNKEL"),
        ("The Beatles", "Beatles, The"),
    ],
)
def test_spellings_of_one_artist(names: tuple[str, ...]) -> None:
    assert len({artist_key(name) for name in names}) == 1


def test_artists_are_those_of_the_track_who_are_somebody_or_of_the_album() -> None:
    assert credited_artists(("A", "Various Artists"), ("B",)) == ("A",)
    assert credited_artists(("Various Artists",), ("B",)) == ("B",)
    assert credited_artists((), ("B",)) == ("B",)
    assert credited_artists(("Unknown Artist",), ()) == ("Unknown Artist",)
    assert credited_artists((), ()) == ()


def keys(*names: str) -> tuple[str, ...]:
    return tuple(artist_key(name) for name in names)


class TestEvidence:
    @pytest.mark.parametrize("joint", ["&", "and", "x", "×", "+", "vs.", "with", "/", "und"])
    def test_a_part_that_is_known_divides(self, joint: str) -> None:
        together = f"Mira Lund {joint} Otto Berg"
        known = KnownArtists({"MIRA LUND": 1, together: 4})
        assert known.keys([together]) == keys("Mira Lund", "Otto Berg")
        assert KnownArtists({together: 4}).keys([together]) == keys(together)

    def test_a_comma_and_a_slash_without_blanks(self) -> None:
        known = KnownArtists({"Mira Lund": 1, "AC/DC": 9})
        assert known.keys(["Otto Berg,Mira Lund"]) == keys("Otto Berg", "Mira Lund")
        assert known.keys(["Mira Lund/AC/DC"]) == keys("Mira Lund", "AC/DC")

    def test_the_longest_known_names_are_found_first(self) -> None:
        known = KnownArtists({"Mira Lund": 1, "Earth, Wind & Fire": 2, "Tyler, The Creator": 1})
        text = "Mira Lund, Earth, Wind & Fire, Tyler, The Creator and Otto Berg"
        whole = ("Mira Lund", "Earth, Wind & Fire", "Tyler, The Creator", "Otto Berg")
        assert known.keys([text]) == keys(*whole)

    def test_what_is_left_between_known_artists_stays_one(self) -> None:
        known = KnownArtists({"Mira Lund": 1})
        found = known.keys(["Simon & Garfunkel, Mira Lund"])
        assert found == keys("Simon & Garfunkel", "Mira Lund")

    def test_a_word_within_the_name_of_a_band_proves_nothing(self) -> None:
        known = KnownArtists(
            {"Earth": 9, "Earth, Wind & Fire": 2, "Simon": 1, "Simon & Garfunkel": 5, "Tyler": 9}
        )
        for name in ("Earth, Wind & Fire", "Simon & Garfunkel", "Tyler, The Creator"):
            assert known.keys([name]) == keys(name)

    def test_words_that_are_artists_as_often(self) -> None:
        known = KnownArtists({"Ana": 3, "Ben": 3, "Ana & Ben": 2})
        assert known.keys(["Ana & Ben"]) == keys("Ana", "Ben")
        assert known.keys(["Ana, Ben & Zoe"]) == keys("Ana", "Ben", "Zoe")

    def test_nobody_is_no_evidence_and_not_counted(self) -> None:
        known = KnownArtists({"Various Artists": 9, "Unknown": 3})
        assert known.keys(["Various Artists", "A"]) == keys("A")
        assert known.keys(["Unknown & Lost"]) == keys("Unknown & Lost")


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=6))
def test_any_text(text: str, others: list[str]) -> None:
    parts = split_artists(text)
    assert all(part == part.strip() and part for part in parts)
    known = KnownArtists(Counter([*others, *parts]))
    assert all(piece in part for part in parts for piece in known.divided(part))
    assert "" not in known.keys(parts)


def test_long_names_take_no_time() -> None:
    known = KnownArtists({"a": 1, "b c": 1})
    assert known.keys([", ".join("ab"[n % 2] for n in range(250))])
    assert split_artists("A " + "feat. B " * 60)
