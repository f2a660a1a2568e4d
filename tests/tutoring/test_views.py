"""Asking, stopping and beginning anew without a script. The lesson's own page is in test_lesson_page.py."""

from unittest.mock import patch
from uuid import uuid4

from channels.db import database_sync_to_async
from django.test import AsyncClient

from lms.courses.markdown import render_reply
from lms.learning.actions.enrolment import drop
from tests import factories
from tests.fakes.claude import Answer, Gate
from tests.tutoring.live_case import LiveCase, ended, happens, reached
from tests.tutoring.scenes import sams_session
from tutoring.actions.generations import request_stop
from tutoring.models import ChatSession, Generation, Message

WORDS = ["Samples ", "**vary**."]
WHOLE = "".join(WORDS)


class PageCase(LiveCase):
    def setUp(self):
        super().setUp()
        self.lesson = f"/north/learn/{self.world.offering.pk}/{self.world.item.pk}/"
        self.page = f"/north/tutor/{self.session.pk}/"

    async def browser(self, user=None):
        browser = AsyncClient()
        await browser.aforce_login(user or self.world.sam)
        return browser

    async def shown(self, page):
        """What is said in the branch that the page shows, as it was written."""
        ids = [message["id"] for message in page.context["tutor"].messages]
        bodies = {message.pk: message.body async for message in Message.objects.filter(pk__in=ids)}
        return [bodies[each] for each in ids]

    async def assert_absent(self, browser, path, absent, data):
        answers = [await browser.post(address, data) for address in (path, absent)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content


class Asking(PageCase):
    def form(self, text="Why do samples vary?", **fields):
        return {"key": str(uuid4()), "text": text} | fields

    async def test_the_page_comes_back_with_the_finished_reply(self):
        browser = await self.browser()
        for path, back in ((f"{self.lesson}ask/", self.lesson), (f"{self.page}ask/", self.page)):
            self.claude.will(Answer(WORDS))
            answer = await browser.post(path, self.form())
            reply = await Message.objects.filter(role="assistant").alatest("seq")
            assert (answer.status_code, answer["Location"]) == (302, f"{back}#m-{reply.pk}")
            assert (reply.state, reply.body, reply.session_id) == ("complete", WHOLE, self.session.pk)
            shown = await browser.get(back)
            assert f'id="m-{reply.pk}"' in shown.text
            assert f">{render_reply(WHOLE)}</div>" in shown.text
            assert shown.context["tutor"].running == ""

    async def test_a_first_question_begins_the_conversation(self):
        await ChatSession.objects.all().adelete()
        browser = await self.browser()
        await browser.post(f"{self.lesson}ask/", self.form())
        session = await ChatSession.objects.aget()
        assert (session.user_id, session.content_item_id, session.title) == (
            self.world.sam.pk,
            self.world.item.pk,
            "Why do samples vary?",
        )

    async def test_a_form_that_is_sent_twice_is_one_question(self):
        browser, form = await self.browser(), self.form()
        answers = [await browser.post(f"{self.lesson}ask/", form) for _ in range(2)]
        assert answers[0]["Location"] == answers[1]["Location"]
        assert (len(self.claude.requests), len(await self.said())) == (1, 2)

    async def test_a_question_goes_on_in_the_branch_that_is_shown(self):
        browser = await self.browser()
        self.claude.will(Answer(["One."]), Answer(["Two."]), Answer(["Another two."]))
        sents = [await self.answered("First?"), await self.answered("Second?")]
        answer = await browser.post(f"{self.page}ask/", self.form("Other second?", parent=sents[0].reply))
        assert answer.status_code == 302
        shown = await browser.get(self.page)
        assert await self.shown(shown) == ["First?", "One.", "Other second?", "Another two."]
        earlier = await browser.get(f"{self.page}?branch={sents[1].reply}")
        assert await self.shown(earlier) == ["First?", "One.", "Second?", "Two."]

    async def test_a_conversation_asked_beside_its_lesson_comes_back_to_the_lesson(self):
        browser = await self.browser()
        self.claude.will(Answer(WORDS))
        answer = await browser.post(f"{self.page}ask/?page=lesson", self.form())
        reply = await Message.objects.filter(role="assistant").alatest("seq")
        assert answer["Location"] == f"{self.lesson}#m-{reply.pk}"
        refused = await browser.post(f"{self.page}ask/?page=lesson", self.form(" "))
        assert (refused.status_code, refused.context["item"]["title"]) == (400, self.world.item.title)
        assert refused.context["tutor"].ask_url == f"{self.page}ask/?page=lesson"

    async def test_an_older_conversation_stays_the_one_that_is_shown_where_it_was_refused(self):
        browser = await self.browser()
        self.claude.will(Answer(WORDS))
        await self.answered()
        newer = await database_sync_to_async(sams_session)(self.world)
        assert newer.pk != self.session.pk
        refused = await browser.post(f"{self.page}ask/?page=lesson", self.form(" "))
        assert refused.context["tutor"].session == str(self.session.pk)

    async def test_a_refused_question_keeps_its_words_in_the_box(self):
        browser = await self.browser()
        long = "x" * 8001
        sentences = {
            "  ": "Please write a question first.",
            long: "Your message has 8001 characters; at most 8000 can be sent.",
        }
        for path in (f"{self.lesson}ask/", f"{self.page}ask/"):
            for text, sentence in sentences.items():
                refused = await browser.post(path, self.form(text))
                assert (refused.status_code, refused.context["tutor"].error) == (400, sentence)
                assert f'<p class="notice notice--error" role="alert">{sentence}</p>' in refused.text
                assert f">{text}</textarea>" in refused.text
            for malformed in ({}, self.form(parent="it"), self.form(edits="it"), self.form(parent=uuid4())):
                assert (await browser.post(path, malformed)).status_code == 400
        assert await self.said() == []

    async def test_a_question_while_a_reply_is_made_keeps_its_words(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate))
        sent = await self.send()
        browser = await self.browser()
        for path in (f"{self.lesson}ask/", f"{self.page}ask/"):
            refused = await browser.post(path, self.form("And <now>?"))
            assert refused.status_code == 409
            assert "The tutor is still answering in this conversation." in refused.text
            assert ">And &lt;now&gt;?</textarea>" in refused.text
            assert refused.context["tutor"].running == str(sent.generation)
        gate.release()
        await ended(sent.generation)
        assert len(await self.said()) == 2

    async def test_after_leaving_the_course_the_conversation_stays_readable(self):
        self.claude.will(Answer(WORDS))
        await self.answered()
        await database_sync_to_async(drop)(by=self.world.sam, offering_id=self.world.offering.pk)
        browser = await self.browser()
        refused = await browser.post(f"{self.page}ask/", self.form("One more?"))
        assert refused.status_code == 403
        assert "This lesson is no longer open to you" in refused.text
        assert (">One more?</textarea>" in refused.text, render_reply(WHOLE) in refused.text) == (True, True)
        beside = await browser.post(f"{self.page}ask/?page=lesson", self.form("One more?"))
        assert (beside.status_code, beside.context["conversation"]["title"]) == (403, "Why do samples vary?")
        assert (await browser.post(f"{self.lesson}ask/", self.form())).status_code == 404
        assert len(await self.said()) == 2

    async def test_to_others_it_is_absent(self):
        world = self.world
        mel = await database_sync_to_async(factories.make_user)("mel@north.example", "Mel Member", at=world.north)
        for person in (world.oona, mel):
            browser = await self.browser(person)
            absent = f"/north/learn/{world.offering.pk}/999999/ask/"
            await self.assert_absent(browser, f"{self.lesson}ask/", absent, self.form())
        for person in (world.tess, world.ada, world.oona, world.platform):
            browser = await self.browser(person)
            await self.assert_absent(browser, f"{self.page}ask/", f"/north/tutor/{uuid4()}/ask/", self.form())
        browser = await self.browser()
        south = f"/south/tutor/{self.session.pk}/ask/"
        await self.assert_absent(browser, south, f"/south/tutor/{uuid4()}/ask/", self.form())
        assert await Message.objects.acount() == 0

    async def test_only_members_post(self):
        browser = await self.browser()
        for path in (f"{self.lesson}ask/", f"{self.page}ask/"):
            assert (await browser.get(path)).status_code == 405
            answer = await AsyncClient().post(path, self.form())
            assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={path}")
        strict = AsyncClient(enforce_csrf_checks=True)
        await strict.aforce_login(self.world.sam)
        assert (await strict.post(f"{self.lesson}ask/", self.form())).status_code == 403
        assert await self.said() == []

    async def test_limits_are_told_with_the_time_to_wait_and_the_words_stay(self):
        browser = await self.browser()
        for path in (f"{self.lesson}ask/", f"{self.page}ask/", f"{self.page}ask/?page=lesson"):
            with self.settings(TUTOR_SENDS_PER_MINUTE_PER_USER=0):
                refused = await browser.post(path, self.form("And <now>?"))
            assert (refused.status_code, 0 < int(refused["Retry-After"]) <= 60) == (429, True)
            assert "Please try again in" in refused.context["tutor"].error
            assert ">And &lt;now&gt;?</textarea>" in refused.text
            with patch("tenants.readiness._going_away", True):
                refused = await browser.post(path, self.form("And <now>?"))
            assert (refused.status_code, refused["Retry-After"]) == (503, "5")
            assert ">And &lt;now&gt;?</textarea>" in refused.text
        assert await self.said() == []

    async def test_sends_are_counted_by_the_address_they_come_from(self):
        browser = await self.browser()
        with self.settings(TUTOR_SENDS_PER_MINUTE_PER_ADDRESS=0):
            refused = await browser.post(f"{self.page}ask/", self.form())
        assert "from one network address" in refused.context["tutor"].error


