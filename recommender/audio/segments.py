"""Segments of a sound file: the tracks that a cue sheet divides it into."""

from dataclasses import dataclass, field, replace

from recommender.audio.cue_sheet import FRAMES, CueFile, CueSheet, CueTrack
from recommender.audio.tag_text import clean
from recommender.audio.tags import Tags, isrcs_in, year_in

WHOLE_FILE = 0
"""Number of the segment that is all of its file."""


@dataclass(frozen=True)
class Segment:
    """One track of a file.

    Attributes:
        number: from 1, as the sheet counts; `WHOLE_FILE` for a track that is all of its file.
        start: seconds from the beginning of the file.
        end: likewise, not included; None for the end of the file.
        tags: what the sheet says of it.
        line: of the sheet that `start` is from.
    """

    number: int
    start: float
    end: float | None
    tags: Tags = field(default_factory=Tags)
    line: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its file."""
        return self.number == WHOLE_FILE

    def tags_with(self, of_file: Tags) -> Tags:
        """Its tags, where the tags of the file fill what the sheet leaves open.

        Those of a track that is all of its file come from the file first. What names
        the only recording of a file belongs to none of several.
        """
        if self.is_whole:
            return _filled(of_file, self.tags)
        of_album = replace(of_file, title=None, track_number=None, recording_mbid=None, isrcs=())
        return _filled(self.tags, of_album)


def segments_of(sheet: CueSheet, file: CueFile) -> tuple[Segment, ...]:
    """The segments that `sheet` divides one of its files into; none where it divides nothing.

    A sheet for one track says only what its file is called: its segment is the whole file. Where
    each track has a file of its own, there is nothing to divide.
    """
    if len(file.tracks) == 1:
        whole = Segment(WHOLE_FILE, 0.0, None, _tags(sheet, file.tracks[0]), file.tracks[0].line)
        return (whole,) if len(sheet.files) == 1 and file.tracks[0].is_audio else ()
    ends = [track.start / FRAMES for track in file.tracks[1:]]
    tracks = [
        (track, end)
        for track, end in zip(file.tracks, [*ends, None], strict=True)
        if track.is_audio
    ]
    numbers = [track.number for track, _ in tracks]
    if numbers != sorted(set(numbers)) or not all(numbers):
        numbers = list(range(1, len(tracks) + 1))
    return tuple(
        Segment(number, track.start / FRAMES, end, _tags(sheet, track), track.line)
        for number, (track, end) in zip(numbers, tracks, strict=True)
    )


def _tags(sheet: CueSheet, track: CueTrack) -> Tags:
    return Tags(
        title=_clean(track.title),
        artist=_clean(track.performer) or _clean(sheet.performer),
        album=_clean(sheet.title),
        album_artist=_clean(sheet.performer),
        genre=_clean(track.genre) or _clean(sheet.genre),
        track_number=track.number or None,
        year=year_in(track.date) or year_in(sheet.date),
        isrcs=isrcs_in([track.isrc or ""]),
    )


def _clean(text: str | None) -> str | None:
    return clean(text or "") or None


def _filled(first: Tags, second: Tags) -> Tags:
    """`first`, with what `second` has of what it lacks; artists go with their text."""
    artist = first if first.artist else second
    album_artist = first if first.album_artist else second
    return Tags(
        title=first.title or second.title,
        artist=artist.artist,
        album=first.album or second.album,
        album_artist=album_artist.album_artist,
        genre=first.genre or second.genre,
        track_number=first.track_number or second.track_number,
        year=first.year or second.year,
        artists=artist.artists,
        album_artists=album_artist.album_artists,
        recording_mbid=first.recording_mbid or second.recording_mbid,
        isrcs=first.isrcs or second.isrcs,
    )
