"""Text of tags in the encodings that people's systems had, and text that must stay as it is."""

import unicodedata
from pathlib import Path

import mutagen
import pytest
import sounds
import tagged
from hypothesis import given
from hypothesis import strategies as st
from mutagen.id3 import ID3, TALB, TIT2, TPE1

from recommender.audio.tag_text import clean, cyrillic_repaired, decoded, guessed_encoding, utf8
from recommender.audio.tags import read_tags

# Encoding, artist, album, titles.
ALBUMS = [
    ("cp1252", "Die Ärzte", "Geräusch", ["Nichts in der Welt", "Der Grund", "Größer"]),
    ("cp1252", "Françoise Hardy", "La question", ["Même sous la pluie", "Rêve"]),
    ("cp1252", "João Gilberto", "O Amor", ["Coração Vagabundo", "Não Vou Pra Casa"]),
    ("cp1252", "Sigur Rós", "Ágætis byrjun", ["Svefn-g-englar", "Starálfur", "Viðrar vel"]),
    ("cp1252", "Røyksopp", "Melody A.M.", ["Så lett", "Øy"]),
    ("cp1252", "ÄÄÄÄ", "ÄÄÄÄ", ["ÄÄÄÄ"]),
    ("cp1252", "Björk", "Début", ["Jóga — “live”"]),
    ("cp1250", "Karel Plíhal", "Nebe počká", ["Žízeň", "Přišel jsem", "Růže", "Ďábel"]),
    ("cp1250", "Myslovitz", "Miłość w czasach popkultury", ["Długość dźwięku", "Chłopcy"]),
    ("cp1250", "Omega", "Gyöngyhajú lány", ["Petróleumlámpa", "Szőke Anni", "Kiűzetés"]),
    ("cp1251", "Кино", "Группа крови", ["Закрой за мной дверь", "Война"]),
    ("cp1251", "Океан Ельзи", "Модель", ["Відпусти", "Той день"]),
    ("koi8-r", "Кино", "Группа крови", ["Закрой за мной дверь", "Спокойная ночь"]),
    ("cp1253", "Μίκης Θεοδωράκης", "Άξιον Εστί", ["Η Γένεσις", "Τα πάθη"]),
    ("cp1254", "Barış Manço", "Yeni Bir Gün", ["Sarı Çizmeli Mehmet Ağa", "Kol Düğmeleri"]),
    ("cp1255", "עידן רייכל", "הפרויקט", ["בואי", "אם תלך"]),
    ("cp1256", "فيروز", "معرفتي فيك", ["خليك بالبيت", "سألوني الناس"]),
    ("cp874", "คาราบาว", "เมดอินไทยแลนด์", ["บัวลอย", "ลูกหิน"]),
    ("cp932", "宇多田ヒカル", "First Love", ["Automatic", "甘いワナ", "嵐の女神"]),
    ("cp932", "椎名林檎", "無罪モラトリアム", ["正しい街", "歌舞伎町の女王"]),
    ("euc_jp", "スピッツ", "ハチミツ", ["涙がキラリ☆", "ロビンソン"]),
    ("gbk", "王菲", "寓言", ["寒武纪", "新房客", "香奈儿"]),
    ("gbk", "崔健", "新长征路上的摇滚", ["一无所有", "花房姑娘"]),
    ("big5", "周杰倫", "范特西", ["愛在西元前", "爸我回來了"]),
    ("cp949", "이문세", "이별 이야기", ["광화문 연가", "깊은 밤을 날아서"]),
]
IDS = [f"{encoding} {artist}" for encoding, artist, *_ in ALBUMS]


@pytest.mark.parametrize(("encoding", "artist", "album", "titles"), ALBUMS, ids=IDS)
def test_id3_frames_called_latin1(
    tmp_path: Path, encoding: str, artist: str, album: str, titles: list[str]
) -> None:
    files = []
    for number, title in enumerate(titles):
        texts = (text.encode(encoding) for text in (title, artist, album))
        frames = dict(zip(("TT2", "TP1", "TAL"), texts, strict=True))
        files.append(tagged.mp3(tmp_path / f"{number}.mp3", before=tagged.id3v22(frames)))
    for file, title in zip(files, titles, strict=True):
        tags = read_tags(file)
        assert (tags.title, tags.artist, tags.album) == (title, artist, album)


