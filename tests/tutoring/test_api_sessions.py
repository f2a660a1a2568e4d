"""API group chat: titles, branches and the allowance. Files are in test_exports.py, deleting in test_deleting.py."""

from uuid import uuid4

import pytest

from lms.learning.actions.enrolment import drop
from tests.tenants.conftest import Call
from tests.tutoring.scenes import ask, ask_anew, end, sams_session
from tests.tutoring.test_api import NOT_FOUND, NOT_SIGNED_IN, WRONG_METHOD, shown, told
from tests.world import World
from tutoring.models import Budget, ChatSession, TutorPolicy


class TestTitle:
    def test_is_the_students_to_give(self, call: Call, world: World) -> None:
        session = sams_session(world)
        answer = call("PATCH", f"/chat/sessions/{session.pk}", {"title": " Why\n samples vary "}, by=world.sam)
        assert told(answer) == (200, shown(session, title="Why samples vary"))
        # A first question leaves it as it is.
        ask(world, session)
        assert ChatSession.objects.get().title == "Why samples vary"

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 422),
            ({"title": None}, 422),
            ({"title": "Why", "university": "south"}, 422),
            ({"title": " \x00 "}, 400),
            ({"title": "\ud800"}, 400),
            ({"title": "x" * 201}, 400),
        ],
    )
    def test_what_is_none_is_refused(self, call: Call, world: World, body: dict, status: int) -> None:
        session = sams_session(world)
        refused = call("PATCH", f"/chat/sessions/{session.pk}", body, by=world.sam)
        assert (refused.status_code, refused.json()["code"]) == (status, "invalid_input")
        assert ChatSession.objects.get().title == ""

    def test_a_foreign_conversation_is_an_absent_one(self, call: Call, world: World) -> None:
        session, body = sams_session(world), {"title": "Mine"}
        for stranger in (world.tess, world.ada, world.oona, world.platform):
            assert told(call("PATCH", f"/chat/sessions/{session.pk}", body, by=stranger)) == NOT_FOUND
        assert told(call("PATCH", f"/chat/sessions/{uuid4()}", body, by=world.sam)) == NOT_FOUND
        assert told(call("PATCH", f"/chat/sessions/{session.pk}", body)) == NOT_SIGNED_IN
        assert told(call("PUT", f"/chat/sessions/{session.pk}", body, by=world.sam)) == WRONG_METHOD
        assert ChatSession.objects.get().title == ""


def test_messages_come_with_what_a_client_needs_to_draw_branches(call: Call, world: World) -> None:
    session = sams_session(world)
    first = ask(world, session)
    end(first, "One.")
    second = ask_anew(world, session, first.reply)
    end(second, "Another one.")
    messages = call("GET", f"/chat/sessions/{session.pk}", by=world.sam).json()["messages"]
    replies = [str(first.reply), str(second.reply)]
    assert [(each["body"], each["parent"], each["siblings"]) for each in messages] == [
        ("Why do samples vary?", None, [str(first.message)]),
        ("One.", str(first.message), replies),
        ("Another one.", str(first.message), replies),
    ]


class TestMeter:
    @pytest.fixture(autouse=True)
    def a_model(self, settings) -> None:
        settings.TUTOR_PROVIDER, settings.ANTHROPIC_API_KEY = "anthropic", "key"

    def path(self, world: World, university: str = "north", offering: object = None) -> str:
        return f"/chat/meter?university={university}&offering={offering or world.offering.pk}"

    def test_tells_the_limit_that_is_nearest_to_its_end(self, call: Call, world: World) -> None:
        world.north.time_zone = "Europe/Oslo"
        world.north.save()
        TutorPolicy.objects.create(university=world.north, user_daily_tokens=None, university_monthly_tokens=1000)
        assert told(call("GET", self.path(world), by=world.sam)) == (200, None)
        end(ask(world, sams_session(world)))
        Budget.objects.filter(scope="university").update(used_tokens=850)
        found = call("GET", self.path(world), by=world.sam)
        meter = found.json()
        renews_at = meter.pop("renews_at")
        assert (found.status_code, meter) == (200, {"scope": "university", "used_percent": 85, "step": "notice"})
        # In UTC, as all times of the API: the month ends at the university's midnight, an hour or two earlier.
        assert renews_at[11:] in ("22:00:00Z", "23:00:00Z")

    def test_without_a_model_there_is_none(self, call: Call, world: World, settings) -> None:
        end(ask(world, sams_session(world)))
        Budget.objects.update(used_tokens=10**9)
        assert call("GET", self.path(world), by=world.sam).json()["used_percent"] == 100
        settings.TUTOR_PROVIDER = "practice"
        assert told(call("GET", self.path(world), by=world.sam)) == (200, None)

    def test_is_ones_own_where_one_belongs(self, call: Call, world: World) -> None:
        end(ask(world, sams_session(world)))
        Budget.objects.filter(scope="user").update(used_tokens=400_000)
        assert told(call("GET", self.path(world), by=world.oona)) == NOT_FOUND
        south = self.path(world, "south", world.south_offering.pk)
        assert told(call("GET", south, by=world.sam)) == NOT_FOUND
        assert told(call("GET", self.path(world, "north", world.south_offering.pk), by=world.sam)) == NOT_FOUND
        assert told(call("GET", self.path(world, "north", 10**12), by=world.sam)) == NOT_FOUND
        assert call("GET", self.path(world), by=world.sam).json()["used_percent"] == 80
        assert told(call("GET", self.path(world), by=world.tess)) == (200, None)

    def test_refuses_what_is_malformed(self, call: Call, world: World) -> None:
        for query in ("", "?university=north", "?university=nor%00th&offering=1", "?university=north&offering=one"):
            assert call("GET", f"/chat/meter{query}", by=world.sam).status_code == 422, query
        assert told(call("GET", self.path(world))) == NOT_SIGNED_IN
        assert told(call("POST", self.path(world), by=world.sam)) == WRONG_METHOD

    def test_those_who_have_left_still_read_it(self, call: Call, world: World) -> None:
        drop(by=world.sam, offering_id=world.offering.pk)
        assert told(call("GET", self.path(world), by=world.sam)) == (200, None)
