"""Deleting a conversation."""

from unittest.mock import patch
from uuid import uuid4

import pytest

from tenants.errors import NotVisible
from tenants.models import AuditEntry
from tests.tutoring.scenes import ask, end, sams_session, save
from tutoring.access import access_session, lock_session
from tutoring.actions.budgets import Spent
from tutoring.actions.recovery import read_reply
from tutoring.actions.sessions import delete_session
from tutoring.events import Ending
from tutoring.models import Budget, ChatSession, Generation, Message, UsageEntry
from tutoring.providers.protocol import Usage


def test_its_words_go_and_what_it_used_stays_counted(world, settings):
    settings.TUTOR_PROVIDER, settings.ANTHROPIC_API_KEY = "anthropic", "key"
    session = sams_session(world)
    end(ask(world, session), spent=Spent("anthropic", "claude-sonnet-5-5", Usage(100, 20), None))
    assert delete_session(by=world.sam, session_id=session.pk) == []
    assert (ChatSession.objects.count(), Message.objects.count(), Generation.objects.count()) == (0, 0, 0)
    assert list(Budget.objects.values_list("used_tokens", "reserved_tokens")) == [(120, 0)] * 3
    assert UsageEntry.objects.get().user == world.sam
    entry = AuditEntry.objects.get(action="chat_session.deleted")
    assert (entry.actor, entry.university, entry.subject_id, entry.detail) == (
        world.sam,
        world.north,
        str(session.pk),
        {},
    )


def test_one_in_which_the_tutor_writes_is_ended_first(world, settings):
    settings.TUTOR_PROVIDER, settings.ANTHROPIC_API_KEY = "anthropic", "key"
    session = sams_session(world)
    sent = ask(world, session)
    assert save(sent, "Half a")
    assert delete_session(by=world.sam, session_id=session.pk, university="north") == [sent.generation]
    assert list(Budget.objects.values_list("reserved_tokens", "reserved_usd")) == [(0, 0)] * 3
    # Its writer has lost it, and its readers are told the end.
    assert (save(sent, "Half a reply"), end(sent, "Half a reply")) == (False, False)
    assert read_reply(sent.generation, sent.university).ending == Ending(state="stopped", stop_reason="deleted")


def test_what_is_gone_when_its_turn_comes_is_not_there(world):
    """Two tabs: the other has deleted it between the look at it and the lock."""
    session = sams_session(world)
    end(ask(world, session))
    found = access_session(world.sam, session.pk)
    delete_session(by=world.sam, session_id=session.pk)
    with pytest.raises(NotVisible):
        lock_session(found)
    with patch("tutoring.actions.sending.access_session", lambda *_: found), pytest.raises(NotVisible):
        ask(world, session)


def test_a_conversation_that_has_just_been_used_is_not_taken_up_again(world):
    session = sams_session(world)
    ask(world, session)
    assert sams_session(world).pk != session.pk


def test_nobody_else_deletes_it(world):
    session = sams_session(world)
    end(ask(world, session))
    for stranger in (world.oona, world.tess, world.ada, world.platform):
        with pytest.raises(NotVisible):
            delete_session(by=stranger, session_id=session.pk)
    for place in ({"session_id": uuid4()}, {"session_id": session.pk, "university": "south"}):
        with pytest.raises(NotVisible):
            delete_session(by=world.sam, **place)
    assert Message.objects.count() == 2
