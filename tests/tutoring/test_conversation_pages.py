"""My conversations, one conversation, and beginning a new one."""

from unittest.mock import patch
from uuid import uuid4

import pytest
from django.test import Client

from lms.courses.markdown import render_reply
from tests import factories
from tests.tutoring.scenes import ask, ask_anew, end, sams_session
from tests.world import World
from tutoring.models import ChatSession


@pytest.fixture
def sam(client: Client, world: World) -> Client:
    client.force_login(world.sam)
    return client


def exchange(world: World, session: ChatSession, question: str, reply: str = "A **reply**.") -> ChatSession:
    sent = ask(world, session, question)
    assert end(sent, reply)
    session.refresh_from_db()
    return session


def row(session: ChatSession, count: int = 2) -> dict:
    return {
        "title": session.title,
        "url": f"/north/tutor/{session.pk}/",
        "delete_url": f"/north/tutor/{session.pk}/delete/",
        "lesson": "Reading: why samples vary",
        "updated_at": session.updated_at,
        "message_count": count,
    }


def absent_and_foreign_are_the_same(client: Client, foreign: str, absent: str, method: str = "get") -> None:
    found = [getattr(client, method)(path) for path in (foreign, absent)]
    assert [response.status_code for response in found] == [404, 404]
    assert found[0].content == found[1].content


class TestConversations:
    def listed(self, client: Client, query: str = "") -> list[dict]:
        return client.get(f"/north/tutor/{query}").context["groups"]

    def test_by_course_and_newest_first(self, sam: Client, world: World) -> None:
        first = exchange(world, sams_session(world), "First?")
        second = exchange(world, sams_session(world), "Second?")
        exchange(world, second, "And more?")
        assert self.listed(sam) == [{"course": "Thinking with samples", "conversations": [row(second, 4), row(first)]}]
        page = sam.get("/north/tutor/").text
        assert f'<a href="/north/tutor/{second.pk}/" dir="auto">Second?</a>' in page
        assert ("4 messages" in page, "2 messages" in page) == (True, True)

    def test_search(self, sam: Client, world: World) -> None:
        bias = exchange(world, sams_session(world), "What is <bias>?", "A systematic error.")
        exchange(world, sams_session(world), "What is variance?")
        for query in ("?q=BIAS", "?q=+systematic+", "?q=bi%00as"):
            assert [group["conversations"] for group in self.listed(sam, query)] == [[row(bias)]]
        nothing = sam.get("/north/tutor/?q=%3Czanzibarium%3E")
        assert (nothing.context["groups"], nothing.context["query"]) == ([], "<zanzibarium>")
        assert "Nothing was said with these words." in nothing.text
        assert 'value="&lt;zanzibarium&gt;"' in nothing.text

    def test_none_yet(self, sam: Client, world: World) -> None:
        sams_session(world)
        page = sam.get("/north/tutor/")
        assert (page.context["groups"], "None yet." in page.text) == ([], True)

    def test_costs_the_same_with_one_and_with_three(self, sam: Client, world: World, django_assert_num_queries) -> None:
        exchange(world, sams_session(world), "One?")
        with django_assert_num_queries(5):
            assert len(self.listed(sam)[0]["conversations"]) == 1
        for number in range(2):
            exchange(world, sams_session(world), f"More {number}?")
        with django_assert_num_queries(5):
            assert len(self.listed(sam)[0]["conversations"]) == 3

    def test_has_pages(self, sam: Client, world: World) -> None:
        for number in range(3):
            exchange(world, sams_session(world), f"Question {number}?")
        with patch("tutoring.views.conversations.CONVERSATIONS_PER_PAGE", 2):
            pages = [self.listed(sam, f"?page={page}")[0]["conversations"] for page in ("1", "2", "99", "none")]
        assert [len(page) for page in pages] == [2, 1, 1, 2]
        assert pages[1][0]["title"] == "Question 0?"

    def test_are_ones_own_at_a_university_of_ones_own(self, client: Client, world: World) -> None:
        exchange(world, sams_session(world), "A canary question?")
        for person in (world.tess, world.ada, world.platform):
            client.force_login(person)
            assert self.listed(client) == []
        client.force_login(world.oona)
        absent_and_foreign_are_the_same(client, "/north/tutor/", "/nowhere/tutor/")
        client.logout()
        assert client.get("/north/tutor/")["Location"] == "/accounts/login/?next=/north/tutor/"
        client.force_login(world.sam)
        assert client.post("/north/tutor/").status_code == 405


