"""Playlists that commands write: the options of where to, and the writing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from recommender.cli.output import counted, note, writing_file
from recommender.cli.similar_options import Absolute, Playlist
from recommender.errors import UsageError
from recommender.utils.files import real_path

if TYPE_CHECKING:
    from recommender.catalog import Catalog, Track
    from recommender.recommendation.seeds import Seed

STDOUT = Path("-")


@dataclass(frozen=True)
class PlaylistOptions:
    """Where a playlist goes; `m3u` is None for no playlist."""

    m3u: Playlist = None
    absolute: Absolute = False

    @property
    def on_stdout(self) -> bool:
        """Whether the playlist is written in place of a table."""
        return self.m3u == STDOUT

    def check_playlist(
        self, as_json: bool, with_seed: bool = False, also_written: Path | None = None
    ) -> None:
        """Refuse options that contradict each other, before anything is computed.

        Args:
            as_json: whether JSON is printed.
            with_seed: whether a playlist begins with the seeds.
            also_written: another playlist file, which `absolute` may be meant for.
        """
        if self.m3u is None:
            if (self.absolute and also_written is None) or with_seed:
                raise UsageError("--absolute and --with-seed go with --m3u FILE.")
        elif self.on_stdout:
            if as_json:
                raise UsageError("--json and '--m3u -' both write to standard output: choose one.")
        else:
            require_writable(self.m3u)

    def tracks(self, catalog: "Catalog", listed: "Iterable[Track | Seed]") -> "list[Track | Seed]":
        """What stands in the playlist; none for no playlist."""
        from recommender.playlists.m3u import with_existing_files

        return [] if self.m3u is None else with_existing_files(catalog, listed)

    def write(self, tracks: "Sequence[Track | Seed]", title: str | None = None) -> None:
        """Write the playlist, if there is to be one."""
        if self.m3u is None:
            return
        if self.on_stdout:
            print_playlist(tracks, self.absolute, title)
        else:
            write_playlist_file(self.m3u, tracks, self.absolute, title)


def require_writable(file: Path) -> None:
    """Refuse a playlist in a folder that is not there."""
    if not file.parent.is_dir():
        raise UsageError(f"{file} cannot be written: there is no such folder.")


def print_playlist(
    tracks: "Sequence[Track | Seed]", absolute: bool, title: str | None = None
) -> None:
    """A playlist on standard output, bytes of names as they are."""
    from recommender.playlists.files import playlist_text

    folder = None if absolute else real_path(Path.cwd())
    text, written = playlist_text(tracks, folder, title=title)
    typer.echo(text.encode("utf-8", "surrogateescape"), nl=False)
    _note_left_out(tracks, written)


def write_playlist_file(
    file: Path, tracks: "Sequence[Track | Seed]", absolute: bool, title: str | None = None
) -> None:
    """A playlist in a file, which is replaced whole or not at all."""
    from recommender.playlists.files import write_playlist

    with writing_file(file):
        written = write_playlist(file, tracks, absolute=absolute, title=title)
    note_written(file, tracks, written)


def note_written(file: Path, tracks: "Sequence[Track | Seed]", written: int) -> None:
    """Say what a playlist file has now."""
    note(f"playlist of {counted(written, 'track')} written: {file}")
    _note_left_out(tracks, written)


def _note_left_out(tracks: "Sequence[Track | Seed]", written: int) -> None:
    """Say how many tracks a playlist has no place for."""
    left_out = sum(_has_file(track) for track in tracks) - written
    if left_out:
        note(f"{left_out} left out: M3U has no place for a line break in a name; XSPF has.")


def _has_file(track: "Track | Seed") -> bool:
    return getattr(track, "file", None) is not None or getattr(track, "path", None) is not None
