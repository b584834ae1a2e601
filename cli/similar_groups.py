"""`recsys artists` and `albums`: similar ones, with the tracks to begin with."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.closeness import explanation, marked
from recommender.cli.listed_tracks import listed_track
from recommender.cli.mix_options import TrackRuleOptions
from recommender.cli.mix_output import Why, print_left_out
from recommender.cli.option_groups import grouped
from recommender.cli.options import AsJson
from recommender.cli.output import busy, note, print_json, print_table, say
from recommender.cli.playlist_output import PlaylistOptions
from recommender.cli.service_options import ServiceOptions
from recommender.cli.similar_options import Full
from recommender.cli.table_layout import Column
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import Track
    from recommender.embedding.similarity_scale import SimilarityCalibration
    from recommender.recommendation.mix_result import SimilarAlbum, SimilarArtist
    from recommender.recommendation.result_list import Neighbour

SCHEMA_VERSION = 1
"""Of the JSON objects; raised when a key changes its name or meaning."""

Number = Annotated[int, typer.Option("-k", min=1, metavar="N", help="How many to list.")]
NOT_CLOSE = "None in the catalogue is close"


@grouped
def artists_command(
    artist: Annotated[
        str, typer.Argument(metavar="ARTIST", help="The name; case and accents do not count.")
    ],
    *,
    k: Number = 10,
    near: Annotated[
        str | None,
        typer.Option(
            metavar="TRACK",
            help="List of each artist the tracks nearest to this one (a track id, a path or a "
            "title), such as the one that is playing. Default: to all of ARTIST.",
            show_default=False,
        ),
    ] = None,
    playlist: PlaylistOptions,
    as_json: AsJson = False,
    why: Why = False,
    rules: TrackRuleOptions,
    full: Full = False,
    service: ServiceOptions,
) -> None:
    """List the artists that sound most like ARTIST, and where to begin with each.

    A playlist (--m3u) has the tracks to begin with.
    """
    playlist.check_playlist(as_json)
    with busy("searching"), service.open() as opened:
        found = opened.similar_artists(artist, k, near, rules.track_rules())
        calibration = opened.similarity_calibration
        tracks = playlist.tracks(opened.catalog, _to_begin_with(found))
    playlist.write(tracks)
    if as_json:
        keys = {
            "artist": artist,
            "near": near,
            "artists": [_of_artist(f, full) for f in found],
            "left_out": dict(found.left_out),
        }
        print_json({"schema_version": SCHEMA_VERSION, **keys})
    elif not playlist.on_stdout:
        say(f"like: {one_line(artist)}")
        _print_artists(found, calibration)
    if why and not as_json:
        print_left_out(found, beside_playlist=playlist.on_stdout)
    if not found:
        note("the catalogue has no other artist.")


@grouped
def albums_command(
    track: Annotated[
        str,
        typer.Argument(
            metavar="TRACK",
            help="A track id, a path (in the catalogue or not), or a title; what is similar to its "
            "whole album is listed, where it has one.",
        ),
    ],
    *,
    k: Number = 10,
    playlist: PlaylistOptions,
    as_json: AsJson = False,
    why: Why = False,
    rules: TrackRuleOptions,
    full: Full = False,
    service: ServiceOptions,
) -> None:
    """List the albums that sound most like that of TRACK, and where to begin with each.

    A playlist (--m3u) has the tracks to begin with.
    """
    playlist.check_playlist(as_json)
    with busy("searching"), service.open() as opened:
        found = opened.similar_albums(track, k, rules.track_rules())
        calibration = opened.similarity_calibration
        tracks = playlist.tracks(opened.catalog, _to_begin_with(found))
    playlist.write(tracks)
    if as_json:
        keys = {
            "track": track,
            "albums": [_of_album(each, full) for each in found],
            "left_out": dict(found.left_out),
        }
        print_json({"schema_version": SCHEMA_VERSION, **keys})
    elif not playlist.on_stdout:
        say(f"like: {one_line(track)}")
        _print_albums(found, calibration)
    if why and not as_json:
        print_left_out(found, beside_playlist=playlist.on_stdout)
    if not found:
        note("the catalogue has no other album.")


def _to_begin_with(
    found: "Iterable[SimilarArtist | SimilarAlbum]",
) -> "list[Track]":
    """The nearest track of each."""
    return [each.entry_points[0].track for each in found if each.entry_points]


def _print_artists(
    found: "Sequence[SimilarArtist]", calibration: "SimilarityCalibration | None"
) -> None:
    if not found:
        return
    columns = (
        Column("similarity", number=True),
        Column("artist", least=16),
        Column("tracks", number=True, drop=2),
        Column("begin with", least=16),
        Column("id", number=True, drop=1),
    )
    print_table(columns, ((marked(f), f.artist, f.tracks, *_first(f.entry_points)) for f in found))
    _explain(found, calibration)


def _print_albums(
    found: "Sequence[SimilarAlbum]", calibration: "SimilarityCalibration | None"
) -> None:
    if not found:
        return
    columns = (
        Column("similarity", number=True),
        Column("album", least=16),
        Column("artist", least=12),
        Column("tracks", number=True, drop=2),
        Column("begin with", least=12),
        Column("id", number=True, drop=1),
    )
    print_table(
        columns,
        (
            (marked(f), f.album, f.artist or "several", f.tracks, *_first(f.entry_points))
            for f in found
        ),
    )
    _explain(found, calibration)


def _explain(
    found: "Sequence[SimilarArtist | SimilarAlbum]", calibration: "SimilarityCalibration | None"
) -> None:
    why = explanation(found, calibration, nothing=NOT_CLOSE)
    if why is not None:
        say(why)


def _first(entry_points: "Sequence[Neighbour]") -> tuple[object, object]:
    """Title and id of the nearest track."""
    if not entry_points:
        return None, None
    return entry_points[0].track.title, entry_points[0].track.id


def _of_artist(found: "SimilarArtist", full: bool) -> dict[str, Any]:
    return {"artist": found.artist, **_of_group(found, full)}


def _of_album(found: "SimilarAlbum", full: bool) -> dict[str, Any]:
    return {"album": found.album, "artist": found.artist, **_of_group(found, full)}


def _of_group(found: "SimilarArtist | SimilarAlbum", full: bool) -> dict[str, Any]:
    return {
        "similarity": round(found.similarity, 4),
        "close": found.close,
        "tracks": found.tracks,
        "entry_points": [
            {
                **listed_track(neighbour.track, full),
                "similarity": round(neighbour.similarity, 4),
                "close": neighbour.close,
            }
            for neighbour in found.entry_points
        ],
    }
