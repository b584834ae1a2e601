"""Which tracks are on one album."""

import pytest

from recommender.utils.albums import album_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Björk Live", ("Ana",), "1:x"), ("bjork  live", ("ANA",), "2:y")),
        (("Best Of (Disc 1)", ("Ana",), "1:x"), ("Best of", ("Ana",), "1:x")),
        (("Hits [CD 2]", (), "1:hits/CD2"), ("Hits", ("Various Artists",), "1:hits/CD1")),
        (("Duets", ("Ana", "Ben"), "1:x"), ("Duets", ("Ben", "Ana"), "1:x")),
    ],
)
def test_one_album(one, other):
    assert album_key(*one) == album_key(*other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Live", ("Ana",), "1:x"), ("Live", ("Ben",), "1:x")),
        (("Hits", (), "1:x"), ("Hits", (), "1:y")),
        (("Hits", ("Various Artists",), "1:x"), ("Hits", ("Unknown Artist",), "2:x")),
        (("Volume 1", ("Ana",), "1:x"), ("Volume 2", ("Ana",), "1:x")),
    ],
)
def test_two_albums(one, other):
    assert album_key(*one) != album_key(*other)


@pytest.mark.parametrize(
    "name", [None, "", "  ", "Unknown Album", "[unknown album]", "Okänt  album", "未知专辑"]
)
def test_no_album(name):
    assert album_key(name, ("Ana",), "1:x") == ""
    assert album_key("Disc 1", (), "1:x")  # which is all of its name
    assert album_key("Unknown", (), "1:x")
