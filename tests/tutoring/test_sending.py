from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection
from django.test import TransactionTestCase

from prompts.errors import MissingPrompt
from tenants.errors import NotVisible, TooManyRequests
from tests.tutoring.scenes import ME, ask, ask_anew, end, sams_session
from tests.world import make_world
from tutoring.errors import BadQuestion, GenerationRunning, KeyReused, LessonClosed
from tutoring.models import ChatSession, Generation, IdempotencyKey, Message


def rows(session):
    messages = Message.objects.filter(session=session).order_by("seq")
    return list(messages.values_list("seq", "role", "state", "body"))


def test_a_question_is_stored_with_an_empty_reply_and_a_generation(world):
    session = sams_session(world)
    sent = ask(world, session, "  Why do\r\nsamples vary?\x00 ")

    assert rows(session) == [
        (1, "user", "complete", "Why do\nsamples vary?"),
        (2, "assistant", "pending", ""),
    ]
    generation = Generation.objects.get(pk=sent.generation)
    assert (generation.state, generation.owner, generation.attempt, generation.provider, generation.model) == (
        "pending",
        ME,
        1,
        "practice",
        "",
    )
    assert generation.prompt_versions[0]["name"] == "tutor/lesson"
    assert len(generation.prompt_hash) == 64
    reply = Message.objects.get(pk=sent.reply)
    assert (reply.parent_id, generation.message_id) == (sent.message, sent.reply)
    assert ChatSession.objects.get(pk=session.pk).title == "Why do"


def test_the_model_is_asked_with_prompt_lesson_and_turns(world):
    session = sams_session(world)
    end(ask(world, session, "First question"), "First reply.")
    request = ask(world, session, "Second question").request

    assert [(turn.role, turn.text) for turn in request.turns] == [
        ("user", "First question"),
        ("assistant", "First reply."),
        ("user", "Second question"),
    ]
    assert "standard error" in request.lesson
    assert request.lesson in request.briefing[0]
    # What authors and students wrote never speaks with the system's voice.
    for words in ("standard error", world.item.title, world.course.title, world.sam.full_name, "Second question"):
        assert words not in request.system
    assert "{{" not in request.system + "".join(request.briefing)


def test_the_same_send_again_gives_the_same_answer_and_stores_nothing(world):
    session = sams_session(world)
    key = str(uuid4())
    first = ask(world, session, "Why?", key=key)
    before = rows(session)
    again = ask(world, session, "Why?", key=key)

    assert again.request is None
    assert (again.session, again.message, again.reply, again.generation) == (
        first.session,
        first.message,
        first.reply,
        first.generation,
    )
    assert rows(session) == before
    end(first)
    assert ask(world, session, "Why?", key=key).generation == first.generation


def test_a_key_belongs_to_its_words(world):
    session = sams_session(world)
    key = str(uuid4())
    ask(world, session, "Why?", key=key)
    before = rows(session)
    with pytest.raises(KeyReused):
        ask(world, session, "Why not?", key=key)
    assert rows(session) == before


def test_one_reply_at_a_time(world):
    session = sams_session(world)
    running = ask(world, session)
    before = rows(session)
    with pytest.raises(GenerationRunning) as refusal:
        ask(world, session, "And another?")
    assert refusal.value.context == {"generation": str(running.generation)}
    assert rows(session) == before


def test_a_reply_whose_process_died_does_not_block_the_conversation(world):
    session = sams_session(world)
    dead = ask(world, session)
    Message.objects.filter(pk=dead.reply).update(body="Half a")
    Generation.objects.filter(pk=dead.generation).update(lease_until="2020-01-01T00:00:00Z")
    ask(world, session, "Still there?")

    reply = Message.objects.get(pk=dead.reply)
    assert (reply.state, reply.error_code, reply.body) == ("failed", "interrupted", "Half a")
    assert [row[1:3] for row in rows(session)] == [
        ("user", "complete"),
        ("assistant", "failed"),
        ("user", "complete"),
        ("assistant", "pending"),
    ]


