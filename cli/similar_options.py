"""The options of `recsys similar`."""

from pathlib import Path
from typing import Annotated

import typer

from recommender.cli.options import ADVANCED, Device, parse_duration

TrackQuery = Annotated[
    str,
    typer.Argument(
        metavar="TRACK",
        help="A path (in the catalogue or not; FILE#3: track 3 of a file with a cue sheet), a "
        "track id, or words that match one title.",
    ),
]
ListLength = Annotated[int, typer.Option("-k", min=1, metavar="N", help="How many tracks to list.")]
SameArtist = Annotated[
    bool, typer.Option(help="Whether tracks by TRACK's own artist may be listed.")
]
PerArtist = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="At most N tracks by any one artist, TRACK's own included; 0: no limit.",
    ),
]
Genre = Annotated[
    str | None,
    typer.Option(metavar="GENRE", help="Only tracks that are tagged with this genre."),
]
PredictedGenre = Annotated[
    str | None,
    typer.Option(
        "--predicted-genre",
        "--heard",
        metavar="GENRE",
        help="Only tracks for which the model predicts this genre.",
    ),
]
MinDuration = Annotated[
    float | None,
    typer.Option(
        parser=parse_duration,
        metavar="TIME",
        help="Only tracks of at least this length: 180, 3:00, 1:02:03 or 3m.",
    ),
]
MaxDuration = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="TIME", help="Only tracks of at most this length."),
]
Playlist = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Also write the list as a playlist, .m3u8, .m3u or .xspf; '-' writes M3U8 to standard "
        "output, in place of the table. Of a file with a cue sheet, VLC plays the track that is "
        "meant; other players play the file from its beginning.",
    ),
]
Absolute = Annotated[
    bool,
    typer.Option(
        "--absolute",
        help="Absolute paths in the playlist. Default: relative to its folder.",
        rich_help_panel=ADVANCED,
    ),
]
WithSeed = Annotated[
    bool,
    typer.Option(
        "--with-seed", help="Begin the playlist with what it is made for.", rich_help_panel=ADVANCED
    ),
]
KeepDuplicates = Annotated[
    bool,
    typer.Option(
        "--keep-duplicates",
        help="Also list duplicates: other files of one recording.",
        rich_help_panel=ADVANCED,
    ),
]
Damaged = Annotated[
    bool,
    typer.Option(
        "--damaged/--no-damaged",
        help="Whether tracks whose file is damaged may be listed.",
        rich_help_panel=ADVANCED,
    ),
]
AllowSpeech = Annotated[
    bool,
    typer.Option(
        "--speech/--no-speech",
        help="Whether speech may be listed: what sounds like it, or is tagged so.",
    ),
]
SearchDevice = Annotated[
    Device,
    typer.Option(
        metavar="auto|cpu|cuda",
        help="Where FAISS searches; auto: on a GPU if it sees one.",
        rich_help_panel=ADVANCED,
    ),
]
Full = Annotated[
    bool,
    typer.Option(
        "--full",
        help="With --json: all that the catalogue holds of each track.",
        rich_help_panel=ADVANCED,
    ),
]
