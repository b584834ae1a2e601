"""`recsys similar`: the tracks that sound most like one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from recommender.cli.options import (
    AsJson,
    Database,
    Device,
    Limits,
    RankedBy,
    RankingChoice,
)
from recommender.cli.output import (
    busy,
    counted,
    note,
    open_service,
    print_json,
    print_table,
    say,
    track_as_dict,
    writing_file,
)
from recommender.cli.similar_options import (
    Absolute,
    Damaged,
    Full,
    Genre,
    KeepDuplicates,
    ListLength,
    MaxDuration,
    MinDuration,
    PerArtist,
    Playlist,
    PredictedGenre,
    SameArtist,
    SearchDevice,
    TrackQuery,
    WithSeed,
)
from recommender.cli.table_layout import Column, Cut
from recommender.errors import UsageError
from recommender.utils.files import real_path
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recommender.catalog import Catalog, Track
    from recommender.recommendation.result_list import Neighbour
    from recommender.recommendation.seeds import Seed
    from recommender.recommendation.service import Recommendation

SCHEMA_VERSION = 1
"""Of the JSON object; raised when a key changes its name or meaning."""

STDOUT = Path("-")


@dataclass(frozen=True)
class _PlaylistOptions:
    """Where a playlist goes, and what stands in it; `file` is None for no playlist."""

    file: Path | None
    absolute: bool
    with_seed: bool

    def check(self, as_json: bool) -> None:
        """Refuse options that contradict each other, before anything is computed."""
        if self.file is None:
            if self.absolute or self.with_seed:
                raise UsageError("--absolute and --with-seed go with --m3u FILE.")
        elif self.file == STDOUT:
            if as_json:
                raise UsageError("--json and '--m3u -' both write to standard output: choose one.")
        elif not self.file.parent.is_dir():
            raise UsageError(f"{self.file} cannot be written: there is no such folder.")

    def tracks(self, found: "Recommendation", catalog: "Catalog") -> "list[Track | Seed]":
        """What stands in the playlist; none for no playlist."""
        from recommender.recommendation.playlist import with_existing_files

        if self.file is None:
            return []
        listed = (neighbour.track for neighbour in found.neighbours)
        return with_existing_files(catalog, [*[found.seed] * self.with_seed, *listed])


def similar_command(
    track: TrackQuery,
    k: ListLength = 10,
    same_artist: SameArtist = True,
    per_artist: PerArtist = 2,
    genre: Genre = None,
    predicted_genre: PredictedGenre = None,
    min_duration: MinDuration = None,
    max_duration: MaxDuration = None,
    m3u: Playlist = None,
    as_json: AsJson = False,
    keep_duplicates: KeepDuplicates = False,
    damaged: Damaged = True,
    ranking: RankingChoice = RankedBy.RERANKED,
    absolute: Absolute = False,
    with_seed: WithSeed = False,
    full: Full = False,
    device: SearchDevice = Device.AUTO,
    limits: Limits = None,
    db: Database = None,
) -> None:
    """List the tracks that sound most like TRACK, best first."""
    from recommender.recommendation.filters import Filters

    playlist = _PlaylistOptions(m3u, absolute, with_seed)
    playlist.check(as_json)
    filters = Filters(
        same_artist=same_artist,
        per_artist=per_artist or None,
        genre=genre,
        predicted_genre=predicted_genre,
        min_duration=min_duration,
        max_duration=max_duration,
        keep_duplicates=keep_duplicates,
        damaged=damaged,
    )
    with busy("searching"), open_service(db, device.value, limits) as service:
        found = service.recommend(track, k, filters, ranking.value)
        listed = playlist.tracks(found, service.catalog)
    if m3u is not None:
        _write_playlist(listed, playlist, m3u)
    if as_json:
        print_json(_as_dict(found, full))
    elif m3u != STDOUT:
        print_recommendation(found)
    if not found.neighbours:
        note(found.hint or "no other track passes these filters.")


def _write_playlist(
    tracks: "Sequence[Track | Seed]", options: _PlaylistOptions, file: Path
) -> None:
    from recommender.recommendation.playlist import m3u_text, write_m3u

    if file == STDOUT:
        text = m3u_text(tracks, None if options.absolute else real_path(Path.cwd()))
        typer.echo(text.encode("utf-8", "surrogateescape"), nl=False)
        return
    with writing_file(file):
        written = write_m3u(file, tracks, absolute=options.absolute)
    note(f"playlist of {counted(written, 'track')} written: {file}")


def _as_dict(found: "Recommendation", full: bool) -> dict[str, Any]:
    seed, scale = found.seed, found.calibration
    return {
        "schema_version": SCHEMA_VERSION,
        "seed": {
            "id": None if seed.track is None else seed.track.id,
            "path": None if seed.track is None else seed.track.path,
            "file": None if seed.path is None else str(seed.path),
            **_segment(seed.track),
            "title": seed.title,
            "artist": seed.artist,
        },
        "model": found.space.model,
        "ranking": found.ranking,
        "threshold": None if scale is None else scale.midpoint,
        "neighbours": [_neighbour_as_dict(neighbour, full) for neighbour in found.neighbours],
    }


def _segment(track: "Track | None") -> dict[str, Any]:
    """Which part of its file a track is."""
    if track is None:
        return {"segment": 0, "start": None, "end": None}
    return {"segment": track.segment, "start": track.start, "end": track.end}


def _neighbour_as_dict(neighbour: "Neighbour", full: bool) -> dict[str, Any]:
    track = neighbour.track
    lean = {
        "rank": neighbour.rank,
        "id": track.id,
        "path": track.path,
        "file": str(track.file),
        **_segment(track),
        "title": track.title,
        "artist": track.artist,
        "similarity": round(neighbour.similarity, 4),
        "score": round(neighbour.score, 4),
        "close": neighbour.close,
    }
    return {**lean, **track_as_dict(track)} if full else lean


def print_recommendation(found: "Recommendation") -> None:
    """Print the seed and, where there are neighbours, the table and what its columns mean."""
    say(f"like: {_seed_name(found)}")
    if not found.neighbours:
        return
    reranked = found.ranking != "cosine"
    _print_neighbours(found.neighbours, reranked)
    if reranked:
        say(
            "Ordered by score, which reranking derives from the similarities in the whole "
            "catalogue; so similarity need not fall."
        )
    far = [neighbour for neighbour in found.neighbours if neighbour.close is False]
    if far and found.calibration is not None:
        everything = len(far) == len(found.neighbours)
        say(
            ("* Nothing in the catalogue is close: " if everything else "* Not close: ")
            + f"below a similarity of {found.calibration.midpoint:.3f}, two tracks are more likely "
            "of different genres than of one."
        )


def _seed_name(found: "Recommendation") -> str:
    seed = found.seed
    title = seed.title or (seed.path.name if seed.path is not None else "an embedding")
    return one_line(f"{seed.artist} – {title}" if seed.artist else title)


def _print_neighbours(neighbours: "list[Neighbour]", reranked: bool) -> None:
    columns = [
        Column("rank", number=True),
        Column("score", number=True),
        Column("similarity", number=True),
        Column("title", least=16),
        Column("artist", least=12),
        Column("predicted", least=9, drop=1),
        Column("album", least=12, drop=3),
        Column("id", number=True, drop=2),
        Column("path", least=16, drop=4, cut=Cut.START),
    ]
    rows = [
        (
            found.rank,
            f"{found.score:.3f}",
            f"{found.similarity:.3f}" + ("*" if found.close is False else " "),
            found.track.title,
            found.track.artist,
            found.track.predicted_genre,
            found.track.tags.album,
            found.track.id,
            found.track.location,
        )
        for found in neighbours
    ]
    if not reranked:  # the score is the similarity
        columns = [column for column in columns if column.heading != "score"]
        rows = [(row[0], *row[2:]) for row in rows]
    print_table(columns, rows)
