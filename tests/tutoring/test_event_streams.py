"""Replies as server-sent events."""

import json
from unittest.mock import patch
from uuid import UUID, uuid4

from channels.db import database_sync_to_async

from tests.fakes.claude import Answer, Gate
from tests.tutoring.live_case import EventStream, LiveCase, as_frames, ended, happens, reached, texts, usage
from tutoring.actions.generations import request_stop
from tutoring.models import Generation, Message

WORDS = ["Samples ", "**vary** 🧠.", "\n\n", "Larger ones ", "vary less."]
WHOLE = "".join(WORDS)


class StreamCase(LiveCase):
    def setUp(self):
        super().setUp()
        self.bearer = self.token()

    def post(self, key="one-key-or-other", text="Why do samples vary?"):
        path = f"/chat/sessions/{self.session.pk}/messages"
        return EventStream("POST", path, token=self.bearer, body={"text": text}, idempotency_key=key)

    def follow(self, generation, query="", **headers):
        return EventStream("GET", f"/chat/generations/{generation}/events{query}", token=self.bearer, **headers)

    async def rest_of(self, stream):
        status, _ = await stream.open()
        assert status == 200
        return await stream.rest()


class Posting(StreamCase):
    async def test_ids_text_with_positions_and_the_end(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=2, usage={"output_tokens": 7}))
        stream = self.post()
        status, headers = await stream.open()
        assert (status, headers["content-type"], headers["cache-control"], headers["x-accel-buffering"]) == (
            200,
            "text/event-stream; charset=utf-8",
            "no-store",
            "no",
        )
        started = await stream.event()
        question, reply = [row async for row in Message.objects.filter(session=self.session).order_by("seq")]
        generation = await Generation.objects.aget()
        ids = {"session": self.session.pk, "message": question.pk, "reply": reply.pk, "generation": generation.pk}
        ids = {name: str(value) for name, value in ids.items()}
        ids |= {"message_siblings": [ids["message"]], "reply_siblings": [ids["reply"]]}
        assert started == ("started", "0", {**ids, "key": "one-key-or-other"})
        # The first text is here while the rest is still held back.
        first = await stream.event()
        assert (first[0], first[1], first[2]["from"]) == ("delta", str(len(first[2]["text"])), 0)
        gate.release()
        events = [first, *await stream.rest()]
        *deltas, done = events
        assert texts(as_frames(events)) == WHOLE
        assert all(int(position) == data["from"] + len(data["text"]) for _, position, data in deltas)
        upstream_usage = done[2].pop("usage")
        assert done == (
            "done",
            str(len(WHOLE)),
            {"state": "complete", "code": "", "stop_reason": "end_turn", "length": len(WHOLE)},
        )
        assert upstream_usage == usage(
            input_tokens=upstream_usage["input_tokens"],
            cache_write_tokens=upstream_usage["cache_write_tokens"],
            output_tokens=7,
        )
        assert upstream_usage["cache_write_tokens"] > 100

    async def test_the_same_key_follows_the_same_reply(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=2))
        first, second = self.post(), self.post()
        await first.open()
        started = await first.event()
        await reached(gate)
        await second.open()
        assert await second.event() == started
        gate.release()
        for stream in (first, second):
            assert texts(as_frames(await stream.rest())) == WHOLE
        third = await self.rest_of(self.post())
        assert (third[0], texts(as_frames(third))) == (started, WHOLE)
        assert len(self.claude.requests) == 1

    async def test_refusals_are_no_streams(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate))
        running = self.post()
        await running.open()
        generation = (await running.event())[2]["generation"]
        cases = [
            (self.post("another-key"), 409, "generation_running"),
            (self.post(text="Other words"), 422, "idempotency_key_reused"),
        ]
        for stream, status, code in cases:
            answer = await stream.answer()
            assert (answer[0], json.loads(answer[1])["code"]) == (status, code)
            assert json.loads(answer[1]).get("generation") == (generation if status == 409 else None)
        gate.release()
        await running.rest()
        assert len(await self.said()) == 2

    async def test_a_failure_is_told_in_the_stream(self):
        self.claude.will(Answer(WORDS, error_after=2, error="overloaded_error"))
        events = await self.rest_of(self.post())
        assert texts(as_frames(events)) == "".join(WORDS[:2])
        assert (events[-1][2]["state"], events[-1][2]["code"]) == ("failed", "overloaded")

    async def test_leaving_does_not_stop_the_reply(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=1))
        stream = self.post()
        await stream.open()
        generation = (await stream.event())[2]["generation"]
        await reached(gate)
        await stream.leave()
        gate.release()
        await ended(UUID(generation))
        assert (await self.said())[1] == ("assistant", "complete", WHOLE)

    async def test_a_quiet_stream_says_that_it_is_there(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate))
        with patch("tutoring.sse.HEARTBEAT_EVERY_S", 0.01):
            stream = self.post()
            await stream.open()
            assert (await stream.event())[0] == "started"
            for _ in range(3):
                assert await stream.event() == (": still here", "", None)
            gate.release()
            assert texts(as_frames(await stream.rest())) == WHOLE


