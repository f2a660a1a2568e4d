"""What follows a reply: a title after the first, a trace after each. Neither is waited for."""

import asyncio
import logging
from unittest.mock import patch

from channels.db import database_sync_to_async

from tests.fakes.claude import Answer, Gate
from tests.fakes.langfuse import FakeLangfuse
from tests.tutoring.live_case import PATIENCE_S, LiveCase, reached
from tests.tutoring.scenes import ask_anew
from tutoring import tracing
from tutoring.actions.feedback import rate_reply
from tutoring.actions.renaming import rename_session
from tutoring.actions.titles import clean_title
from tutoring.models import Budget, ChatSession, Generation, UsageEntry
from tutoring.runner import runner


async def nothing_is_left() -> None:
    """Until what follows the replies of this test is done."""
    async with asyncio.timeout(PATIENCE_S):
        while tasks := [task for task in runner._here.tasks | runner._here.making if not task.done()]:
            await asyncio.wait(tasks)
    await runner._here.aclose()


class Titles(LiveCase):
    def setUp(self):
        super().setUp()
        self.enterContext(self.settings(TUTOR_TITLES=True))

    async def title(self):
        return (await ChatSession.objects.aget()).title

    async def test_the_small_model_names_the_conversation_after_its_first_reply(self):
        self.claude.will(Answer(["Samples ", "vary."]), Answer(["“Why samples vary”\n"]), Answer(["More."]))
        await self.answered("Why do samples vary?")
        await nothing_is_left()
        assert await self.title() == "Why samples vary"
        asked = self.claude.requests[1].body
        assert (asked["model"], asked["max_tokens"]) == ("claude-haiku-5-5", 64)
        said = [block["text"] for message in asked["messages"] for block in message["content"]]
        assert said == ["<question>\nWhy do samples vary?\n</question>\n<reply>\nSamples vary.\n</reply>"]
        # It is counted like everything that the provider is paid for.
        entries = [entry async for entry in UsageEntry.objects.order_by("pk").values_list("purpose", "model")]
        assert entries == [("reply", "claude-sonnet-5-5"), ("title", "claude-haiku-5-5")]
        used = sum(
            [
                entry.input_tokens + entry.output_tokens + entry.cache_write_tokens + entry.cache_read_tokens
                async for entry in UsageEntry.objects.all()
            ]
        )
        assert {row.used_tokens async for row in Budget.objects.all()} == {used}
        # The second reply names nothing.
        with self.assertNoLogs(level="ERROR"):
            await self.answered("And how much?")
            await nothing_is_left()
        assert (await self.title(), len(self.claude.requests)) == ("Why samples vary", 3)

    async def test_the_question_stays_where_the_small_model_fails(self):
        self.claude.will(Answer(["Samples vary."]), *[Answer(status=400, error="invalid_request_error")])
        await self.answered("Why do samples vary?")
        await nothing_is_left()
        assert (await self.title(), len(self.claude.requests)) == ("Why do samples vary?", 2)

    async def test_what_the_student_called_it_stays(self):
        self.claude.will(Answer(["Half a"], completes=False), Answer(["Samples vary."]))
        await self.answered("Why?")
        await database_sync_to_async(rename_session)(by=self.world.sam, session_id=self.session.pk, title="For Friday")
        await self.answered("Again: why?")
        await nothing_is_left()
        assert (await self.title(), len(self.claude.requests)) == ("For Friday", 2)

    async def test_a_name_given_while_the_small_model_thinks_stays_too(self):
        gate = Gate()
        self.claude.will(Answer(["Samples vary."]), Answer(["Samples"], gate=gate))
        await self.answered("Why?")
        await reached(gate)
        await database_sync_to_async(rename_session)(by=self.world.sam, session_id=self.session.pk, title="For Friday")
        gate.release()
        await nothing_is_left()
        assert await self.title() == "For Friday"

    async def test_a_reply_that_failed_names_nothing(self):
        self.claude.will(Answer(["Half a"], completes=False))
        await self.answered("Why?")
        await nothing_is_left()
        assert (await self.title(), len(self.claude.requests)) == ("Why?", 1)

    async def test_another_reply_to_the_first_question_names_nothing_again(self):
        self.claude.will(Answer(["Samples vary."]), Answer(["Samples"]), Answer(["They do."]))
        sent = await self.answered("Why?")
        await nothing_is_left()
        again = await database_sync_to_async(ask_anew)(self.world, self.session, sent.reply)
        runner.start(again)
        await nothing_is_left()
        assert (await self.title(), len(self.claude.requests)) == ("Samples", 3)


def test_a_title_is_one_line_of_plain_words():
    assert clean_title('\n  ## "Why *samples* vary."\nBecause') == "Why *samples* vary"
    assert clean_title(" \n** \n") == ""
    assert clean_title("x" * 200) == "x" * 80


class Traces(LiveCase):
    def setUp(self):
        super().setUp()
        self.langfuse = self.enterContext(FakeLangfuse())
        self.enterContext(self.settings(**self.langfuse.settings))
        self.addCleanup(self.end_tracing)

    def end_tracing(self):
        self.langfuse.release()
        tracing.shut_down()
        for name in ("langfuse", "opentelemetry"):
            logging.getLogger(name).propagate = True

    async def test_a_reply_and_its_thumb(self):
        self.claude.will(Answer(["By ", "chance."], usage={"input_tokens": 1000, "output_tokens": 20}))
        sent = await self.answered("Why so uneven?")
        await nothing_is_left()
        await database_sync_to_async(rate_reply)(by=self.world.sam, message_id=sent.reply, thumb="up")
        await asyncio.to_thread(tracing.shut_down)
        generation = await Generation.objects.aget()
        (span,), (score,) = self.langfuse.spans, self.langfuse.scores
        assert span["trace"] == generation.trace_id == generation.pk.hex
        attributes = span["attributes"]
        assert attributes["session.id"] == str(self.session.pk)
        assert attributes["langfuse.observation.model.name"] == "claude-sonnet-5-5"
        assert attributes["langfuse.observation.prompt.name"] == "tutor/lesson"
        assert attributes["langfuse.trace.tags"] == [
            "north",
            f"north/{self.world.course.title}",
            "north/guide",
            "north/complete",
        ]
        assert '"output": 20' in attributes["langfuse.observation.usage_details"]
        assert span["start"] < span["end"]
        assert (score["traceId"], score["name"], score["value"]) == (generation.trace_id, "thumbs", 1)
        for words in (b"chance", b"uneven", self.world.sam.email.encode(), self.world.sam.full_name.encode()):
            assert not any(words in body for body in self.langfuse.raw)

    async def test_a_langfuse_that_hangs_changes_nothing(self):
        self.langfuse.hang()
        self.claude.will(Answer(["Samples vary."]), Answer(["They do."]))
        await self.answered("Why?")
        await self.answered("Do they?")
        await nothing_is_left()
        assert [row[1:] for row in await self.said()] == [
            ("complete", "Why?"),
            ("complete", "Samples vary."),
            ("complete", "Do they?"),
            ("complete", "They do."),
        ]

    async def test_a_trace_that_cannot_be_made_costs_no_reply(self):
        self.claude.will(Answer(["Samples vary."]))
        with patch("tutoring.aftermath.reply_trace", side_effect=OSError), self.assertLogs("tutoring.aftermath"):
            sent = await self.answered("Why?")
            await nothing_is_left()
        assert await self.row(sent) == ("complete", "Samples vary.", "")
