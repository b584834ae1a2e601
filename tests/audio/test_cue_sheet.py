"""Cue sheets: what is read of them, and what is refused with the number of the line."""

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from cue_albums import sheet_text
from hypothesis import given
from hypothesis import strategies as st

from recommender.audio.cue_sheet import CueFile, CueSheet, CueTrack, parse_cue_sheet, time_of
from recommender.audio.cue_text import LARGEST_SHEET, decode_cue_text, read_cue_text
from recommender.audio.segments import Segment, segments_of
from recommender.audio.tags import Tags
from recommender.errors import CueSheetError

SHEET = """\
REM GENRE "Doom Metal"
REM DATE 1998-04
PERFORMER "Iron Verdict"
TITLE "Court of Ash"
FILE "album.flac" WAVE
  TRACK 01 AUDIO
    TITLE "Gavel"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Docket"
    PERFORMER "Mira Lund"
    INDEX 00 03:58:00
    INDEX 01 04:00:37
"""

TEXT = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters='"'), min_size=1, max_size=20
)


@st.composite
def sheets(draw: st.DrawFn) -> CueSheet:
    """Well-formed sheets of one file, with up to 99 tracks and long times."""
    starts = draw(st.lists(st.integers(0, 200 * 60 * 75), min_size=1, max_size=99, unique=True))
    texts = st.none() | TEXT
    tracks = tuple(
        CueTrack(number, start, draw(texts), draw(texts), is_audio=draw(st.booleans()))
        for number, start in enumerate(sorted(starts), start=1)
    )
    return CueSheet((CueFile(draw(TEXT), "WAVE", tracks),), draw(texts), draw(texts), draw(texts))


def segments(text: str) -> tuple[Segment, ...]:
    sheet = parse_cue_sheet(text)
    return segments_of(sheet, sheet.files[0])


def bounds(text: str) -> list[tuple[int, float, float | None]]:
    return [(one.number, one.start, one.end) for one in segments(text)]


def refusal(text: str) -> str:
    with pytest.raises(CueSheetError) as caught:
        parse_cue_sheet(text)
    return str(caught.value)


@given(sheets())
def test_a_well_formed_sheet_is_read_as_it_was_written(sheet: CueSheet) -> None:
    assert parse_cue_sheet(sheet_text(sheet)) == sheet


@given(st.binary(max_size=400) | sheets().map(lambda sheet: sheet_text(sheet).encode("utf-16")))
def test_any_bytes_are_a_sheet_or_refused_on_one_line(data: bytes) -> None:
    refused = ""
    try:
        sheet = parse_cue_sheet(decode_cue_text(data))
    except CueSheetError as error:
        refused = str(error)
    else:
        for file in sheet.files:
            segments_of(sheet, file)
    assert "\n" not in refused


@given(st.lists(st.sampled_from(SHEET.splitlines()), max_size=30), st.integers(0, 60))
def test_any_order_of_lines_is_a_sheet_or_refused(lines: list[str], cut: int) -> None:
    text = "\n".join(lines)
    try:
        sheet = parse_cue_sheet(text[: len(text) - cut])
    except CueSheetError:
        return
    for file in sheet.files:
        starts = [track.start for track in file.tracks]
        assert starts == sorted(set(starts))


def test_tracks_end_where_the_next_one_begins_and_have_their_own_tags() -> None:
    first, second = segments(SHEET)
    assert (first.number, first.start, first.end) == (1, 0.0, 240 + 37 / 75)
    assert (second.number, second.start, second.end) == (2, 240 + 37 / 75, None)
    assert first.tags == Tags(
        "Gavel", "Iron Verdict", "Court of Ash", "Iron Verdict", "Doom Metal", 1, 1998
    )
    assert second.tags.artist == "Mira Lund"
    assert second.tags.album_artist == "Iron Verdict"


