"""Thumbs and comments: the form, what the page's script sends, and the API."""

from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.tenants.conftest import Call
from tests.tutoring.scenes import ask, end, sams_session
from tests.tutoring.test_api import NOT_FOUND, NOT_SIGNED_IN, WRONG_METHOD, told
from tests.tutoring.test_conversation_pages import absent_and_foreign_are_the_same
from tests.world import World
from tutoring.actions.sending import Sent
from tutoring.models import Feedback

JSON = {"accept": "application/json"}


@pytest.fixture
def sent(world: World) -> Sent:
    sent = ask(world, sams_session(world))
    end(sent)
    return sent


@pytest.fixture
def sam(client: Client, world: World) -> Client:
    client.force_login(world.sam)
    return client


def kept() -> list[tuple]:
    return list(Feedback.objects.values_list("message", "thumb", "comment"))


class TestForm:
    def rate(self, sam: Client, sent: Sent, query: str = "", **fields: object) -> HttpResponse:
        form = {"reply": sent.reply, "comment": ""} | fields
        return sam.post(f"/north/tutor/{sent.session}/feedback/{query}", form, headers={"accept": "text/html"})

    def test_comes_back_to_the_reply_with_what_was_said(self, sam: Client, world: World, sent: Sent) -> None:
        answer = self.rate(sam, sent, thumb="down")
        page = f"/north/tutor/{sent.session}/"
        assert (answer.status_code, answer["Location"]) == (302, f"{page}?branch={sent.reply}#m-{sent.reply}")
        self.rate(sam, sent, thumb="down", comment="Too <short>.\r\nAnd dull.")
        assert kept() == [(sent.reply, "down", "Too <short>.\nAnd dull.")]
        shown = sam.get(page).text
        assert ">Too &lt;short&gt;.\nAnd dull.</textarea>" in shown
        # Pressed again, it is taken back.
        assert 'name="thumb" value="" formaction' in shown
        self.rate(sam, sent, thumb="")
        assert kept() == []

    def test_comes_back_to_the_lesson_from_there(self, sam: Client, world: World, sent: Sent) -> None:
        lesson = f"/north/learn/{world.offering.pk}/{world.item.pk}/"
        answer = self.rate(sam, sent, "?page=lesson", thumb="up")
        assert answer["Location"] == f"{lesson}?branch={sent.reply}#m-{sent.reply}"

    def test_line_ends_count_as_the_box_counts_them(self, sam: Client, sent: Sent) -> None:
        self.rate(sam, sent, thumb="up", comment="\r\n".join(["x" * 99] * 10))
        assert len(kept()[0][2]) == 999

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"thumb": "sideways"}, "A thumb is “up” or “down”, or empty to take it back."),
            ({"reply": "it", "thumb": "up"}, "A message is named by its id, a UUID."),
            (
                {"thumb": "up", "comment": "x" * 1001},
                "Your comment has 1001 characters; at most 1000 can be kept.",
            ),
        ],
    )
    def test_what_makes_no_sense_is_refused_with_a_sentence(
        self, sam: Client, sent: Sent, fields: dict, sentence: str
    ) -> None:
        refused = self.rate(sam, sent, **fields)
        assert (refused.status_code, refused.context["tutor"].error, kept()) == (400, sentence, [])

    def test_to_others_it_is_absent(self, client: Client, world: World, sent: Sent) -> None:
        path = f"/north/tutor/{sent.session}/feedback/"
        for person in (world.tess, world.ada, world.oona, world.platform):
            client.force_login(person)
            absent_and_foreign_are_the_same(client, path, f"/north/tutor/{uuid4()}/feedback/", "post")
        client.force_login(world.sam)
        answers = [client.post(path, {"reply": reply, "thumb": "up"}) for reply in (uuid4(), sent.message)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert client.get(path).status_code == 405
        client.logout()
        assert client.post(path)["Location"] == f"/accounts/login/?next={path}"
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(world.sam)
        assert strict.post(path, {"reply": sent.reply, "thumb": "up"}).status_code == 403
        assert kept() == []


class TestScript:
    def rate(self, sam: Client, sent: Sent, **fields: object) -> HttpResponse:
        return sam.post(f"/north/tutor/{sent.session}/feedback/", {"reply": sent.reply} | fields, headers=JSON)

    def test_is_told_what_is_kept(self, sam: Client, sent: Sent) -> None:
        assert told(self.rate(sam, sent, thumb="up", comment=" Clear. ")) == (200, {"thumb": "up", "comment": "Clear."})
        assert told(self.rate(sam, sent, thumb="")) == (200, {"thumb": "", "comment": ""})

    def test_is_told_what_was_refused(self, sam: Client, sent: Sent) -> None:
        refused = self.rate(sam, sent, thumb="sideways")
        sentence = "A thumb is “up” or “down”, or empty to take it back."
        assert told(refused) == (400, {"detail": sentence, "code": "bad_feedback"})
        assert self.rate(sam, sent, reply=uuid4(), thumb="up").status_code == 404


class TestApi:
    def test_the_latest_is_kept_and_shown_with_the_message(self, call: Call, world: World, sent: Sent) -> None:
        path = f"/chat/messages/{sent.reply}/feedback"
        for body in ({"thumb": "up", "comment": "Clear."}, {"thumb": "down", "comment": ""}):
            assert told(call("PUT", path, body, by=world.sam)) == (200, body)
            shown = call("GET", f"/chat/sessions/{sent.session}", by=world.sam).json()["messages"]
            assert [message["feedback"] for message in shown] == [None, body]
        assert told(call("PUT", path, {"thumb": ""}, by=world.sam)) == (200, {"thumb": "", "comment": ""})
        assert kept() == []

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({}, 422, "invalid_input"),
            ({"thumb": "sideways"}, 422, "invalid_input"),
            ({"thumb": "up", "stars": 5}, 422, "invalid_input"),
            ({"thumb": "up", "comment": "x" * 1001}, 400, "bad_feedback"),
        ],
    )
    def test_what_is_malformed_is_refused(
        self, call: Call, world: World, sent: Sent, body: dict, status: int, code: str
    ) -> None:
        refused = call("PUT", f"/chat/messages/{sent.reply}/feedback", body, by=world.sam)
        assert (refused.status_code, refused.json()["code"], kept()) == (status, code, [])

    def test_a_reply_that_is_being_made_is_not_rated_yet(self, call: Call, world: World) -> None:
        running = ask(world, sams_session(world))
        refused = call("PUT", f"/chat/messages/{running.reply}/feedback", {"thumb": "up"}, by=world.sam)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_feedback")

    def test_a_foreign_message_is_an_absent_one(self, call: Call, world: World, sent: Sent) -> None:
        path, body = f"/chat/messages/{sent.reply}/feedback", {"thumb": "up"}
        for stranger in (world.tess, world.ada, world.oona, world.platform):
            assert told(call("PUT", path, body, by=stranger)) == NOT_FOUND
        for absent in (uuid4(), "nothing", sent.message):
            assert told(call("PUT", f"/chat/messages/{absent}/feedback", body, by=world.sam)) == NOT_FOUND
        assert told(call("PUT", path, body)) == NOT_SIGNED_IN
        assert told(call("POST", path, body, by=world.sam)) == WRONG_METHOD
        assert kept() == []
