"""Stored playlists as files for players."""

import re
from pathlib import PurePath
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from recommender.catalog import StoredPlaylist
from recommender.catalog.records import Track
from recommender.playlists.m3u import m3u_text, with_existing_files
from recommender.recommendation.service import SimilarityService
from recommender.server.api.common import converter_of, responses
from recommender.server.api.playlists import PlaylistId, own
from recommender.server.auth import CurrentUser
from recommender.server.state import state_of

router = APIRouter(tags=["playlists"])

_TYPE = "audio/x-mpegurl; charset=utf-8"
_NO_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


@router.get(
    "/playlists/{playlist_id}/file.m3u8",
    response_class=Response,
    responses={
        **responses(404),
        200: {"description": "The playlist.", "content": {"audio/x-mpegurl": {}}},
    },
)
async def playlist_file(request: Request, user: CurrentUser, playlist_id: PlaylistId) -> Response:
    """A playlist as extended M3U.

    Its entries are the files on the server's disk where the server is set up to show paths, else
    paths below the music folders.
    """
    shown = converter_of(request).show_paths

    def text(service: SimilarityService) -> tuple[StoredPlaylist, str]:
        playlist = own(service, user, playlist_id)
        tracks = {one.id: one for one in service.catalog.tracks(sorted({*playlist.track_ids}))}
        in_order = [tracks[id] for id in playlist.track_ids]
        if shown:
            existing = with_existing_files(service.catalog, in_order)
            return playlist, m3u_text(existing, None, playlist.name)
        return playlist, _below_folders(in_order, playlist.name)

    playlist, content = await state_of(request).run(text)
    name = _NO_NAME.sub(" ", playlist.name).strip() or "playlist"
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name[:120])}.m3u8",
    }
    return Response(content.encode("utf-8", "replace"), headers=headers, media_type=_TYPE)


def _below_folders(tracks: list[Track], title: str) -> str:
    """The playlist with each path relative to the music folder that it lies in."""
    parts = []
    for track in tracks:
        root = track.file
        for _ in PurePath(track.path).parts:
            root = root.parent
        parts.append(m3u_text([track], root).split("\n", 1)[1])
    return m3u_text([], None, title) + "".join(parts)
