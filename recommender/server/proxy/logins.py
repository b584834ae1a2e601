"""Proofs of who calls, as the server behind understands and accepts them."""

import hashlib
import hmac
import time

from recommender.server.proxy.settings import ProxySettings
from recommender.server.proxy.upstream import Pairs, Upstream
from recommender.server.subsonic.answers import ErrorCode, SubsonicError

_PROOFS = frozenset(("u", "p", "t", "s", "apiKey", "v", "c"))
_HOLDS_S = 60.0
"""How long a proof that the server accepted is not asked about again."""

_MOST_KEPT = 1000


def understood(settings: ProxySettings, pairs: Pairs) -> Pairs:
    """The parameters with a password in place of a token, where it is the one that is known here.

    Raises `SubsonicError` for a token of that user which is wrong.
    """
    given = dict(reversed(pairs))  # the first of a name counts
    if not settings.login or given.get("u") != settings.login or "t" not in given:
        return pairs
    salted = f"{settings.secret}{given.get('s', '')}".encode("utf-8", "replace")
    token = hashlib.md5(salted, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(token.encode(), given["t"].lower().encode("utf-8", "replace")):
        raise SubsonicError(ErrorCode.WRONG_LOGIN, "Wrong user name or password.")
    kept = [pair for pair in pairs if pair[0] not in ("t", "s", "p")]
    return [*kept, ("p", f"enc:{settings.secret.encode().hex()}")]


def proofs(pairs: Pairs) -> Pairs:
    """The parameters that say who calls and with what."""
    return [pair for pair in pairs if pair[0] in _PROOFS]


class Gate:
    """Lets through whom the server behind lets through; it is asked by ``ping``."""

    def __init__(self, upstream: Upstream) -> None:
        """Lets nobody through yet."""
        self._upstream = upstream
        self._accepted: dict[bytes, float] = {}

    async def require(self, pairs: Pairs) -> None:
        """Raise the server's own `SubsonicError` where it refuses these proofs."""
        of_caller = proofs(pairs)
        key = hashlib.sha256(repr(sorted(of_caller)).encode("utf-8", "replace")).digest()
        now = time.monotonic()
        if self._accepted.get(key, 0.0) > now:
            return
        raise_failed(await self._upstream.call("ping", of_caller))
        if len(self._accepted) >= _MOST_KEPT:
            self._accepted.clear()
        self._accepted[key] = now + _HOLDS_S

    async def lets_through(self, pairs: Pairs) -> bool:
        """Whether the server behind accepts these proofs."""
        try:
            await self.require(pairs)
        except SubsonicError:
            return False
        return True


def raise_failed(tree: dict[str, object]) -> None:
    """Raise the `SubsonicError` that an answer of the server is, if it is one."""
    if tree.get("status") == "ok":
        return
    error = tree.get("error")
    error = error if isinstance(error, dict) else {}
    code = error.get("code")
    known = code if isinstance(code, int) and code in set(ErrorCode) else ErrorCode.GENERIC
    raise SubsonicError(ErrorCode(known), str(error.get("message") or "It was refused."))
