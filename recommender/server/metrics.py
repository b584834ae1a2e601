"""Counts for Prometheus."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = CONTENT_TYPE_LATEST

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        """Start at zero."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "recsys_requests",
            "Requests by route, method and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "recsys_request_seconds",
            "Seconds until the head of the answer was sent, by route.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.open = Gauge("recsys_requests_open", "Requests at work.", registry=self.registry)
        self.tracks = Gauge(
            "recsys_tracks", "Tracks that can be recommended.", registry=self.registry
        )
        self.waiting = Gauge(
            "recsys_pool_pending",
            "Work that waits or runs, by pool.",
            ("pool",),
            registry=self.registry,
        )
        self.ingests = Gauge(
            "recsys_ingests", "Ingests by state.", ("state",), registry=self.registry
        )

    def text(self) -> bytes:
        """The figures as OpenMetrics text."""
        text: bytes = generate_latest(self.registry)  # type: ignore[no-untyped-call]
        return text


class MetricsMiddleware:
    """Counts requests by the route that answered, never by the path that was sent."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Before `app`."""
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        answered_after: float | None = None

        async def send_noting(message: Message) -> None:
            nonlocal status, answered_after
            if message["type"] == "http.response.start":
                status = message["status"]
                answered_after = time.perf_counter() - started
            await send(message)

        self._metrics.open.inc()
        try:
            await self.app(scope, receive, send_noting)
        finally:
            self._metrics.open.dec()
            route = _route_of(scope)
            method = scope["method"] if scope["method"] in _METHODS else "(other)"
            self._metrics.requests.labels(route, method, str(status)).inc()
            if answered_after is not None:
                self._metrics.seconds.labels(route).observe(answered_after)


def _route_of(scope: Scope) -> str:
    """The path of the route that answered, with its prefixes and the names of its parameters."""
    included = scope.get("fastapi", {}).get("effective_route_context")  # of a router in a router
    path: str = getattr(included or scope.get("route"), "path", "(none)")
    return path


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
