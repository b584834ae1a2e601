"""`recsys duplicates`: files of one recording."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.listed_tracks import listed_track
from recommender.cli.option_groups import grouped
from recommender.cli.options import AsJson
from recommender.cli.output import busy, clock, counted, note, print_json, print_table, say
from recommender.cli.playlist_output import PlaylistOptions
from recommender.cli.service_options import ServiceOptions
from recommender.cli.table_layout import Column, Cut

if TYPE_CHECKING:
    from recommender.recommendation.mix_result import DuplicateEvidence, DuplicateGroup

SCHEMA_VERSION = 1
"""Of the JSON object; raised when a key changes its name or meaning."""


@grouped
def duplicates_command(
    *,
    minimum: Annotated[
        float | None,
        typer.Option(
            max=1,
            metavar="X",
            help="Least similarity of two copies, for fewer and surer ones. Default: the model's.",
            show_default=False,
        ),
    ] = None,
    playlist: PlaylistOptions,
    as_json: AsJson = False,
    service: ServiceOptions,
) -> None:
    """List the tracks that are copies of one recording, in groups, and what shows it.

    A playlist (--m3u) has all of them, group by group. No file is touched.
    """
    playlist.check_playlist(as_json)
    with busy("comparing"), service.open() as opened:
        groups = opened.duplicates(minimum)
        tracks = [track for group in groups for track in group.tracks]
        listed = playlist.tracks(opened.catalog, tracks)
    playlist.write(listed)
    if as_json:
        found = [_group_as_dict(group) for group in groups]
        print_json({"schema_version": SCHEMA_VERSION, "groups": found})
    elif groups and not playlist.on_stdout:
        _print_groups(groups)
    if not groups:
        note("no duplicates.")


def _print_groups(groups: "list[DuplicateGroup]") -> None:
    print_table(
        (
            Column("group", number=True),
            Column("id", number=True),
            Column("path", least=24, cut=Cut.START),
            Column("length", number=True, drop=1),
            Column("evidence", least=30),
        ),
        (row for number, group in enumerate(groups, 1) for row in _rows(number, group)),
    )
    copies = sum(len(group.tracks) - 1 for group in groups)
    more = counted(copies, "further copy", "further copies")
    say(f"{counted(len(groups), 'recording')} with {more}.")


def _rows(number: int, group: "DuplicateGroup") -> Iterator[tuple[object, ...]]:
    """One row a track; the evidence stands beside the later of its pair."""
    places = {track.id: place for place, track in enumerate(group.tracks)}
    for place, track in enumerate(group.tracks):
        with_earlier = [
            one for one in group.evidence if max(places[one.one], places[one.other]) == place
        ]
        yield (
            None if place else number,
            track.id,
            track.location,
            clock(track.duration),
            _reason(with_earlier, group) if with_earlier else None,
        )


def _reason(evidence: "list[DuplicateEvidence]", group: "DuplicateGroup") -> str:
    """The strongest evidence, and with which track where there are several."""
    best = max(evidence, key=lambda one: (one.same_sound, one.similarity))
    text = "the same sound data"
    if not best.same_sound:
        text = f"similarity {best.similarity:.3f}, {best.seconds_apart:.2f} s apart"
    if len(group.tracks) == 2:
        return text
    ids = [track.id for track in group.tracks]
    return f"{text}, with {min(best.one, best.other, key=ids.index)}"


def _group_as_dict(group: "DuplicateGroup") -> dict[str, Any]:
    return {
        "tracks": [
            {**listed_track(track), "duration": track.duration, "size": track.size}
            for track in group.tracks
        ],
        "evidence": [
            {
                "one": one.one,
                "other": one.other,
                "same_sound": one.same_sound,
                "similarity": round(one.similarity, 6),
                "seconds_apart": round(one.seconds_apart, 3),
            }
            for one in group.evidence
        ],
    }
