"""Christmas music and speech by their tags."""

import pytest

from recommender.utils.content_words import is_christmas_music, is_speech

CHRISTMAS = (
    "Merry Christmas",
    "Happy Xmas (War Is Over)",
    "X-Mas Time",
    "Noël blanc",
    "WEIHNACHTSORATORIUM",
    "Silent Night, Holy Night",
    "Jingle-Bells",
    "Let It Snow! Let It Snow!",
    "Feliz Navidad",
    "God rest ye merry, gentlemen",
    "クリスマス・イブ",
    "Рождественская песня",
    "God Jul",
    "Jul 2003",
    "Carols from King's",
    "The Holly and the Ivy",
)
NOT_CHRISTMAS = (
    *("Julia", "Natalie", "Oh! Carol", "Santa Monica", "Kersten", "Snow", "Advent", ""),
    *("Live 12-Jul-2003", "4th Jul 1976", "1999.jul.21", "Jul 4, Philadelphia"),
)


@pytest.mark.parametrize("text", CHRISTMAS)
def test_christmas_in_a_title_or_an_album(text):
    assert is_christmas_music(text, None, None)
    assert is_christmas_music(None, text, "Pop")


@pytest.mark.parametrize("text", NOT_CHRISTMAS)
def test_other_words(text):
    assert not is_christmas_music(text, text, text)


@pytest.mark.parametrize("genre", ["Christmas", "Pop; Holiday", "Weihnachtsmusik", "Rock/Xmas"])
def test_christmas_genres(genre):
    assert is_christmas_music(None, None, genre)


def test_a_holiday_is_one_in_a_genre_alone():
    assert not is_christmas_music("Holiday", "Holiday", "Punk")


@pytest.mark.parametrize(
    "genre",
    ["Speech", "Audiobook", "audio book", "Hörspiel", "Rock; Podcast", "Spoken-Word", "Talk"],
)
def test_speech(genre):
    assert is_speech(genre)


@pytest.mark.parametrize(
    "genre", ["Talking Blues", "Comedy", "Speech Metal", "", None, "Newsgrass"]
)
def test_music(genre):
    assert not is_speech(genre)
