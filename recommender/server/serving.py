"""Run the server until it is stopped."""

import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from recommender.errors import UsageError
from recommender.server.app import create_app
from recommender.server.connections import h11_protocol
from recommender.server.settings import ServerSettings
from recommender.server.users import UserStore

_BACKLOG = 1024


def serve(settings: ServerSettings, on_start: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; requests that are at work get some seconds to end.

    Args:
        settings: of the server.
        on_start: called with the address once connections are accepted.

    Raises:
        UsageError: the address cannot be listened at, or may not be without users.
    """
    require_users(settings)
    run(create_app(settings), settings, on_start)


def run(
    app: ASGIApp, settings: ServerSettings, on_start: Callable[[str], None], *, dates: bool = True
) -> None:
    """Serve an application as `serve` does; `dates`: whether its answers get a ``Date``."""
    listening = listen(settings)
    limits = settings.limits
    config = uvicorn.Config(
        app,
        http=h11_protocol(limits),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=dates,
        proxy_headers=False,
        timeout_graceful_shutdown=limits.stop_s,
    )
    on_start(address_of(settings, listening))
    with _signals_end_quietly():
        uvicorn.Server(config).run(sockets=[listening])


def require_users(settings: ServerSettings) -> None:
    """Raise `UsageError` where nobody could use the server."""
    store = UserStore(settings.users_path)
    if settings.require_auth is False or store.users():
        return
    if settings.require_auth or not settings.is_loopback:
        raise UsageError(
            f"{settings.host} needs users, as every request must prove who asks: add one with "
            "'recsys serve user add NAME'."
        )
    if store.had_users:
        raise UsageError(
            f"{store.file} has no user left: add one with 'recsys serve user add NAME', or remove "
            f"the file, and nobody has to prove at {settings.host} who asks."
        )


def listen(settings: ServerSettings) -> socket.socket:
    """A socket that accepts connections at the address. Raises `UsageError`."""
    host = settings.host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{settings.host} is no address of this machine ({error}).") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise UsageError(
            f"cannot listen at {settings.host}, port {settings.port}: {error.strerror}. Choose "
            "another port, or stop what listens there."
        ) from error
    return listening


def address_of(settings: ServerSettings, listening: socket.socket) -> str:
    """The URL of the server."""
    port = listening.getsockname()[1]
    host = settings.host.strip("[]")
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}{settings.base_path}"


@contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """uvicorn raises the signal that stopped it once more, when it has ended in good order."""

    def ignore(number: int, frame: FrameType | None) -> None:
        logging.getLogger(__name__).debug("stopped by signal %d", number)

    before: dict[int, Any] = {
        number: signal.signal(number, ignore) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
