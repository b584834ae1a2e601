"""Text that is safe to print on any terminal: file names may hold anything."""

import unicodedata

_JOINERS = "\u200c\u200d"  # within Persian words and family emoji


def printable(text: str) -> str:
    r"""`text` with escapes for what a terminal should not receive.

    Bytes of file names that are not UTF-8 become ``\xNN``, control characters ``\x1b`` and the
    like; line breaks stay.
    """
    return "".join(_escaped(char) for char in text)


def one_line(text: str) -> str:
    """`printable` for a name in a table or a message: line breaks are escaped, too."""
    return printable(text).replace("\n", "\\n")


def _escaped(char: str) -> str:
    if char.isprintable() or char == "\n" or char in _JOINERS or unicodedata.category(char) == "Zs":
        return char
    if "\udc80" <= char <= "\udcff":  # Python's surrogate escape of a byte that is not UTF-8
        return f"\\x{ord(char) & 0xFF:02x}"
    return repr(char)[1:-1]
