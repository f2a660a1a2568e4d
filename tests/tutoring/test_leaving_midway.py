"""What must hold when somebody signs out, goes away or comes again at an awkward moment."""

import asyncio
import threading
from functools import partial
from unittest.mock import patch
from uuid import uuid4

from asgiref.sync import ThreadSensitiveContext
from channels.db import database_sync_to_async
from django.contrib.sessions.models import Session
from django.db import OperationalError

from tenants.tokens import end_family
from tests.tutoring.live_case import LiveCase, new_socket, opened
from tests.tutoring.scenes import ask
from tutoring import production
from tutoring.actions import generations
from tutoring.models import Generation
from tutoring.runner import OWNER, runner

QUESTION = {"action": "send", "key": "a-key-of-its-own", "text": "Why?"}


class OpenSockets(LiveCase):
    async def test_a_page_that_has_signed_out_asks_no_more(self):
        cookie = await database_sync_to_async(self.cookie)()
        async with opened(new_socket(self.path, cookie=cookie)) as socket:
            await Session.objects.all().adelete()
            await socket.say(**QUESTION)
            assert await socket.closing_code() == 4401
        assert await self.said() == []

    async def test_a_page_with_yesterdays_password_asks_no_more(self):
        cookie = await database_sync_to_async(self.cookie)()
        async with opened(new_socket(self.path, cookie=cookie)) as socket:
            self.world.sam.set_password("another long password")
            await self.world.sam.asave()
            await socket.say(**QUESTION)
            assert await socket.closing_code() == 4401
        assert await self.said() == []

    async def test_a_client_that_has_signed_out_asks_no_more(self):
        token = await database_sync_to_async(self.token)()
        async with opened(new_socket(self.path, origin="", protocols=["colloquy.v1", f"bearer.{token}"])) as socket:
            await database_sync_to_async(end_family)(token)
            await socket.say(**QUESTION)
            assert await socket.closing_code() == 4401
        assert await self.said() == []

    async def test_an_address_that_is_none_is_refused_in_order(self):
        cookie = await database_sync_to_async(self.cookie)()
        for path in ("/ws/tutor/no-uuid/", "/ws/", "/nowhere/"):
            async with opened(new_socket(path, cookie=cookie)) as socket:
                assert await socket.closing_code() == 4404


class Sends(LiveCase):
    async def test_who_leaves_while_the_question_is_stored_is_answered_all_the_same(self):
        storing, go_on = threading.Event(), threading.Event()

        def store():
            storing.set()
            assert go_on.wait(20)
            return ask(self.world, self.session, owner=OWNER)

        request = asyncio.create_task(runner.send(store))
        await asyncio.to_thread(storing.wait, 20)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        go_on.set()
        await self.upstream()
        await runner.wait_ended((await Generation.objects.aget()).pk, self.world.north.pk)
        assert [row[:2] for row in await self.said()] == [("user", "complete"), ("assistant", "complete")]

    async def test_a_request_that_django_cancels_is_answered_all_the_same(self):
        """Django runs a request's threads in a context that ends with it, and waits for what runs there."""
        storing, go_on = threading.Event(), threading.Event()

        def store():
            storing.set()
            assert go_on.wait(20)
            return ask(self.world, self.session, owner=OWNER)

        async def request():
            async with ThreadSensitiveContext():
                await runner.send(store)

        sending = asyncio.create_task(request())
        await asyncio.to_thread(storing.wait, 20)
        threading.Timer(0.05, go_on.set).start()
        sending.cancel()
        assert isinstance((await asyncio.gather(sending, return_exceptions=True))[0], asyncio.CancelledError)
        await self.upstream()
        await runner.wait_ended((await Generation.objects.aget()).pk, self.world.north.pk)
        assert [row[:2] for row in await self.said()] == [("user", "complete"), ("assistant", "complete")]

    async def test_what_was_taken_once_is_answered_after_the_lesson_has_closed(self):
        send = partial(ask, self.world, self.session, key=str(uuid4()))
        first = await database_sync_to_async(send)()
        self.world.enrollment.status = "dropped"
        await self.world.enrollment.asave()
        again = await database_sync_to_async(send)()
        assert (again.generation, again.request) == (first.generation, None)


class Ends(LiveCase):
    async def test_a_database_that_is_away_for_a_moment_costs_no_word(self):
        tries = []

        def finish(*arguments):
            tries.append(arguments)
            if len(tries) < 3:
                raise OperationalError("the server has gone away")
            return generations.finish_generation(*arguments)

        with (
            patch.object(production, "finish_generation", finish),
            patch.object(production, "END_PAUSES_S", (0.01,) * 5),
        ):
            sent = await self.answered()
        state, body, code = await self.row(sent)
        assert (len(tries), state, code) == (3, "complete", "")
        assert body == self.claude.requests[0].text


class DatabaseAway(LiveCase):
    async def test_a_question_that_could_not_be_stored_is_refused_for_now_and_taken_the_next_time(self):
        cookie = await database_sync_to_async(self.cookie)()
        async with opened(new_socket(self.path, cookie=cookie)) as socket:
            with patch("tutoring.consumers.is_signed_in_by", side_effect=OperationalError("cut")):
                await socket.say(**QUESTION)
                refusal = await socket.hear()
            assert refusal == {
                "event": "error",
                "code": "unavailable",
                "detail": "The site cannot reach its database at the moment. Please try again.",
                "key": QUESTION["key"],
            }
            await socket.say(**QUESTION)
            assert (await socket.hear_until("done"))[-1]["state"] == "complete"
        assert [row[0] for row in await self.said()] == ["user", "assistant"]
