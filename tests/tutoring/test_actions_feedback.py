"""Thumbs and comments."""

from uuid import uuid4

import pytest

from tenants.errors import NotVisible
from tests.tutoring.scenes import ask, end, sams_session
from tutoring.actions.feedback import rate_reply
from tutoring.errors import BadFeedback
from tutoring.models import Feedback


@pytest.fixture
def reply(world):
    sent = ask(world, sams_session(world))
    end(sent)
    return sent.reply


def kept():
    return list(Feedback.objects.values_list("university__slug", "message", "thumb", "comment"))


def test_the_latest_thumb_is_kept_and_can_be_taken_back(world, reply):
    rate_reply(by=world.sam, message_id=reply, thumb="down", comment="  Too\x00 long. ")
    assert kept() == [("north", reply, "down", "Too long.")]
    rate_reply(by=world.sam, message_id=reply, thumb="up")
    assert kept() == [("north", reply, "up", "")]
    for _ in range(2):
        assert rate_reply(by=world.sam, message_id=reply, thumb="") is None
        assert kept() == []


@pytest.mark.parametrize(
    ("thumb", "comment", "detail"),
    [
        ("sideways", "", "A thumb is “up” or “down”, or empty to take it back."),
        ("up", "x" * 1001, "Your comment has 1001 characters; at most 1000 can be kept."),
    ],
)
def test_what_makes_no_sense_is_refused(world, reply, thumb, comment, detail):
    with pytest.raises(BadFeedback) as refusal:
        rate_reply(by=world.sam, message_id=reply, thumb=thumb, comment=comment)
    assert (refusal.value.detail, kept()) == (detail, [])


def test_a_reply_that_is_being_made_and_a_question_are_not_rated(world):
    sent = ask(world, sams_session(world))
    with pytest.raises(BadFeedback):
        rate_reply(by=world.sam, message_id=sent.reply, thumb="up")
    with pytest.raises(NotVisible):
        rate_reply(by=world.sam, message_id=sent.message, thumb="up")
    assert kept() == []


def test_only_the_student_rates(world, reply):
    for stranger in (world.oona, world.tess, world.ada, world.platform):
        with pytest.raises(NotVisible):
            rate_reply(by=stranger, message_id=reply, thumb="up")
    with pytest.raises(NotVisible):
        rate_reply(by=world.sam, message_id=uuid4(), thumb="up")
    assert kept() == []
