"""What a media server says of its songs, and how it is asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from recommender.audio.tags import isrcs_in
from recommender.catalog.server_records import RemoteName
from recommender.errors import PlayerError, UsageError

PAGE = 500
"""Songs that are asked for at a time."""

MOST_SONGS = 5_000_000
_TIMES = httpx2.Timeout(30.0, connect=10.0)
_LARGEST_ANSWER = 64 << 20


@dataclass(frozen=True, slots=True)
class RemoteSong:
    """A song of a server; None for what it does not say.

    Attributes:
        path: as the server has it, which may be made up.
        duration: seconds.
        isrcs: as `Tags.isrcs`.
    """

    id: str
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    path: str | None = None
    duration: float | None = None
    recording_mbid: str | None = None
    isrcs: tuple[str, ...] = ()


@dataclass
class RemoteLibrary:
    """All that was read of a server.

    Attributes:
        names: of artists and albums.
    """

    songs: list[RemoteSong] = field(default_factory=list)
    names: list[RemoteName] = field(default_factory=list)


class JsonClient:
    """Asks one server for JSON. Follows no redirection: it would get what proves who asks."""

    def __init__(self, url: str, headers: Mapping[str, str] = {}) -> None:
        """Connects to nothing yet. Raises `UsageError` for what is no address."""
        self.url = checked_url(url)
        self._client = httpx2.Client(headers=dict(headers), timeout=_TIMES, follow_redirects=False)

    def __enter__(self) -> "JsonClient":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._client.close()

    def add_headers(self, headers: Mapping[str, str]) -> None:
        """Send these as well from now on."""
        self._client.headers.update(headers)

    def get(self, path: str, parameters: Mapping[str, Any] = {}) -> Any:
        """The JSON at a path. Raises `PlayerError`."""
        return self._asked("GET", path, params=dict(parameters))

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """What comes of JSON that is sent; None if that is nothing. Raises `PlayerError`."""
        return self._asked("POST", path, json=dict(content))

    def post_form(self, path: str, form: Mapping[str, Any]) -> Any:
        """What comes of a form that is sent. Raises `PlayerError`."""
        return self._asked("POST", path, data=dict(form))

    def _asked(self, method: str, path: str, **given: Any) -> Any:
        try:
            with self._client.stream(method, f"{self.url}{path}", **given) as answer:
                if answer.status_code in (401, 403):
                    raise PlayerError(f"{self.url} refuses the login, or its secret.")
                if answer.status_code == 204:
                    return None
                if answer.status_code != 200:
                    raise PlayerError(
                        f"{self.url}{path} answers with the status {answer.status_code}: check the "
                        "address and what kind of server it is."
                    )
                content = bytearray()
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > _LARGEST_ANSWER:
                        raise PlayerError(f"{self.url}{path} answers with far too much.")
            return httpx2.Response(200, content=bytes(content)).json()
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise PlayerError(f"{self.url} cannot be reached: {reason}.") from error
        except (ValueError, RecursionError) as error:
            raise PlayerError(
                f"{self.url}{path} does not answer with JSON: check what kind of server it is."
            ) from error


def checked_url(url: str) -> str:
    """An address without the slash at its end. Raises `UsageError` for what is none."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError) as error:
        raise UsageError(f"{url!r} is no address ({error}).") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UsageError(f"{url!r} is no address: it is written like http://192.168.1.2:4533.")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise UsageError("an address of a server comes without a login, '?' and '#'.")
    return url.rstrip("/")


def song_of(one: Mapping[str, Any], mbid: str) -> RemoteSong:
    """A song as Subsonic and Navidrome describe it; `mbid` is their name of the recording's id.

    Navidrome has ISRCs among its ``tags``.
    """
    tags = one.get("tags")
    return RemoteSong(
        id=one["id"],
        title=text(one.get("title")),
        artist=text(one.get("artist")),
        album=text(one.get("album")),
        path=text(one.get("path")),
        duration=number(one.get("duration")),
        recording_mbid=text(one.get(mbid)),
        isrcs=codes(one.get("isrc"), tags.get("isrc") if isinstance(tags, dict) else None),
    )


def text(value: object) -> str | None:
    """A value that must be text and is not empty; None for another."""
    return value if isinstance(value, str) and value else None


def codes(*values: object) -> tuple[str, ...]:
    """The ISRCs in texts and lists of texts."""
    lists = (value if isinstance(value, list) else [value] for value in values)
    return isrcs_in(one for of_value in lists for one in of_value if isinstance(one, str))


def number(value: object) -> float | None:
    """A value that must be a number; None for another."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]


def dicts(value: object) -> list[dict[str, Any]]:
    """The objects of a list; none of what is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def distinct(names: Iterable[RemoteName]) -> list[RemoteName]:
    """Each id of a kind once."""
    return list({(one.kind, one.remote_id): one for one in names}.values())