@pytest.mark.parametrize(
    ("text", "key", "detail"),
    [
        ("   ", "k" * 8, "Please write a question first."),
        ("x" * 8001, "k" * 8, "Your message has 8001 characters; at most 8000 can be sent."),
        ("Why?", "short", "The idempotency key must be 8 to 100 printable ASCII characters."),
        ("Why?", "ключ" * 4, "The idempotency key must be 8 to 100 printable ASCII characters."),
    ],
)
def test_a_bad_question_names_what_is_wrong_and_changes_nothing(world, text, key, detail):
    session = sams_session(world)
    with pytest.raises(BadQuestion) as refusal:
        ask(world, session, text, key=key)
    assert refusal.value.detail == detail
    assert (rows(session), IdempotencyKey.objects.count()) == ([], 0)


def test_the_parent_is_a_reply_of_this_conversation(world):
    session = sams_session(world)
    with pytest.raises(BadQuestion):
        ask(world, session, parent_id=uuid4())
    assert rows(session) == []


def test_nobody_sends_in_somebody_elses_conversation(world):
    session = sams_session(world)
    for stranger in (world.oona, world.tess, world.ada, world.platform):
        with pytest.raises(NotVisible):
            ask(world, session, by=stranger)
    assert rows(session) == []


def test_a_deactivated_student_sends_nothing(world):
    session = sams_session(world)
    world.sam.is_active = False
    world.sam.save()
    with pytest.raises(NotVisible):
        ask(world, session)
    assert rows(session) == []


def test_who_has_left_the_course_asks_no_more(world):
    session = sams_session(world)
    world.enrollment.status = "dropped"
    world.enrollment.save()
    with pytest.raises(LessonClosed):
        ask(world, session)
    assert rows(session) == []


def test_without_a_prompt_nothing_is_stored(world):
    session = sams_session(world)
    world.item.prompt_name = "nowhere"
    world.item.save()
    with pytest.raises(MissingPrompt):
        ask(world, session)
    assert rows(session) == []


class ParallelSends(TransactionTestCase):
    def in_parallel(self, count, send):
        def attempt(number):
            try:
                return send(number)
            except Exception as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(attempt, range(count)))

    def test_of_many_sends_one_runs_and_the_others_learn_which(self):
        world = make_world()
        session = sams_session(world)
        answers = self.in_parallel(12, lambda n: ask(world, session, f"Question {n}"))
        sent = [answer for answer in answers if not isinstance(answer, Exception)]
        refused = [answer for answer in answers if isinstance(answer, GenerationRunning)]
        assert (len(sent), len(refused)) == (1, 11)
        assert {refusal.context["generation"] for refusal in refused} == {str(sent[0].generation)}
        assert len(rows(session)) == 2

    def test_the_same_send_many_times_is_one_message(self):
        world = make_world()
        session = sams_session(world)
        key = str(uuid4())
        answers = self.in_parallel(12, lambda n: ask(world, session, "Why?", key=key))
        assert {answer.generation for answer in answers} == {answers[0].generation}
        assert len([answer for answer in answers if answer.request]) == 1
        assert len(rows(session)) == 2


