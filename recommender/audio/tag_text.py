"""The text of tags: bytes whose encoding nothing declares, mojibake, entities, marks, controls.

A tag's value is `str` where the format declares its encoding and `bytes` where it does not: ID3v1,
"Latin-1" frames of ID3v2, RIFF INFO, chunks of AIFF and CAF. Such bytes are UTF-8 where they are
valid UTF-8; else they are in an encoding of their writer's system, which chardetng (the detector of
Firefox, made for short text) guesses from all of them together. Of text in a declared encoding
nothing is guessed: repaired is only what cannot be meant, UTF-8 read as Latin-1 and words in
Windows Cyrillic read as Latin-1.
"""

import codecs
import html
import re
from collections.abc import Collection, Iterable

LONGEST_TEXT = 500
"""Characters; longer texts are cut."""

WESTERN = "cp1252"
"""The encoding of what cannot be recognised."""

_LONGEST_READ = 8 * LONGEST_TEXT
_CODECS = {
    "big5": "big5hkscs",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "windows-874": "cp874",
}
"""Python's names of encodings that the web calls otherwise; the wider one of each family."""

_MULTIBYTE = frozenset({"big5hkscs", "cp932", "cp949", "euc_jp", "gb18030"})
_FEWEST_BYTES = 2
"""Non-ASCII bytes that a guess needs: from a single one "Æ" would become "Ć"."""

_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_ENTITY = re.compile(r"&(?:quot|amp|apos|lt|gt|#\d{1,5});")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ufeff\ufffe\ud800-\udfff]")
_CYRILLIC_AS_LATIN = re.compile(r"(?<![A-Za-z])[À-ÿ¨¸]{4,}(?![A-Za-z])")
_MIXED_WORD = re.compile(r"[A-Za-z][À-ÿ]|[À-ÿ][A-Za-z]")
_ICELANDIC = frozenset("æðþÆÐÞ")
_WITH_ICELANDIC = frozenset("áéíóúýöÁÉÍÓÚÝÖ")
_HUNGARIAN = re.compile("[õûÕÛ]")
_NOT_HUNGARIAN = re.compile(r"[^\x00-\xbfáéíóöúüõûÁÉÍÓÖÚÜÕÛ]|õe|ÕE")
_WITH_HUNGARIAN = re.compile(r"[áíóúÁÍÓÚ]|[éÉ].*[õÕ]|[õÕ].*[éÉ]", re.DOTALL)


def clean(text: str) -> str:
    """`text` on one line, repaired and without controls and byte-order marks; "" if none is left.

    Cleaning cleaned text changes nothing. Two values in one, divided by NUL, become words apart.
    """
    text = text[:_LONGEST_READ]
    while (cleaned := _cleaned(text)) != text:
        text = cleaned
    return text


def utf8(data: bytes) -> str | None:
    """`data` as UTF-8, a character that is cut off at the end left out; None if it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        whole = data[: error.start]
        cut = error.reason == "unexpected end of data" and len(data) - error.start < 4
        return whole.decode("utf-8") if cut and not whole.isascii() else None


def utf16(data: bytes) -> str | None:
    """The encoding of UTF-16, by its byte-order mark or its zeros; None for other bytes."""
    if data[:2] in _MARKS:
        return _MARKS[data[:2]]
    odd, even = data[1::2].count(0), data[::2].count(0)
    if max(odd, even) > len(data) // 4 and min(odd, even) == 0:
        return "utf-16-le" if odd else "utf-16-be"
    return None


def guessed_encoding(texts: Iterable[bytes]) -> str:
    """Python's name of the encoding that texts which are not UTF-8 are in together.

    Args:
        texts: of one writer: of a file or, better, of an album. Which of them is guessed does not
            depend on their order, nor on how often one occurs.
    """
    from chardetng_py import EncodingDetector

    data = b"\n".join(sorted({text for text in texts if not text.isascii()}))
    if sum(byte >= 0x80 for byte in data) < _FEWEST_BYTES:
        return WESTERN
    detector = EncodingDetector()
    detector.feed(data, last=True)
    name = detector.guess(tld=None, allow_utf8=False).lower()
    if name == "windows-1250" and _is_icelandic(data):
        return WESTERN
    if name == "windows-1252" and _is_hungarian(data):
        return "cp1250"
    try:
        return codecs.lookup(_CODECS.get(name, name)).name
    except LookupError:  # an encoding of the web that Python has no codec for
        return WESTERN


def decoded(data: bytes, encoding: str) -> str:
    """`data` as UTF-8 if it is that, else in `encoding`, else as Windows' Western text."""
    if (text := utf8(data)) is not None:
        return text
    # A field of ID3v1 has 30 bytes: the last character may have lost its second one.
    for part in (data, data[:-1]) if encoding in _MULTIBYTE else (data,):
        try:
            return part.decode(encoding)
        except UnicodeDecodeError:
            continue
    return "".join(bytes([byte]).decode(WESTERN, "ignore") or chr(byte) for byte in data)


