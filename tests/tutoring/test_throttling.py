"""Too many questions in a minute: refused in the same words on each of the ways, before anything is stored."""

import re
from typing import Any
from uuid import uuid4

from channels.db import database_sync_to_async

from tenants.models import RateWindow
from tests.tutoring.live_case import LiveCase, new_socket, opened
from tutoring.models import Message

SENTENCE = re.compile(
    r"Only 1 (\w+) per minute are taken from one (account|network address)\. Please try again in \d+ seconds\."
)


class Throttling(LiveCase):
    def setUp(self) -> None:
        super().setUp()
        self.limit(user=1, address=1000)

    def limit(self, *, user: int, address: int) -> None:
        self.enterContext(
            self.settings(TUTOR_SENDS_PER_MINUTE_PER_USER=user, TUTOR_SENDS_PER_MINUTE_PER_ADDRESS=address)
        )

    async def post(self, **headers: str) -> Any:
        """One question through the API; its stream is read to the end."""
        token = await database_sync_to_async(self.token)()
        answer = await self.async_client.post(
            f"/api/v1/chat/sessions/{self.session.pk}/messages",
            {"text": "Why?"},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4()), **headers},
        )
        if answer.streaming:
            async for _ in answer.streaming_content:
                pass
        return answer

    async def renewal(self) -> str:
        return (
            await RateWindow.objects.aget(key=f"platform.sends_per_minute.user.{self.world.sam.pk}")
        ).ends_at.isoformat()

    async def test_through_the_api(self) -> None:
        await self.answered()
        answer = await self.post()
        body = answer.json()
        assert (answer.status_code, body) == (
            429,
            {
                "detail": body["detail"],
                "code": "too_many_requests",
                "limit": "sends_per_minute_user",
                "renews_at": await self.renewal(),
            },
        )
        assert SENTENCE.fullmatch(body["detail"])
        assert f"in {answer['Retry-After']} seconds" in body["detail"]
        assert len(await self.said()) == 2

    async def test_on_the_socket(self) -> None:
        await self.answered()
        async with opened(new_socket(self.path, cookie=await database_sync_to_async(self.cookie)())) as socket:
            await socket.say(action="send", key="again-and-again", text="Why?")
            frame = await socket.hear()
        assert frame == {
            "event": "error",
            "code": "too_many_requests",
            "detail": frame["detail"],
            "limit": "sends_per_minute_user",
            "renews_at": await self.renewal(),
            "key": "again-and-again",
        }
        assert SENTENCE.fullmatch(frame["detail"])
        assert len(await self.said()) == 2

    async def test_on_a_page_without_a_script(self) -> None:
        await self.answered()
        await self.async_client.aforce_login(self.world.sam)
        form = {"key": str(uuid4()), "text": "My words are kept."}
        page = await self.async_client.post(f"/north/tutor/{self.session.pk}/ask/", form)
        assert (page.status_code, bool(SENTENCE.search(page.text)), "My words are kept." in page.text) == (
            429,
            True,
            True,
        )
        assert await Message.objects.acount() == 2

    async def test_a_forwarded_address_buys_nothing(self) -> None:
        self.limit(user=1000, address=1)
        first = await self.post(**{"X-Forwarded-For": "198.51.100.1"})
        second = await self.post(**{"X-Forwarded-For": "198.51.100.2"})
        assert (first.status_code, second.status_code, second.json()["limit"]) == (200, 429, "sends_per_minute_address")

    async def test_the_socket_counts_against_the_same_address(self) -> None:
        self.limit(user=1000, address=1)
        assert (await self.post()).status_code == 200
        socket = new_socket(self.path, cookie=await database_sync_to_async(self.cookie)())
        socket.scope["client"] = ["127.0.0.1", 50_000]
        async with opened(socket) as opening:
            await opening.say(action="send", key="again-and-again", text="Why?")
            assert (await opening.hear())["limit"] == "sends_per_minute_address"
