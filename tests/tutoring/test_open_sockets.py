"""Open sockets and event streams end within seconds of the right to them, whether they wait or are written to."""

import asyncio
import contextlib
import threading
from unittest.mock import patch
from uuid import UUID, uuid4

import structlog.testing
from channels.db import database_sync_to_async
from django.db import OperationalError
from django.test import Client, SimpleTestCase

from tenants import actions, standing, tokens
from tenants.errors import NotSignedIn
from tenants.models import Membership, University, User
from tenants.standing import standing_by_token
from tests.fakes.claude import Answer, Gate
from tests.tutoring.live_case import (
    PATIENCE_S,
    EventStream,
    LiveCase,
    as_frames,
    ended,
    happens,
    new_socket,
    opened,
    reached,
    texts,
)
from tutoring.actions.sending import send_message
from tutoring.actions.sessions import delete_session
from tutoring.doorkeeper import ShownOut, doorkeeper
from tutoring.events import delta
from tutoring.models import Generation
from tutoring.sse import event_stream

WORDS = ["Samples ", "vary ", "a lot."]
NOT_SIGNED_IN, NOT_FOUND = 4401, 4404
REFUSED = {"event": "error", "code": "not_found", "detail": "There is nothing here."}


class OpenCase(LiveCase):
    """`end_*` take the right away, through what the product does it with where there is such."""

    look_every_s = 0.01

    def setUp(self):
        super().setUp()
        self.enterContext(patch("tutoring.doorkeeper.LOOK_EVERY_S", self.look_every_s))
        self.browser = Client()
        self.browser.force_login(self.world.sam)
        self.sams_cookie = f"sessionid={self.browser.cookies['sessionid'].value}"
        self.tess_cookie = self.cookie(self.world.tess)
        self.bearer = self.token()

    def page(self):
        return opened(new_socket(self.path, cookie=self.sams_cookie))

    def program(self):
        return opened(new_socket(self.path, origin="", protocols=["colloquy.v1", f"bearer.{self.bearer}"]))

    async def end(self, how):
        await database_sync_to_async(getattr(self, f"end_{how}"))()

    def end_account(self):
        actions.set_active(by=self.world.platform, user=self.world.sam, is_active=False)

    def end_password(self):
        actions.change_password(by=self.world.sam, user=self.world.sam, password="another long password")

    def end_session(self):
        assert self.browser.post("/accounts/logout/").status_code == 302

    def end_family(self):
        tokens.end_family(self.bearer)

    def end_membership(self):
        membership = Membership.objects.get(user=self.world.sam, university=self.world.north)
        actions.revoke_role(by=self.world.ada, membership=membership)

    def end_university(self):
        University.objects.filter(pk=self.world.north.pk).update(is_active=False)

    async def is_heard(self, socket):
        """Whether a frame is still answered."""
        await socket.say(action="nothing")
        return (await socket.hear()).get("code") == "bad_frame"


class IdleSockets(OpenCase):
    async def closing_code_after(self, how, coming):
        async with coming as socket:
            assert await self.is_heard(socket)
            await self.end(how)
            return await socket.closing_code()

    async def test_a_page_after_the_account_was_closed(self):
        assert await self.closing_code_after("account", self.page()) == NOT_SIGNED_IN

    async def test_a_page_after_a_new_password(self):
        assert await self.closing_code_after("password", self.page()) == NOT_SIGNED_IN

    async def test_a_page_after_signing_out(self):
        assert await self.closing_code_after("session", self.page()) == NOT_SIGNED_IN

    async def test_a_page_after_the_membership(self):
        assert await self.closing_code_after("membership", self.page()) == NOT_FOUND

    async def test_a_page_after_the_university_was_closed(self):
        assert await self.closing_code_after("university", self.page()) == NOT_FOUND

    async def test_a_program_after_the_account_was_closed(self):
        assert await self.closing_code_after("account", self.program()) == NOT_SIGNED_IN

    async def test_a_program_after_a_new_password(self):
        assert await self.closing_code_after("password", self.program()) == NOT_SIGNED_IN

    async def test_a_program_after_signing_out(self):
        assert await self.closing_code_after("family", self.program()) == NOT_SIGNED_IN

    async def test_a_program_after_the_membership(self):
        assert await self.closing_code_after("membership", self.program()) == NOT_FOUND

    async def test_others_stay(self):
        other_family = await database_sync_to_async(self.token)()
        async with (
            self.page() as page,
            self.program() as program,
            opened(new_socket(self.path, origin="", protocols=[f"bearer.{other_family}"])) as other,
        ):
            assert await self.is_heard(program)
            await self.end("family")
            assert await program.closing_code() == NOT_SIGNED_IN
            assert [await self.is_heard(socket) for socket in (page, other)] == [True, True]

    async def test_nothing_is_said_after_the_close(self):
        async with self.page() as socket:
            assert await self.is_heard(socket)
            await self.end("account")
            assert await socket.closing_code() == NOT_SIGNED_IN
            await socket.wait(PATIENCE_S)
            assert socket.output_queue.empty()


