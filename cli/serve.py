"""`recsys serve`: similarity over HTTP, for players and programs."""

import logging
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.options import ADVANCED, AsJson, Database, Limits
from recommender.cli.output import note, open_catalog, print_json, print_page, print_table, say
from recommender.errors import CatalogError, RecsysError

if TYPE_CHECKING:
    from recommender.server.settings import ServerSettings
    from recommender.server.users import UserStore

serve_app = typer.Typer(invoke_without_command=True)
user_app = typer.Typer(
    help="Add, list and remove those who may use the server.", no_args_is_help=True
)
serve_app.add_typer(user_app, name="user")


class Auth(StrEnum):
    """Who has to prove who asks."""

    AUTO = "auto"
    ALWAYS = "always"
    OFF = "off"


UsersFile = Annotated[
    Path | None,
    typer.Option(
        "--users",
        metavar="FILE",
        help="Where users are kept. Default: beside the catalogue.",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]


@serve_app.callback()
def serve_command(
    context: typer.Context,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen: 0.0.0.0 for every address of this machine, which needs users.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="The port; 0: any that is free.")
    ] = 8710,
    watch: Annotated[
        bool, typer.Option("--watch", help="Ingest what changes in the music folders.")
    ] = False,
    systemd: Annotated[
        bool,
        typer.Option("--systemd", help="Print a unit file that runs this command, and exit."),
    ] = False,
    auth: Annotated[
        Auth,
        typer.Option(
            help="Who has to prove who asks. auto: everybody, but at 127.0.0.1 nobody until the "
            "first user is added; off: nobody, at 127.0.0.1 only.",
        ),
    ] = Auth.AUTO,
    show_paths: Annotated[
        bool,
        typer.Option(
            "--show-paths", help="Name files and folders in answers.", rich_help_panel=ADVANCED
        ),
    ] = False,
    base_path: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="What stands before every route, such as /recsys, behind a proxy.",
            show_default=False,
            rich_help_panel=ADVANCED,
        ),
    ] = "",
    origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="A web page that may read answers (CORS); may be repeated. Default: none.",
            show_default=False,
            rich_help_panel=ADVANCED,
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The linked media server whose ids players use. Default: the only one.",
            show_default=False,
            rich_help_panel=ADVANCED,
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="How many processes analyse in an ingest that the server runs.",
            rich_help_panel=ADVANCED,
        ),
    ] = 1,
    users: UsersFile = None,
    limits: Limits = None,
    db: Database = None,
) -> None:
    """Serve a web page and similarity over HTTP, for people, players and programs.

    Routes: / (the page), /api/v1 (OpenAPI at /api/v1/openapi.json), /rest (OpenSubsonic: players
    log in with a user's name and password, or the API key), those that plugins for AudioMuse-AI
    call, /healthz, /readyz and /metrics. At 127.0.0.1 nobody has to prove who asks until a user
    is added, and requests that came through a proxy are refused; after that, and elsewhere,
    everybody has to. Passwords travel as they are: put a proxy with TLS in front where the
    network is not yours, and serve with --auth always behind it, as not every proxy can be told
    from this machine's programs.

    A catalogue that changes is served as it is now, without a restart.

    Examples:

      recsys serve

      recsys serve user add anna

      recsys serve --host 0.0.0.0 --watch
    """
    if context.invoked_subcommand is not None:
        context.obj = {"users": users, "db": db}
        return
    with installed():
        from recommender.server.serving import serve
        from recommender.server.settings import ServerSettings
    given: dict[str, Any] = {"file_limits": limits} if limits is not None else {}
    settings = ServerSettings(
        database=db,
        host=host,
        port=port,
        base_path=base_path,
        users_file=users,
        require_auth={Auth.AUTO: None, Auth.ALWAYS: True, Auth.OFF: False}[auth],
        show_paths=show_paths,
        watch=watch,
        origins=tuple(origin or ()),
        server_name=server,
        ingest_workers=workers,
        **given,
    )
    if systemd:
        print_page(_unit(context.params, settings))
        return
    log_to_terminal("uvicorn", "watchfiles")
    serve(settings, lambda address: _say_where(settings, address))


