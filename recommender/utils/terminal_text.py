"""Text that is safe to print on any terminal: file names and tags may hold anything.

Whatever is visible is printed, and so are the invisible characters that writing needs: joiners,
right-to-left and left-to-right marks, the tags within the flags of England, Scotland and Wales, and
the characters of newer versions of Unicode than Python's. Escaped are control characters, line
separators, what is no character, and those invisible ones that act beyond their place: embeddings,
overrides and isolates turn the direction of all that follows, up to their end, which a name cut to
fit a column may have lost.
"""

import re
import unicodedata

_DIRECTIONS = "\u202a-\u202e\u2066-\u2069\u206a-\u206f"
_ANNOTATIONS = "\ufff9-\ufffb"
_TAGS = "\U000e0000-\U000e007f"
_SPECIAL = re.compile(
    rf"(?P<flag>\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)|[{_DIRECTIONS}{_ANNOTATIONS}{_TAGS}]"
)
_INVISIBLE = frozenset({"Cf", "Co", "Cn", "Zs"})
"""Categories of characters that `str.isprintable` denies: format characters, private and unassigned
ones (the emoji of next year), blanks."""


def printable(text: str) -> str:
    r"""`text` with escapes for what a terminal should not receive.

    Bytes of file names that are not UTF-8 become ``\xNN``, control characters ``\x1b`` and the
    like; line breaks stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) for char in _SPECIAL.sub(_named, text))


def one_line(text: str) -> str:
    """`printable` for a name in a table or a message: line breaks are escaped, too."""
    return printable(text).replace("\n", "\\n")


def _named(special: re.Match[str]) -> str:
    """A flag as it is; what acts beyond its place as its escape."""
    return special.group() if special["flag"] else _escape(special.group())


def _escaped(char: str) -> str:
    if char.isprintable() or char == "\n":
        return char
    if unicodedata.category(char) in _INVISIBLE and not _is_no_character(char):
        return char
    return _escape(char)


def _is_no_character(char: str) -> bool:
    """Whether Unicode will never assign it."""
    return ord(char) & 0xFFFE == 0xFFFE or "\ufdd0" <= char <= "\ufdef"


def _escape(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # Python's surrogate escape of a byte that is not UTF-8
        return f"\\x{ord(char) & 0xFF:02x}"
    return repr(char)[1:-1]
