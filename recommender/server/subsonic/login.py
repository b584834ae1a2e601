"""Who calls: an API key, a token with its salt, or a password."""

from fastapi import Request

from recommender.catalog.list_records import DEFAULT_USER
from recommender.server.auth import refuse_foreign
from recommender.server.state import ServerState
from recommender.server.subsonic.answers import ErrorCode, SubsonicError
from recommender.server.subsonic.parameters import Parameters
from recommender.server.users import User, UserStore

_BY_NAME = ("u", "p", "t", "s")


def caller_of(request: Request, state: ServerState, parameters: Parameters) -> str:
    """The name of the user who calls; empty where nobody has to prove that.

    Raises:
        SubsonicError: nothing, something wrong or two things prove who calls.
        Problem: 403 as of `refuse_foreign`, where nobody has to prove who asks.
    """
    if not state.requires_auth:
        refuse_foreign(request)
        return DEFAULT_USER
    user = _user_of(state.users, parameters)
    if user is None:
        raise SubsonicError(ErrorCode.WRONG_LOGIN, "Wrong user name or password.")
    return user.name


def _user_of(users: UserStore, parameters: Parameters) -> User | None:
    if parameters.has("apiKey"):
        if any(parameters.has(name) for name in _BY_NAME):
            raise SubsonicError(
                ErrorCode.CONFLICTING_LOGINS, "An API key comes without u, p, t and s."
            )
        user = users.by_secret(parameters.get("apiKey"))
        if user is None:
            raise SubsonicError(ErrorCode.WRONG_KEY, "The API key is not known.")
        return user
    name = parameters.required("u")
    if parameters.has("t"):
        if parameters.has("p"):
            raise SubsonicError(ErrorCode.CONFLICTING_LOGINS, "Give either p, or t and s.")
        return users.by_salted(name, parameters.required("t"), parameters.required("s"))
    return users.by_password(name, plain_password(parameters.required("p")))


def plain_password(given: str) -> str:
    """The password that ``p`` holds: as it is, or in hexadecimal digits behind ``enc:``."""
    if not given.startswith("enc:"):
        return given
    try:
        return bytes.fromhex(given.removeprefix("enc:")).decode("utf-8", "replace")
    except ValueError:
        return given
