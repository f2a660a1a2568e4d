"""A process that is told to go: nothing new, readers sent away with what there is, replies ended."""

import asyncio
import threading
from functools import partial
from unittest.mock import patch

from channels.db import database_sync_to_async
from django.test import Client

from tests.fakes.claude import Answer, Gate
from tests.tutoring.live_case import (
    PATIENCE_S,
    EventStream,
    LiveCase,
    ended,
    happens,
    new_socket,
    opened,
    reached,
    texts,
)
from tests.tutoring.scenes import ask, save
from tutoring.errors import BadQuestion
from tutoring.errors import Draining as Restarting
from tutoring.runner import runner

WORDS = ["Samples ", "vary."]


class Draining(LiveCase):
    def setUp(self):
        super().setUp()
        self.enterContext(patch("tenants.readiness._going_away", False))

    async def events_of(self, sent, after=0):
        async with asyncio.timeout(PATIENCE_S):
            following = runner.follow(sent.generation, after, university=sent.university, pages=False)
            return [event async for event in following]

    async def test_a_reply_may_end_and_its_readers_come_back_for_it(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=1))
        sent = await self.send()
        await reached(gate)
        reading = asyncio.create_task(self.events_of(sent))
        going = asyncio.create_task(runner.drain(PATIENCE_S))
        assert await reading == [
            {"event": "delta", "from": 0, "text": "Samples "},
            {"event": "restart", "retry_ms": 1000},
        ]
        # Who comes back too early is sent away again, and is given nothing twice.
        assert await self.events_of(sent, 8) == [{"event": "restart", "retry_ms": 1000}]
        gate.release()
        await going
        assert await self.row(sent) == ("complete", "Samples vary.", "")
        events = await self.events_of(sent, 8)
        assert (texts(events), events[-1]["state"]) == ("vary.", "complete")

    async def test_what_does_not_end_in_time_is_interrupted_with_its_text(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=1))
        sent = await self.send()
        await reached(gate)
        await runner.drain(0.01)
        assert await self.row(sent) == ("failed", "Samples ", "interrupted")

    async def test_nothing_new_is_taken(self):
        await runner.drain(1)
        token = await database_sync_to_async(self.token)()
        stream = EventStream(
            "POST",
            f"/chat/sessions/{self.session.pk}/messages",
            token=token,
            body={"text": "Why?"},
            idempotency_key="a-key-of-its-own",
        )
        status, headers = await stream.open()
        assert (status, headers["retry-after"]) == (503, "5")
        cookie = await database_sync_to_async(self.cookie)()
        async with opened(new_socket(self.path, cookie=cookie)) as socket:
            await socket.say(action="send", key="a-key-of-its-own", text="Why?")
            refusal = await socket.hear()
        assert (refusal["event"], refusal["code"], refusal["key"]) == ("error", "restarting", "a-key-of-its-own")
        ready = await database_sync_to_async(Client().get)("/readyz")
        assert (ready.status_code, ready.content) == (503, b"going away\n")
        assert (await self.said(), self.claude.requests) == ([], [])

    async def test_a_question_that_waits_its_turn_is_not_taken_any_more(self):
        storing, go_on = threading.Event(), threading.Event()

        def hold():
            storing.set()
            assert go_on.wait(PATIENCE_S)
            raise BadQuestion

        with patch("tutoring.runner.SENDS_AT_ONCE", 1):
            first = asyncio.create_task(runner.send(hold))
            await happens(storing)
        waiting = asyncio.create_task(runner.send(partial(ask, self.world, self.session)))
        await asyncio.sleep(0)
        going = asyncio.create_task(runner.drain(PATIENCE_S))
        await asyncio.sleep(0)
        go_on.set()
        ends = await asyncio.gather(first, waiting, return_exceptions=True)
        assert [type(end) for end in ends] == [BadQuestion, Restarting]
        await going
        assert await self.said() == []

    async def test_readers_of_other_processes_replies_are_sent_away_too(self):
        sent = await database_sync_to_async(ask)(self.world, self.session)
        assert await database_sync_to_async(save)(sent, "Samples ")
        events = runner.follow(sent.generation, 0, university=sent.university, pages=False)
        assert await anext(events) == {"event": "delta", "from": 0, "text": "Samples "}
        coming = asyncio.create_task(anext(events))
        await runner.drain(1)
        assert await coming == {"event": "restart", "retry_ms": 1000}
        await events.aclose()

    async def test_going_twice_is_going_once(self):
        self.claude.will(Answer(WORDS))
        sent = await self.send()
        await asyncio.gather(runner.drain(PATIENCE_S), runner.drain(PATIENCE_S))
        await ended(sent.generation)
        assert await self.row(sent) == ("complete", "Samples vary.", "")