class Resuming(StreamCase):
    async def test_exactly_the_rest_comes_while_the_reply_is_made(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=3))
        sent = await self.send()
        await reached(gate)
        by_header = self.follow(sent.generation, last_event_id="12")
        by_query = self.follow(sent.generation, "?after=12")
        by_both = self.follow(sent.generation, "?after=3", last_event_id="12")
        streams = [by_header, by_query, by_both]
        for stream in streams:
            assert (await stream.open())[0] == 200
            first = await stream.event()
            assert first == ("delta", "21", {"from": 12, "text": WHOLE[12:21]})
        gate.release()
        for stream in streams:
            assert WHOLE[12:21] + texts(as_frames(await stream.rest())) == WHOLE[12:]

    async def test_after_the_end_the_rest_comes_from_the_row(self):
        self.claude.will(Answer(WORDS))
        sent = await self.answered()
        for after in (0, 20, len(WHOLE), len(WHOLE) + 100):
            events = await self.rest_of(self.follow(sent.generation, f"?after={after}"))
            assert texts(as_frames(events)) == WHOLE[after:]
            assert (events[-1][0], events[-1][2]["length"]) == ("done", len(WHOLE))
        assert [name for name, _, _ in events] == ["done"]

    async def test_a_reader_after_the_end_gets_what_the_first_one_got(self):
        first = await self.rest_of(self.post())
        again = await self.rest_of(self.follow(first[0][2]["generation"]))
        assert (texts(as_frames(again)), again[-1]) == (texts(as_frames(first)), first[-1])


class Stopping(StreamCase):
    async def test_the_reader_is_told_and_the_request_is_closed(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=2))
        stream = self.post()
        await stream.open()
        generation = (await stream.event())[2]["generation"]
        await reached(gate)
        for _ in range(2):
            stop = EventStream("POST", f"/chat/generations/{generation}/stop", token=self.bearer)
            assert await stop.answer() == (202, b"")
        events = await stream.rest()
        assert texts(as_frames(events)) == "".join(WORDS[:2])
        assert (events[-1][2]["state"], events[-1][2]["stop_reason"]) == ("stopped", "stopped_by_student")
        await happens((await self.upstream()).disconnected)
        assert (await self.said())[1] == ("assistant", "stopped", "".join(WORDS[:2]))

    async def test_a_strangers_stop_changes_nothing(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=2))
        sent = await self.send()
        await reached(gate)
        token = await database_sync_to_async(self.token)(self.world.tess)
        absent = b'{"detail": "There is nothing here.", "code": "not_found"}'
        for generation in (sent.generation, uuid4()):
            stop = EventStream("POST", f"/chat/generations/{generation}/stop", token=token)
            assert await stop.answer() == (404, absent)
        gate.release()
        await ended(sent.generation)
        assert await self.row(sent) == ("complete", WHOLE, "")
        await database_sync_to_async(request_stop)(by=self.world.sam, generation_id=sent.generation)
        assert await self.row(sent) == ("complete", WHOLE, "")
