"""Frames in and out of a conversation's socket, and what the rows have afterwards."""

from datetime import datetime, time
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from channels.db import database_sync_to_async

from lms.courses.markdown import render_reply
from lms.learning.access import access_lesson
from tests.fakes.claude import Answer, Gate
from tests.tutoring.live_case import LiveCase, ended, happens, new_socket, opened, reached, texts
from tests.tutoring.scenes import ask
from tutoring.actions.sessions import start_session
from tutoring.models import ChatSession, Generation, Message

WORDS = ["Samples ", "**vary** 🧠.", "\n\n", "Larger ones ", "vary less."]
WHOLE = "".join(WORDS)
# What has come when an answer is held after three texts.
HALF = "".join(WORDS[:3])


class SocketCase(LiveCase):
    def setUp(self):
        super().setUp()
        self.sams_cookie = self.cookie()

    def page(self, path=""):
        return opened(new_socket(path or self.path, cookie=self.sams_cookie))

    def program(self, token):
        return opened(new_socket(self.path, origin="", protocols=["colloquy.v1", f"bearer.{token}"]))

    async def asked(self, socket, text="Why do samples vary?"):
        """The `started` frame of a question sent over `socket`."""
        key = str(uuid4())
        await socket.say(action="send", key=key, text=text)
        started = await socket.hear()
        assert (started["event"], started.get("key")) == ("started", key)
        return started


class Sending(SocketCase):
    async def test_a_page_gets_ids_text_finished_blocks_and_the_end(self):
        self.claude.will(Answer(WORDS))
        async with self.page() as socket:
            started = await self.asked(socket)
            frames = await socket.hear_until("done")
        question, reply = [row async for row in Message.objects.filter(session=self.session).order_by("seq")]
        generation = str((await database_sync_to_async(lambda: reply.generation)()).pk)
        assert started == {
            "event": "started",
            "session": str(self.session.pk),
            "message": str(question.pk),
            "reply": str(reply.pk),
            "generation": generation,
            "message_siblings": [str(question.pk)],
            "reply_siblings": [str(reply.pk)],
            "key": started["key"],
        }
        assert {frame["generation"] for frame in frames} == {generation}
        assert (frames[0]["event"], frames[0]["from"], texts(frames)) == ("delta", 0, WHOLE)
        assert [frame for frame in frames if frame["event"] == "markup"] == [
            {
                "event": "markup",
                "from_block": 0,
                "html": "<p>Samples <strong>vary</strong> 🧠.</p>\n",
                "length": len(HALF),
                "generation": generation,
            }
        ]
        done = frames[-1]
        meter = done.pop("meter")
        renews_at = datetime.fromisoformat(meter.pop("renews_at"))
        assert (renews_at.timetz(), meter) == (
            time(tzinfo=ZoneInfo("UTC")),
            {"scope": "user", "used_percent": 0, "step": ""},
        )
        assert done.pop("usage")["output_tokens"] == (len(WHOLE) + 3) // 4
        assert done == {
            "event": "done",
            "state": "complete",
            "code": "",
            "stop_reason": "end_turn",
            "length": len(WHOLE),
            "html": render_reply(WHOLE),
            "generation": generation,
        }
        assert (question.body, reply.body, reply.state) == ("Why do samples vary?", WHOLE, "complete")

    async def test_a_client_gets_the_text_alone(self):
        self.claude.will(Answer(WORDS))
        token = await database_sync_to_async(self.token)()
        async with self.program(token) as socket:
            await self.asked(socket)
            frames = await socket.hear_until("done")
        assert {frame["event"] for frame in frames} == {"delta", "done"}
        assert (texts(frames), "html" in frames[-1]) == (WHOLE, False)

    async def test_the_same_send_again_is_the_same_reply(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=3))
        async with self.page() as first, self.page() as second:
            started = await self.asked(first)
            await reached(gate)
            again = {"action": "send", "key": started["key"], "text": "Why do samples vary?"}
            await second.say(**again)
            assert await second.hear() == started
            gate.release()
            frames = [await socket.hear_until("done") for socket in (first, second)]
            await second.say(**again)
            assert await second.hear() == started
            frames.append(await second.hear_until("done"))
        assert [texts(heard) for heard in frames] == [WHOLE] * 3
        assert len(self.claude.requests) == 1
        assert len(await self.said()) == 2

    async def test_a_second_question_learns_which_reply_runs(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate))
        async with self.page() as first, self.page() as second:
            started = await self.asked(first)
            await second.say(action="send", key="another-key", text="And now?")
            refusal = await second.hear()
            assert refusal == {
                "event": "error",
                "code": "generation_running",
                "detail": "The tutor is still answering in this conversation.",
                "generation": started["generation"],
                "key": "another-key",
            }
            await second.say(action="attach", generation=refusal["generation"], after=0)
            gate.release()
            assert [texts(await socket.hear_until("done")) for socket in (first, second)] == [WHOLE] * 2
        assert len(await self.said()) == 2

    async def test_a_question_may_follow_an_earlier_reply(self):
        self.claude.will(Answer(["One."]), Answer(["Two."]), Answer(["Three."]))
        async with self.page() as socket:
            first = await self.asked(socket, "First?")
            await socket.hear_until("done")
            await self.asked(socket, "Second?")
            await socket.hear_until("done")
            await socket.say(action="send", key="third-key", text="Instead?", parent=first["reply"])
            await socket.hear_until("done")
        said = [(m["role"], m["content"][-1]["text"]) for m in self.claude.requests[2].body["messages"]]
        assert said == [("user", "First?"), ("assistant", "One."), ("user", "Instead?")]

    async def test_rights_are_read_at_each_question(self):
        async with self.page() as socket:
            # Answered when the rights at the door have been read.
            await socket.say(action="nothing")
            assert (await socket.hear())["code"] == "bad_frame"
            await ChatSession.objects.filter(pk=self.session.pk).aupdate(user=self.world.tess)
            await socket.say(action="send", key="some-key-or-other", text="Still mine?")
            refusal = await socket.hear()
        assert (refusal["event"], refusal["code"], refusal["key"]) == ("error", "not_found", "some-key-or-other")
        assert await self.said() == []


