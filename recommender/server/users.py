"""Users of the server and what they prove themselves with, in a file that only its owner reads.

A user has three secrets, all drawn at random:

- an API key, the preferred one;
- a bearer token, for clients of the AudioMuse-compatible routes;
- a password, for Subsonic's token and salt: the server must know it to check them.

Of the first two the file holds digests (SHA-256), which suffice for what is drawn from 256 bits.
"""

import hashlib
import hmac
import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from recommender.errors import UsageError
from recommender.server.private_files import changing, read_private, write_private

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LARGEST_FILE = 1 << 20
_LOOK_S = 1.0
"""How long it may take until a change of the file is noticed."""

_Version = tuple[int, int, int, int]


class UsersUnreadable(UsageError):
    """The file of users is damaged, or others may change it: nobody can prove who asks."""


@dataclass(frozen=True)
class User:
    """Who may use the server.

    Attributes:
        name: also of the history and the playlists in the catalogue.
        password: as Subsonic's clients are given it.
        api_key_digest, token_digest: SHA-256, in hexadecimal digits.
    """

    name: str
    password: str
    api_key_digest: str
    token_digest: str


@dataclass(frozen=True)
class Secrets:
    """What a new user is shown, once."""

    api_key: str
    token: str
    password: str


class UserStore:
    """The users in one file. Changes of the file by another process are noticed.

    Every method raises `UsersUnreadable` for a file that is there and cannot be used.
    """

    def __init__(self, file: Path) -> None:
        """Read nothing yet."""
        self.file = file
        self._users: dict[str, User] = {}
        self._by_digest: dict[str, User] = {}
        self._version: _Version | None = None
        self._failure = ""
        self._has_been = False
        self._look_again = 0.0
        self._reading = threading.Lock()

    def users(self) -> list[User]:
        """Every user, by name."""
        self._refresh()
        return sorted(self._users.values(), key=lambda user: user.name)

    @property
    def had_users(self) -> bool:
        """Whether there is a file of users, be it without any, or was when it was looked before.

        Who removes the last user, or loses the file, has not said that anybody may come in.
        """
        self._refresh()
        return self._has_been

    def named(self, name: str) -> User | None:
        """The user of this name."""
        self._refresh()
        return self._users.get(name)

    def by_secret(self, secret: str) -> User | None:
        """The user whose API key or bearer token this is."""
        self._refresh()
        # Looked up by digest: how long that takes says nothing of the secret.
        return self._by_digest.get(digest(secret))

    def by_salted(self, name: str, token: str, salt: str) -> User | None:
        """The user whose password, with the salt behind it, has this MD5 (Subsonic's ``t``, ``s``).

        None for a wrong token, an unknown name or none.
        """
        user = self.named(name)
        password = "" if user is None else user.password
        wanted = hashlib.md5(f"{password}{salt}".encode("utf-8", "replace"), usedforsecurity=False)
        matches = hmac.compare_digest(wanted.hexdigest().encode(), token.lower().encode())
        return user if matches else None

    def by_password(self, name: str, password: str) -> User | None:
        """The user with this password (Subsonic's ``p``)."""
        user = self.named(name)
        expected = "" if user is None else user.password
        given = password.encode("utf-8", "replace")
        return user if hmac.compare_digest(expected.encode(), given) else None

    def add(self, name: str) -> Secrets:
        """Add a user. Raises `UsageError` for a name that is taken or is none."""
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no name of a user: letters, digits, '.', '_', '@', '-'; at most 64."
            )
        with changing(self.file):
            users = self._users_now()
            if name in users:
                raise UsageError(
                    f"there is a user {name!r} already; remove it to draw new secrets."
                )
            drawn = Secrets(
                secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(18)
            )
            users[name] = User(name, drawn.password, digest(drawn.api_key), digest(drawn.token))
            self._write(users)
        return drawn

    def remove(self, name: str) -> None:
        """Remove a user. Raises `UsageError` where there is none of that name."""
        with changing(self.file):
            users = self._users_now()
            if users.pop(name, None) is None:
                known = ", ".join(sorted(users)) or "none"
                raise UsageError(f"there is no user {name!r}. Users: {known}.")
            self._write(users)

    def _users_now(self) -> dict[str, User]:
        self._look_again = 0.0
        return {user.name: user for user in self.users()}

    def _write(self, users: Mapping[str, User]) -> None:
        content = {
            "schema_version": SCHEMA_VERSION,
            "users": [asdict(user) for user in users.values()],
        }
        write_private(self.file, json.dumps(content, indent=1).encode())
        self._version, self._look_again = None, 0.0

    def _refresh(self) -> None:
        now = time.monotonic()
        if now >= self._look_again:
            with self._reading:
                self._read_changed()
                self._look_again = now + _LOOK_S
        if self._failure:
            raise UsersUnreadable(self._failure)

    def _read_changed(self) -> None:
        try:
            version = self._version_now()
            if version == self._version and not self._failure:
                return
            users = _read(self.file) if version else {}
            failure = ""
        except UsageError as error:
            version, users, failure = None, {}, str(error)
            if failure != self._failure:
                logger.error("nobody can log in: %s", failure)
        by_digest = {user.api_key_digest: user for user in users.values()}
        by_digest |= {user.token_digest: user for user in users.values()}
        self._users, self._by_digest = users, by_digest
        self._version, self._failure = version, failure
        self._has_been = self._has_been or version is not None or bool(failure)

    def _version_now(self) -> _Version | None:
        try:
            found = self.file.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"{self.file} cannot be read: {error.strerror}.") from error
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def digest(secret: str) -> str:
    """SHA-256 of a secret, in hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _read(file: Path) -> dict[str, User]:
    try:
        content = json.loads(read_private(file, _LARGEST_FILE))
        if content["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"its version is {content['schema_version']!r}")
        users = [_user(values) for values in content["users"]]
    except FileNotFoundError:
        return {}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{file} is no file of users ({error}): restore it, or remove it and add them again."
        ) from error
    return {user.name: user for user in users}


def _user(values: Mapping[str, object]) -> User:
    given = {field.name: values[field.name] for field in fields(User)}
    texts = {name: value for name, value in given.items() if isinstance(value, str) and value}
    digests = (texts.get("api_key_digest", ""), texts.get("token_digest", ""))
    if len(texts) != len(given) or not all(map(_DIGEST.fullmatch, digests)):
        raise ValueError("a user lacks a name or a secret")
    return User(**texts)