class BusySockets(OpenCase):
    async def test_a_socket_that_a_reply_comes_over_is_closed_and_the_reply_goes_on(self):
        for how, code in (("session", NOT_SIGNED_IN), ("membership", NOT_FOUND)):
            gate = Gate()
            self.claude.will(Answer(WORDS, gate=gate, gate_after=2))
            async with self.page() as socket:
                await socket.say(action="send", key=f"a-key-{how}", text="Why?")
                generation = (await socket.hear())["generation"]
                await reached(gate)
                heard = [await socket.hear()]
                while texts(heard) != "Samples vary ":
                    heard.append(await socket.hear())
                await self.end(how)
                assert await socket.closing_code() == code
                gate.release()
                await ended(UUID(generation))
                await socket.wait(PATIENCE_S)
                assert socket.output_queue.empty()
            self.sams_cookie = await database_sync_to_async(self.cookie)()
        assert [row[1:] for row in await self.said() if row[0] == "assistant"] == [
            ("complete", "Samples vary a lot.")
        ] * 2

    async def test_a_question_that_is_being_stored_meanwhile_is_answered(self):
        storing, go_on = threading.Event(), threading.Event()

        def held(**arguments):
            storing.set()
            assert go_on.wait(PATIENCE_S)
            return send_message(**arguments)

        with patch("tutoring.consumers.send_message", held):
            async with self.page() as socket:
                await socket.say(action="send", key="a-key-of-its-own", text="Why?")
                await happens(storing)
                threading.Timer(0.05, go_on.set).start()
                await self.end("session")
                while (frame := await socket.receive_output(PATIENCE_S))["type"] != "websocket.close":
                    assert frame["type"] == "websocket.send"
                assert frame["code"] == NOT_SIGNED_IN
        await self.upstream()
        await ended((await Generation.objects.aget()).pk)
        assert [row[:2] for row in await self.said()] == [("user", "complete"), ("assistant", "complete")]


class RightsAtEachAction(OpenCase):
    """Before anybody has looked."""

    look_every_s = 600

    async def refusals(self, socket, generation):
        frames = [
            {"action": "send", "key": "another-key", "text": "And now?"},
            {"action": "regenerate", "key": "third-key", "reply": str(uuid4())},
            {"action": "attach", "generation": generation, "after": 0},
            {"action": "stop", "generation": generation},
        ]
        heard = []
        for frame in frames:
            await socket.say(**frame)
            heard.append(await socket.hear())
        return heard

    async def refused_after(self, end):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate))
        sent = await self.send()
        await reached(gate)
        async with self.page() as page, self.program() as program:
            assert [await self.is_heard(socket) for socket in (page, program)] == [True, True]
            await end()
            for socket in (page, program):
                assert await self.refusals(socket, sent.generation) == [
                    REFUSED | {"key": "another-key"},
                    REFUSED | {"key": "third-key"},
                    REFUSED,
                    REFUSED,
                ]
        gate.release()
        return sent

    async def test_who_is_no_member_any_more(self):
        async def end():
            await self.end("membership")

        sent = await self.refused_after(end)
        await ended(sent.generation)
        assert await self.row(sent) == ("complete", "".join(WORDS), "")

    async def test_a_university_that_is_closed(self):
        async def end():
            await self.end("university")

        sent = await self.refused_after(end)
        await ended(sent.generation)

    async def test_a_conversation_that_was_deleted(self):
        async def end():
            await database_sync_to_async(delete_session)(by=self.world.sam, session_id=self.session.pk)

        await self.refused_after(end)
        assert await self.said() == []

    async def test_each_sign_in_that_ended(self):
        for coming in (self.program, self.page):
            async with coming() as socket:
                assert await self.is_heard(socket)
                await self.end("account")
                # The second came while the first was read, and is not read any more.
                await socket.say(action="send", key="a-key-of-its-own", text="Why?")
                await socket.say(action="send", key="another-key", text="Why?")
                assert await socket.closing_code() == NOT_SIGNED_IN
                await socket.wait(PATIENCE_S)
                assert socket.output_queue.empty()
            await User.objects.filter(pk=self.world.sam.pk).aupdate(is_active=True)
            self.sams_cookie = await database_sync_to_async(self.cookie)()
        assert await self.said() == []


