"""API group chat, but for the streams themselves: see test_event_streams.py."""

from datetime import datetime
from uuid import uuid4

import pytest

from lms.learning.actions.enrolment import drop
from tests import factories
from tests.tenants.conftest import Call
from tests.tutoring.scenes import ask, end, sams_lesson, sams_session
from tests.world import World
from tutoring.actions.sending import Sent
from tutoring.actions.sessions import start_session
from tutoring.models import ChatSession, Generation, IdempotencyKey, Message

NOT_FOUND = (404, {"detail": "There is nothing here.", "code": "not_found"})
NOT_SIGNED_IN = (401, {"detail": "Please sign in.", "code": "not_signed_in"})
WRONG_METHOD = (405, {"detail": "This address does not know this method.", "code": "method_not_allowed"})


def told(response) -> tuple[int, object]:
    return response.status_code, response.json()


def as_json(moment: datetime | None) -> str | None:
    """As the API writes times: to the millisecond, with Z."""
    return moment and moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown(session: ChatSession, **changes: object) -> dict:
    return {
        "id": str(session.pk),
        "title": session.title,
        "university": "north",
        "offering": session.offering_id,
        "content_item": session.content_item_id,
        "socket": f"/ws/tutor/{session.pk}/",
        "created_at": as_json(session.created_at),
        "updated_at": as_json(session.updated_at),
    } | changes


def answer(sent: Sent, body: str, state: str = "complete") -> None:
    assert end(sent, body, state)


class TestBegin:
    def body(self, world: World, **changes: object) -> dict:
        return {"university": "north", "offering": world.offering.pk, "content_item": world.item.pk} | changes

    def test_begins_one_and_takes_up_an_unused_one(self, call: Call, world: World) -> None:
        begun = call("POST", "/chat/sessions", self.body(world), by=world.sam)
        session = ChatSession.objects.get()
        assert told(begun) == (201, shown(session))
        assert (session.user, session.university) == (world.sam, world.north)
        assert session.content_context["title"] == "Reading: why samples vary"
        again = call("POST", "/chat/sessions", self.body(world), by=world.sam)
        assert (again.status_code, again.json()["id"]) == (201, str(session.pk))

    def test_staff_may_try_their_lesson(self, call: Call, world: World) -> None:
        assert call("POST", "/chat/sessions", self.body(world), by=world.tess).status_code == 201

    def test_a_foreign_lesson_is_an_absent_one(self, call: Call, world: World) -> None:
        mel = factories.make_user("mel@north.example", "Mel Member", at=world.north)
        for person in (world.oona, mel):
            assert told(call("POST", "/chat/sessions", self.body(world), by=person)) == NOT_FOUND
        for changes in ({"content_item": 0}, {"offering": 10**30}, {"content_item": world.south_item.pk}):
            assert told(call("POST", "/chat/sessions", self.body(world, **changes), by=world.sam)) == NOT_FOUND
        assert ChatSession.objects.count() == 0

    @pytest.mark.parametrize(
        "changes",
        [
            {"university": None},
            {"university": "nor\x00th"},
            {"university": "\ud800"},
            {"offering": "one"},
            {"title": "Mine"},
        ],
    )
    def test_what_is_malformed_is_refused(self, call: Call, world: World, changes: dict) -> None:
        refused = call("POST", "/chat/sessions", self.body(world, **changes), by=world.sam)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
        assert refused.json()["detail"][0]["loc"] == ["body", "body", *changes]

    def test_needs_a_token_and_knows_its_methods(self, call: Call, world: World) -> None:
        assert told(call("POST", "/chat/sessions", self.body(world))) == NOT_SIGNED_IN
        assert told(call("DELETE", "/chat/sessions", by=world.sam)) == WRONG_METHOD