class TestConversation:
    def test_shows_what_was_said(self, sam: Client, world: World, django_assert_num_queries) -> None:
        session = exchange(world, sams_session(world), "Why <so>?")
        path = f"/north/tutor/{session.pk}/"
        sam.get(path)
        # Session, person, conversation with rights, its messages, its links.
        with django_assert_num_queries(5):
            page = sam.get(path)
        assert page.context["conversation"] == {
            "title": "Why <so>?",
            "lesson": "Reading: why samples vary",
            "lesson_url": f"/north/learn/{world.offering.pk}/{world.item.pk}/",
            "course": "Thinking with samples",
            "created_at": session.created_at,
            "last": session.messages.last().pk,
            "rename_url": f"{path}rename/",
            "delete_url": f"{path}delete/",
            "markdown_url": f"{path}export.md",
            "json_url": f"{path}export.json",
        }
        assert [message["role"] for message in page.context["tutor"].messages] == ["user", "assistant"]
        assert ("Why &lt;so&gt;?" in page.text, render_reply("A **reply**.") in page.text) == (True, True)

    def test_shows_the_branch_that_its_address_names(self, sam: Client, world: World) -> None:
        session = exchange(world, sams_session(world), "Why?", "One.")
        first = session.messages.last()
        end(ask_anew(world, session, first.pk), "Another one.")
        path = f"/north/tutor/{session.pk}/"
        shown = {query: sam.get(f"{path}{query}") for query in ("", f"?branch={first.pk}", "?branch=x", "?edit=x")}
        assert [page.context["tutor"].messages[-1]["html"].strip() for page in shown.values()] == [
            "<p>Another one.</p>",
            "<p>One.</p>",
            "<p>Another one.</p>",
            "<p>Another one.</p>",
        ]
        page = shown[f"?branch={first.pk}"]
        assert page.context["conversation"]["last"] == first.pk
        # What leads on from here keeps to what is seen here.
        for link in (f"{path}share/?branch={first.pk}", f"{path}export.md?branch={first.pk}"):
            assert f'href="{link}"' in page.text
        assert f'<input type="hidden" name="parent" value="{first.pk}">' in page.text

    def test_puts_a_question_to_be_edited_into_the_box(self, sam: Client, world: World) -> None:
        session = exchange(world, sams_session(world), "Why <so>?")
        question = session.messages.first().pk
        page = sam.get(f"/north/tutor/{session.pk}/?edit={question}")
        assert ">Why &lt;so&gt;?</textarea>" in page.text
        assert f'<input type="hidden" name="edits" value="{question}">' in page.text
        assert f'href="/north/tutor/{session.pk}/?branch={question}#m-{question}" data-part="cancel"' in page.text

    def test_one_about_an_older_text_offers_a_new_one(self, sam: Client, world: World) -> None:
        session = exchange(world, sams_session(world), "Why?")
        notice = "The lesson has changed since this conversation began."
        assert notice not in sam.get(f"/north/tutor/{session.pk}/").text
        world.item.revision += 1
        world.item.save()
        page = sam.get(f"/north/tutor/{session.pk}/")
        assert notice in page.text
        new_url = f"/north/learn/{world.offering.pk}/{world.item.pk}/new/"
        assert f'<form method="post" action="{new_url}">' in page.text

    def test_before_the_first_question(self, sam: Client, world: World) -> None:
        page = sam.get(f"/north/tutor/{sams_session(world).pk}/")
        assert (page.context["conversation"]["title"], page.context["tutor"].messages) == (world.item.title, [])

    def test_to_others_it_is_absent(self, client: Client, world: World) -> None:
        session = exchange(world, sams_session(world), "A canary question?")
        for person in (world.tess, world.ada, world.oona, world.platform):
            client.force_login(person)
            absent_and_foreign_are_the_same(client, f"/north/tutor/{session.pk}/", f"/north/tutor/{uuid4()}/")
        client.force_login(world.sam)
        absent_and_foreign_are_the_same(client, f"/south/tutor/{session.pk}/", f"/north/tutor/{uuid4()}/")
        assert client.post(f"/north/tutor/{session.pk}/").status_code == 405
        assert client.get("/north/tutor/nothing/").status_code == 404
        client.logout()
        path = f"/north/tutor/{session.pk}/"
        assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