def test_tags_of_the_file_fill_what_the_sheet_leaves_open() -> None:
    sheet = (
        'FILE a WAVE\nTRACK 01 AUDIO\nTITLE "One"\nINDEX 01 0:0:0\nTRACK 02 AUDIO\nINDEX 01 9:0:0'
    )
    of_file = Tags("The album", "A; B", "Album", None, "Folk", 7, 1970, ("A", "B"))
    first, second = (segment.tags_with(of_file) for segment in segments(sheet))
    assert first == Tags("One", "A; B", "Album", None, "Folk", 1, 1970, ("A", "B"))
    assert (second.title, second.track_number) == (None, 2)


def test_what_names_a_recording_is_of_one_track() -> None:
    """What the file says of itself names no recording where it holds several."""
    own, other = "USRC17607839", "GBAYE0601498"
    of_file = Tags(recording_mbid="b1a9c0e9-d987-4042-ae91-78d6a3267d69", isrcs=(other,))
    lines = f"ISRC {other}\nFILE a WAVE\nTRACK 01 AUDIO\nISRC {own}\nINDEX 01 0:0:0\n"
    (whole,) = segments(lines)
    assert whole.tags_with(Tags()) == Tags(track_number=1, isrcs=(own,))
    assert whole.tags_with(of_file) == replace(of_file, track_number=1)
    first, second = segments(f"{lines}TRACK 02 AUDIO\nISRC no code\nINDEX 01 9:0:0")
    assert first.tags_with(of_file) == Tags(track_number=1, isrcs=(own,))
    assert second.tags_with(of_file) == Tags(track_number=2)


def test_a_sheet_of_one_track_names_the_whole_file_and_the_file_comes_first() -> None:
    (whole,) = segments('TITLE A\nFILE "a.wav" WAVE\nTRACK 01 AUDIO\nTITLE T\nINDEX 01 00:02:00')
    assert whole.is_whole
    assert whole.tags_with(Tags(title="own")) == Tags("own", album="A", track_number=1)


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ('"He said "no" twice"', 'He said "no" twice'),
        ('""Heroes""', '"Heroes"'),
        ("Two Words", "Two Words"),
        ('"never closed', "never closed"),
        ('""', None),
        ("", None),
    ],
)
def test_titles_may_hold_quotation_marks_or_lack_them(title: str, read: str | None) -> None:
    sheet = parse_cue_sheet(f"FILE a WAVE\nTRACK 01 AUDIO\nTITLE {title}\nINDEX 01 00:00:00")
    assert sheet.files[0].tracks[0].title == read


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('FILE "a "b".wav" WAVE', 'a "b".wav'),
        ("FILE album one.wav WAVE", "album one.wav"),
        ("FILE album", "album"),
        ('file "C:\\rips\\a.wav" wave', "C:\\rips\\a.wav"),
    ],
)
def test_names_of_files(line: str, name: str) -> None:
    assert parse_cue_sheet(f"{line}\nTRACK 01 AUDIO\nINDEX 01 00:00:00").files[0].name == name


def test_pregaps_data_tracks_and_missing_indexes() -> None:
    text = """FILE a WAVE
    TRACK 01 MODE1/2352
      INDEX 01 00:00:00
    TRACK 02 AUDIO
      PREGAP 00:02:00
      INDEX 00 10:00:00
      INDEX 01 10:02:00
    TRACK 03 AUDIO
      INDEX 00 15:00:00
    TRACK 04 AUDIO
      INDEX 01 120:00:74
      INDEX 02 121:00:00"""
    assert bounds(text) == [
        (2, 602.0, 900.0),
        (3, 900.0, 7200 + 74 / 75),
        (4, 7200 + 74 / 75, None),
    ]


def test_a_track_belongs_to_the_file_in_which_it_begins() -> None:
    text = """FILE one.wav WAVE
    TRACK 01 AUDIO
      INDEX 01 00:00:00
    TRACK 02 AUDIO
      INDEX 00 03:00:00
    FILE two.wav WAVE
      INDEX 01 00:00:00"""
    sheet = parse_cue_sheet(text)
    assert [[track.number for track in file.tracks] for file in sheet.files] == [[1], [2]]
    assert [segments_of(sheet, file) for file in sheet.files] == [(), ()]