class TestList:
    def conversations(self, world: World, *questions: str) -> list[ChatSession]:
        """Newest first."""
        for question in questions:
            answer(ask(world, sams_session(world), question), f"About {question}")
        return list(ChatSession.objects.order_by("-updated_at"))

    def titles(self, call: Call, world: World, query: str) -> list[str]:
        rows = call("GET", f"/chat/sessions?university=north{query}", by=world.sam).json()["items"]
        return [row["title"] for row in rows]

    def test_newest_first_in_pages(self, call: Call, world: World) -> None:
        second, first = self.conversations(world, "First?", "Second?")
        listed = call("GET", "/chat/sessions?university=north", by=world.sam)
        assert told(listed) == (200, {"items": [shown(second), shown(first)], "count": 2})
        assert self.titles(call, world, "&limit=1") == ["Second?"]
        assert self.titles(call, world, "&limit=1&offset=1") == ["First?"]

    def test_search(self, call: Call, world: World) -> None:
        self.conversations(world, "What is variance?", "What is bias?")
        assert self.titles(call, world, "&search=BIAS") == ["What is bias?"]
        assert self.titles(call, world, "&search=about") == ["What is bias?", "What is variance?"]
        assert self.titles(call, world, "&search=%25") == []

    def test_costs_the_same_with_one_and_with_three(self, call: Call, world: World, django_assert_num_queries) -> None:
        self.conversations(world, "One?")
        with django_assert_num_queries(5):
            assert self.titles(call, world, "") == ["One?"]
        self.conversations(world, "Two?", "Three?")
        with django_assert_num_queries(5):
            assert self.titles(call, world, "") == ["Three?", "Two?", "One?"]

    def test_are_the_callers_own(self, call: Call, world: World) -> None:
        self.conversations(world, "Mine?")
        for person in (world.tess, world.ada, world.platform):
            listed = call("GET", "/chat/sessions?university=north", by=person)
            assert told(listed) == (200, {"items": [], "count": 0})
        for slug in ("north", "nowhere"):
            assert told(call("GET", f"/chat/sessions?university={slug}", by=world.oona)) == NOT_FOUND

    def test_what_is_malformed_is_refused(self, call: Call, world: World) -> None:
        long = "x" * 201
        for query in ("", "university=%00", "university=north&search=%00", f"university=north&search={long}"):
            assert call("GET", f"/chat/sessions?{query}", by=world.sam).status_code == 422, query
        assert told(call("GET", "/chat/sessions?university=north")) == NOT_SIGNED_IN


class TestOne:
    def test_has_its_messages_in_order(self, call: Call, world: World, django_assert_num_queries) -> None:
        session = sams_session(world)
        answer(ask(world, session, "Why?"), "Because.")
        running = ask(world, session, "And why that?")
        session.refresh_from_db()
        with django_assert_num_queries(4):
            found = call("GET", f"/chat/sessions/{session.pk}", by=world.sam)
        rows = list(Message.objects.filter(session=session).order_by("seq"))
        bodies = ["Why?", "Because.", "And why that?", ""]
        assert told(found) == (
            200,
            shown(
                session,
                messages=[
                    {
                        "id": str(row.pk),
                        "seq": number,
                        "parent": row.parent_id and str(row.parent_id),
                        "siblings": [str(row.pk)],
                        "role": role,
                        "state": state,
                        "body": body,
                        "error_code": "",
                        "generation": str(row.generation.pk) if role == "assistant" else None,
                        "feedback": None,
                        "created_at": as_json(row.created_at),
                        "finished_at": as_json(row.finished_at),
                    }
                    for number, role, state, body, row in zip(
                        (1, 2, 3, 4),
                        ("user", "assistant") * 2,
                        ("complete", "complete", "complete", "pending"),
                        bodies,
                        rows,
                        strict=True,
                    )
                ],
            ),
        )
        assert [row.parent_id for row in rows] == [None, rows[0].pk, rows[1].pk, rows[2].pk]
        assert found.json()["messages"][3]["generation"] == str(running.generation)

    def test_a_foreign_one_is_an_absent_one(self, call: Call, world: World) -> None:
        session = sams_session(world)
        for stranger in (world.tess, world.ada, world.oona, world.platform):
            assert told(call("GET", f"/chat/sessions/{session.pk}", by=stranger)) == NOT_FOUND
        for absent in (uuid4(), "nothing", 1):
            assert told(call("GET", f"/chat/sessions/{absent}", by=world.sam)) == NOT_FOUND

    def test_needs_a_token_and_knows_its_methods(self, call: Call, world: World) -> None:
        session = sams_session(world)
        assert told(call("GET", f"/chat/sessions/{session.pk}")) == NOT_SIGNED_IN
        assert told(call("POST", f"/chat/sessions/{session.pk}", {}, by=world.sam)) == WRONG_METHOD


