"""What is shown of names that are no text a terminal could take."""

import os

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
