"""Who may open a conversation's socket, and how the others are told."""

from uuid import uuid4

from channels.db import database_sync_to_async

from lms.asgi import application
from tenants.tokens import end_families, start_family
from tests.tutoring.live_case import PATIENCE_S, LiveCase, Socket, new_socket, opened
from tutoring.models import Message


class PageSockets(LiveCase):
    async def test_a_page_comes_with_its_cookie_and_its_origin(self):
        cookie = await database_sync_to_async(self.cookie)()
        for origin in ("http://localhost:8000", "http://127.0.0.1:8000"):
            async with opened(new_socket(self.path, cookie=cookie, origin=origin)) as socket:
                assert await socket.receive_nothing(0.03)

    async def is_let_in(self, *headers):
        """Whether a handshake with Sam's cookie and these headers is accepted."""
        cookie = await database_sync_to_async(self.cookie)()
        headers = [(name.encode(), value.encode()) for name, value in (*headers, ("cookie", cookie))]
        socket = Socket(application, self.path, headers=headers)
        is_open, _ = await socket.connect(PATIENCE_S)
        await socket.disconnect(timeout=PATIENCE_S)
        return is_open

    async def test_pages_of_other_sites_are_refused(self):
        here = ("host", "localhost:8000")
        others = [
            "https://evil.example",
            "null",
            "",
            # Cookies do not tell ports and schemes apart.
            "http://localhost:8001",
            "http://localhost",
            "http://127.0.0.1:8001",
            "https://localhost:8000",
            "ws://localhost:8000",
            # Names that only look like this one.
            "http://localhost.evil.example:8000",
            "http://evil.localhost:8000",
            "http://localhost:8000.evil.example",
            "http://localhost:8000@evil.example",
            "http://evil.example#http://localhost:8000",
            "http://evil.example/http://localhost:8000",
            "http://localhost:8000 http://evil.example",
            "//localhost:8000",
            "localhost:8000",
        ]
        assert [origin for origin in others if await self.is_let_in(here, ("origin", origin))] == []
        assert await self.is_let_in(here) is False
        ours = ("origin", "http://localhost:8000")
        assert await self.is_let_in(here, ours) is True
        assert await self.is_let_in(here, ours, ("origin", "http://evil.example")) is False

    async def test_a_host_that_is_not_ours_is_no_origin_of_ours(self):
        """A name that somebody else lets lead to this address."""
        for host in ("evil.example:8000", "evil.example", "localhost:8000@evil.example", ""):
            assert await self.is_let_in(("host", host), ("origin", f"http://{host}")) is False
        assert await self.is_let_in(("origin", "http://localhost:8000")) is False

    async def test_behind_a_proxy_the_scheme_is_what_it_says(self):
        here, ours = ("host", "learn.example"), ("origin", "https://learn.example")
        by_proxy = ("x-forwarded-proto", "https")
        with self.settings(ALLOWED_HOSTS=["learn.example"]):
            assert await self.is_let_in(here, ours, by_proxy) is False
            with self.settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
                assert await self.is_let_in(here, ours, by_proxy) is True
                assert await self.is_let_in(here, ("origin", "http://learn.example"), by_proxy) is False

    async def test_the_anonymous_are_told_to_sign_in(self):
        for cookie in ("", "sessionid=nonsense"):
            async with opened(new_socket(self.path, cookie=cookie)) as socket:
                assert await socket.closing_code() == 4401

    async def test_to_strangers_a_conversation_is_as_absent_as_one_that_is_not_there(self):
        world = self.world
        for stranger in (world.tess, world.ada, world.oona, world.platform):
            cookie = await database_sync_to_async(self.cookie)(stranger)
            async with opened(new_socket(self.path, cookie=cookie)) as socket:
                assert await socket.closing_code() == 4404
        cookie = await database_sync_to_async(self.cookie)()
        async with opened(new_socket(f"/ws/tutor/{uuid4()}/", cookie=cookie)) as socket:
            assert await socket.closing_code() == 4404

    async def test_frames_of_those_who_were_refused_are_not_read(self):
        stranger = await database_sync_to_async(self.cookie)(self.world.tess)
        for cookie in ("", stranger):
            async with opened(new_socket(self.path, cookie=cookie)) as socket:
                await socket.say(action="send", key="a-key-of-its-own", text="Why?")
                await socket.closing_code()
                await socket.wait()
                assert socket.output_queue.empty()
        assert await Message.objects.acount() == 0


class ClientSockets(LiveCase):
    async def open(self, token, *more):
        return new_socket(self.path, origin="", protocols=["colloquy.v1", f"bearer.{token}", *more])

    async def test_a_client_comes_with_its_token_and_needs_no_origin(self):
        token = await database_sync_to_async(self.token)()
        socket = await self.open(token)
        # The token is not what the server answers with.
        assert await socket.connect(20) == (True, "colloquy.v1")
        assert await socket.receive_nothing(0.03)
        await socket.disconnect()

    async def test_a_token_that_is_none_or_no_longer_one(self):
        pair = await database_sync_to_async(start_family)(self.world.sam)
        await database_sync_to_async(end_families)(self.world.sam, reason="test")
        for token in ("nonsense", "", pair.refresh_token, pair.access_token):
            async with opened(await self.open(token)) as socket:
                assert await socket.closing_code() == 4401

    async def test_a_bad_token_is_not_made_good_by_a_cookie(self):
        cookie = await database_sync_to_async(self.cookie)()
        protocols = ["colloquy.v1", "bearer.nonsense"]
        async with opened(new_socket(self.path, cookie=cookie, protocols=protocols)) as socket:
            assert await socket.closing_code() == 4401

    async def test_a_token_in_the_address_is_none(self):
        token = await database_sync_to_async(self.token)()
        for query in (f"token={token}", f"access_token={token}", f"bearer={token}"):
            async with opened(new_socket(f"{self.path}?{query}")) as socket:
                assert await socket.closing_code() == 4401
            # Neither does it stand for an origin.
            socket = new_socket(f"{self.path}?{query}", origin="")
            assert (await socket.connect(PATIENCE_S))[0] is False
            await socket.disconnect()

    async def test_a_strangers_token_opens_nothing(self):
        token = await database_sync_to_async(self.token)(self.world.tess)
        async with opened(await self.open(token)) as socket:
            assert await socket.closing_code() == 4404
