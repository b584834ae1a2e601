"""Files of tracks, in whole or in ranges, by track id only.

A file is sent if what its path leads to lies, without links, under the root of a library or under a
folder that a link led an ingest to (`Library.linked_folders`). That is checked of the file as it is
opened: what is sent is the very file that was checked, whatever happens to its path meanwhile.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from recommender.catalog import Library
from recommender.catalog.records import Track
from recommender.recommendation.service import SimilarityService
from recommender.server.answers import is_known
from recommender.server.errors import Problem
from recommender.server.state import state_of
from recommender.utils.files import real_path
from recommender.utils.names import storable

_TYPES = {
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".ape": "audio/x-ape",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mka": "audio/x-matroska",
    ".mp3": "audio/mpeg",
    ".mp4": "audio/mp4",
    ".mpc": "audio/x-musepack",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".webm": "audio/webm",
    ".wma": "audio/x-ms-wma",
    ".wv": "audio/x-wavpack",
}
"""By the ending alone; anything else is bytes, which no browser runs."""

_NO_FILE = "The file of this track cannot be had at present."
_DESCRIPTORS = Path("/dev/fd")


async def track_file_response(
    request: Request,
    track_id: int,
    *,
    headers: Mapping[str, str] | None = None,
    inline: bool = True,
) -> Response:
    """The file of a track, with ranges (RFC 9110), entity tag and time.

    Args:
        request: GET or HEAD.
        track_id: of the catalogue.
        headers: more headers of the answer.
        inline: whether browsers play it rather than save it.

    Raises:
        TrackNotFound: there is no track with this id.
        Problem: 404 where its file is missing, or does not lie where music lies.
    """

    def opened(service: SimilarityService) -> tuple[Track, "OpenFile"]:
        track = service.catalog.track(track_id)
        return track, open_file(track, service.catalog.libraries())

    track, file = await state_of(request).run_file(opened, discard=lambda found: found[1].close())
    kept = {"ETag": file.entity_tag, "Cache-Control": "private, no-cache", **(headers or {})}
    if is_known(file.entity_tag, request.headers.get("if-none-match")):
        file.close()
        return Response(status_code=304, headers=kept)
    name = storable(Path(track.path).name)
    return _OpenFileResponse(file, media_type_of(name), name, kept, inline=inline)


def media_type_of(name: str) -> str:
    """The media type of a sound file, by the ending of its name."""
    return _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")


class OpenFile:
    """A file that was opened and checked.

    Attributes:
        path: by which this very file can be opened again, as long as this one is open.
        found: what the system says of it.
    """

    def __init__(self, descriptor: int, checked: Path) -> None:
        """Takes over the descriptor."""
        self._descriptor = descriptor
        self.found = os.fstat(descriptor)
        by_descriptor = _DESCRIPTORS / str(descriptor)
        self.path = by_descriptor if by_descriptor.exists() else checked

    @property
    def entity_tag(self) -> str:
        """Of its content, as far as size and time tell."""
        version = f"{self.found.st_ino}-{self.found.st_size}-{self.found.st_mtime_ns}"
        return f'"{hashlib.blake2b(version.encode(), digest_size=12).hexdigest()}"'

    def close(self) -> None:
        """Close it; once more does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)


def open_file(track: Track, libraries: Iterable[Library]) -> OpenFile:
    """Open the file of a track, for reading.

    Raises `Problem` (404) where it is missing, no regular file, or does not lie, without links,
    where music lies.
    """
    folders = [
        folder
        for library in libraries
        for folder in (real_path(library.root), *library.linked_folders)
    ]
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(track.file, flags)
    except (OSError, ValueError):
        raise Problem(404, _NO_FILE) from None
    try:
        found = os.fstat(descriptor)
        checked = real_path(track.file)
        is_allowed = stat.S_ISREG(found.st_mode) and any(map(checked.is_relative_to, folders))
        # The path may lead elsewhere by now: only the file that lies there is sent.
        if is_allowed and os.path.samestat(found, checked.lstat()):
            return OpenFile(descriptor, checked)
    except OSError:
        pass
    os.close(descriptor)
    raise Problem(404, _NO_FILE)


class _OpenFileResponse(FileResponse):
    """Sends a file that is open, and closes it."""

    def __init__(
        self,
        file: OpenFile,
        media_type: str,
        name: str,
        headers: Mapping[str, str],
        *,
        inline: bool,
    ) -> None:
        self._file = file
        headers = {
            "Last-Modified": formatdate(max(file.found.st_mtime, 0), usegmt=True),
            "Content-Security-Policy": "sandbox",
            **headers,
        }
        super().__init__(
            file.path,
            headers=headers,
            media_type=media_type,
            filename=name,
            stat_result=file.found,
            content_disposition_type="inline" if inline else "attachment",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()
