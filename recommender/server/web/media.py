"""Sounds and pictures for elements of the page, which can send no header with a secret.

The page proves who it is once, by its header, and gets a cookie that scripts cannot read, that goes
to the routes of this module alone, and to none where another site sends the browser here. All that
it opens is reading sounds and pictures. It names a user and a time, signed with a key of this
process: after a restart the page asks for another one.
"""

import time

from fastapi import APIRouter, Request
from fastapi.responses import Response

from recommender.catalog.list_records import DEFAULT_USER
from recommender.server.api.common import responses
from recommender.server.api.covers import cover_response
from recommender.server.api.models import TrackId
from recommender.server.auth import CurrentUser, current_user, refuse_foreign, secret_of
from recommender.server.errors import Problem
from recommender.server.media_key import VALID_S
from recommender.server.state import state_of
from recommender.server.streaming import track_file_response
from recommender.server.users import User

COOKIE = "recsys-media"
_PATH = "/web/media"
_FOREIGN = ("cross-site", "same-site")

router = APIRouter(prefix=_PATH, include_in_schema=False)
session_router = APIRouter(tags=["web page"])


@session_router.post("/media-session", status_code=204, responses=responses())
async def open_media_session(request: Request, user: CurrentUser) -> Response:
    """Let elements of the web page load sounds and pictures for some hours, by a cookie."""
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    state = state_of(request)
    if state.requires_auth:
        response.set_cookie(
            COOKIE,
            state.media_key.signed(_signed_for(state.users.named(user)), time.time()),
            max_age=VALID_S,
            path=f"{request.scope.get('root_path', '')}{_PATH}",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
    return response


@router.get("/{track_id}/file")
async def media_file(request: Request, track_id: TrackId) -> Response:
    """The file of a track, or a range of it."""
    await media_user(request)
    return await track_file_response(request, track_id)


@router.get("/{track_id}/cover")
async def media_cover(request: Request, track_id: TrackId) -> Response:
    """The picture of a track; nothing where there is none, which is no fault."""
    await media_user(request)
    try:
        return await cover_response(request, track_id)
    except Problem as problem:
        if problem.status != 404:
            raise
        return Response(status_code=204, headers={"Cache-Control": "private, max-age=3600"})


async def media_user(request: Request) -> str:
    """Who loads it. Raises `Problem`: 401 for nobody known, 403 for what another site embeds."""
    state = state_of(request)
    if request.headers.get("sec-fetch-site") in _FOREIGN:
        raise Problem(403, "This web page may not use the server.")
    if not state.requires_auth:
        refuse_foreign(request)
        return DEFAULT_USER
    if secret_of(request):
        return await current_user(request)
    signed = state.media_key.user_of(request.cookies.get(COOKIE, ""), time.time()) or ""
    user = state.users.named(signed.partition("|")[0])
    if user is None or signed != _signed_for(user):
        raise Problem(401, "An API key or token is needed.")
    return user.name


def _signed_for(user: User | None) -> str:
    """The user and its secrets: who is removed, and added with others, needs a new cookie."""
    return "" if user is None else f"{user.name}|{user.token_digest[:16]}"