class Stopping(PageCase):
    async def test_the_page_comes_back_with_the_text_so_far(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate, gate_after=1))
        sent = await self.send()
        await reached(gate)
        browser = await self.browser()
        for path, back in ((f"{self.page}stop/", self.page), (f"{self.page}stop/?page=lesson", self.lesson)):
            answer = await browser.post(path, {"generation": sent.generation})
            assert (answer.status_code, answer["Location"]) == (302, back)
        assert await self.row(sent) == ("stopped", "Samples ", "")
        await happens((await self.upstream()).disconnected)
        shown = await browser.get(self.page)
        assert (shown.context["tutor"].running, 'data-state="stopped"' in shown.text) == ("", True)

    async def test_what_is_not_theirs_or_not_of_this_conversation(self):
        gate = Gate()
        self.claude.will(Answer(WORDS, gate=gate))
        sent = await self.send()
        form = {"generation": sent.generation}
        for person in (self.world.tess, self.world.ada, self.world.oona, self.world.platform):
            browser = await self.browser(person)
            await self.assert_absent(browser, f"{self.page}stop/", f"/north/tutor/{uuid4()}/stop/", form)
        browser = await self.browser()
        other = await database_sync_to_async(sams_session)(self.world)
        for path in (f"/north/tutor/{other.pk}/stop/", f"/south/tutor/{self.session.pk}/stop/"):
            await self.assert_absent(browser, path, f"/north/tutor/{uuid4()}/stop/", form)
        for malformed in ({}, {"generation": "it"}):
            assert (await browser.post(f"{self.page}stop/", malformed)).status_code == 400
        assert (await browser.get(f"{self.page}stop/")).status_code == 405
        gate.release()
        await ended(sent.generation)
        assert (await Generation.objects.aget()).stop_requested is False

    async def test_stopping_after_the_end_changes_nothing(self):
        self.claude.will(Answer(WORDS))
        sent = await self.answered()
        browser = await self.browser()
        answer = await browser.post(f"{self.page}stop/", {"generation": sent.generation})
        assert answer["Location"] == self.page
        await database_sync_to_async(request_stop)(by=self.world.sam, generation_id=sent.generation)
        assert await self.row(sent) == ("complete", WHOLE, "")
