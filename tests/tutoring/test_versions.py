"""Other replies to a question, other words for one, and going on with a reply that broke off, by forms alone."""

from uuid import uuid4

from channels.db import database_sync_to_async
from django.test import AsyncClient

from lms.learning.actions.enrolment import drop
from tests.fakes.claude import Answer, Gate
from tests.tutoring.live_case import ended
from tests.tutoring.scenes import sams_session
from tests.tutoring.test_views import PageCase
from tutoring.models import Message


class Regenerating(PageCase):
    def setUp(self):
        super().setUp()
        self.path = f"{self.page}regenerate/"

    async def begin(self):
        """A browser, and an exchange whose reply is to be made anew."""
        self.claude.will(Answer(["One."]), Answer(["Another one."]))
        return await self.browser(), await self.answered("Why?")

    async def test_the_new_reply_stands_beside_the_old_one(self):
        browser, sent = await self.begin()
        (old,) = [each for each in (await browser.get(self.page)).context["tutor"].messages if "key" in each]
        answer = await browser.post(self.path, {"key": old["key"], "reply": sent.reply})
        new = await Message.objects.alatest("seq")
        assert (answer.status_code, answer["Location"]) == (302, f"{self.page}#m-{new.pk}")
        page = await browser.get(self.page)
        assert await self.shown(page) == ["Why?", "Another one."]
        assert "2 of 2" in page.text
        earlier = page.context["tutor"].messages[-1]["versions"]["earlier_url"]
        assert earlier == f"{self.page}?branch={sent.reply}#m-{sent.reply}"
        page = await browser.get(earlier)
        assert (await self.shown(page), "1 of 2" in page.text) == (["Why?", "One."], True)

    async def test_a_form_that_is_sent_twice_is_one_reply(self):
        browser, sent = await self.begin()
        form = {"key": str(uuid4()), "reply": sent.reply}
        answers = [await browser.post(self.path, form) for _ in range(2)]
        assert answers[0]["Location"] == answers[1]["Location"]
        assert (len(self.claude.requests), len(await self.said())) == (2, 3)

    async def test_beside_the_lesson(self):
        browser, sent = await self.begin()
        answer = await browser.post(f"{self.path}?page=lesson", {"key": str(uuid4()), "reply": sent.reply})
        new = await Message.objects.alatest("seq")
        assert answer["Location"] == f"{self.lesson}#m-{new.pk}"

    async def test_what_cannot_be_made_anew_is_refused_with_a_sentence(self):
        browser, sent = await self.begin()
        other = await database_sync_to_async(sams_session)(self.world)
        sentences = {
            "it": "A message is named by its id, a UUID.",
            "": "A message is named by its id, a UUID.",
            uuid4(): "What should be answered anew is not a reply of this conversation.",
            sent.message: "What should be answered anew is not a reply of this conversation.",
        }
        for reply, sentence in sentences.items():
            refused = await browser.post(self.path, {"key": str(uuid4()), "reply": reply})
            assert (refused.status_code, refused.context["tutor"].error) == (400, sentence)
        elsewhere = f"/north/tutor/{other.pk}/regenerate/"
        assert (await browser.post(elsewhere, {"key": str(uuid4()), "reply": sent.reply})).status_code == 400
        await database_sync_to_async(drop)(by=self.world.sam, offering_id=self.world.offering.pk)
        assert (await browser.post(self.path, {"key": str(uuid4()), "reply": sent.reply})).status_code == 403
        assert len(await self.said()) == 2

    async def test_not_while_another_one_is_made_and_the_branch_stays_in_view(self):
        browser, sent = await self.begin()
        gate = Gate()
        self.claude.forget_script()
        self.claude.will(Answer(["Two."], gate=gate))
        running = await self.send("And then?", parent_id=sent.reply)
        refused = await browser.post(self.path, {"key": str(uuid4()), "reply": sent.reply})
        assert refused.status_code == 409
        assert refused.context["tutor"].running == str(running.generation)
        gate.release()
        await ended(running.generation)
        assert len(await self.said()) == 4

    async def test_to_others_it_is_absent(self):
        _, sent = await self.begin()
        form = {"key": str(uuid4()), "reply": sent.reply}
        for person in (self.world.tess, self.world.ada, self.world.oona, self.world.platform):
            await self.assert_absent(await self.browser(person), self.path, f"/north/tutor/{uuid4()}/regenerate/", form)
        browser = await self.browser()
        south = f"/south/tutor/{self.session.pk}/regenerate/"
        await self.assert_absent(browser, south, f"/south/tutor/{uuid4()}/regenerate/", form)
        assert (await browser.get(self.path)).status_code == 405
        answer = await AsyncClient().post(self.path, form)
        assert answer["Location"] == f"/accounts/login/?next={self.path}"
        strict = AsyncClient(enforce_csrf_checks=True)
        await strict.aforce_login(self.world.sam)
        assert (await strict.post(self.path, form)).status_code == 403
        assert len(await self.said()) == 2


