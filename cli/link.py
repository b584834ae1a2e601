"""`recsys link`, `unlink` and `playlist push`: media servers, and what their ids mean."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.options import AsJson, Database, User
from recommender.cli.output import (
    busy,
    counted,
    hint,
    note,
    open_catalog,
    print_json,
    print_table,
    say,
)
from recommender.cli.serve import installed
from recommender.errors import PlayerError, UsageError
from recommender.utils.files import read_small

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.catalog.server_records import MediaServer
    from recommender.server.linking.link import LinkReport

SECRET = "RECSYS_SERVER_SECRET"
"""The environment variable with the password or the API key of a media server."""

_SHOWN = 20
_LARGEST_SECRET = 4096


class Kind(StrEnum):
    """What a media server is."""

    NAVIDROME = "navidrome"
    SUBSONIC = "subsonic"
    JELLYFIN = "jellyfin"


SecretFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A file whose first line is the password or the API key. "
        f"Default: ${SECRET}, or you are asked.",
        show_default=False,
    ),
]


def link_command(
    kind: Annotated[Kind, typer.Argument(help="What the server is.", show_default=False)],
    url: Annotated[str, typer.Argument(help="Where it is.", show_default=False)],
    login: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The user of the server to ask as. Without one, the secret is an API key.",
            show_default=False,
        ),
    ] = "",
    secret_file: SecretFile = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="How to call the server. Default: URL.", show_default=False
        ),
    ] = None,
    remember: Annotated[
        bool,
        typer.Option(
            "--remember",
            help="Keep the secret in a file beside the catalogue that only you can read: every "
            "ingest links the server again, and playlist push needs no secret.",
        ),
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Name every song that could not be matched.")
    ] = False,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Find which tracks the ids of a media server mean, for plugins and for recsys proxy.

    Songs are matched by the ends of their paths, then by MusicBrainz's id of the recording, then by
    artist, title, album and length. Run it again after an ingest, or when the server has new songs:
    the ids that are stored are replaced. With --remember, ingests do that by themselves; without
    it, the secret is not stored.

    Examples:

      recsys link navidrome http://192.168.1.2:4533 --login anna

      recsys link jellyfin http://192.168.1.2:8096
    """
    with installed():
        from recommender.server.linking.credentials import keep
        from recommender.server.linking.link import link
    secret = secret_of(secret_file, login)
    login_hint = hint(PlayerError, "(--login and --secret-file.)")
    with open_catalog(db) as catalog, login_hint, busy("reading the server"):
        report = link(catalog, kind.value, url, login, secret, name)
        file = keep(catalog, report.server, secret) if remember else None
    if file is not None:
        note(f"the secret is kept in {file}; only you can read it.")
    if as_json:
        print_json(_as_dict(report))
    else:
        _print(report, None if every else _SHOWN)


def unlink_command(
    name: Annotated[str, typer.Argument(help="Of the server, or its URL.", show_default=False)],
    db: Database = None,
) -> None:
    """Forget the ids of a media server, and its secret, if it was kept."""
    with installed():
        from recommender.server.linking.credentials import forget
    with open_catalog(db) as catalog:
        found = server_called(catalog, name)
        forget(catalog, found.name)
        catalog.remove_server(found.id)
    say(f"{found.name} was forgotten.")


def playlist_push_command(
    playlist: Annotated[str, typer.Argument(help="Its name.", show_default=False)],
    server: Annotated[
        str, typer.Argument(help="Name or URL of a linked server.", show_default=False)
    ],
    login: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The user of the server. Default: the one that it was linked with.",
            show_default=False,
        ),
    ] = None,
    secret_file: SecretFile = None,
    user: User = "",
    db: Database = None,
) -> None:
    """Store a playlist at a linked server, in place of the user's one of its name there.

    A playlist that belongs to somebody else is never replaced. Jellyfin: from version 10.9 on.

    \b
    For example:
      recsys playlist push Evening http://192.168.1.2:4533
    """
    with installed():
        from recommender.server.linking.credentials import credentials_of
        from recommender.server.linking.push import push_playlist
    with open_catalog(db) as catalog, hint(PlayerError, "(--login and --secret-file.)"):
        to, stored = server_called(catalog, server), catalog.playlist(playlist, user)
        as_user = to.login if login is None else login
        kept = credentials_of(catalog, to)
        if secret_file is None and kept is not None and kept.login == as_user:
            secret = kept.secret
        else:
            secret = secret_of(secret_file, as_user)
        report = push_playlist(catalog, stored, to, as_user, secret)
    done = "replaced" if report.replaced else "made"
    say(f"{stored.name} was {done} at {to.name}: {counted(report.songs, 'song')}.")
    if report.left_out:
        note(f"{counted(report.left_out, 'track')} are not on the server, or not linked yet.")


def server_called(catalog: "Catalog", name: str) -> "MediaServer":
    """The linked server of a name or an address. Raises `UsageError`."""
    servers = {server.name: server for server in catalog.servers()}
    by_url = {server.url: server for server in servers.values()}
    found = servers.get(name) or by_url.get(name.rstrip("/"))
    if found is None:
        known = ", ".join(sorted(servers)) or "none"
        raise UsageError(f"no server is called {name!r}. Servers: {known}.")
    return found


def secret_of(file: Path | None, login: str) -> str:
    """The password or API key: of a file, the environment, or as it is typed."""
    if file is not None:
        try:
            lines = read_small(file, _LARGEST_SECRET).decode().splitlines()
        except (OSError, ValueError) as error:
            raise UsageError(f"{file} cannot be read: {error}.") from error
        if not lines or not lines[0]:
            raise UsageError(f"{file} is empty.")
        return lines[0]
    if given := os.environ.get(SECRET):
        return given
    if not sys.stdin.isatty():
        raise UsageError(f"the server wants a secret: set {SECRET}, or give --secret-file.")
    what = f"Password of {login}" if login else "API key"
    answer: str = typer.prompt(what, hide_input=True, err=True)
    return answer


def _print(report: "LinkReport", most: int | None) -> None:
    ways = ", ".join(f"{count} by {way}" for way, count in report.matched.items() if count)
    linked = sum(report.matched.values())
    of_songs = f"{linked} of {counted(report.songs, 'song')}"
    say(f"{report.server.name}: {of_songs} linked ({ways or 'none'}).")
    if report.unlinked:
        note(f"{counted(report.unlinked, 'track')} of the catalogue are not on the server.")
    if not report.unmatched:
        return
    say(f"{counted(len(report.unmatched), 'song')} could not be matched:")
    rows = [
        (one.song.artist or "", one.song.title or "", one.song.path or "", one.reason)
        for one in report.unmatched[:most]
    ]
    print_table(("artist", "title", "path", "reason"), rows)
    if most is not None and len(report.unmatched) > most:
        note(f"--all names the other {len(report.unmatched) - most}.")


def _as_dict(report: "LinkReport") -> dict[str, object]:
    return {
        "schema_version": 1,
        "server": report.server.name,
        "kind": report.server.kind,
        "songs": report.songs,
        "matched": dict(report.matched),
        "unlinked": report.unlinked,
        "unmatched": [
            {
                "id": one.song.id,
                "artist": one.song.artist,
                "title": one.song.title,
                "album": one.song.album,
                "path": one.song.path,
                "reason": one.reason,
            }
            for one in report.unmatched
        ],
    }