class TestRefusedMessages:
    """None of them stores anything."""

    @pytest.fixture
    def session(self, world: World):
        session = sams_session(world)
        yield session
        kept = [Message.objects.count(), Generation.objects.count(), IdempotencyKey.objects.count()]
        assert kept == [0, 0, 0]

    def post(self, call: Call, session, body: object, *, key: str = "some-key-or-other", **who: object):
        return call("POST", f"/chat/sessions/{session.pk}/messages", body, headers={"Idempotency-Key": key}, **who)

    def test_without_a_key(self, call: Call, world: World, session: ChatSession) -> None:
        refused = call("POST", f"/chat/sessions/{session.pk}/messages", {"text": "Why?"}, by=world.sam)
        assert told(refused) == (
            422,
            {
                "detail": [{"loc": ["header", "Idempotency-Key"], "msg": "Field required", "type": "missing"}],
                "code": "invalid_input",
            },
        )

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 422),
            ({"text": None}, 422),
            ({"text": ["Why?"]}, 422),
            ({"text": "Why?", "role": "system"}, 422),
            ({"text": "Why?", "parent": "nobody"}, 422),
            (["Why?"], 422),
            ({"text": " \x00 "}, 400),
            ({"text": "\ud800"}, 400),
            ({"text": "x" * 8001}, 400),
            ({"text": "Why?", "parent": str(uuid4())}, 400),
        ],
    )
    def test_malformed(self, call: Call, world: World, session: ChatSession, body: object, status: int) -> None:
        refused = self.post(call, session, body, by=world.sam)
        code = {422: "invalid_input", 400: "bad_question"}[status]
        assert (refused.status_code, refused.json()["code"]) == (status, code)

    def test_with_a_key_that_is_none(self, call: Call, world: World, session: ChatSession) -> None:
        for key in ("short", "k" * 101, "ключ-ключ", "with\ttab-in-it"):
            refused = self.post(call, session, {"text": "Why?"}, key=key, by=world.sam)
            assert (refused.status_code, refused.json()["code"]) == (400, "bad_question")

    def test_by_strangers(self, call: Call, world: World, session: ChatSession) -> None:
        for stranger in (world.tess, world.ada, world.oona, world.platform):
            assert told(self.post(call, session, {"text": "Why?"}, by=stranger)) == NOT_FOUND
        absent = ChatSession(pk=uuid4())
        assert told(self.post(call, absent, {"text": "Why?"}, by=world.sam)) == NOT_FOUND
        assert told(self.post(call, session, {"text": "Why?"})) == NOT_SIGNED_IN

    def test_after_leaving_the_course(self, call: Call, world: World, session: ChatSession) -> None:
        drop(by=world.sam, offering_id=world.offering.pk)
        refused = self.post(call, session, {"text": "Why?"}, by=world.sam)
        assert (refused.status_code, refused.json()["code"]) == (403, "lesson_closed")
        assert call("GET", f"/chat/sessions/{session.pk}", by=world.sam).status_code == 200

    def test_by_another_method(self, call: Call, world: World, session: ChatSession) -> None:
        assert told(call("GET", f"/chat/sessions/{session.pk}/messages", by=world.sam)) == WRONG_METHOD


class TestRefusedReaders:
    @pytest.fixture
    def sent(self, world: World) -> Sent:
        return ask(world, sams_session(world))

    @pytest.mark.parametrize(("method", "end"), [("GET", "events"), ("POST", "stop")])
    def test_a_foreign_reply_is_an_absent_one(
        self, call: Call, world: World, sent: Sent, method: str, end: str
    ) -> None:
        for stranger in (world.tess, world.ada, world.oona, world.platform):
            assert told(call(method, f"/chat/generations/{sent.generation}/{end}", by=stranger)) == NOT_FOUND
        for absent in (uuid4(), "nothing"):
            assert told(call(method, f"/chat/generations/{absent}/{end}", by=world.sam)) == NOT_FOUND
        assert told(call(method, f"/chat/generations/{sent.generation}/{end}")) == NOT_SIGNED_IN
        assert told(call("PUT", f"/chat/generations/{sent.generation}/{end}", by=world.sam)) == WRONG_METHOD
        assert Generation.objects.get().stop_requested is False

    def test_a_position_is_a_number_from_0_up(self, call: Call, world: World, sent: Sent) -> None:
        path = f"/chat/generations/{sent.generation}/events"
        for bad in ("-1", "x", "1.5", "1e3"):
            refused = call("GET", path, headers={"Last-Event-ID": bad}, by=world.sam)
            assert told(refused) == (
                400,
                {"detail": "The position in the reply must be a whole number from 0 up.", "code": "bad_offset"},
            )
            assert call("GET", f"{path}?after={bad}", by=world.sam).status_code == 422

    def test_a_stop_is_taken_before_the_end_and_after(self, call: Call, world: World, sent: Sent) -> None:
        path = f"/chat/generations/{sent.generation}/stop"
        for _ in range(2):
            stopped = call("POST", path, by=world.sam)
            assert (stopped.status_code, stopped.content) == (202, b"")
        assert Generation.objects.get().stop_requested is True
        answer(sent, "Half", state="stopped")
        assert call("POST", path, by=world.sam).status_code == 202
        assert Generation.objects.get().state == "stopped"


def test_conversations_of_two_lessons_are_two(world: World, call: Call) -> None:
    first = start_session(by=world.sam, lesson=sams_lesson(world))
    body = {"university": "north", "offering": world.offering.pk, "content_item": world.second_item.pk}
    assert call("POST", "/chat/sessions", body, by=world.sam).json()["id"] != str(first.pk)
