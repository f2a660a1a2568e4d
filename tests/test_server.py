"""The real server: what it refuses of a socket before the application sees it, and what it writes down of it."""

import asyncio
import io
import json
import logging
from contextlib import asynccontextmanager
from unittest.mock import patch

import pytest
from channels.db import database_sync_to_async
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lms.logs import logging_settings
from lms.server import server_for
from tests.tutoring.live_case import PATIENCE_S, LiveCase

LONGEST = 65_536
TOO_LONG = 1009


class ServerCase(LiveCase):
    def setUp(self):
        super().setUp()
        self.enterContext(patch("tenants.readiness._going_away", False))
        self.sams_cookie = self.cookie()

    @asynccontextmanager
    async def serving(self):
        """On a port of its own, which is `self.port`."""
        server = server_for("127.0.0.1", 0)
        running = asyncio.create_task(server.serve())
        async with asyncio.timeout(PATIENCE_S):
            while not server.started:  # noqa: ASYNC110 # uvicorn has no event for it
                await asyncio.sleep(0.01)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.should_exit = True
            await running

    def page(self, query="", origin="", **options):
        headers = {"Cookie": self.sams_cookie}
        address = f"ws://127.0.0.1:{self.port}{self.path}{query}"
        return connect(
            address, origin=origin or f"http://127.0.0.1:{self.port}", additional_headers=headers, proxy=None, **options
        )

    async def code_for(self, socket):
        """What a frame that is none of ours is answered with."""
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await socket.recv())["code"]


class LongFrames(ServerCase):
    async def closing_code_after(self, *pieces):
        async with self.page() as socket:
            await socket.send(list(pieces) if len(pieces) > 1 else pieces[0])
            with pytest.raises(ConnectionClosed) as closed:
                await self.code_for(socket)
            return closed.value.rcvd.code

    async def test_the_longest_is_read_and_longer_ones_close_their_socket_alone(self):
        # Nothing goes wrong in the process meanwhile.
        self.enterContext(self.assertNoLogs("uvicorn.error", "WARNING"))
        async with self.serving(), self.page() as other:
            await other.send("x" * LONGEST)
            assert await self.code_for(other) == "bad_frame"
            assert [
                await self.closing_code_after("x" * (LONGEST + 1)),
                await self.closing_code_after(b"x" * (LONGEST + 1)),
                await self.closing_code_after("ä" * (LONGEST // 2 + 1)),
                await self.closing_code_after("x" * LONGEST, "x"),
            ] == [TOO_LONG] * 4
            await other.send("still here")
            assert await self.code_for(other) == "bad_frame"
        assert await self.said() == []

    async def test_a_length_that_is_only_claimed_is_not_waited_for(self):
        async with self.serving(), self.page() as socket:
            # A text frame of 4 EiB, of which nothing but the head comes.
            socket.transport.write(b"\x81\xff" + (2**62).to_bytes(8, "big") + b"mask")
            with pytest.raises(ConnectionClosed) as closed:
                await self.code_for(socket)
        assert closed.value.rcvd.code == TOO_LONG


class Origins(ServerCase):
    async def test_only_a_page_of_this_very_address_is_accepted(self):
        async with self.serving():
            for origin in (f"http://127.0.0.1:{self.port + 1}", f"https://127.0.0.1:{self.port}", "null"):
                with pytest.raises(InvalidStatus) as refused:
                    await self.page(origin=origin)
                assert refused.value.response.status_code == 403, origin
            async with self.page() as socket:
                await socket.send("{}")
                assert await self.code_for(socket) == "bad_frame"


class Lines(ServerCase):
    @asynccontextmanager
    async def log(self, level):
        """What the site's own configuration writes at this level."""
        settings = logging_settings(level, "json")
        formatter = settings["formatters"]["structured"]
        handler = logging.StreamHandler(io.StringIO())
        handler.setFormatter(formatter.pop("()")(**formatter))
        loggers = {"": {"level": level}, **settings["loggers"]}
        before = {name: logging.getLogger(name).level for name in loggers}
        logging.getLogger().addHandler(handler)
        for name, logger in loggers.items():
            logging.getLogger(name).setLevel(logger["level"])
        try:
            yield handler.stream
        finally:
            logging.getLogger().removeHandler(handler)
            for name, previous in before.items():
                logging.getLogger(name).setLevel(previous)

    async def test_no_line_holds_a_token_or_a_cookie(self):
        token = await database_sync_to_async(self.token)()
        for level in ("INFO", "DEBUG"):
            async with self.log(level) as lines, self.serving():
                async with self.page(f"?token={token}"):
                    pass
                async with self.page(subprotocols=["colloquy.v1", f"bearer.{token}"]):
                    pass
                with pytest.raises(InvalidStatus):
                    await self.page(f"?token={token}", origin="https://evil.example")
            server_side = [
                line for line in map(json.loads, lines.getvalue().splitlines()) if line["logger"] != "websockets.client"
            ]
            written = json.dumps(server_side)
            assert f"{self.path}?token=[token]" in written
            assert [secret for secret in (token, self.sams_cookie) if secret in written] == [], level