def log_to_terminal(*noisy: str) -> None:
    """Log to standard error, with the level before each line; of some libraries warnings only."""
    if logging.lastResort is not None:  # other commands log by it, without the level
        logging.getLogger("recommender").removeHandler(logging.lastResort)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    for library in noisy:
        logging.getLogger(library).setLevel(logging.WARNING)


def _say_where(settings: "ServerSettings", address: str) -> None:
    """The address, and what to do where there is nothing to recommend."""
    say(address)
    sys.stdout.flush()
    try:
        with open_catalog(settings.database) as catalog:
            is_empty = not catalog.counts().analysed
    except CatalogError:
        is_empty = True
    if is_empty:
        db = "" if settings.database is None else f" --db {shlex.quote(settings.database)}"
        say(
            "The catalogue is empty. Ingest music, which is served at once, in another terminal: "
            f"recsys ingest ~/Music{db}"
        )
    if settings.is_loopback and settings.require_auth is None:
        say("Only this machine can reach it: see recsys serve --help for others.")
    sys.stdout.flush()


def _unit(params: dict[str, Any], settings: "ServerSettings") -> str:
    """A unit that runs this command with its options, and with absolute paths."""
    from recommender.catalog.database_url import catalog_url
    from recommender.server.systemd import unit_file

    url = catalog_url(settings.database)
    database = url.database if url.get_backend_name() == "sqlite" else settings.database
    words = [str(Path(sys.argv[0]).absolute()), "serve", "--db", str(database)]
    words += ["--host", settings.host, "--port", str(settings.port)]
    words += ["--users", str(settings.users_path.absolute())]
    for name in ("watch", "show_paths"):
        words += [f"--{name.replace('_', '-')}"] if params[name] else []
    for name in ("auth", "base_path", "server", "workers"):
        words += [f"--{name.replace('_', '-')}", str(params[name])] if params[name] else []
    for origin in settings.origins:
        words += ["--origin", origin]
    limits = settings.file_limits
    return unit_file([*words, "--limits", f"{limits.memory_mb}MB,{limits.timeout_s:g}s"])


@contextmanager
def installed() -> Iterator[None]:
    """Say how to install what the server needs."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("recommender"):
            raise
        raise RecsysError(
            f"the server needs the Python package {error.name!r}: pip install 'recommender[serve]'."
        ) from error


def _store(context: typer.Context, db: str | None, users: Path | None) -> "UserStore":
    from recommender.server.settings import ServerSettings
    from recommender.server.users import UserStore

    above = context.obj or {}
    settings = ServerSettings(
        database=db or above.get("db"), users_file=users or above.get("users")
    )
    return UserStore(settings.users_path)


@user_app.command("add")
def user_add_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Of the user.")],
    as_json: AsJson = False,
    users: UsersFile = None,
    db: Database = None,
) -> None:
    """Add a user, and print the secrets to enter in players; the first two are shown once only."""
    store = _store(context, db, users)
    drawn = store.add(name)
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "user": name,
                "api_key": drawn.api_key,
                "token": drawn.token,
                "password": drawn.password,
            }
        )
        return
    say(f"API key:   {drawn.api_key}")
    say(f"Token:     {drawn.token}   (for AudioMuse plugins)")
    say(f"Password:  {drawn.password}   (for Subsonic players, with the user name {name})")
    note(f"kept in {store.file}; only you can read it. The key and the token are not shown again.")


@user_app.command("remove")
def user_remove_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Of the user.")],
    users: UsersFile = None,
    db: Database = None,
) -> None:
    """Remove a user; a server that runs refuses the secrets a second later."""
    store = _store(context, db, users)
    store.remove(name)
    say(f"{name} was removed; what the catalogue has of that user's history and playlists stays.")
    if not store.users():
        note(f"nobody may use the server now: add a user, or remove {store.file} to need none.")


@user_app.command("list")
def user_list_command(
    context: typer.Context, as_json: AsJson = False, users: UsersFile = None, db: Database = None
) -> None:
    """List the users."""
    names = [user.name for user in _store(context, db, users).users()]
    if as_json:
        print_json({"schema_version": 1, "users": names})
    else:
        print_table(("user",), ([name] for name in names))
