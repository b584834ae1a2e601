"""Tracks that do not belong in every list, known by their tags: Christmas music and speech.

Words are compared without case and accents, as whole words; those that end in ``*`` are beginnings
of words. Titles, albums and genres are looked at, artists are not: Noel is also a name.
"""

import re

from recommender.utils.names import fold, genre_keys, label_key

_CHRISTMAS = """
christmas* xmas x-mas noel navidad* natale weihnacht* kerst kerstmis kerstlied* julen julens
julsang* julesang* jula joulu* vanoce vanoc* karacsony* craciun bozic swieta wigilia koleda koledy
yule yuletide tannenbaum christkind* adventslied* nativity carols
"""
_PHRASES = """
santa claus|santa baby|here comes santa|jingle bells|jingle bell rock|silent night|stille nacht
o holy night|oh holy night|away in a manger|deck the hall|deck the halls|joy to the world
hark the herald|little drummer boy|rudolph the red|frosty the snowman|let it snow|holly jolly
winter wonderland|sleigh ride|the first noel|o come all ye faithful|adeste fideles
o du frohliche|leise rieselt der schnee|ihr kinderlein kommet|petit papa|douce nuit|minuit chretiens
feliz natal|noche de paz|tu scendi dalle stelle|god rest ye merry|god rest you merry
twelve days of|carol of the bells|christmas carol|christmas carols|we three kings
kommet ihr hirten|alle jahre wieder|vom himmel hoch|es ist ein ros entsprungen|mistletoe and wine
holly and the ivy|good king wenceslas|bleak midwinter|ding dong merrily|in dulci jubilo
"""
_JUL = r"(?<!\d[\W_])(?<!\d(?:st|nd|rd|th)[\W_])jul(?![\W_]\d{1,2}\b)"
"""Christmas in Scandinavia; beside the number of a day it is July, as in names of live albums."""

_ELSEWHERE = "クリスマス 圣诞 聖誕 크리스마스 рождеств новогодн χριστουγεν"
"""Looked for anywhere: in Chinese and Japanese no blanks divide words, in the others they bend."""

_CHRISTMAS_GENRES = "christmas xmas holiday holidays noel weihnachten weihnachtsmusik navidad natal"
"""Genres that say so by themselves; "Holiday" is what common programs call Christmas music."""

_SPEECH = """
speech|spoken|spokenword|spoken & word|audiobook|audiobooks|audio book|audio books|audio theatre
audio theater|audio drama|audiodrama|radio play|radio drama|radioplay|podcast|podcasts|talk
talk radio|interview|interviews|lecture|lectures|sermon|sermons|news|radio show|language course
language|books & spoken|books and spoken|voice memo|voice memos|storytelling|spoken audio
stand-up comedy|standup|stand up
hörbuch|hörbücher|hörspiel|hörspiele|lesung|vortrag|predigt|sprachkurs|sprache
livre audio|livres audio|audiolivre|parole|conférence|audiolibro|audiolibros|audiolivro|palabra
hablado|luisterboek|luisterboeken|hoorspel|lydbok|lydbog|ljudbok|äänikirja|аудиокнига|аудиокниги
аудиоспектакль|подкаст|有声书|有聲書|オーディオブック|팟캐스트|오디오북
"""

SPEECH_GENRES = frozenset(
    label_key(name) for line in _SPEECH.split("\n") for name in line.split("|") if name
)
"""Keys (`label_key`) of genres that are spoken. Comedy is not among them: much of it is sung."""

CHRISTMAS_GENRES = frozenset(label_key(name) for name in _CHRISTMAS_GENRES.split())

_WORDS = sorted({re.escape(fold(word)).replace(r"\*", r"\w*") for word in _CHRISTMAS.split()})
_WORDS += [
    re.escape(phrase) for line in _PHRASES.split("\n") for phrase in line.split("|") if phrase
]
_PATTERN = re.compile(
    rf"\b(?:{'|'.join([*_WORDS, _JUL])})\b"
    rf"|{'|'.join(re.escape(fold(word)) for word in _ELSEWHERE.split())}"
)


def is_christmas_music(title: str | None, album: str | None, genre: str | None) -> bool:
    """Whether title, album or genre has a word or a phrase of the lists above."""
    if not CHRISTMAS_GENRES.isdisjoint(genre_keys(genre)):
        return True
    return any(
        _PATTERN.search(" ".join(re.split(r"[\W_]+", fold(text)))) is not None
        or _PATTERN.search(fold(text)) is not None
        for text in (title, album, genre)
        if text
    )


def is_speech(genre: str | None) -> bool:
    """Whether any genre that the tag names is one of `SPEECH_GENRES`."""
    return not SPEECH_GENRES.isdisjoint(genre_keys(genre))
