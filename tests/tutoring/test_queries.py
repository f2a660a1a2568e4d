"""What pages and streams read of conversations, and the practice tutor's search."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lms.learning.access import access_lesson
from tests import factories
from tests.tutoring.scenes import ask, end, sams_lesson, sams_session
from tests.world import World
from tutoring import queries
from tutoring.actions.sending import Sent
from tutoring.actions.sessions import start_session
from tutoring.models import ChatSession


def answer(sent: Sent, body: str) -> None:
    assert end(sent, body)


def exchange(world: World, session: ChatSession, question: str, reply: str) -> None:
    answer(ask(world, session, question), reply)


class TestLatestConversation:
    def test_is_none_before_the_first(self, world: World) -> None:
        found = queries.latest_conversation(world.sam, sams_lesson(world))
        assert (found.session, found.messages, found.running) == (None, [], None)

    def test_is_the_newest_with_its_messages_in_order(self, world: World, django_assert_num_queries) -> None:
        older, newer = sams_session(world), None
        exchange(world, older, "Old?", "Old.")
        newer = sams_session(world)
        exchange(world, newer, "First?", "One.")
        running = ask(world, newer, "Second?")
        lesson = sams_lesson(world)
        with django_assert_num_queries(1):
            found = queries.latest_conversation(world.sam, lesson)
            assert (found.session, found.running.generation.pk) == (newer, running.generation)
        assert [message.body for message in found.messages] == ["First?", "One.", "Second?", ""]

    def test_an_empty_one_that_is_newer_hides_it(self, world: World) -> None:
        exchange(world, sams_session(world), "Old?", "Old.")
        sams_session(world)
        assert queries.latest_conversation(world.sam, sams_lesson(world)).session is None

    def test_is_the_students_own_about_this_item_in_this_offering(self, world: World) -> None:
        exchange(world, sams_session(world), "Mine?", "Yours.")
        place = {"university": "north", "offering": world.offering.pk}
        other_term = factories.make_offering(world.course, "Spring")
        lessons = [
            access_lesson(world.tess, item=world.item.pk, **place),
            access_lesson(world.sam, item=world.second_item.pk, **place),
            access_lesson(world.tess, item=world.item.pk, university="north", offering=other_term.pk),
        ]
        for lesson in lessons:
            assert queries.latest_conversation(lesson.user, lesson).session is None


class TestConversations:
    def said(self, world: World) -> tuple[ChatSession, ChatSession]:
        variance, errors = sams_session(world), None
        exchange(world, variance, "What is 100% variance?", "A measure of spread.")
        exchange(world, variance, "And its root?", "The standard deviation.")
        errors = sams_session(world)
        exchange(world, errors, "What are errors?", "Differences, some of spread.")
        return variance, errors

    def found(self, world: World, search: str = "") -> list[tuple[str, int]]:
        sessions = queries.conversations(world.sam, world.north, search)
        return [(session.title, session.message_count) for session in sessions]

    def test_newest_first_and_none_that_is_empty(self, world: World) -> None:
        self.said(world)
        sams_session(world)
        assert self.found(world) == [("What are errors?", 2), ("What is 100% variance?", 4)]

    def test_an_older_one_that_goes_on_is_the_newest(self, world: World) -> None:
        variance, _ = self.said(world)
        exchange(world, variance, "More?", "More.")
        assert self.found(world)[0] == ("What is 100% variance?", 6)

    @pytest.mark.parametrize(
        ("search", "titles"),
        [
            ("VARIANCE", ["What is 100% variance?"]),
            ("standard", ["What is 100% variance?"]),
            ("spread", ["What are errors?", "What is 100% variance?"]),
            ("100%", ["What is 100% variance?"]),
            ("%", ["What is 100% variance?"]),
            ("_", []),
            ("zanzibarium", []),
        ],
    )
    def test_search_looks_at_titles_and_words_and_counts_all_messages(
        self, world: World, search: str, titles: list[str]
    ) -> None:
        self.said(world)
        counts = {"What are errors?": 2, "What is 100% variance?": 4}
        assert self.found(world, search) == [(title, counts[title]) for title in titles]

    def test_are_the_students_own_at_this_university(self, world: World) -> None:
        self.said(world)
        for stranger in (world.tess, world.ada, world.oona, world.platform):
            assert list(queries.conversations(stranger, world.north)) == []
        assert list(queries.conversations(world.sam, world.south)) == []
        world.sam.memberships.all().delete()
        assert list(queries.conversations(world.sam, world.north)) == []


LESSON = (
    "Two samples from one population differ by chance.\n\n"
    "A larger sample varies less than a small one.\n\n"
    "The standard error falls with the root of the size.\n\n"
    "Too short\n\n"
    "Samples, samples, samples are what this sampling lesson is about."
)


class TestMatchingPassages:
    """By PostgreSQL's full-text search."""

    pytestmark = pytest.mark.django_db

    def test_the_best_come_first_and_words_match_in_all_their_forms(self) -> None:
        assert queries.matching_passages(LESSON, "Does a large sample vary?", "en") == [
            "A larger sample varies less than a small one.",
            "Samples, samples, samples are what this sampling lesson is about.",
            "Two samples from one population differ by chance.",
        ]

    def test_one_word_that_the_lesson_lacks_does_no_harm(self) -> None:
        assert queries.matching_passages(LESSON, "zanzibarium and errors", "en") == [
            "The standard error falls with the root of the size."
        ]

    @pytest.mark.parametrize("question", ["zanzibarium", "the of and", "?!", "", "' & | ! ( ) : * \\", "short"])
    def test_nothing_matches(self, question: str) -> None:
        assert queries.matching_passages(LESSON, question, "en") == []

    def test_a_lesson_without_words_has_no_passages(self) -> None:
        assert queries.matching_passages("", "Why?", "en") == []

    def test_in_other_languages(self) -> None:
        german = "Eine größere Stichprobe schwankt weniger.\n\nDer Fehler fällt mit der Wurzel."
        assert queries.matching_passages(german, "Warum schwanken Stichproben?", "de") == [
            "Eine größere Stichprobe schwankt weniger."
        ]
        # Word by word: PostgreSQL has no dictionary for Esperanto, and none is needed for a word as it stands.
        esperanto = "Du specimenoj diferencas pro hazardo.\n\nGranda specimeno varias malpli multe."
        assert queries.matching_passages(esperanto, "Kial specimenoj?", "eo") == [
            "Du specimenoj diferencas pro hazardo."
        ]
        assert queries.matching_passages(LESSON, "errors", "xx-unknown") == []
        assert queries.matching_passages(LESSON, "Error", "") == ["The standard error falls with the root of the size."]


def test_a_dead_reply_is_not_taken_for_an_ended_one(world: World) -> None:
    session = sams_session(world)
    sent = ask(world, session)
    session.generations.update(lease_until=timezone.now() - timedelta(hours=1))
    assert queries.conversation(session).running.generation.pk == sent.generation


def test_a_conversation_is_two_queries_at_most(world: World, django_assert_num_queries) -> None:
    session = sams_session(world)
    for number in range(3):
        exchange(world, session, f"Question {number}?", f"Reply {number}.")
    with django_assert_num_queries(1):
        found = queries.conversation(session)
        assert [m.generation.state for m in found.messages if m.role == "assistant"] == ["complete"] * 3
    assert start_session(by=world.sam, lesson=sams_lesson(world)) != session