class TestRenaming:
    def test_the_new_title_is_shown_everywhere(self, sam: Client, world: World) -> None:
        session = exchange(world, sams_session(world), "Why?")
        path = f"/north/tutor/{session.pk}/"
        answer = sam.post(f"{path}rename/", {"title": "  Why\tsamples\x00 <vary> "})
        assert (answer.status_code, answer["Location"]) == (302, path)
        assert '<h1 dir="auto">Why samples &lt;vary&gt;</h1>' in sam.get(path).text
        assert sam.get("/north/tutor/").context["groups"][0]["conversations"][0]["title"] == "Why samples <vary>"
        # It does not make the conversation a newer one.
        before = session.updated_at
        session.refresh_from_db()
        assert session.updated_at == before

    @pytest.mark.parametrize(
        ("title", "sentence"),
        [
            (" ", "Please write a title."),
            ("x" * 201, "The title has 201 characters; at most 200 can be kept."),
        ],
    )
    def test_what_is_no_title_is_refused_with_a_sentence(
        self, sam: Client, world: World, title: str, sentence: str
    ) -> None:
        session = exchange(world, sams_session(world), "Why?")
        refused = sam.post(f"/north/tutor/{session.pk}/rename/", {"title": title})
        assert (refused.status_code, refused.context["tutor"].error) == (400, sentence)
        session.refresh_from_db()
        assert session.title == "Why?"

    def test_to_others_it_is_absent(self, client: Client, world: World) -> None:
        session = exchange(world, sams_session(world), "Why?")
        path = f"/north/tutor/{session.pk}/rename/"
        for person in (world.tess, world.ada, world.oona, world.platform):
            client.force_login(person)
            absent_and_foreign_are_the_same(client, path, f"/north/tutor/{uuid4()}/rename/", "post")
        client.force_login(world.sam)
        absent_and_foreign_are_the_same(
            client, f"/south/tutor/{session.pk}/rename/", f"/north/tutor/{uuid4()}/rename/", "post"
        )
        assert client.get(path).status_code == 405
        client.logout()
        assert client.post(path, {"title": "Mine"})["Location"] == f"/accounts/login/?next={path}"
        session.refresh_from_db()
        assert session.title == "Why?"


class TestNew:
    def path(self, world: World, item: int | None = None) -> str:
        return f"/north/learn/{world.offering.pk}/{item or world.item.pk}/new/"

    def test_a_script_gets_ids(self, sam: Client, world: World) -> None:
        answers = [sam.post(self.path(world), headers={"accept": "application/json"}) for _ in range(2)]
        session = ChatSession.objects.get()
        assert [(answer.status_code, answer.json()) for answer in answers] == [
            (201, {"session": str(session.pk), "socket": f"/ws/tutor/{session.pk}/"})
        ] * 2
        assert (session.user, session.content_item, session.offering) == (world.sam, world.item, world.offering)

    def test_a_form_comes_back_to_an_empty_panel(self, sam: Client, world: World) -> None:
        exchange(world, sams_session(world), "Why?")
        answer = sam.post(self.path(world), headers={"accept": "text/html"})
        lesson = self.path(world).removesuffix("new/")
        assert (answer.status_code, answer["Location"]) == (302, f"{lesson}#tutor")
        assert sam.get(lesson).context["tutor"].messages == []
        assert ChatSession.objects.count() == 2

    def test_to_others_it_is_absent(self, client: Client, world: World) -> None:
        for person in (world.oona, factories.make_user("mel@north.example", "Mel Member", at=world.north)):
            client.force_login(person)
            absent_and_foreign_are_the_same(client, self.path(world), self.path(world, 999_999), "post")
        client.force_login(world.sam)
        assert client.get(self.path(world)).status_code == 405
        client.logout()
        assert client.post(self.path(world))["Location"] == f"/accounts/login/?next={self.path(world)}"
        assert ChatSession.objects.count() == 0