class Editing(PageCase):
    async def test_the_other_wording_stands_beside_the_first_and_what_followed_is_kept(self):
        self.claude.will(Answer(["One."]), Answer(["Two."]), Answer(["Another one."]))
        browser = await self.browser()
        first, _ = await self.answered("Why?"), await self.answered("And then?")
        page = await browser.get(f"{self.page}?edit={first.message}")
        panel = page.context["tutor"]
        form = {"key": panel.key, "parent": panel.parent, "edits": panel.edits, "text": "Why so?"}
        assert (await browser.post(panel.ask_url, form)).status_code == 302
        assert await self.shown(await browser.get(self.page)) == ["Why so?", "Another one."]
        earlier = await browser.get(f"{self.page}?branch={first.message}")
        assert await self.shown(earlier) == ["Why?", "One.", "And then?", "Two."]
        # The model is told the new branch alone.
        told = [block["text"] for message in self.claude.requests[-1].body["messages"] for block in message["content"]]
        assert ("Why so?" in told[-1], any("One." in text for text in told)) == (True, False)

    async def test_a_refused_wording_is_still_being_edited(self):
        self.claude.will(Answer(["One."]))
        browser, sent = await self.browser(), await self.answered("Why?")
        form = {"key": str(uuid4()), "edits": sent.message, "text": "x" * 8001}
        refused = await browser.post(f"{self.page}ask/", form)
        panel = refused.context["tutor"]
        assert (refused.status_code, panel.edits, panel.draft) == (400, sent.message, "x" * 8001)
        assert panel.cancel_url == f"{self.page}?branch={sent.message}#m-{sent.message}"


class Continuing(PageCase):
    async def broken_off(self, text):
        # What ends before its first text is tried three times.
        broken = Answer([text, "!"], error_after=1) if text else Answer(status=529, error="overloaded_error")
        self.claude.will(*[broken] * (1 if text else 3))
        return await self.answered("Why?")

    async def test_a_reply_that_broke_off_goes_on_in_the_next(self):
        sent = await self.broken_off("Samples")
        browser = await self.browser()
        self.claude.will(Answer([" vary."]))
        page = await browser.get(self.page)
        panel = page.context["tutor"]
        words = "Please go on where you stopped."
        for part in (
            f'<input type="hidden" name="key" value="{panel.continue_key}">',
            f'<input type="hidden" name="parent" value="{sent.reply}">',
            f'<input type="hidden" name="text" value="{words}">',
        ):
            assert part in page.text
        form = {"key": panel.continue_key, "parent": sent.reply, "text": words}
        assert (await browser.post(panel.ask_url, form)).status_code == 302
        assert await self.said() == [
            ("user", "complete", "Why?"),
            ("assistant", "failed", "Samples"),
            ("user", "complete", words),
            ("assistant", "complete", " vary."),
        ]

    async def test_a_reply_that_never_began_is_tried_again_without_asking_twice(self):
        sent = await self.broken_off("")
        browser = await self.browser()
        self.claude.will(Answer(["Samples vary."]))
        page = await browser.get(self.page)
        (failed,) = [each for each in page.context["tutor"].messages if "key" in each]
        assert (failed["state"], failed["length"], "Try again" in page.text) == ("failed", 0, True)
        await browser.post(f"{self.page}regenerate/", {"key": failed["key"], "reply": sent.reply})
        assert await self.said() == [
            ("user", "complete", "Why?"),
            ("assistant", "failed", ""),
            ("assistant", "complete", "Samples vary."),
        ]
        assert await self.shown(await browser.get(self.page)) == ["Why?", "Samples vary."]