def cyrillic_repaired(texts: Collection[str]) -> dict[str, str]:
    """Those of a file's texts that are Windows Cyrillic read as Latin-1, with what they mean."""
    suspected = {
        text: data
        for text in texts
        if _CYRILLIC_AS_LATIN.search(text)
        and not _MIXED_WORD.search(text)
        and (data := _western_bytes(text)) is not None
    }
    if not suspected or guessed_encoding(suspected.values()) != "cp1251":
        return {}
    return {text: decoded(data, "cp1251") for text, data in suspected.items()}


def _cleaned(text: str) -> str:
    text = _CONTROLS.sub(_replacement, _in_right_order(_decoded_twice(text)))
    text = _ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
    return " ".join(text.split())[:LONGEST_TEXT].rstrip()


def _replacement(match: re.Match[str]) -> str:
    """Nothing for a mark or half a character; what Windows means by a control, or else a blank."""
    control = match.group()
    if control > "\x9f":
        return ""
    return control.encode("latin-1").decode(WESTERN, "ignore") if control >= "\x80" else " "


def _in_right_order(text: str) -> str:
    """Text after a byte-order mark of the other byte order, which U+FFFE shows, put right."""
    marked = text.lstrip("\ufeff")
    if not marked.startswith("\ufffe"):
        return text
    return marked[1:].encode("utf-16-le", "surrogatepass").decode("utf-16-be", "replace")


def _decoded_twice(text: str) -> str:
    """Undo reading UTF-8 as Latin-1 or Windows' Western text."""
    data = None if text.isascii() else _western_bytes(text)
    if data is None:
        return text
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return text


def _western_bytes(text: str) -> bytes | None:
    """The bytes that read as Latin-1 or as Windows' Western text give `text`; None if none do."""
    data = bytearray()
    for char in text:
        try:
            data += char.encode("latin-1" if char < "\u0100" else WESTERN)
        except UnicodeEncodeError:
            return None
    return bytes(data)


def _is_icelandic(data: bytes) -> bool:
    """Whether text that looks Central European is Icelandic: æ, ð, þ beside vowels with acutes.

    Only these letters differ in the two encodings then; ć and đ stand beside no such vowels.
    """
    western = data.decode(WESTERN, "ignore")
    central = data.decode("cp1250", "ignore")
    differing = {char for char in western if char not in central}
    return differing <= _ICELANDIC and not _WITH_ICELANDIC.isdisjoint(western)


def _is_hungarian(data: bytes) -> bool:
    """Whether text that looks Western is Hungarian: ő and ű, read as õ and û, beside its vowels.

    French has û but neither á nor õ, Portuguese has õ before e, Estonian no acutes.
    """
    western = data.decode(WESTERN, "ignore")
    return bool(
        _HUNGARIAN.search(western)
        and _WITH_HUNGARIAN.search(western)
        and not _NOT_HUNGARIAN.search(western)
    )