@pytest.mark.parametrize(
    ("encoding", "artist", "album", "titles"),
    [album for album in ALBUMS if album[0] in ("cp1251", "cp932", "cp949", "cp1253", "cp1250")],
)
def test_riff_info(
    tmp_path: Path, encoding: str, artist: str, album: str, titles: list[str]
) -> None:
    values = {"INAM": titles[-1], "IART": artist, "IPRD": album}
    raw = {name: text.encode(encoding) for name, text in values.items()}
    tags = read_tags(tagged.wav_with_info(tmp_path / "a.wav", raw))
    assert (tags.title, tags.artist, tags.album) == (titles[-1], artist, album)


def test_a_field_of_id3v1_may_end_within_a_character(tmp_path: Path) -> None:
    title, artist = "歌舞伎町の女王と無罪モラトリアム", "a椎名林檎"
    raw = title.encode("cp932")[:29] + b"\x8e"
    file = tagged.mp3(tmp_path / "a.mp3", behind=tagged.id3v1(raw, artist.encode("cp932")))
    tags = read_tags(file)
    assert tags.title is not None
    assert title.startswith(tags.title[:14])
    assert tags.artist == artist
    cut = "Михаил Боярский и".encode()[:30]
    assert read_tags(tagged.mp3(tmp_path / "b.mp3", behind=tagged.id3v1(cut))).title is not None
    assert utf8(cut[:-1]) == cut[:-1].decode("utf-8", "ignore")


def test_a_title_is_recognised_by_its_album(tmp_path: Path) -> None:
    """By itself it might be "Õszi"; nothing else in its file says which."""
    for number, title in enumerate(["Petróleumlámpa", "Kiűzetés", "Őszi"]):
        frames = {"TT2": title.encode("cp1250"), "TAL": b"Album"}
        tagged.mp3(tmp_path / f"{number}.mp3", before=tagged.id3v22(frames))
    other = {"TT2": "Größe".encode("cp1252"), "TAL": b"Other"}
    tagged.mp3(tmp_path / "other.mp3", before=tagged.id3v22(other))
    assert read_tags(tmp_path / "2.mp3").title == "Őszi"
    assert read_tags(tmp_path / "other.mp3").title == "Größe"


@pytest.mark.parametrize(
    "text",
    [
        *("ÄÄÄÄ", "ÄÖÜ", "ÆØÅ", "Æ", "Ø", "Ÿ", "é", "naïve", "£100", "¡Ay!", "Nº 1", "Café ©", "½"),
        *("Motörhead", "Mötley Crüe", "Blue Öyster Cult", "Beyoncé", "Señorita", "À L'ÉCOLE"),
        *("ÊTRE OU NE PAS ÊTRE", "ÜBER ALLES", "Ænima", "ÞÓR", "¿Quién?", "Déjà vu", "Don’t…"),
        *("Brûlé", "Où va l'été d'août", "Camões é só", "Canções", "Öö ja Õnn", "Tõnis Mägi"),
    ],
)
@pytest.mark.parametrize("how", ["latin-1", "utf-8", "utf-16", "vorbis"])
def test_western_text_stays(tmp_path: Path, text: str, how: str) -> None:
    if how == "vorbis":
        file = sounds.write_sound(tmp_path / "a.flac", sounds.tone(0.3))
        audio = mutagen.File(file)
        audio["title"] = text
        audio.save()
    elif how == "latin-1":
        frames = {"TT2": text.encode("cp1252")}
        file = tagged.mp3(tmp_path / "a.mp3", before=tagged.id3v22(frames))
    else:
        file = tagged.mp3(tmp_path / "a.mp3")
        tags = ID3()
        tags.add(TIT2(encoding=3 if how == "utf-8" else 1, text=text))
        tags.save(file)
    assert read_tags(file).title == text


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("marks", ["\ufeff", "\ufeff\ufeff", "\ufeff\ufeff\ufeff"])
def test_doubled_byte_order_marks(tmp_path: Path, order: str, marks: str) -> None:
    text = (marks + "Jóga").encode(f"utf-16-{order}")
    frames = tagged.id3_frames({"TIT2": text, "TPE1": text}, encoding=1)
    before = b"ID3\4\0\0" + tagged.synchsafe(len(frames)) + frames
    tags = read_tags(tagged.mp3(tmp_path / "a.mp3", before=before))
    assert (tags.title, tags.artist) == ("Jóga", "Jóga")


