"""How many connections are open, and for how long they may keep the server waiting."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from recommender.server.settings import BYTES_A_SECOND, ServerLimits

_PATIENCE_S = 1.0
"""Where all connections are taken, one that keeps the server waiting for longer makes room."""

_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


def h11_protocol(limits: ServerLimits) -> type[H11Protocol]:
    """uvicorn's protocol with limits of connections, and of the time that clients take.

    A request's head must have come after `ServerLimits.head_s`; between requests uvicorn's own
    limit for idle connections holds. What is sent must be read: a client that reads nothing for
    `ServerLimits.send_s` is given up. Where all connections are taken, the one that has kept the
    server waiting longest for a request, or the rest of one, makes room for the next; where none
    does, the next is refused. One address gets half of the connections.
    """

    class LimitedProtocol(H11Protocol):
        """Closes connections that are one too many, or too slow."""

        _timer: asyncio.TimerHandle | None = None
        _reading: asyncio.TimerHandle | None = None
        _waits_since = 0.0
        _received = 0

        def connection_made(self, transport: Any) -> None:
            """Begin to wait for the first request, if there is room."""
            super().connection_made(transport)
            self._wait_anew()
            if self._make_room():
                self._timer = self.loop.call_later(limits.head_s, self._give_up)
            else:
                self.connections.discard(self)
                transport.write(_REFUSAL)
                transport.close()

        def data_received(self, data: bytes) -> None:
            """Stop waiting once a head is there; begin when part of the next one comes."""
            was_head = self._awaits_head()
            super().data_received(data)
            if self._awaits_head():
                if self._timer is None:
                    self._timer = self.loop.call_later(limits.head_s, self._give_up)
                return
            self._stop_waiting()
            self._received += len(data)
            if was_head:
                self._wait_anew()

        def on_response_complete(self) -> None:
            """Begin to wait for the next request."""
            super().on_response_complete()
            self._wait_anew()

        def pause_writing(self) -> None:
            """Begin to wait until the client reads."""
            super().pause_writing()
            self._reading = self.loop.call_later(limits.send_s, self.transport.abort)

        def resume_writing(self) -> None:
            """The client reads."""
            super().resume_writing()
            self._stop_reading()

        def connection_lost(self, exc: Exception | None) -> None:
            """Stop waiting."""
            self._stop_waiting()
            self._stop_reading()
            super().connection_lost(exc)

        def lag(self) -> float:
            """Seconds for which the client keeps the server waiting; a body gains time by coming.

            0 while the server has all that it needs.
            """
            if not self._awaits_head() and (not self.cycle.more_body or self.flow.read_paused):
                return 0.0
            waited = self.loop.time() - self._waits_since
            return max(waited - self._received / BYTES_A_SECOND, 0.0)

        def _make_room(self) -> bool:
            """Whether there is room for this connection; the slowest one may be ended for that."""
            address = self.client and self.client[0]
            others: list[Any] = [one for one in self.connections if one is not self]
            of_same = [one for one in others if one.client and one.client[0] == address]
            if 2 * len(of_same) >= limits.connections:
                others = of_same
            elif len(others) < limits.connections:
                return True
            slowest = max(others, key=lambda one: one.lag())
            if slowest.lag() < _PATIENCE_S:
                return False
            self.connections.discard(slowest)
            slowest.transport.abort()
            return True

        def _wait_anew(self) -> None:
            self._waits_since, self._received = self.loop.time(), 0

        def _awaits_head(self) -> bool:
            # No request yet, or the answer to the last one is complete.
            return self.cycle is None or self.cycle.response_complete

        def _stop_waiting(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _stop_reading(self) -> None:
            if self._reading is not None:
                self._reading.cancel()
                self._reading = None

        def _give_up(self) -> None:
            self._timer = None
            if self._awaits_head() and not self.transport.is_closing():
                self.transport.close()

    return LimitedProtocol
