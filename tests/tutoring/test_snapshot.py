"""What a conversation keeps of its lesson, and what a prompt is told of it."""

import hashlib
import json

from lms.courses.models import ContentItem
from lms.learning.access import access_lesson
from tests.learning.samples import CANARY, make_quiz
from tests.tutoring.scenes import ask, sams_lesson, sams_session
from tests.world import World
from tutoring.actions.sessions import start_session
from tutoring.briefing import prompt_variables
from tutoring.models import ChatSession
from tutoring.snapshot import take_snapshot

CONTENT = (
    "Why samples vary\n\n"
    "Two samples from one population differ by chance. The standard error is $\\sigma/\\sqrt{n}$.\n\n"
    "A larger sample varies less."
)


def test_the_lesson_as_it_is_now(world: World, django_assert_num_queries) -> None:
    lesson = sams_lesson(world)
    with django_assert_num_queries(1):
        snapshot = take_snapshot(lesson)
    assert snapshot == {
        "title": "Reading: why samples vary",
        "content": CONTENT,
        "content_type": "text",
        "course_title": "Thinking with samples",
        "module_path": "Samples / Why samples vary",
        "objectives": ["Explain why samples vary"],
        "university_name": "University of the North",
        "language": "en",
        "hint_level": world.offering.hint_policy,
        "revision": world.item.revision,
        "revision_hash": hashlib.sha256(f"Reading: why samples vary\n{CONTENT}".encode()).hexdigest(),
    }
    # It is a column of JSON.
    assert json.loads(json.dumps(snapshot)) == snapshot


def test_it_holds_no_name_and_no_answer(world: World) -> None:
    quiz = make_quiz(world.lesson)
    lesson = access_lesson(world.sam, university="north", offering=world.offering.pk, item=quiz.pk)
    written = json.dumps(take_snapshot(lesson))
    assert "What of one?" in written
    for secret in (CANARY, world.sam.full_name, world.sam.email):
        assert secret not in written


def test_a_conversation_keeps_what_it_began_with(world: World) -> None:
    session = sams_session(world)
    ContentItem.objects.filter(pk=world.item.pk).update(
        title="Changed", data={"format": "markdown", "body": "Changed."}
    )
    session.refresh_from_db()
    assert (session.content_context["title"], session.content_context["content"]) == (
        "Reading: why samples vary",
        CONTENT,
    )
    request = ask(world, session).request
    assert CONTENT in request.briefing[0]
    assert "Changed" not in "".join(request.briefing)


def test_one_in_which_nothing_was_said_is_taken_up_with_a_fresh_snapshot(world: World) -> None:
    first = sams_session(world)
    ContentItem.objects.filter(pk=world.item.pk).update(title="Changed")
    second = start_session(by=world.sam, lesson=sams_lesson(world))
    assert (second.pk, ChatSession.objects.get().content_context["title"]) == (first.pk, "Changed")
    ask(world, second)
    assert start_session(by=world.sam, lesson=sams_lesson(world)).pk != first.pk


def test_a_prompt_may_speak_of_the_lesson_and_the_student(world: World) -> None:
    assert prompt_variables(sams_session(world)) == {
        "title": "Reading: why samples vary",
        "content": CONTENT,
        "content_type": "text",
        "course_title": "Thinking with samples",
        "module_path": "Samples / Why samples vary",
        "objectives": "- Explain why samples vary",
        "university_name": "University of the North",
        "student_name": "Sam Sorensen",
        "locale": world.sam.locale,
        "attempt": "",
        "hint_level": world.offering.hint_policy,
    }
