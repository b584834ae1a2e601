"""`recsys map` and `clusters`: all tracks of a catalogue seen at once."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.listed_tracks import listed_track
from recommender.cli.option_groups import grouped
from recommender.cli.options import AsJson, Database, User
from recommender.cli.output import (
    busy,
    counted,
    figure,
    note,
    open_service,
    print_facts,
    print_json,
    print_table,
    probability,
    say,
)
from recommender.cli.playlist_output import PlaylistOptions
from recommender.cli.saving import Replace, SaveOptions, note_saved, save_list
from recommender.cli.table_layout import Column
from recommender.errors import UsageError

if TYPE_CHECKING:
    from recommender.catalog import Track
    from recommender.library_map import Clusters, MapCoordinates
    from recommender.recommendation.service import SimilarityService

SCHEMA_VERSION = 1
"""Of the JSON objects; raised when a key changes its name or meaning."""

Again = Annotated[
    bool, typer.Option("--again", help="Compute anew, although what is stored can be used.")
]
Status = Annotated[bool, typer.Option("--status", help="Compute nothing; show what is stored.")]


class Method(StrEnum):
    """How clusters are found."""

    KMEANS = "kmeans"
    HDBSCAN = "hdbscan"


def map_command(
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the map: .png, .svg or .pdf.", show_default=False),
    ] = None,
    again: Again = False,
    status: Status = False,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Compute a map of all tracks in two dimensions, on which what is near sounds alike.

    It is computed by t-SNE where none is stored, and kept; 20,000 tracks take a minute or two.
    Tracks that were ingested since are placed on it, and no other is moved.
    """
    from recommender.library_map import compute_map, map_coordinates, place_new_tracks

    _check(again, status)
    with open_service(db) as service:
        found = map_coordinates(service)
        if again or (found.source == "pca" and not status):
            with busy("computing the map"):
                found = compute_map(service.catalog, service.index())
        elif found.unplaced and not status:
            with busy("placing new tracks"):
                place_new_tracks(service.catalog, service.index())
            found = map_coordinates(service)
        if plot is not None:
            _draw(service, found, plot)
    if as_json:
        print_json(_map_as_dict(found))
    else:
        _print_map(found)
    if plot is not None:
        note(f"drawn: {plot}")


def _check(again: bool, status: bool) -> None:
    if again and status:
        raise UsageError("--again and --status contradict each other: choose one.")


def _draw(service: "SimilarityService", found: "MapCoordinates", file: Path) -> None:
    from recommender.library_map import clusters
    from recommender.library_map.plot import plot_map

    genres = {track.id: track.predicted_genre for track in service.catalog.all_tracks()}
    shown = [genres.get(track_id) for track_id in found.ids.tolist()]
    with busy("drawing"):
        plot_map(found, shown, file, clusters(service))


def _print_map(found: "MapCoordinates") -> None:
    facts: list[tuple[str, object]] = [("tracks", f"{len(found.ids):,}")]
    if found.source == "pca":
        facts.append(("coordinates", "the first two principal components"))
    else:
        facts += [
            ("coordinates", f"t-SNE of {counted(found.details['fitted'], 'track')}"),
            ("computed (UTC)", f"{found.computed_at:%Y-%m-%d %H:%M}"),
            *_quality_facts(found.details["quality"]),
        ]
    print_facts(facts)
    if found.note is not None:
        note(found.note)


def _quality_facts(quality: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    trust = quality["trustworthiness"]
    yield (
        "trustworthiness",
        f"{_rate(trust['map'])}, of principal components {_rate(trust['pca'])}",
    )
    for genres, hit in quality["neighbourhood_hit"].items():
        yield (
            f"same genre, {genres}",
            f"{_rate(hit['map'])} of the ten nearest, of principal components {_rate(hit['pca'])}, "
            f"by chance {_rate(hit['chance'])}",
        )


def _rate(value: float | None) -> str:
    return "-" if value is None else figure(value)


def _map_as_dict(found: "MapCoordinates") -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "source": found.source,
        "computed_at": found.computed_at,
        "trustworthiness": found.trustworthiness,
        "note": found.note,
        "unplaced": found.unplaced,
        "details": dict(found.details),
        "points": [
            {"id": track_id, "x": round(x, 4), "y": round(y, 4)}
            for track_id, (x, y) in zip(found.ids.tolist(), found.xy.tolist(), strict=True)
        ],
    }