def test_byte_order_marks_that_disagree() -> None:
    assert clean("\ufffe" + "Jóga".encode("utf-16-be").decode("utf-16-le")) == "Jóga"
    assert clean("\ufeffJó\ufeffga\ufeff") == "Jóga"


def test_utf16_in_a_frame_called_latin1(tmp_path: Path) -> None:
    frames = {"TT2": "Jóga".encode("utf-16"), "TP1": "Björk".encode("utf-16") + b"\0\0"}
    tags = read_tags(tagged.mp3(tmp_path / "a.mp3", before=tagged.id3v22(frames)))
    assert (tags.title, tags.artist) == ("Jóga", "Björk")


def test_utf8_with_a_mark_in_a_frame_called_latin1(tmp_path: Path) -> None:
    frames = {"TT2": b"\xef\xbb\xbf" + "Jóga".encode()}
    assert read_tags(tagged.mp3(tmp_path / "a.mp3", before=tagged.id3v22(frames))).title == "Jóga"


def test_right_to_left_marks_and_flags_stay(tmp_path: Path) -> None:
    scotland = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
    title, artist = f"\u200fשלום\u200f {scotland}", "🇮🇸 👨‍👩‍👧"
    file = tagged.mp3(tmp_path / "a.mp3")
    tags = ID3()
    tags.add(TIT2(encoding=3, text=title))
    tags.add(TPE1(encoding=1, text=artist))
    tags.add(TALB(encoding=2, text="\u202eevil"))
    tags.save(file)
    found = read_tags(file)
    assert (found.title, found.artist, found.album) == (title, artist, "\u202eevil")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Рок".encode().decode("latin-1"), "Рок"),  # with bytes that Windows' table lacks
        ("Björk".encode().decode("latin-1").encode().decode("latin-1"), "Björk"),  # twice
        ("Don\x92t", "Don’t"),
        ("&amp;amp;", "&"),
        ("a\x1b[31mb\x07", "a [31mb"),
        ("\ud800x", "x"),
    ],
)
def test_cleaning(written: str, read: str) -> None:
    assert clean(written) == read


def test_declared_text_is_repaired_only_where_it_is_cyrillic_beyond_doubt() -> None:
    name = "Александр Желанов"
    wrong = name.encode("cp1251").decode("latin-1")
    assert cyrillic_repaired([wrong, "Jóga"]) == {wrong: name}
    for text in ("ÄÄÄÄ", "ÖÄÜÖÄÜ", "ÅÅÅÅÅ", "Éééé", "Jóga ÄÄÄÄ", "歌"):
        assert cyrillic_repaired([text]) == {}
    greek = "Θεοδωράκης".encode("cp1253").decode("latin-1")
    assert cyrillic_repaired([greek]) == {}


TEXT = st.text(max_size=60)


@given(TEXT)
def test_cleaned_text_is_one_line_without_controls(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert cleaned == " ".join(cleaned.split())
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in cleaned)
    assert clean(cleaned) == cleaned


@given(st.text(st.characters(min_codepoint=0xA0, max_codepoint=0xFF), max_size=40))
def test_cleaning_twice_changes_nothing_more_in_what_may_be_mojibake(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Mn", "Zs"]), max_size=60))
def test_text_that_is_no_mojibake_stays(text: str) -> None:
    """Anything with a character outside Windows' Western encoding has been decoded rightly."""
    plain = "Ω" + text.replace("&", "+")
    assert clean(plain) == " ".join(plain.split())
    assert utf8(plain.encode()) == plain
    assert decoded(plain.encode(), "cp1251") == plain


@given(st.binary(max_size=200), st.lists(st.binary(max_size=40), max_size=5))
def test_any_bytes_become_text(data: bytes, more: list[bytes]) -> None:
    encoding = guessed_encoding([data, *more])
    text = clean(decoded(data, encoding))
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in text)
    assert guessed_encoding([*more, data, data]) == encoding