class TestBranches:
    def test_an_edited_question_stands_beside_the_first(self, world):
        session = sams_session(world)
        first = ask(world, session, "Why do samples vary?")
        end(first, "Because.")
        end(ask(world, session, "And how much?"), "A lot.")
        edited = ask(world, session, "Why do means vary?", edits_id=first.message)

        assert edited.message_siblings == [first.message, edited.message]
        assert edited.reply_siblings == [edited.reply]
        # What the model is sent is the new branch alone.
        assert [(turn.role, turn.text) for turn in edited.request.turns] == [("user", "Why do means vary?")]
        assert rows(session) == [
            (1, "user", "complete", "Why do samples vary?"),
            (2, "assistant", "complete", "Because."),
            (3, "user", "complete", "And how much?"),
            (4, "assistant", "complete", "A lot."),
            (5, "user", "complete", "Why do means vary?"),
            (6, "assistant", "pending", ""),
        ]

    def test_another_reply_stands_beside_the_first(self, world):
        session = sams_session(world)
        first = ask(world, session, "Why?")
        end(first, "Because.")
        key = str(uuid4())
        again = ask_anew(world, session, first.reply, key=key)
        assert (again.message, again.message_siblings) == (first.message, [first.message])
        assert again.reply_siblings == [first.reply, again.reply]
        assert [(turn.role, turn.text) for turn in again.request.turns] == [("user", "Why?")]
        assert Message.objects.get(pk=again.reply).parent_id == first.message
        # The same press of the button is the same reply.
        repeated = ask_anew(world, session, first.reply, key=key)
        assert (repeated.generation, repeated.request, repeated.reply_siblings) == (
            again.generation,
            None,
            [first.reply, again.reply],
        )
        assert len(rows(session)) == 3

    def test_a_question_may_follow_an_older_reply(self, world):
        session = sams_session(world)
        first = ask(world, session, "Why?")
        end(first, "Because.")
        second = ask_anew(world, session, first.reply)
        end(second, "For this reason.")
        sent = ask(world, session, "And then?", parent_id=first.reply)
        assert [turn.text for turn in sent.request.turns] == ["Why?", "Because.", "And then?"]

    @pytest.mark.parametrize(
        ("changes", "detail"),
        [
            ({"edits_id": uuid4()}, "The message to edit is not a question of this conversation."),
            ({"edits_id": "reply"}, "The message to edit is not a question of this conversation."),
            ({"parent_id": "message"}, "The message that this one answers is not a reply of this conversation."),
        ],
    )
    def test_what_is_no_place_in_this_conversation_is_refused(self, world, changes, detail):
        session = sams_session(world)
        sent = ask(world, session, "Why?")
        end(sent)
        before = rows(session)
        changes = {name: getattr(sent, value) if isinstance(value, str) else value for name, value in changes.items()}
        with pytest.raises(BadQuestion) as refusal:
            ask(world, session, "One more?", **changes)
        assert (refusal.value.detail, rows(session)) == (detail, before)

    def test_only_a_reply_is_answered_anew(self, world):
        session = sams_session(world)
        sent = ask(world, session, "Why?")
        end(sent)
        for stranger in (sent.message, uuid4()):
            with pytest.raises(BadQuestion):
                ask_anew(world, session, stranger)
        with pytest.raises(NotVisible):
            ask_anew(world, session, sent.reply, by=world.oona)
        assert len(rows(session)) == 2

    def test_a_key_of_a_question_is_none_of_a_regeneration(self, world):
        session = sams_session(world)
        key = str(uuid4())
        sent = ask(world, session, "Why?", key=key)
        end(sent)
        with pytest.raises(KeyReused):
            ask_anew(world, session, sent.reply, key=key)


def test_too_many_questions_in_a_minute_are_refused_and_a_repeated_one_is_not_counted(world, settings):
    settings.TUTOR_SENDS_PER_MINUTE_PER_USER = 2
    session = sams_session(world)
    key = str(uuid4())
    for text, again in (("One?", key), ("Two?", str(uuid4()))):
        end(ask(world, session, text, key=again))
    assert ask(world, session, "One?", key=key).request is None
    before = rows(session)
    with pytest.raises(TooManyRequests) as refusal:
        ask(world, session, "Three?")
    assert refusal.value.context["limit"] == "sends_per_minute_user"
    assert refusal.value.detail.startswith("Only 2 questions per minute are taken from one account.")
    assert rows(session) == before


def test_questions_are_counted_by_address_too(world, settings):
    settings.TUTOR_SENDS_PER_MINUTE_PER_ADDRESS = 1
    session = sams_session(world)
    end(ask(world, session, "One?", address="192.0.2.1"))
    with pytest.raises(TooManyRequests):
        ask(world, session, "Two?", address="192.0.2.1")
    end(ask(world, session, "Three?", address="192.0.2.2"))
