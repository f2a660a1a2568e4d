"""A conversation as a file: the page's links and the API."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.tenants.conftest import Call
from tests.tutoring.scenes import ask, ask_anew, end, sams_session
from tests.tutoring.test_api import NOT_FOUND, NOT_SIGNED_IN, WRONG_METHOD, told
from tests.tutoring.test_conversation_pages import absent_and_foreign_are_the_same
from tests.world import World
from tutoring.actions.feedback import rate_reply
from tutoring.actions.sending import Sent
from tutoring.exports import file_name
from tutoring.models import ChatSession, Message

NOON = datetime(2026, 3, 12, 12, 5, tzinfo=UTC)
HEAD = """# Why *so*?

- Lesson: Reading: why samples vary
- Course: Thinking with samples
- University: University of the North
- Begun: 2026-03-12 12:05 UTC

## You, 2026-03-12 12:05 UTC

Why *so*?
"""
STOPPED = """
## Tutor, 2026-03-12 12:05 UTC

By

*This reply was stopped here.*
"""
WHOLE = """
## Tutor, 2026-03-12 12:05 UTC

By **chance**.

## You, 2026-03-12 12:05 UTC

And then?

## Tutor, 2026-03-12 12:05 UTC

*This reply broke off here (overloaded).*
"""


@pytest.fixture
def sents(world: World) -> dict[str, Sent]:
    """A question whose reply was stopped, and another reply to it with a question that failed."""
    session = sams_session(world)
    sents = {"stopped": ask(world, session, "Why *so*?")}
    end(sents["stopped"], "By", "stopped")
    sents["whole"] = ask_anew(world, session, sents["stopped"].reply)
    end(sents["whole"], "By **chance**.")
    sents["failed"] = ask(world, session, "And then?", parent_id=sents["whole"].reply)
    end(sents["failed"], "", "failed", code="overloaded")
    rate_reply(by=world.sam, message_id=sents["whole"].reply, thumb="up", comment="Clear.")
    Message.objects.update(created_at=NOON, finished_at=NOON)
    ChatSession.objects.update(created_at=NOON, updated_at=NOON)
    return sents


@pytest.fixture
def session(sents: dict[str, Sent]) -> ChatSession:
    return ChatSession.objects.get()


@pytest.fixture
def sam(client: Client, world: World) -> Client:
    client.force_login(world.sam)
    return client


def whole_document(sents: dict[str, Sent]) -> dict:
    stopped, whole, failed = sents.values()
    rows = [
        (stopped.message, None, "user", "complete", "", "Why *so*?", None),
        (stopped.reply, stopped.message, "assistant", "stopped", "", "By", None),
        (
            whole.reply,
            stopped.message,
            "assistant",
            "complete",
            "",
            "By **chance**.",
            {"thumb": "up", "comment": "Clear."},
        ),
        (failed.message, whole.reply, "user", "complete", "", "And then?", None),
        (failed.reply, failed.message, "assistant", "failed", "overloaded", "", None),
    ]
    moment = "2026-03-12T12:05:00+00:00"
    return {
        "title": "Why *so*?",
        "university": "University of the North",
        "course": "Thinking with samples",
        "lesson": "Reading: why samples vary",
        "created_at": moment,
        "updated_at": moment,
        "messages": [
            {
                "id": str(id),
                "parent": str(parent) if parent else None,
                "role": role,
                "state": state,
                "error_code": code,
                "body": body,
                "created_at": moment,
                "finished_at": moment,
                "feedback": feedback,
            }
            for id, parent, role, state, code, body, feedback in rows
        ],
    }


def assert_kept_to_itself(response: HttpResponse, kind: str, name: str) -> None:
    names = ("Content-Type", "Content-Disposition", "X-Content-Type-Options", "Cache-Control")
    assert (response.status_code, [response[each] for each in names]) == (
        200,
        [f"{kind}; charset=utf-8", f'attachment; filename="{name}"', "nosniff", "no-store"],
    )


class TestPages:
    def test_markdown_has_the_branch_that_is_shown(
        self, sam: Client, session: ChatSession, sents: dict[str, Sent], django_assert_num_queries
    ) -> None:
        path = f"/north/tutor/{session.pk}/export.md"
        sam.get(path)
        # Session, person, conversation with rights, its messages.
        with django_assert_num_queries(4):
            newest = sam.get(path)
        assert_kept_to_itself(newest, "text/markdown", "why-so.md")
        assert newest.text == HEAD + WHOLE
        assert sam.get(f"{path}?branch={sents['stopped'].reply}").text == HEAD + STOPPED
        assert sam.get(f"{path}?branch=x").text == HEAD + WHOLE

    def test_json_has_all_of_it(self, sam: Client, session: ChatSession, sents: dict[str, Sent]) -> None:
        answer = sam.get(f"/north/tutor/{session.pk}/export.json")
        assert_kept_to_itself(answer, "application/json", "why-so.json")
        assert json.loads(answer.text) == whole_document(sents)

    def test_a_reply_that_is_being_made_is_marked(self, sam: Client, world: World) -> None:
        session = sams_session(world)
        ask(world, session, "Why?")
        text = sam.get(f"/north/tutor/{session.pk}/export.md").text
        assert text.endswith("UTC\n\n*This reply was still being written.*\n")

    def test_one_without_words_is_a_file_too(self, sam: Client, world: World) -> None:
        session = sams_session(world)
        answer = sam.get(f"/north/tutor/{session.pk}/export.md")
        assert_kept_to_itself(answer, "text/markdown", "conversation.md")
        assert answer.text.startswith("# Reading: why samples vary\n")

    @pytest.mark.parametrize("name", ["export.md", "export.json"])
    def test_to_others_it_is_absent(self, client: Client, world: World, session: ChatSession, name: str) -> None:
        path = f"/north/tutor/{session.pk}/{name}"
        for person in (world.tess, world.ada, world.oona, world.platform):
            client.force_login(person)
            absent_and_foreign_are_the_same(client, path, f"/north/tutor/{uuid4()}/{name}")
        client.force_login(world.sam)
        absent_and_foreign_are_the_same(client, f"/south/tutor/{session.pk}/{name}", f"/north/tutor/{uuid4()}/{name}")
        assert client.post(path).status_code == 405
        client.logout()
        assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


class TestApi:
    def test_gives_the_same_files(self, call: Call, world: World, session: ChatSession, sents: dict[str, Sent]) -> None:
        path = f"/chat/sessions/{session.pk}/export"
        markdown = call("GET", f"{path}?format=markdown", by=world.sam)
        assert_kept_to_itself(markdown, "text/markdown", "why-so.md")
        assert markdown.text == HEAD + WHOLE
        branch = call("GET", f"{path}?format=markdown&branch={sents['stopped'].reply}", by=world.sam)
        assert branch.text == HEAD + STOPPED
        document = call("GET", f"{path}?format=json", by=world.sam)
        assert_kept_to_itself(document, "application/json", "why-so.json")
        assert document.json() == whole_document(sents)

    def test_refuses_strangers_and_what_is_malformed(self, call: Call, world: World, session: ChatSession) -> None:
        path = f"/chat/sessions/{session.pk}/export?format=json"
        for stranger in (world.tess, world.ada, world.oona, world.platform):
            assert told(call("GET", path, by=stranger)) == NOT_FOUND
        assert told(call("GET", f"/chat/sessions/{uuid4()}/export?format=json", by=world.sam)) == NOT_FOUND
        for query in ("", "?format=pdf", "?format=json&branch=x"):
            refused = call("GET", f"/chat/sessions/{session.pk}/export{query}", by=world.sam)
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
        assert told(call("GET", path)) == NOT_SIGNED_IN
        assert told(call("POST", path, by=world.sam)) == WRONG_METHOD


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Why do samples vary?", "why-do-samples-vary.md"),
        ('"; filename="evil.exe\r\nX: y', "filenameevilexe-x-y.md"),
        ("../../etc/passwd", "etcpasswd.md"),
        ("Størrelse og Größe", "strrelse-og-groe.md"),
        ("为什么", "conversation.md"),
        ("word " * 40, "word-" * 11 + "word.md"),
    ],
)
def test_a_file_has_a_safe_name(title: str, name: str) -> None:
    assert file_name(ChatSession(title=title), "md") == name