@grouped
def clusters_command(
    number: Annotated[
        int | None,
        typer.Argument(
            metavar="[NUMBER]", help="List the tracks of this cluster.", show_default=False
        ),
    ] = None,
    *,
    method: Annotated[
        Method | None,
        typer.Option(
            metavar="kmeans|hdbscan",
            help="Compute anew: k-means, in which every track is in a cluster, or HDBSCAN, which "
            "leaves out what lies between clusters as noise. Default: k-means.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="N",
            help="Compute anew: so many clusters of k-means. Default: sqrt(tracks / 2), at most "
            "30.",
            show_default=False,
        ),
    ] = None,
    again: Again = False,
    status: Status = False,
    save: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Keep cluster NUMBER as a playlist.", show_default=False),
    ] = None,
    replace: Replace = False,
    playlist: PlaylistOptions,
    user: User = "",
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Compute clusters of tracks that sound alike, without labels, or list one of them.

    They are computed where none are stored, and kept. Tracks that were ingested since are assigned
    to them. Names are of the predicted genres.
    """
    _check(again or method is not None or count is not None, status)
    if number is None and (save is not None or playlist.m3u is not None):
        raise UsageError("--save and --m3u go with the NUMBER of a cluster.")
    playlist.check_playlist(as_json)
    saving = SaveOptions(save, replace=replace)
    saving.check_saving()
    with open_service(db) as service:
        again = again or method is not None or count is not None
        found = _clusters(service, method, count, again=again, status=status)
        if found is None:
            note("no clusters are stored for this embedding space.")
        elif number is None:
            _show_clusters(found, as_json)
        else:
            tracks = _members(service, found, number)
            _show_cluster(service, found, number, tracks, playlist, as_json)
            replaced = saving.known(service.catalog, user)
            ids = [track.id for track in tracks]
            saved = None
            if save is not None and ids:
                saved = save_list(service.catalog, saving, user, ids, replaced)
            note_saved(saving, saved, replaced, ids)


def _clusters(
    service: "SimilarityService",
    method: Method | None,
    count: int | None,
    *,
    again: bool,
    status: bool,
) -> "Clusters | None":
    from recommender.library_map import clusters, compute_clusters, place_new_tracks

    found = clusters(service)
    if again or (found is None and not status):
        with busy("clustering"):
            wanted = (method or Method.KMEANS).value
            return compute_clusters(service.catalog, service.index(), wanted, count)
    if found is not None and found.unplaced and not status:
        place_new_tracks(service.catalog, service.index())
        found = clusters(service)
    return found


def _members(service: "SimilarityService", found: "Clusters", number: int) -> "list[Track]":
    from recommender.library_map import members

    ids = members(service, found, number - 1).tolist()
    tracks = service.catalog.present(ids)
    return [tracks[track_id] for track_id in ids if track_id in tracks]


def _show_clusters(found: "Clusters", as_json: bool) -> None:
    if as_json:
        print_json(_clusters_as_dict(found))
        return
    columns = (
        Column("number", number=True),
        Column("tracks", number=True),
        Column("share", number=True),
        Column("name", least=16),
    )
    total = max(1, len(found.ids))
    rows = [
        (place, f"{size:,}", f"{size / total:.0%}", name)
        for place, (name, size) in enumerate(zip(found.names, found.sizes, strict=True), 1)
    ]
    if found.noise:
        rows.append(("-", f"{found.noise:,}", f"{found.noise / total:.0%}", "noise: in no cluster"))
    print_table(columns, rows)
    say(_judgement(found))
    if found.unplaced:
        note(f"{counted(found.unplaced, 'track')} not assigned yet.")


def _judgement(found: "Clusters") -> str:
    """What the figures say, in sentences."""
    stable = found.details["stability"]
    text = (
        f"Stability (adjusted Rand index of resamples): {stable['mean']:.2f}, of the same cloud "
        f"without clusters {stable['null_mean']:.2f}."
    )
    parts = [
        f"{name} {figures['ami']:.2f} (p {probability(figures['p'])})"
        for name, figures in found.details["agreement"].items()
    ]
    agree = f" Agreement (adjusted mutual information; chance 0): {', '.join(parts)}."
    return text + agree * bool(parts)


def _clusters_as_dict(found: "Clusters") -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "method": found.method,
        "computed_at": found.computed_at,
        "noise": found.noise,
        "unplaced": found.unplaced,
        "stability": found.details["stability"],
        "agreement": found.details["agreement"],
        "clusters": [
            {
                "number": place,
                "name": name,
                "size": size,
                "track_ids": found.ids[found.labels == place - 1].tolist(),
            }
            for place, (name, size) in enumerate(zip(found.names, found.sizes, strict=True), 1)
        ],
    }


def _show_cluster(
    service: "SimilarityService",
    found: "Clusters",
    number: int,
    tracks: "list[Track]",
    playlist: PlaylistOptions,
    as_json: bool,
) -> None:
    name = found.names[number - 1]
    playlist.write(playlist.tracks(service.catalog, tracks), name)
    if as_json:
        listed = [listed_track(track) for track in tracks]
        keys = {"number": number, "name": name, "tracks": listed}
        print_json({"schema_version": SCHEMA_VERSION, **keys})
    elif not playlist.on_stdout:
        say(f"cluster {number}, {name}: {counted(len(tracks), 'track')}, the most typical first")
        columns = (
            Column("id", number=True),
            Column("title", least=16),
            Column("artist", least=12),
            Column("predicted", least=9),
        )
        print_table(columns, ((t.id, t.title, t.artist, t.predicted_genre) for t in tracks))