def test_numbers_that_do_not_rise_are_counted_anew() -> None:
    text = "FILE a WAVE\n" + "".join(
        f"TRACK {number} AUDIO\nINDEX 01 0:{second:02}:0\n"
        for second, number in enumerate((5, 5, 1))
    )
    assert [number for number, _, _ in bounds(text)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("TRACK 01 AUDIO", 1, "before any FILE"),
        ("FILE a WAVE\nINDEX 01 00:00:00", 2, "before any TRACK"),
        ('FILE "" WAVE', 1, "without a name"),
        ("FILE a WAVE\nTRACK one AUDIO", 2, "no track number"),
        ("FILE a WAVE\nTRACK 01 AUDIO\nTITLE x", 2, "has no INDEX"),
        ("FILE a WAVE\nTRACK 01 AUDIO\nINDEX 01 00:60:00", 3, "is no time"),
        ("FILE a WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:75", 3, "is no time"),
        ("FILE a WAVE\nTRACK 01 AUDIO\nINDEX 01 1:2", 3, "is no time"),
        ("FILE a WAVE\nTRACK 01 AUDIO\nINDEX 01 ١:٢:٣", 3, "is no time"),
        ("FILE a WAVE\nTRACK 01 AUDIO\nINDEX x 00:00:00", 3, "no index"),
        (f"{SHEET}TRACK 03 AUDIO\nINDEX 01 04:00:37\n", 15, "not after the track before it"),
        (f"{SHEET}TRACK 03 AUDIO\nINDEX 01 02:00:00\n", 15, "not after the track before it"),
    ],
)
def test_refusals_name_the_line_and_what_to_do(text: str, line: int, reason: str) -> None:
    found = refusal(text)
    assert found.startswith(f"line {line}: ")
    assert reason in found


def test_sheets_without_tracks_are_refused() -> None:
    assert "no FILE" in refusal("")
    assert "no TRACK" in refusal("FILE a WAVE\n")


def test_a_sheet_has_a_limited_number_of_tracks() -> None:
    lines = [f"TRACK {n % 99 + 1} AUDIO\nINDEX 01 {time_of(n)}" for n in range(1000)]
    assert "more than 999 tracks" in refusal("\n".join(["FILE a WAVE", *lines]))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Motörhead – Überläufer, Grüße aus Köln", "cp1252"),
        ("宇多田ヒカル ファースト・ラヴ 表示", "cp932"),
        ("Кино Группа крови на рукаве", "cp1251"),
        ("Édith Piaf", "utf-8"),
        ("Édith Piaf", "utf-8-sig"),
        ("Édith Piaf 宇", "utf-16"),
        ("Édith Piaf title", "utf-16-le"),
        ("Édith Piaf title", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_are_recognised(text: str, encoding: str, line_end: str) -> None:
    data = SHEET.replace("Court of Ash", text).replace("\n", line_end).encode(encoding)
    sheet = parse_cue_sheet(decode_cue_text(data))
    assert sheet.title == text
    assert len(sheet.files[0].tracks) == 2


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(CueSheetError, match="no text"):
        decode_cue_text(b"FILE \0 a \1 WAVE\n\0")
    with pytest.raises(CueSheetError, match="larger than"):
        decode_cue_text(b"\n" * (LARGEST_SHEET + 1))
    with pytest.raises(CueSheetError, match="no FILE"):
        parse_cue_sheet(decode_cue_text(b" " * (LARGEST_SHEET - 9) + b"x"))


def test_pipes_sockets_and_devices_are_not_read(tmp_path: Path) -> None:
    pipe, device, large = (tmp_path / name for name in ("pipe.cue", "zero.cue", "large.cue"))
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    large.write_bytes(b"x" * (LARGEST_SHEET + 1))
    for path in (pipe, device, large):
        with pytest.raises(CueSheetError):
            read_cue_text(path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.cue"))
        with pytest.raises(OSError, match="No such device"):
            read_cue_text(tmp_path / "socket.cue")
