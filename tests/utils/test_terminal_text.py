"""What is shown of names that are no text a terminal could take."""

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.utils.terminal_text import one_line, printable


def test_printable() -> None:
    assert printable("Björk – 日本　語 \n") == "Björk – 日本　語 \n"
    assert printable("\x1b[31m\r\t\u202e") == r"\x1b[31m\r\t\u202e"
    assert printable(os.fsdecode(b"\xe4\xff")) == r"\xe4\xff"


def test_one_line() -> None:
    assert one_line("line\nbreak.mp3") == "line\\nbreak.mp3"
    assert one_line(os.fsdecode(b"latin1-\xe9.mp3")) == "latin1-\\xe9.mp3"
    assert one_line("\u2028") == r"\u2028"  # a line break to some, though not to Python's split
    assert one_line("\ud800") == r"\ud800"  # no byte stands for it


SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    "text",
    [
        "\u200fשלום\u200f",
        "\u061cسلام\u200e!",
        "می\u200cخواهم",
        "🇮🇸🇩🇪",
        SCOTLAND,
        f"{SCOTLAND} {SCOTLAND}",
        "👨\u200d👩\u200d👧 ❤\ufe0f 👍🏽",
        "\U0001fae8",  # newer than Python's tables
        "\uf8ff",  # a private character: Apple's logo
        "soft\xadhyphen",
        "ภาษา\u200bไทย",
    ],
    ids=ascii,
)
def test_invisible_characters_that_writing_needs_are_printed(text: str) -> None:
    assert one_line(text) == text


@pytest.mark.parametrize(
    "char",
    [
        *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u206a\ufff9\u2028\u2029",
        *"\x00\x07\x1b\x7f\x80\x85\x9b\ufffe\uffff\ufdd0\U000e0001\U000e0041",
    ],
    ids=ascii,
)
def test_what_would_garble_the_line_or_hide_in_it_is_escaped(char: str) -> None:
    assert one_line(f"a{char}b") == f"a{repr(char)[1:-1]}b"
    assert one_line(f"a{char}b").isascii()


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_any_text_is_one_line_without_controls(text: str) -> None:
    shown = one_line(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in shown)
    assert not any("\u202a" <= char <= "\u202e" for char in shown)
    assert one_line(shown) == shown
    shown.encode()
