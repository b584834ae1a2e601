"""Arguments that name tracks or whole playlists, as seeds of a list."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.cli.output import counted, note
from recommender.errors import PlaylistNotFound, UsageError
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.playlists.files import UnmatchedEntry
    from recommender.recommendation.seeds import Query

LISTED = 5
"""Entries of a playlist that could not be used, as far as they are listed."""


@dataclass(frozen=True)
class SeedArguments:
    """What arguments mean.

    Attributes:
        queries: track ids of playlists, and other arguments as they were given; each once.
        incomplete: the playlist files that have entries which are no track of the catalogue, or
            that could not be read to their end.
    """

    queries: "tuple[Query, ...]"
    incomplete: tuple[Path, ...]

    def keep_whole(self, *written: Path | None) -> None:
        """Refuse to write a list in place of a playlist that it was read from only in part."""
        for file in self.incomplete:
            if any(one is not None and one.exists() and one.samefile(file) for one in written):
                raise UsageError(
                    f"{file} would lose the entries that cannot be used: write to another file, "
                    "or ingest them, or repair it, first."
                )


def seed_arguments(
    catalog: "Catalog", given: Iterable[str], user: str | None = None
) -> SeedArguments:
    """The seeds that arguments mean; notes what of playlist files cannot be used.

    Args:
        catalog: stays open.
        given: a playlist file, or what the service resolves: a track id, a path, words.
        user: whose stored playlists are meant, too, by their names; None for nobody's.

    Raises `PlaylistError` for a file that cannot be read.
    """
    queries: list[Query] = []
    incomplete: list[Path] = []
    for argument in given:
        stored = None if user is None else _stored(catalog, argument, user)
        if stored is not None:
            queries += stored
        elif is_playlist_file(argument):
            ids, whole = _read(catalog, Path(argument))
            queries += ids
            if not whole:
                incomplete.append(Path(argument))
        else:
            queries.append(argument)
    if not queries:
        raise UsageError(f"no track to begin with: {', '.join(given)} holds none.")
    return SeedArguments(tuple(dict.fromkeys(queries)), tuple(incomplete))


def lasting_name(catalog: "Catalog", name: str, user: str) -> str:
    """What names a playlist from any folder: as it is, or the absolute path of a file."""
    is_file = is_playlist_file(name) and _stored(catalog, name, user) is None
    return str(Path(name).absolute()) if is_file else name


def is_playlist_file(name: str) -> bool:
    """Whether a name ends as those of playlist files do."""
    from recommender.playlists.files import ENDINGS

    return name.lower().endswith(ENDINGS)


def note_unmatched(file: Path, unmatched: "Sequence[UnmatchedEntry]", entries: int) -> None:
    """Say which entries of a playlist file are no tracks of the catalogue, and why."""
    if not unmatched:
        return
    lines = [f"{file}: {len(unmatched)} of {counted(entries, 'entry', 'entries')} cannot be used:"]
    lines += [
        f"  entry {one.number}, {one_line(one.location)}: {one_line(one.reason)}"
        for one in unmatched[:LISTED]
    ]
    if len(unmatched) > LISTED:
        lines.append(f"  and {len(unmatched) - LISTED} more")
    for line in lines:
        note(line)


def note_fault(file: Path, fault: str | None) -> None:
    """Say why a playlist file could not be read to its end, if it could not."""
    if fault is not None:
        note(f"{file}: {one_line(fault)}")


def _stored(catalog: "Catalog", name: str, user: str) -> Sequence[int] | None:
    try:
        return catalog.playlist(name, user).track_ids
    except PlaylistNotFound:
        return None


def _read(catalog: "Catalog", file: Path) -> tuple[list[int], bool]:
    """The tracks of a playlist file, and whether those are all that it has."""
    from recommender.playlists.files import read_playlist

    content = read_playlist(catalog, file)
    note_unmatched(file, content.unmatched, len(content.tracks) + len(content.unmatched))
    note_fault(file, content.fault)
    lost = [one for one in content.unmatched if one.kind != "doubled"]
    return [track.id for track in content.tracks], content.fault is None and not lost
