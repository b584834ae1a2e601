"""Connections that send the head of a request too slowly, or nothing at all, are closed."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


def h11_protocol(head_s: float) -> type[H11Protocol]:
    """uvicorn's protocol with a time limit for the head of each request.

    Between requests its own limit for idle connections holds.
    """

    class TimedProtocol(H11Protocol):
        """Closes the connection where no whole head has come in time."""

        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            """Begin to wait for the first request."""
            super().connection_made(transport)
            self._timer = self.loop.call_later(head_s, self._give_up)

        def data_received(self, data: bytes) -> None:
            """Stop waiting once a head is there; begin when part of the next one comes."""
            super().data_received(data)
            if self._awaits_head():
                if self._timer is None:
                    self._timer = self.loop.call_later(head_s, self._give_up)
            else:
                self._stop_waiting()

        def connection_lost(self, exc: Exception | None) -> None:
            """Stop waiting."""
            self._stop_waiting()
            super().connection_lost(exc)

        def _awaits_head(self) -> bool:
            # No request yet, or the answer to the last one is complete.
            return self.cycle is None or self.cycle.response_complete

        def _stop_waiting(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _give_up(self) -> None:
            self._timer = None
            if self._awaits_head() and not self.transport.is_closing():
                self.transport.close()

    return TimedProtocol
