"""Replies of other processes, followed through a real Redis: the row has all of it, the relay only has it sooner."""

import asyncio
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async

from tests.faults.rig import Redis
from tests.tutoring.live_case import PATIENCE_S, LiveCase, texts
from tests.tutoring.scenes import ask, end, save
from tutoring import relay
from tutoring.actions.recovery import read_reply
from tutoring.live import LiveReply
from tutoring.runner import runner

LONG_S = 600


class ThroughRedis(LiveCase):
    """The other process is a `LiveReply` whose generation has another owner than this one."""

    def setUp(self):
        super().setUp()
        if shutil.which("redis-server") is None:
            reason = "redis-server is not installed (Debian: apt install redis-server)"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
        self.redis = Redis(Path(self.enterContext(TemporaryDirectory())))
        self.redis.start()
        self.addCleanup(self.redis.stop)
        layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [self.redis.url]}}
        self.enterContext(self.settings(REDIS_URL=self.redis.url, CHANNEL_LAYERS={"default": layer}))

    async def begun(self):
        sent = await database_sync_to_async(ask)(self.world, self.session)
        self.elsewhere = LiveReply()
        publishing = asyncio.create_task(relay.publish(sent.generation, sent.university, self.elsewhere))
        self.addCleanup(publishing.cancel)
        return sent

    async def test_text_comes_before_the_row_has_it(self):
        with patch("tutoring.mirror.POLL_EVERY_S", LONG_S):
            sent = await self.begun()
            self.elsewhere.append("Samples 🧠 ")
            assert await database_sync_to_async(save)(sent, "Samples 🧠 ")
            events = runner.follow(sent.generation, 0, university=sent.university, pages=False)
            got = [await anext(events)]
            coming = asyncio.create_task(anext(events))
            async with asyncio.timeout(PATIENCE_S):
                # More and more, until the reader listens: what was published before goes nowhere.
                while not coming.done():
                    self.elsewhere.append("vary and ")
                    await asyncio.wait({coming}, timeout=0.05)
                    await database_sync_to_async(save)(sent, self.elsewhere.text_from(0))
            got.append(await coming)
            self.elsewhere.append("vary.")
            whole = self.elsewhere.text_from(0)
            async with asyncio.timeout(PATIENCE_S):
                while len(texts(got)) < len(whole):
                    got.append(await anext(events))
            assert texts(got) == whole
            assert await database_sync_to_async(end)(sent, whole)
            self.elsewhere.end(await self.ending(sent))
            async with asyncio.timeout(PATIENCE_S):
                assert (await anext(events))["state"] == "complete"
            await events.aclose()

    async def test_what_the_relay_loses_is_read_from_the_row(self):
        with patch("tutoring.mirror.POLL_EVERY_S", 0.05):
            sent = await self.begun()
            assert await database_sync_to_async(save)(sent, "Samples ")
            events = runner.follow(sent.generation, 0, university=sent.university, pages=False)
            got = [await anext(events)]
            await asyncio.to_thread(self.redis.stop)
            self.elsewhere.append("Samples vary ")
            assert await database_sync_to_async(save)(sent, "Samples vary ")
            async with asyncio.timeout(PATIENCE_S):
                got.append(await anext(events))
            await asyncio.to_thread(self.redis.start)
            self.elsewhere.append("a lot.")
            assert await database_sync_to_async(end)(sent, "Samples vary a lot.")
            async with asyncio.timeout(PATIENCE_S):
                got += [event async for event in events]
            assert (texts(got), got[-1]["state"]) == ("Samples vary a lot.", "complete")

    async def ending(self, sent):
        return (await database_sync_to_async(read_reply)(sent.generation, sent.university)).ending


class Apart(LiveCase):
    async def test_each_university_hears_its_own(self):
        generation, ids = uuid4(), [self.world.north.pk, self.world.south.pk]
        replies = [saying("North's."), saying("South's.")]
        async with (
            asyncio.timeout(PATIENCE_S),
            relay.listening(generation, ids[0]) as north,
            relay.listening(generation, ids[1]) as south,
        ):
            # Again and again, until both listen: what was published before goes nowhere.
            while north.empty() or south.empty():
                publishing = [
                    asyncio.create_task(relay.publish(generation, university, reply))
                    for university, reply in zip(ids, replies, strict=True)
                ]
                await asyncio.wait(publishing, timeout=0.02)
                for each in publishing:
                    each.cancel()
            heard = [{inbox.get_nowait()["text"] for _ in range(inbox.qsize())} for inbox in (north, south)]
        assert heard == [{"North's."}, {"South's."}]


def saying(text):
    reply = LiveReply()
    reply.append(text)
    return reply
