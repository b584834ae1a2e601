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
import os
import re
import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from recommender.errors import UsageError
from recommender.utils.files import read_small

SCHEMA_VERSION = 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_LARGEST_FILE = 1 << 20
_LOOK_S = 1.0
"""How long it may take until a change of the file is noticed."""


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
    """The users in one file. Changes of the file by another process are noticed."""

    def __init__(self, file: Path) -> None:
        """Read nothing yet."""
        self.file = file
        self._users: dict[str, User] = {}
        self._by_digest: dict[str, User] = {}
        self._version: tuple[int, int, int] | None = None
        self._look_again = 0.0
        self._reading = threading.Lock()

    def users(self) -> list[User]:
        """Every user, by name. Raises `UsageError` for a file that cannot be read."""
        self._refresh()
        return sorted(self._users.values(), key=lambda user: user.name)

    @property
    def has_users(self) -> bool:
        """Whether there is any. Raises `UsageError` for a file that cannot be read."""
        self._refresh()
        return bool(self._users)

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

        Raises nothing; None for a wrong token, an unknown name or none.
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
        users = {user.name: user for user in self.users()}
        if name in users:
            raise UsageError(f"there is a user {name!r} already; remove it to draw new secrets.")
        drawn = Secrets(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(18)
        )
        users[name] = User(name, drawn.password, digest(drawn.api_key), digest(drawn.token))
        self._write(users)
        return drawn

    def remove(self, name: str) -> None:
        """Remove a user. Raises `UsageError` where there is none of that name."""
        users = {user.name: user for user in self.users()}
        if users.pop(name, None) is None:
            known = ", ".join(sorted(users)) or "none"
            raise UsageError(f"there is no user {name!r}. Users: {known}.")
        self._write(users)

    def _write(self, users: Mapping[str, User]) -> None:
        content = {
            "schema_version": SCHEMA_VERSION,
            "users": [asdict(user) for user in users.values()],
        }
        temporary = self.file.with_name(f".{self.file.name}.{secrets.token_hex(4)}")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            # Born with this mode: nobody else can open it before it is changed.
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.file)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise UsageError(f"{self.file} cannot be written: {error.strerror}.") from error
        self._version, self._look_again = None, 0.0

    def _refresh(self) -> None:
        now = time.monotonic()
        if now < self._look_again:
            return
        with self._reading:
            version = self._version_now()
            if version != self._version:
                users = _read(self.file) if version else {}
                by_digest = {user.api_key_digest: user for user in users.values()}
                by_digest |= {user.token_digest: user for user in users.values()}
                self._users, self._by_digest = users, by_digest
                self._version = version
            self._look_again = now + _LOOK_S

    def _version_now(self) -> tuple[int, int, int] | None:
        try:
            found = self.file.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"{self.file} cannot be read: {error.strerror}.") from error
        return found.st_ino, found.st_size, found.st_mtime_ns


def digest(secret: str) -> str:
    """SHA-256 of a secret, in hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _read(file: Path) -> dict[str, User]:
    try:
        content = json.loads(read_small(file, _LARGEST_FILE))
        if content["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"its version is {content['schema_version']!r}")
        names = [field.name for field in fields(User)]
        users = [User(**{name: str(values[name]) for name in names}) for values in content["users"]]
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"{file} is no file of users ({error}): restore it, or remove it and add them again."
        ) from error
    return {user.name: user for user in users}
