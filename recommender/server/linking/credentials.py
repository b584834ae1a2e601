"""Secrets of linked servers, kept on request only, so that their ids can be read again unattended.

They lie beside the users of the server, in a file of their own with the mode 0600, as they are: a
media server wants the password or the API key itself.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import platformdirs

from recommender.catalog import Catalog
from recommender.catalog.server_records import MediaServer
from recommender.errors import UsageError
from recommender.server.private_files import changing, read_private, write_private

SCHEMA_VERSION = 1
_LARGEST_FILE = 1 << 20


@dataclass(frozen=True)
class Credentials:
    """What a server is asked with.

    Attributes:
        url: of the server that they are for; they are sent to no other.
        login: name of a user; empty for an API key.
        secret: password of the user, or the API key.
    """

    url: str
    login: str
    secret: str = field(repr=False)


def credentials_file(catalog: Catalog) -> Path:
    """Where the secrets of a catalogue's servers are: beside a SQLite file, else with the user."""
    if catalog.file is None:
        return platformdirs.user_data_path("recsys") / "servers.json"
    return catalog.file.with_name(f"{catalog.file.name}.servers.json")


def credentials_of(catalog: Catalog, server: MediaServer) -> Credentials | None:
    """What is kept for a server at its address; None where nothing is.

    Raises `UsageError` for a file that is damaged, or that others may change.
    """
    found = _read(credentials_file(catalog)).get(server.name)
    return found if found is not None and found.url == server.url else None


def keep(catalog: Catalog, server: MediaServer, secret: str) -> Path:
    """Keep the secret of a server and its login; returns the file. Raises `UsageError`."""
    file = credentials_file(catalog)
    with changing(file):
        kept = _read(file)
        kept[server.name] = Credentials(server.url, server.login, secret)
        _write(file, kept)
    return file


def forget(catalog: Catalog, name: str) -> bool:
    """Drop what is kept for the server of a name; returns whether anything was.

    Raises `UsageError`.
    """
    file = credentials_file(catalog)
    if not file.exists():
        return False
    with changing(file):
        kept = _read(file)
        if kept.pop(name, None) is None:
            return False
        _write(file, kept)
    return True


def _write(file: Path, kept: dict[str, Credentials]) -> None:
    servers = {name: asdict(one) for name, one in kept.items()}
    content = {"schema_version": SCHEMA_VERSION, "servers": servers}
    write_private(file, json.dumps(content, indent=1).encode())


def _read(file: Path) -> dict[str, Credentials]:
    try:
        content = json.loads(read_private(file, _LARGEST_FILE))
        if content["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"its version is {content['schema_version']!r}")
        return {
            str(name): Credentials(*(str(values[key]) for key in ("url", "login", "secret")))
            for name, values in content["servers"].items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{file} is no file of servers' secrets ({error}): remove it, and link them again."
        ) from error
