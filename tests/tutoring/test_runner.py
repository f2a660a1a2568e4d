"""Replies in the making, and what stays in the rows of each end."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

from channels.db import database_sync_to_async
from django.db import DataError
from django.utils import timezone

from tests.fakes.claude import BAD_JSON, CUT_UTF8, STOP_BEFORE_START, Answer, FakeClaude, Gate
from tests.tutoring.live_case import PATIENCE_S, LiveCase, ended, happens, reached, texts, usage
from tests.tutoring.scenes import ask, end, lease_of, sams_session, save
from tutoring.actions.generations import request_stop, save_progress
from tutoring.models import Generation, Message
from tutoring.runner import OWNER, runner

USAGE = {
    "input_tokens": 1000,
    "output_tokens": 200,
    "cache_creation_input_tokens": 3000,
    "cache_read_input_tokens": 40_000,
}


async def events_of(sent, after=0, *, pages=False):
    async with asyncio.timeout(PATIENCE_S):
        following = runner.follow(sent.generation, after, university=sent.university, pages=pages)
        return [event async for event in following]


class FinishedReplies(LiveCase):
    async def test_text_usage_cost_and_times_are_stored(self):
        self.claude.will(Answer(["Samples ", "vary."], usage=USAGE))
        sent = await self.answered()
        assert await self.row(sent) == ("complete", "Samples vary.", "")
        generation = await Generation.objects.aget(pk=sent.generation)
        assert (generation.provider, generation.model, generation.stop_reason, generation.stop_requested) == (
            "anthropic",
            "claude-sonnet-5-5",
            "end_turn",
            False,
        )
        assert (
            generation.input_tokens,
            generation.output_tokens,
            generation.cache_write_tokens,
            generation.cache_read_tokens,
        ) == (1000, 200, 3000, 40_000)
        # 1000 at 3, 200 at 15, 3000 at 3.75 and 40 000 at 0.3 USD per million tokens.
        assert generation.cost_usd == Decimal("0.029250")
        took_ms = (generation.finished_at - generation.created_at) / timedelta(milliseconds=1)
        assert 0 <= generation.ttft_ms <= took_ms
        reply = await Message.objects.aget(pk=sent.reply)
        assert reply.finished_at >= generation.finished_at

    async def test_the_lesson_is_written_to_the_cache_once_and_read_from_it_afterwards(self):
        first, second = await self.answered(), await self.answered("And how much?")
        first = await Generation.objects.aget(pk=first.generation)
        second = await Generation.objects.aget(pk=second.generation)
        assert (first.cache_write_tokens, first.cache_read_tokens) == (second.cache_read_tokens, 0)
        assert second.cache_write_tokens == 0
        assert first.cache_write_tokens > 100

    async def test_a_model_without_prices_has_no_cost(self):
        with self.settings(TUTOR_MODEL="local-model"):
            sent = await self.answered()
        generation = await Generation.objects.aget(pk=sent.generation)
        assert (generation.state, generation.model, generation.cost_usd) == ("complete", "local-model", None)

    async def test_what_no_text_column_holds_is_left_out(self):
        self.claude.will(Answer(["Sam\x00ples", "\x00", " 🧠 vary."]))
        assert await self.row(await self.answered()) == ("complete", "Samples 🧠 vary.", "")

    async def test_a_send_that_was_answered_before_starts_nothing(self):
        sent = await self.answered(key="one-key-for-both")
        again = await self.answered(key="one-key-for-both")
        assert (again.generation, again.request) == (sent.generation, None)
        assert len(self.claude.requests) == 1

    async def test_the_practice_tutor_quotes_the_lesson(self):
        with self.settings(TUTOR_PROVIDER="practice"):
            sent = await self.answered("What does a larger sample do?")
        state, body, code = await self.row(sent)
        assert (state, code, body) == (
            "complete",
            "",
            "These parts of the lesson are closest to your question:\n\n"
            "> A larger sample varies less.\n\n"
            "> Two samples from one population differ by chance. The standard error is $\\sigma/\\sqrt{n}$.\n\n"
            "How would you put what it says about “larger” into your own words, "
            "and which step is still unclear to you?",
        )
        generation = await Generation.objects.aget(pk=sent.generation)
        assert (generation.provider, generation.model, generation.cost_usd) == ("practice", "", None)
        assert generation.output_tokens == (len(body) + 3) // 4
        assert self.claude.requests == []


class FailedReplies(LiveCase):
    async def assert_ends(self, answer, body, code, *, tries=1, is_counted=True, is_there=True):
        """`tries` requests are made of the provider, each of which is answered so."""
        self.claude.will(*[answer] * tries)
        before = len(self.claude.requests)
        sent = await self.answered()
        assert await self.row(sent) == ("failed", body, code)
        generation = await Generation.objects.aget(pk=sent.generation)
        assert (generation.tries, len(self.claude.requests) - before) == (tries, tries if is_there else 0)
        assert (generation.is_estimated, generation.reserved_tokens) == (is_counted, 0)
        assert generation.stop_reason == ""
        assert generation.finished_at is not None
        # What was asked has been paid for as soon as the stream began, however it ended.
        assert (generation.input_tokens > 0, generation.cost_usd is not None) == (is_counted, is_counted)
        done = (await events_of(sent))[-1]
        assert done == {
            "event": "done",
            "state": "failed",
            "code": code,
            "stop_reason": "",
            "length": len(body),
            "usage": usage(
                input_tokens=generation.input_tokens,
                output_tokens=generation.output_tokens,
                cache_write_tokens=generation.cache_write_tokens,
                cache_read_tokens=generation.cache_read_tokens,
            ),
        }

    async def test_refused_before_the_first_text(self):
        limited, broken = Answer(status=429, error="rate_limit_error"), Answer(status=500, error="api_error")
        overloaded = Answer(status=529, error="overloaded_error")
        await self.assert_ends(limited, "", "rate_limited", tries=3, is_counted=False)
        await self.assert_ends(broken, "", "provider_down", tries=3, is_counted=False)
        await self.assert_ends(overloaded, "", "overloaded", tries=3, is_counted=False)
        await self.assert_ends(Answer(status=401, error="authentication_error"), "", "provider_down", is_counted=False)
        await self.assert_ends(Answer(status=400, error="invalid_request_error"), "", "bad_upstream", is_counted=False)
        await self.assert_ends(Answer([], stop_reason="refusal"), "", "refused")

    async def test_broken_off_after_some_text(self):
        begun = ["Samples ", "vary", " because"]
        await self.assert_ends(Answer(begun, error_after=0, error="overloaded_error"), "", "overloaded", tries=3)
        await self.assert_ends(Answer(begun, error_after=2, error="overloaded_error"), "Samples vary", "overloaded")
        await self.assert_ends(Answer(begun, completes=False), "Samples vary because", "truncated")
        await self.assert_ends(Answer(begun, raw=BAD_JSON), "Samples vary because", "bad_upstream")
        await self.assert_ends(Answer(begun, raw=CUT_UTF8), "Samples vary because", "bad_upstream")
        await self.assert_ends(Answer(instead_of_start=STOP_BEFORE_START), "", "bad_upstream", is_counted=False)

    async def test_silence(self):
        limits = {"TUTOR_FIRST_EVENT_S": 0.3, "TUTOR_SILENCE_S": 0.3, "TUTOR_TEXT_SILENCE_S": 0.4}
        with self.settings(**limits):
            await self.assert_ends(Answer(hang="without_headers"), "", "timeout", is_counted=False)
            await self.assert_ends(Answer(hang="with_headers"), "", "timeout", is_counted=False)
            await self.assert_ends(Answer(hang="with_pings"), "", "timeout")
            await self.assert_ends(Answer(["Samples "], gate=Gate(), gate_after=1), "Samples ", "timeout")

    async def test_nobody_there(self):
        with FakeClaude() as gone:
            pass
        with self.settings(ANTHROPIC_BASE_URL=gone.url):
            await self.assert_ends(Answer(), "", "provider_down", tries=3, is_counted=False, is_there=False)

    async def test_a_provider_that_cannot_be_opened(self):
        with patch("tutoring.runner.open_provider", side_effect=OSError("no such certificate")):
            sent = await self.answered()
        assert await self.row(sent) == ("failed", "", "provider_down")
        # Nothing of it stays behind: the next one is asked.
        assert (await self.row(await self.answered()))[0] == "complete"

    async def test_a_provider_that_is_left_before_it_has_counted_has_been_asked_all_the_same(self):
        self.claude.will(Answer(hang="with_headers"))
        sent = await self.send()
        await self.upstream()
        await self.row_becomes(sent, "streaming", "", "")
        runner.stop(sent.generation)
        await ended(sent.generation)
        generation = await Generation.objects.aget(pk=sent.generation)
        assert (generation.state, generation.tries, generation.is_estimated) == ("stopped", 1, True)
        assert generation.input_tokens > 500
        assert generation.cost_usd == Decimal(generation.input_tokens * 3) / 10**6

    async def test_the_conversation_goes_on_afterwards(self):
        self.claude.will(Answer(["Half a"], completes=False), Answer(["A whole reply."]))
        await self.answered("First?")
        await self.answered("Second?")
        assert await self.said() == [
            ("user", "complete", "First?"),
            ("assistant", "failed", "Half a"),
            ("user", "complete", "Second?"),
            ("assistant", "complete", "A whole reply."),
        ]
        turns = [(m["role"], m["content"][-1]["text"]) for m in self.claude.requests[1].body["messages"]]
        assert turns == [("user", "First?"), ("assistant", "Half a"), ("user", "Second?")]


class RowsWhileItRuns(LiveCase):
    async def test_text_and_lease_are_saved_while_the_reply_is_made(self):
        gate = Gate()
        self.claude.will(Answer(["Samples ", "vary ", "a lot."], gate=gate, gate_after=2))
        with patch("tutoring.keeper.SAVE_EVERY_S", 0.02):
            sent = await self.send()
            await self.row_becomes(sent, "streaming", "Samples vary ", "")
            live = await Generation.objects.aget(pk=sent.generation)
            assert timezone.now() < live.lease_until <= timezone.now() + timedelta(seconds=15)
            gate.release()
            await ended(sent.generation)
        assert await self.row(sent) == ("complete", "Samples vary a lot.", "")

    async def test_much_text_is_saved_at_once(self):
        gate = Gate()
        self.claude.will(Answer(["x" * 2000, "y"], gate=gate, gate_after=1))
        with patch("tutoring.keeper.SAVE_EVERY_S", 600):
            sent = await self.send()
            await self.row_becomes(sent, "streaming", "x" * 2000, "")
            gate.release()
            await ended(sent.generation)

    async def test_what_cannot_be_saved_of_one_reply_costs_the_others_nothing(self):
        gate = Gate()
        self.claude.will(*[Answer(["Samples ", "vary."], gate=gate, gate_after=1)] * 2)
        bad = await self.send()
        other = await database_sync_to_async(sams_session)(self.world)
        good = await database_sync_to_async(ask)(self.world, other, owner=OWNER)

        def save(rows):
            if any(row.lease.generation == bad.generation for row in rows):
                raise DataError("value too long")
            return save_progress(rows)

        with patch("tutoring.keeper.SAVE_EVERY_S", 0.02), patch("tutoring.keeper.save_progress", save):
            runner.start(good)
            await self.row_becomes(good, "streaming", "Samples ", "")
        gate.release()
        for sent in (bad, good):
            await ended(sent.generation)
            assert await self.row(sent) == ("complete", "Samples vary.", "")

    async def test_who_has_lost_the_lease_writes_nothing_and_says_what_the_row_says(self):
        gate = Gate()
        self.claude.will(Answer(["Mine ", "and more."], gate=gate, gate_after=1))
        sent = await self.send()
        await reached(gate)
        theirs = lease_of(sent, owner="somebody-else", attempt=2)
        await Generation.objects.filter(pk=sent.generation).aupdate(owner=theirs.owner, attempt=theirs.attempt)
        assert await database_sync_to_async(end)(sent, "Theirs.", "failed", code="timeout", lease=theirs)
        gate.release()
        done = (await events_of(sent))[-1]
        assert (done["state"], done["code"]) == ("failed", "timeout")
        assert await self.row(sent) == ("failed", "Theirs.", "timeout")

    async def test_a_lost_lease_ends_the_request(self):
        gate = Gate()
        self.claude.will(Answer(["Mine ", "and more."], gate=gate, gate_after=1))
        with patch("tutoring.keeper.SAVE_EVERY_S", 0.02):
            sent = await self.send()
            await self.row_becomes(sent, "streaming", "Mine ", "")
            await Generation.objects.filter(pk=sent.generation).aupdate(owner="somebody-else")
            await happens((await self.upstream()).disconnected)
        assert await self.row(sent) == ("streaming", "Mine ", "")

    async def test_a_stop_asked_of_another_process_is_seen_in_the_row(self):
        gate = Gate()
        self.claude.will(Answer(["Samples ", "vary."], gate=gate, gate_after=1))
        with patch("tutoring.keeper.SAVE_EVERY_S", 0.02):
            sent = await self.send()
            await reached(gate)
            await database_sync_to_async(request_stop)(by=self.world.sam, generation_id=sent.generation)
            await ended(sent.generation)
        assert await self.row(sent) == ("stopped", "Samples ", "")
        await happens((await self.upstream()).disconnected)

    async def test_a_stop_before_the_first_step_asks_nobody(self):
        sent = await self.send()
        runner.stop(sent.generation)
        await ended(sent.generation)
        assert await self.row(sent) == ("stopped", "", "")
        assert self.claude.requests == []


class RepliesOfOtherProcesses(LiveCase):
    def setUp(self):
        super().setUp()
        self.enterContext(patch("tutoring.mirror.POLL_EVERY_S", 0.01))

    async def test_a_reader_follows_the_row(self):
        sent = await self.begun_elsewhere("Samples 🧠 ")
        events = []
        async for event in runner.follow(sent.generation, 3, university=sent.university, pages=True):
            events.append(event)
            if len(events) == 1:
                await database_sync_to_async(save)(sent, "Samples 🧠 vary")
            elif len(events) == 2:
                await database_sync_to_async(end)(sent, "Samples 🧠 vary.", stop_reason="end_turn")
        assert events == [
            {"event": "delta", "from": 3, "text": "ples 🧠 "},
            {"event": "delta", "from": 10, "text": "vary"},
            {"event": "delta", "from": 14, "text": "."},
            {
                "event": "done",
                "state": "complete",
                "code": "",
                "stop_reason": "end_turn",
                "length": 15,
                "usage": usage(),
                "html": "<p>Samples 🧠 vary.</p>\n",
            },
        ]

    async def test_the_reply_of_a_dead_process_is_ended_for_its_reader(self):
        sent = await self.begun_elsewhere("Samples ")
        reading = asyncio.create_task(events_of(sent))
        await Generation.objects.filter(pk=sent.generation).aupdate(lease_until=timezone.now() - timedelta(seconds=1))
        events = await reading
        assert (texts(events), events[-1]["state"], events[-1]["code"]) == ("Samples ", "failed", "interrupted")
        assert await self.row(sent) == ("failed", "Samples ", "interrupted")

    async def begun_elsewhere(self, body):
        """A reply that another process has begun: `ME` is not this one's name."""
        sent = await database_sync_to_async(ask)(self.world, self.session)
        assert await database_sync_to_async(save)(sent, body)
        return sent