class Attaching(SocketCase):
    async def test_who_holds_a_part_gets_exactly_the_rest(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=3))
        sent = await self.send()
        await reached(gate)
        async with self.page() as socket:
            # Between the two halves of "vary", in code points.
            await socket.say(action="attach", generation=sent.generation, after=12)
            assert await socket.hear() == {"event": "attached", "generation": str(sent.generation)}
            first = await socket.hear()
            assert first == {"event": "delta", "from": 12, "text": HALF[12:], "generation": str(sent.generation)}
            gate.release()
            frames = [first, *await socket.hear_until("done")]
        assert texts(frames) == WHOLE[12:]
        assert frames[-1]["html"] == render_reply(WHOLE)

    async def test_after_the_end_the_row_tells_it(self):
        self.claude.will(Answer(WORDS))
        sent = await self.answered()
        async with self.page() as socket:
            for after in (0, 12, len(WHOLE), len(WHOLE) + 100):
                await socket.say(action="attach", generation=sent.generation, after=after)
                frames = await socket.hear_until("done")
                assert (texts(frames), frames[-1]["length"]) == (WHOLE[after:], len(WHOLE))

    async def test_attaching_again_replaces_the_first_reader(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=3))
        async with self.page() as socket:
            started = await self.asked(socket)
            await reached(gate)
            assert texts(await socket.hear_until("markup")) == HALF
            for _ in range(3):
                await socket.say(action="attach", generation=started["generation"], after=len(HALF))
                assert [(await socket.hear())["event"] for _ in range(2)] == ["attached", "markup"]
            gate.release()
            frames = await socket.hear_until("done")
            assert texts(frames) == WHOLE[len(HALF) :]
            assert await socket.receive_nothing(0.05)

    async def test_leaving_does_not_stop_the_reply(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=1))
        async with self.page() as socket:
            started = await self.asked(socket)
            await reached(gate)
        gate.release()
        await ended(UUID(started["generation"]))
        assert (await self.said())[1] == ("assistant", "complete", WHOLE)
        assert not (await self.upstream()).disconnected.is_set()

    async def test_nobody_attaches_to_what_is_not_theirs_or_not_here(self):
        sent = await self.answered()
        other = await database_sync_to_async(self.another_session)(self.world.sam)
        elsewhere = await database_sync_to_async(ask)(self.world, other)
        tess = await database_sync_to_async(self.another_session)(self.world.tess)
        cookie = await database_sync_to_async(self.cookie)(self.world.tess)
        async with self.page() as mine, opened(new_socket(f"/ws/tutor/{tess.pk}/", cookie=cookie)) as hers:
            for socket, generation in ((mine, elsewhere.generation), (mine, uuid4()), (hers, sent.generation)):
                for action in ("attach", "stop"):
                    await socket.say(action=action, generation=generation)
                    refusal = await socket.hear()
                    assert refusal == {"event": "error", "code": "not_found", "detail": "There is nothing here."}

        assert await Generation.objects.filter(stop_requested=True).acount() == 0

    def another_session(self, user):
        place = {"university": "north", "offering": self.world.offering.pk, "item": self.world.item.pk}
        return start_session(by=user, lesson=access_lesson(user, **place))


