"""`recsys mpd`: keeps the queue of the Music Player Daemon filled."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.listed_tracks import track_name
from recommender.cli.mix_options import GapOptions, RuleOptions
from recommender.cli.option_groups import grouped
from recommender.cli.options import User
from recommender.cli.output import hint, note, say
from recommender.cli.service_options import ServiceOptions
from recommender.errors import PlayerError

if TYPE_CHECKING:
    from recommender.catalog import Track


@grouped
def mpd_command(
    *,
    host: Annotated[
        str,
        typer.Option(
            envvar="MPD_HOST",
            metavar="HOST",
            help="Where MPD runs: a name or an address, PASSWORD@HOST, or the path of its socket.",
        ),
    ] = "localhost",
    port: Annotated[
        int, typer.Option(envvar="MPD_PORT", min=1, max=65535, metavar="N", help="Its port.")
    ] = 6600,
    music_directory: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="MPD's music_directory, as this machine sees it. Default: MPD is asked, or paths "
            "are compared by their ends.",
            show_default=False,
        ),
    ] = None,
    ahead: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Tracks that are kept behind the one that plays."),
    ] = 5,
    once: Annotated[bool, typer.Option("--once", help="Fill the queue now, and end.")] = False,
    record: Annotated[
        bool,
        typer.Option("--record", help="Note in the history what is played and what is skipped."),
    ] = False,
    gaps: GapOptions,
    rules: RuleOptions,
    user: User = "",
    service: ServiceOptions,
) -> None:
    """Keep the queue of MPD filled with what sounds like what is playing; Ctrl-C ends it.

    Needs python-mpd2: pip install 'recsys[mpd]'.

    \b
    For example:
      recsys mpd --ahead 10 --record
    """
    from recommender.players.mpd import MpdQueue
    from recommender.players.mpd_connection import MpdSettings

    with service.open() as opened:
        settings = MpdSettings(
            host,
            port,
            music_directory,
            ahead,
            rules.rules(opened.catalog, gaps),
            user if record else None,
            rules.repeats(opened.catalog, user),
        )
        with hint(PlayerError, "(--host and --port.)"):
            connected = MpdQueue(opened, settings)
        with connected as queue:
            if not once:
                queue.follow(_say_added)
                return
            added = queue.fill()
    _say_added(added)
    if not added:
        note("nothing was added: the queue is long enough, or nothing is playing.")


def _say_added(tracks: "Sequence[Track]") -> None:
    for track in tracks:
        say(f"added: {track_name(track)}")
