"""Any sequence of questions, edits, stops and lost processes: what was said stays said, once."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db.models.functions import Now
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.security.matrix.runner import undone
from tests.tutoring import scenes
from tests.world import make_world
from tutoring.actions.generations import request_stop
from tutoring.actions.recovery import end_lapsed
from tutoring.actions.sending import Sent
from tutoring.errors import BadQuestion, GenerationRunning, KeyReused
from tutoring.events import Ending
from tutoring.live import LiveReply
from tutoring.models import Budget, Generation, IdempotencyKey, Message

QUICK = settings(
    max_examples=15, stateful_step_count=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@dataclass
class Turn:
    """A message as the model knows it."""

    id: UUID
    role: str
    body: str
    parent: UUID | None
    state: str = "complete"


@dataclass
class Talk:
    session: Any
    turns: list[Turn] = field(default_factory=list)
    live: Sent | None = None
    is_stopping: bool = False


class SendingMachine(RuleBasedStateMachine):
    """Sam in two conversations about one lesson."""

    @initialize()
    def begin(self) -> None:
        self.undone = undone()
        self.undone.__enter__()
        self.world = make_world()
        first = Talk(scenes.sams_session(self.world))
        self.talks, self.keys = [first], {}
        self.ask(0, "Why?", None)
        self.end(0, "So.", "complete")
        self.talks.append(Talk(scenes.start_session(by=self.world.sam, lesson=scenes.sams_lesson(self.world))))

    def teardown(self) -> None:
        if hasattr(self, "undone"):
            self.undone.__exit__(None, None, None)

    def _sends(self, talk: Talk, send: Any, key: str, body: Any) -> Sent | None:
        """By the rules: one live reply, one meaning for a key. `body` is what makes two sends the same."""
        before = self._counts()
        try:
            sent: Sent = send()
        except GenerationRunning as refusal:
            assert talk.live
            assert refusal.context["generation"] == str(talk.live.generation)  # noqa: PT017  # beside what follows
            assert self._counts() == before
            return None
        except KeyReused:
            assert self.keys[key][0] != body
            assert self._counts() == before
            return None
        if key in self.keys:
            known, first = self.keys[key]
            assert (known, sent.generation, sent.request) == (body, first.generation, None)
            assert self._counts() == before
            return None
        self.keys[key] = body, sent
        talk.live, talk.is_stopping = sent, False
        return sent

    def _counts(self) -> tuple[int, int, int]:
        return Message.objects.count(), Generation.objects.count(), IdempotencyKey.objects.count()

    @rule(number=st.integers(0, 1), text=st.sampled_from(["Why?", "And then 🧠?"]), old=st.booleans(), data=st.data())
    def send(self, number: int, text: str, old: bool, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.keys))) if old else None
        self.ask(number, text, key)

    def ask(self, number: int, text: str, key: str | None) -> None:
        talk, key = self.talks[number], key or str(uuid4())
        parent = talk.turns[-1].id if talk.turns else None
        send = lambda: scenes.ask(self.world, talk.session, text, key=key)  # noqa: E731
        if sent := self._sends(talk, send, key, (number, "send", text)):
            talk.turns += [
                Turn(sent.message, "user", text, parent),
                Turn(sent.reply, "assistant", "", sent.message, "pending"),
            ]

    @rule(number=st.integers(0, 1), data=st.data())
    def edit(self, number: int, data: st.DataObject) -> None:
        talk, key = self.talks[number], str(uuid4())
        questions = [turn for turn in talk.turns if turn.role == "user"]
        if not questions:
            return
        edited = data.draw(st.sampled_from(questions))
        send = lambda: scenes.ask(self.world, talk.session, "Better?", key=key, edits_id=edited.id)  # noqa: E731
        if sent := self._sends(talk, send, key, (number, "edit", edited.id)):
            talk.turns += [
                Turn(sent.message, "user", "Better?", edited.parent),
                Turn(sent.reply, "assistant", "", sent.message, "pending"),
            ]

    @rule(number=st.integers(0, 1), data=st.data())
    def regenerate(self, number: int, data: st.DataObject) -> None:
        talk, key = self.talks[number], str(uuid4())
        replies = [turn for turn in talk.turns if turn.role == "assistant"]
        if not replies:
            return
        reply = data.draw(st.sampled_from(replies))
        send = lambda: scenes.ask_anew(self.world, talk.session, reply.id, key=key)  # noqa: E731
        if sent := self._sends(talk, send, key, (number, "again", reply.id)):
            talk.turns.append(Turn(sent.reply, "assistant", "", reply.parent, "pending"))

    @rule(number=st.integers(0, 1), words=st.sampled_from(["Because.", "Since 🧠."]))
    def text_comes(self, number: int, words: str) -> None:
        if (talk := self.talks[number]).live:
            # Kept in any case; whether its writer may go on is another thing.
            assert scenes.save(talk.live, words) is not talk.is_stopping
            self._of(talk, talk.live).body, self._of(talk, talk.live).state = words, "streaming"

    @rule(number=st.integers(0, 1), state=st.sampled_from(["complete", "stopped", "failed"]))
    def ends(self, number: int, state: str) -> None:
        self.end(number, "The end.", state)

    def end(self, number: int, words: str, state: str) -> None:
        talk = self.talks[number]
        if talk.live:
            assert scenes.end(talk.live, words, state)
            # The second end of a reply changes nothing.
            assert not scenes.end(talk.live, "Another end.", "failed")
            self._of(talk, talk.live).body, self._of(talk, talk.live).state = words, state
            talk.live = None

    @rule(number=st.integers(0, 1))
    def stop_is_asked_for(self, number: int) -> None:
        if (talk := self.talks[number]).live:
            request_stop(by=self.world.sam, generation_id=talk.live.generation, session_id=talk.session.pk)
            assert not scenes.save(talk.live, self._of(talk, talk.live).body)
            self._of(talk, talk.live).state, talk.is_stopping = "streaming", True

    @rule(number=st.integers(0, 1))
    def its_process_dies(self, number: int) -> None:
        talk = self.talks[number]
        assert end_lapsed(talk.session.pk) == 0
        if talk.live:
            Generation.objects.filter(pk=talk.live.generation).update(lease_until=Now() - timedelta(seconds=1))
            assert (end_lapsed(talk.session.pk), end_lapsed(talk.session.pk)) == (1, 0)
            assert not scenes.end(talk.live, "Too late.")
            self._of(talk, talk.live).state, talk.live = "failed", None

    @precondition(lambda self: len(self.talks) == 2)
    @rule()
    def what_is_no_question(self) -> None:
        before = self._counts()
        with pytest.raises(BadQuestion):
            scenes.ask(self.world, self.talks[0].session, "   ")
        assert self._counts() == before

    def _of(self, talk: Talk, sent: Sent) -> Turn:
        return next(turn for turn in talk.turns if turn.id == sent.reply)

    @invariant()
    def rows_are_what_was_said(self) -> None:
        for talk in getattr(self, "talks", []):
            rows = Message.objects.filter(session=talk.session).order_by("seq")
            found = [Turn(*row) for row in rows.values_list("id", "role", "body", "parent", "state")]
            assert found == talk.turns
            assert list(rows.values_list("seq", flat=True)) == list(range(1, len(found) + 1))
            live = Generation.objects.live().filter(session=talk.session).values_list("pk", flat=True)
            assert list(live) == ([talk.live.generation] if talk.live else [])

    @invariant()
    def nothing_stays_set_aside(self) -> None:
        if hasattr(self, "talks") and not any(talk.live for talk in self.talks):
            assert set(Budget.objects.values_list("reserved_tokens", "reserved_usd")) <= {(0, 0)}


class Sending(TestCase):
    def test_sending(self) -> None:
        with override_settings(
            TUTOR_SENDS_PER_MINUTE_PER_USER=10**6, TUTOR_PROVIDER="anthropic", ANTHROPIC_API_KEY="k"
        ):
            run_state_machine_as_test(SendingMachine, settings=QUICK)


@given(pieces=st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=8), data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_every_offset_gives_exactly_the_rest(pieces: list[str], data: st.DataObject) -> None:
    """In code points, wherever the text was cut while it came, and beyond its end."""
    reply, whole = LiveReply(), "".join(pieces)
    for piece in pieces:
        reply.append(piece)
    reply.end(Ending(state="complete"))
    after = data.draw(st.integers(0, len(whole) + 3))

    async def rest() -> list[Any]:
        return [event async for event in reply.follow(after, pages=False)]

    *deltas, done = async_to_sync(rest)()
    place = min(after, len(whole))
    for delta in deltas:
        assert (delta["event"], delta["from"]) == ("delta", place)
        place += len(delta["text"])
    assert "".join(delta["text"] for delta in deltas) == whole[after:]
    assert (done["event"], done["length"], place) == ("done", len(whole), len(whole))
