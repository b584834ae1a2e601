"""Serving below a path, behind a proxy that strips it or one that does not."""

from starlette.types import ASGIApp, Receive, Scope, Send


class BasePath:
    """Takes requests with the path before them, and without."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        """Before `app`; `path` is such as ``/recsys``."""
        self.app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as ASGI has it: the whole path, and which part of it is the base."""
        if scope["type"] == "http":
            path = scope["path"]
            if path != self._path and not path.startswith(f"{self._path}/"):
                path = f"{self._path}{path}"
            scope = {**scope, "path": path, "root_path": self._path}
        await self.app(scope, receive, send)