class EventStreams(OpenCase):
    def follow(self, generation):
        return EventStream("GET", f"/chat/generations/{generation}/events", token=self.bearer)

    async def test_a_stream_ends_with_each_right_and_is_not_had_again(self):
        for how, status in (("membership", 404), ("account", 401)):
            gate = Gate()
            self.claude.will(Answer(WORDS, gate=gate, gate_after=2))
            sent = await self.send()
            await reached(gate)
            stream = self.follow(sent.generation)
            assert (await stream.open())[0] == 200
            first = [await stream.event()]
            while texts(as_frames(first)) != "Samples vary ":
                first.append(await stream.event())
            await self.end(how)
            # In order, and without `done`.
            assert await stream.rest() == []
            assert (await self.follow(sent.generation).answer())[0] == status
            gate.release()
            await ended(sent.generation)
            assert await self.row(sent) == ("complete", "".join(WORDS), "")
            await Membership.objects.aget_or_create(user=self.world.sam, university=self.world.north, role="student")

    async def test_the_stream_of_a_question_ends_too(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate))
        path = f"/chat/sessions/{self.session.pk}/messages"
        for _ in range(2):
            stream = EventStream("POST", path, token=self.bearer, body={"text": "Why?"}, idempotency_key="one-key-only")
            assert (await stream.open())[0] == 200
            assert (await stream.event())[0] == "started"
            await self.end("family")
            assert await stream.rest() == []
            self.bearer = await database_sync_to_async(self.token)()
        gate.release()
        await ended((await Generation.objects.aget()).pk)

    async def test_a_reader_who_takes_nothing_is_hung_up_on(self):
        let_go = asyncio.Event()

        async def reply():
            try:
                yield delta(0, "Samples ")
                yield delta(8, "vary.")
            finally:
                let_go.set()

        async def request():
            # As Django does with a server that cannot get rid of what it has.
            with contextlib.suppress(asyncio.CancelledError):
                async for _ in event_stream(reply(), sams, after=0):
                    await asyncio.Event().wait()

        sams = standing_by_token(self.world.sam, self.world.north.pk, self.bearer)
        reading = asyncio.create_task(request())
        await self.end("family")
        async with asyncio.timeout(PATIENCE_S):
            await reading
            await let_go.wait()


class Looking(OpenCase):
    @contextlib.contextmanager
    def rounds(self, *, fail=0):
        """What each look asks for; the first `fail` of them find no database."""
        self.asked, self.third = [], asyncio.Event()
        loop = asyncio.get_running_loop()

        def looked(standings):
            self.asked.append(standings)
            if len(self.asked) == 3:
                loop.call_soon_threadsafe(self.third.set)
            if len(self.asked) <= fail:
                raise OperationalError("the server has gone away")
            return standing.ended(standings)

        with patch("tutoring.doorkeeper.ended", looked):
            yield

    async def test_one_look_is_for_all_who_are_inside(self):
        with self.rounds():
            async with self.page() as one, self.page() as two, self.program() as three:
                for socket in (one, two, three):
                    assert await self.is_heard(socket)
                del self.asked[:]
                self.third.clear()
                await self.third.wait()
                whole = self.asked[-1]
            # Two of the three are the same person's same session.
            assert {(each.session_key is None, each.family_id is None) for each in whole} == {
                (False, True),
                (True, False),
            }
            assert len(whole) == 2

    async def test_nobody_is_closed_for_a_database_that_is_away(self):
        with self.rounds(fail=3):
            async with self.page() as socket:
                with structlog.testing.capture_logs() as lines:
                    await self.third.wait()
                    assert await self.is_heard(socket)
                assert {line["event"] for line in lines} == {"tutor_rights_not_read"}
                await self.end("session")
                assert await socket.closing_code() == NOT_SIGNED_IN

    async def test_nobody_looks_while_nobody_is_inside(self):
        async with self.page() as socket:
            assert await self.is_heard(socket)
        keeper = doorkeeper()
        async with asyncio.timeout(PATIENCE_S):
            await keeper._task
        # And the next to come are looked after again.
        async with self.page() as socket:
            assert await self.is_heard(socket)
            await self.end("account")
            assert await socket.closing_code() == NOT_SIGNED_IN


class Doors(SimpleTestCase):
    async def test_who_is_cancelled_by_others_too_is_cancelled(self):
        async def inside(also_cancelled):
            with doorkeeper().door() as door:
                door.show_out(NotSignedIn())
                door.show_out(NotSignedIn())
                if also_cancelled:
                    asyncio.current_task().cancel()
                await asyncio.Event().wait()

        for also_cancelled, expected in ((False, ShownOut), (True, asyncio.CancelledError)):
            task = asyncio.create_task(inside(also_cancelled))
            outcome = (await asyncio.gather(task, return_exceptions=True))[0]
            assert type(outcome) is expected

    async def test_a_task_goes_on_after_it_was_shown_out_of_a_door(self):
        async def visit():
            try:
                with doorkeeper().door() as door:
                    asyncio.get_running_loop().call_soon(door.show_out, NotSignedIn())
                    await asyncio.Event().wait()
            except ShownOut as out:
                await asyncio.sleep(0)
                return out.refusal.code, asyncio.current_task().cancelling()

        assert await asyncio.create_task(visit()) == ("not_signed_in", 0)
