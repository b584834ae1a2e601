"""Names are compared by keys: of text to search, of artists and titles, of genres."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.utils.names import first_genre, fold, genre_key, label_key, name_key, storable


def test_what_no_database_takes_is_replaced() -> None:
    assert storable("nul\x00 and \udcff") == "nul\ufffd and \ufffd"
    assert storable("日本\n") == "日本\n"


def test_search_ignores_case_and_accents_only() -> None:
    assert fold("Björk") == fold("BJO\u0308RK") == "bjork"
    assert fold("Straße") == "strasse"
    assert fold("a-b  c") == "a-b  c"


def test_artists_and_titles_are_compared_without_needless_blanks() -> None:
    assert name_key(" Sigur \t Rós\n") == name_key("sigur ros")
    assert name_key("Sigur-Rós") != name_key("Sigur Rós")
    assert name_key(None) == name_key("") == ""


def test_case_accents_spaces_and_hyphens_do_not_matter() -> None:
    assert len({label_key(name) for name in ("Hip-Hop", "hip hop", "HIPHOP", " Hip_Hop ")}) == 1
    assert label_key("Chanson Française") == label_key("chanson francaise")
    assert label_key("Bjo\u0308rk") == label_key("BJÖRK")
    assert label_key("R&B") != label_key("RB")
    assert label_key("か") != label_key("が")


@given(st.text())
def test_folding_twice_changes_nothing_more_for_names_in_any_case(name: str) -> None:
    assert label_key(label_key(name)) == label_key(name)


@pytest.mark.parametrize(
    ("tag", "first", "key"),
    [
        ("Hip Hop/Rap", "Hip Hop", "hiphop"),
        (" ; Rock,Pop", "Rock", "rock"),
        ("Unknown Genre", None, ""),
        ("", None, ""),
        (None, None, ""),
    ],
)
def test_the_first_genre_of_a_tag(tag: str | None, first: str | None, key: str) -> None:
    assert first_genre(tag) == first
    assert genre_key(tag) == key
