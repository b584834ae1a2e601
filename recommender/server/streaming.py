"""Files of tracks, in whole or in ranges, by track id only (`open_file` says which).

A track that a cue sheet makes of a part of a file is sent as a file of its own, which players play
from its beginning to its end (`segments`).
"""

from collections.abc import Mapping
from contextlib import closing
from email.utils import formatdate
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from recommender.audio import segment_writer
from recommender.catalog.records import Track
from recommender.recommendation.service import SimilarityService
from recommender.server.answers import is_known
from recommender.server.open_file import OpenFile, open_file
from recommender.server.state import state_of
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

    state = state_of(request)

    def opened(service: SimilarityService) -> tuple[Track, OpenFile | None]:
        track = service.catalog.track(track_id)
        if track.segment:
            return track, None
        return track, open_file(track, service.catalog.libraries())

    def cut(service: SimilarityService) -> OpenFile:
        with closing(open_file(track, service.catalog.libraries())) as whole:
            return state.segment_files.opened(track, whole)

    track, file = await state.run_file(opened, lambda found: found[1] and found[1].close())
    if file is None:
        file = await state.run_segment(cut, OpenFile.close)
    kept = {"ETag": file.entity_tag, "Cache-Control": "private, no-cache", **(headers or {})}
    if is_known(file.entity_tag, request.headers.get("if-none-match")):
        file.close()
        return Response(status_code=304, headers=kept)
    name = storable(file_name_of(track))
    return _OpenFileResponse(file, media_type_of(name), name, kept, inline=inline)


def file_name_of(track: Track) -> str:
    """The name of what is sent of a track."""
    path = Path(track.path)
    if not track.segment:
        return path.name
    return f"{path.stem} {track.segment}{segment_writer.SUFFIX}"


def media_type_of(name: str) -> str:
    """The media type of a sound file, by the ending of its name."""
    return _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")


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