class Stopping(SocketCase):
    async def test_the_text_so_far_is_kept_and_the_request_is_closed(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=2))
        async with self.page() as socket:
            started = await self.asked(socket)
            await reached(gate)
            for _ in range(2):
                await socket.say(action="stop", generation=started["generation"])
            frames = await socket.hear_until("done")
            kept = "".join(WORDS[:2])
            assert texts(frames) == kept
            done = frames[-1]
            assert (done["state"], done["code"], done["stop_reason"]) == ("stopped", "", "stopped_by_student")
            assert (done["length"], done["html"]) == (len(kept), render_reply(kept))
            await happens((await self.upstream()).disconnected)
            await socket.say(action="stop", generation=started["generation"])
            assert await socket.receive_nothing(0.05)
        assert (await self.said())[1] == ("assistant", "stopped", kept)

    async def test_stopping_after_the_end_changes_nothing(self):
        self.claude.will(Answer(WORDS))
        async with self.page() as socket:
            started = await self.asked(socket)
            await socket.hear_until("done")
            await socket.say(action="stop", generation=started["generation"])
            await socket.say(action="attach", generation=started["generation"], after=0)
            assert (await socket.hear_until("done"))[-1]["state"] == "complete"
        assert (await self.said())[1] == ("assistant", "complete", WHOLE)

    async def test_the_next_question_is_answered(self):
        self.claude.will(Answer(WORDS, gate=Gate(), gate_after=1), Answer(["Again."]))
        async with self.page() as socket:
            started = await self.asked(socket)
            await socket.say(action="stop", generation=started["generation"])
            await socket.hear_until("done")
            await self.asked(socket, "And now?")
            assert texts(await socket.hear_until("done")) == "Again."


class BadFrames(SocketCase):
    async def test_each_is_refused_in_words_and_changes_nothing(self):
        cases = [
            "not JSON",
            '{"action": "send"',
            "[" * 60_000,
            "[]",
            "null",
            '"send"',
            "{}",
            '{"action": "sing"}',
            '{"action": ["send"]}',
            '{"action": "send", "key": "good-key", "text": "Why?", "role": "system"}',
            '{"action": "send", "key": 12345678, "text": "Why?"}',
            '{"action": "send", "key": "good-key", "text": null}',
            '{"action": "send", "key": "good-key"}',
            '{"action": "send", "key": "good-key", "text": "Why?", "parent": "nobody"}',
            '{"action": "attach", "generation": "nothing"}',
            f'{{"action": "attach", "generation": "{uuid4()}", "after": -1}}',
            f'{{"action": "attach", "generation": "{uuid4()}", "after": "much"}}',
            '{"action": "stop"}',
        ]
        async with self.page() as socket:
            for case in cases:
                await socket.send_to(case)
                refusal = await socket.hear()
                assert (refusal["event"], refusal["code"]) == ("error", "bad_frame"), case
                allowed = "A frame is a JSON object whose action is send, regenerate, attach or stop."
                assert refusal["detail"].endswith(allowed), case
            await socket.send_to(bytes_data=b'{"action": "send", "key": "good-key", "text": "Why?"}')
            assert (await socket.hear())["code"] == "bad_frame"
            for text in (" ", "\ud800"):
                await socket.say(action="send", key="good-key", text=text)
                refusal = await socket.hear()
                assert (refusal["code"], refusal["key"]) == ("bad_question", "good-key")
        assert (await self.said(), self.claude.requests) == ([], [])

    async def test_one_that_is_too_long_closes_the_socket(self):
        """Whatever the server lets through: behind `runserver` a message may come in many pieces."""
        for frame in ({"text_data": "x" * 65_537}, {"text_data": "ä" * 32_769}, {"bytes_data": b"x" * 65_537}):
            async with self.page() as socket:
                await socket.send_to(**frame)
                assert await socket.closing_code() == 1009
        async with self.page() as socket:
            await socket.send_to("x" * 65_536)
            assert (await socket.hear())["code"] == "bad_frame"

    async def test_the_socket_stays_open_for_the_next_frame(self):
        async with self.page() as socket:
            await socket.send_to("not JSON")
            await socket.hear()
            await self.asked(socket)
            assert (await socket.hear_until("done"))[-1]["state"] == "complete"
