"""The files of the page, from memory, with headers by which it can load nothing from elsewhere."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from recommender.server.answers import is_known
from recommender.server.errors import Problem

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_PACKED = (".woff2",)
"""Compressed already."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        "img-src 'self'; media-src 'self'; connect-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class PageFile:
    """A file of the page.

    Attributes:
        plain, zipped: its content; `zipped` is None where that would be no smaller.
        media_type: by its name.
        tag: entity tag.
    """

    plain: bytes
    zipped: bytes | None
    media_type: str
    tag: str


@lru_cache(maxsize=1)
def page_files() -> dict[str, PageFile]:
    """The files of the page by name."""
    return {
        one.name: _file_of(one.name, one.read_bytes())
        for one in (files(__package__) / "built").iterdir()
        if one.is_file()
    }


def _file_of(name: str, content: bytes) -> PageFile:
    ending = name[name.rfind(".") :]
    zipped = None if ending in _PACKED else gzip.compress(content, mtime=0)
    digest = hashlib.blake2b(content, digest_size=12).hexdigest()
    media_type = _TYPES.get(ending, "application/octet-stream")
    return PageFile(content, zipped, media_type, f'W/"{digest}"')


@router.get("/web/{name}")
async def page_file(request: Request, name: str) -> Response:
    """A file that the page consists of."""
    return file_response(request, name)


def front_page(request: Request) -> Response:
    """The page itself; below a base path without its last slash, where it is with it."""
    if request.scope["path"] == request.scope.get("root_path"):
        return RedirectResponse(f"{request.scope['root_path']}/")
    return file_response(request, "index.html")


def file_response(request: Request, name: str) -> Response:
    """A file of the page, or 304. Raises `Problem` (404)."""
    file = page_files().get(name)
    if file is None:
        raise Problem(404, "There is no such file.")
    headers = {**_HEADERS, "ETag": file.tag}
    if is_known(file.tag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    if file.zipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.zipped, headers=headers, media_type=file.media_type)
    return Response(file.plain, headers=headers, media_type=file.media_type)
