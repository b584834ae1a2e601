"""Answers in JSON with entity tags (RFC 9110), made in a thread."""

import hashlib
from collections.abc import Callable, Mapping

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from recommender.catalog import Catalog
from recommender.recommendation.service import SimilarityService
from recommender.server.state import state_of
from recommender.version import __version__

Work = Callable[[SimilarityService], BaseModel]
"""Makes the body of an answer; runs in a thread."""

_CACHE = "private, no-cache"
"""Clients may keep an answer, and ask each time whether it still holds."""


async def answer(
    request: Request,
    work: Work,
    *,
    user: str = "",
    uses_index: bool = False,
    uses_library: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """What `work` makes, or 304 where the client has it already.

    Args:
        request: a GET.
        work: must depend on the catalogue and its lists, the address of the request and `user`
            alone.
        user: whose answer it is.
        uses_index: whether it is made with the index, which may be of a former state.
        uses_library: whether it is made with `ServerState.music_library`, which may be so, too.
        headers: more headers of the answer.
    """

    def version(service: SimilarityService) -> str:
        of_index = service.state().revision if uses_index else ""
        space = str(service.catalog_index.space) if uses_index else ""
        catalog = service.catalog
        of_library = state_of(request).music_library(catalog).state if uses_library else ""
        return _entity_tag(request, catalog, user, of_index, space, of_library)

    def made(service: SimilarityService) -> Response:
        tag = version(service)
        kept = {"ETag": tag, "Cache-Control": _CACHE, **(headers or {})}
        if is_known(tag, request.headers.get("if-none-match")):
            return Response(status_code=304, headers=kept)
        content = work(service).model_dump_json()
        if version(service) != tag:
            del kept["ETag"]  # which of the two states it was made of is not known
        return Response(content, media_type="application/json", headers=kept)

    return await state_of(request).run(made)


async def made(request: Request, work: Work, status: int = 200, **headers: str) -> Response:
    """What `work` makes, for this request alone."""

    def answered(service: SimilarityService) -> str:
        return work(service).model_dump_json()

    content = await state_of(request).run(answered)
    return json_response(content, status, headers)


def json_response(
    content: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON that no cache keeps."""
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(content, status, headers=kept, media_type="application/json")


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether an ``If-None-Match`` names this entity tag, by weak comparison."""
    if not if_none_match:
        return False
    given = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return "*" in given or tag.removeprefix("W/") in given


def _entity_tag(request: Request, catalog: Catalog, *made_with: object) -> str:
    """The tag of the answer to a request, by the catalogue and what else it is made with."""
    state = catalog.state()
    parts = (
        __version__,
        state.catalog,
        state.revision,
        catalog.lists_revision(),
        state_of(request).settings.show_paths,
        request.url.path,
        request.url.query,
        made_with,
    )
    digest = hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=12)
    return f'W/"{digest.hexdigest()}"'
