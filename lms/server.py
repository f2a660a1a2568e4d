"""The web server as this product needs it: uvicorn, which leaves its readers a way back when it is told to go."""

import asyncio
import sys
from types import FrameType
from typing import Any

import uvicorn
from django.conf import settings

# For requests that are no streams; those end on the signal itself.
LAST_REQUESTS_S = 5


class DrainingServer(uvicorn.Server):
    """On SIGTERM and SIGINT it serves on until the replies that it makes have ended, TUTOR_DRAIN_S at most.

    Meanwhile /readyz says 503, new questions are refused with 503, and readers are told to come back. A second signal
    does not wait. The exit code is 0, since going when told to is no failure.
    """

    _loop: asyncio.AbstractEventLoop | None = None
    _draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: Any = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._loop is None or self._draining is not None or not self.started:
            self.force_exit = self.should_exit
            self.should_exit = True
        else:
            self._loop.call_soon_threadsafe(self._begin_to_go)

    def _begin_to_go(self) -> None:
        if self._draining is None:
            self._draining = asyncio.create_task(self._go())

    async def _go(self) -> None:
        from tutoring.runner import runner

        try:
            await runner.drain(settings.TUTOR_DRAIN_S)
        finally:
            self.should_exit = True


def server_for(host: str, port: int) -> DrainingServer:
    config = uvicorn.Config(
        "lms.asgi:application",
        host=host,
        port=port,
        lifespan="on",
        log_config=None,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=settings.MAX_FRAME_BYTES,
        # Who asked is decided by this site's own settings, not by a header that anybody can send.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=LAST_REQUESTS_S,
    )
    return DrainingServer(config)


def serve(host: str, port: int) -> None:
    """Blocks until it is told to go. Exits with 3 where it could not start: the log says why."""
    server = server_for(host, port)
    server.run()
    if not server.started:
        sys.exit(3)
