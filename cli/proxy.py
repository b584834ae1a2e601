"""`recsys proxy`: similar songs before a Subsonic server that has none."""

import sys
from typing import Annotated

import typer

from recommender.cli.link import SecretFile, secret_of
from recommender.cli.options import Database
from recommender.cli.output import note, open_catalog, say
from recommender.cli.serve import installed, log_to_terminal


def proxy_command(
    server: Annotated[
        str,
        typer.Option(metavar="URL", help="The Subsonic server, without /rest.", show_default=False),
    ],
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0: everywhere.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="The port; 0: any that is free.")
    ] = 8711,
    login: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="A user of a server that knows no tokens: this user's tokens are checked here, "
            "and the password is sent on.",
            show_default=False,
        ),
    ] = "",
    secret_file: SecretFile = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How recsys link called the server. Default: the one at URL.",
            show_default=False,
        ),
    ] = None,
    db: Database = None,
) -> None:
    """Answer similar songs and sonic paths before a Subsonic server, and pass on all else.

    Players use the address of the proxy instead of the server's, with the same users and passwords.
    Run recsys link with the server's URL first. Who may ask is the server's to say; a token with a
    salt can be checked only by a server that knows them, or by the proxy with the user's password.

    Answered here: getSimilarSongs, getSimilarSongs2, getSonicSimilarTracks and findSonicPath, with
    at most 200 songs; ping and getOpenSubsonicExtensions are the server's, with the extension
    added. All else is passed on as it is, but for the tokens of the user of --login.

    Plays, stars and ratings (scrobble, star, unstar, setRating) that the server accepts are noted
    in the history under the user's name. Not noted: calls with an API key, or whose login is in a
    header, a cookie or a body that is no form; several names in one call; answers as JSONP; songs
    that are not linked; what is done to whole albums and artists; and "now playing".

    Examples:

      recsys proxy --server http://192.168.1.2:4040

      recsys proxy --server http://192.168.1.2:5722 --login anna --host 0.0.0.0
    """
    with installed():
        from recommender.server.proxy.app import create_proxy
        from recommender.server.proxy.remote_music import linked_server
        from recommender.server.proxy.settings import ProxySettings
        from recommender.server.serving import run
        from recommender.server.settings import ServerSettings
    secret = secret_of(secret_file, login) if login else ""
    settings = ProxySettings(server, login, secret, name, db)
    with open_catalog(db) as catalog:
        if linked_server(catalog, settings) is None:
            note(f"the ids of this server are not known yet: recsys link subsonic {server}")
    log_to_terminal("uvicorn", "httpx2", "httpcore2")

    def say_where(address: str) -> None:
        say(address)
        sys.stdout.flush()

    listening = ServerSettings(database=db, host=host, port=port, require_auth=None)
    run(create_proxy(settings), listening, say_where, dates=False)
