"""Settings of the proxy."""

from dataclasses import dataclass, field

from recommender.server.linking.remote_library import checked_url
from recommender.server.settings import ServerLimits


@dataclass(frozen=True)
class ProxySettings:
    """Settings of the proxy.

    Attributes:
        server: address of the Subsonic server, without ``/rest``.
        login, secret: a user of the server and the password, for a server that does not know tokens
            with salts: where this user's player sends one, it is checked here, and the password is
            sent on. A token of a user whose password is not known here is passed on as it is.
        server_name: how `link` called the server; None for the one at this address.
        database: of the catalogue; None for the default.

    Raises `UsageError` for what is no address.
    """

    server: str
    login: str = ""
    secret: str = field(default="", repr=False)
    server_name: str | None = None
    database: str | None = None
    limits: ServerLimits = field(default_factory=ServerLimits)

    def __post_init__(self) -> None:
        """Bring the address into one form."""
        object.__setattr__(self, "server", checked_url(self.server))
