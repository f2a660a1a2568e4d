"""Deleting a conversation by the page and by the API. What goes and what stays is in test_actions_sessions.py."""

from uuid import uuid4

from channels.db import database_sync_to_async
from django.test import AsyncClient

from tests.fakes.claude import Answer, Gate
from tests.tutoring.live_case import happens, reached
from tests.tutoring.test_views import PageCase
from tutoring.actions.sharing import publish_share
from tutoring.models import ChatSession, Message


class Deleting(PageCase):
    def setUp(self):
        super().setUp()
        self.path = f"{self.page}delete/"
        self.claude.will(Answer(["Two words."]))

    async def test_the_page_says_first_what_goes(self):
        browser, sent = await self.browser(), await self.answered("Why <so>?")
        page = await browser.get(self.path)
        assert (page.status_code, page.context["message_count"], page.context["share_count"]) == (200, 2, 0)
        assert ("Why &lt;so&gt;?" in page.text, "2 messages, with all their versions" in page.text) == (True, True)
        assert "by which others can read it now" not in page.text
        await database_sync_to_async(publish_share)(by=self.world.sam, session_id=sent.session)
        assert "1 link by which others can read it now" in (await browser.get(self.path)).text
        assert await Message.objects.acount() == 2

    async def test_confirmed_it_is_gone_and_the_list_says_so(self):
        browser = await self.browser()
        await self.answered("Why?")
        answer = await browser.post(self.path)
        assert (answer.status_code, answer["Location"]) == (302, "/north/tutor/")
        listed = await browser.get("/north/tutor/")
        assert ("The conversation is deleted." in listed.text, listed.context["groups"]) == (True, [])
        assert await ChatSession.objects.acount() == 0
        for again in (await browser.post(self.path), await browser.get(self.path)):
            assert again.status_code == 404

    async def test_a_reply_that_is_being_made_is_stopped(self):
        gate = Gate()
        self.claude.forget_script()
        self.claude.will(Answer(["Two ", "words."], gate=gate, gate_after=1))
        await self.send()
        await reached(gate)
        await (await self.browser()).post(self.path)
        await happens((await self.upstream()).disconnected)
        assert await ChatSession.objects.acount() == 0

    async def test_to_others_it_is_absent(self):
        await self.answered()
        for person in (self.world.tess, self.world.ada, self.world.oona, self.world.platform):
            browser = await self.browser(person)
            await self.assert_absent(browser, self.path, f"/north/tutor/{uuid4()}/delete/", {})
            assert (await browser.get(self.path)).status_code == 404
        browser = await self.browser()
        south = f"/south/tutor/{self.session.pk}/delete/"
        await self.assert_absent(browser, south, f"/south/tutor/{uuid4()}/delete/", {})
        assert (await browser.put(self.path)).status_code == 405
        assert (await AsyncClient().post(self.path))["Location"] == f"/accounts/login/?next={self.path}"
        strict = AsyncClient(enforce_csrf_checks=True)
        await strict.aforce_login(self.world.sam)
        assert (await strict.post(self.path)).status_code == 403
        assert await Message.objects.acount() == 2


class DeletingByTheApi(PageCase):
    async def delete(self, session=None, by=None):
        token = await database_sync_to_async(self.token)(by)
        path = f"/api/v1/chat/sessions/{session or self.session.pk}"
        return await AsyncClient().delete(path, headers={"Authorization": f"Bearer {token}"})

    async def test_it_is_gone_and_its_reply_stopped(self):
        gate = Gate()
        self.claude.will(Answer(["Two ", "words."], gate=gate, gate_after=1))
        await self.send()
        await reached(gate)
        answer = await self.delete()
        assert (answer.status_code, answer.content) == (204, b"")
        await happens((await self.upstream()).disconnected)
        assert await ChatSession.objects.acount() == 0
        assert (await self.delete()).status_code == 404

    async def test_strangers_are_refused(self):
        for person in (self.world.tess, self.world.ada, self.world.oona, self.world.platform):
            refused = await self.delete(by=person)
            absent = await self.delete(uuid4(), by=person)
            assert (refused.status_code, refused.json()) == (404, absent.json())
        anonymous = await AsyncClient().delete(f"/api/v1/chat/sessions/{self.session.pk}")
        assert (anonymous.status_code, anonymous.json()["code"]) == (401, "not_signed_in")
        assert await ChatSession.objects.acount() == 1
