import json

import pytest

from lms.courses.models import AnswerKey, ContentItem
from lms.learning.access import Lesson, access_lesson
from lms.learning.actions.quizzes import QuestionCheck, QuizCheck, check_answers, keep_answers
from lms.learning.errors import NotAQuiz
from lms.learning.models import SelfCheck
from tenants.errors import NotVisible
from tenants.models import User
from tests import factories
from tests.learning.samples import CANARY, make_quiz
from tests.world import World


def lesson_of(world: World, item: ContentItem, user: User) -> Lesson:
    return access_lesson(user, university="north", offering=world.offering.pk, item=item.pk)


def kept() -> list[tuple[int, int, int, dict]]:
    return list(SelfCheck.objects.values_list("university", "enrollment", "content_item", "answers").order_by("pk"))


def test_marks_what_was_answered_and_only_that(world: World) -> None:
    quiz = make_quiz(world.lesson)
    answers = {"one": ["b"], "many": ["a"], "number": ["3.2"], "word": ["VARIANCE"], "unknown": ["x"], "order": []}

    check = check_answers(by=world.sam, offering=world.offering, item=quiz, answers=answers)

    assert check == QuizCheck(
        points=4,
        of=7,
        questions={
            "one": QuestionCheck(True, False, f"Because *{CANARY}* b."),
            "many": QuestionCheck(False, True, ""),
            "number": QuestionCheck(True, False, f"{CANARY} pi."),
            "word": QuestionCheck(True, False, ""),
        },
    )


def test_a_quiz_without_a_key_marks_nothing(world: World) -> None:
    quiz = make_quiz(world.lesson, answer_key=None)
    check = check_answers(by=world.sam, offering=world.offering, item=quiz, answers={"one": ["b"]})
    assert check == QuizCheck(points=0, of=7, questions={})


def test_is_for_those_who_may_read_the_lesson(world: World) -> None:
    quiz = make_quiz(world.lesson)
    with pytest.raises(NotVisible):
        check_answers(by=world.oona, offering=world.offering, item=quiz, answers={"one": ["b"]})


def test_refuses_what_is_no_quiz(world: World) -> None:
    AnswerKey.objects.create(university=world.north, content_item=world.item, data={})
    with pytest.raises(NotAQuiz):
        check_answers(by=world.sam, offering=world.offering, item=world.item, answers={})


class TestKeeping:
    def test_the_latest_answers_stand(self, world: World, django_assert_num_queries) -> None:
        quiz = make_quiz(world.lesson)
        lesson = lesson_of(world, quiz, world.sam)
        keep_answers(lesson=lesson, answers={"one": ["a"], "word": ["mean"]})
        first = SelfCheck.objects.get()
        with django_assert_num_queries(1):
            keep_answers(lesson=lesson, answers={"one": ["b"], "match": [("a", "x")], "gone": ["a"]})

        assert kept() == [(world.north.pk, world.enrollment.pk, quiz.pk, {"one": ["b"], "match": [["a", "x"]]})]
        assert SelfCheck.objects.get().checked_at > first.checked_at
        keep_answers(lesson=lesson, answers={})
        assert [row[3] for row in kept()] == [{}]

    def test_without_anything_of_the_key(self, world: World) -> None:
        quiz = make_quiz(world.lesson)
        keep_answers(lesson=lesson_of(world, quiz, world.sam), answers={"one": ["b"], "number": ["3.1"]})
        assert json.dumps([row[3] for row in kept()]) == '[{"one": ["b"], "number": ["3.1"]}]'

    def test_of_staff_only_where_they_study_too(self, world: World) -> None:
        quiz = make_quiz(world.lesson, status="draft")
        keep_answers(lesson=lesson_of(world, quiz, world.tess), answers={"one": ["b"]})
        assert kept() == []
        enrollment = factories.make_enrollment(world.tess, world.offering)
        keep_answers(lesson=lesson_of(world, quiz, world.tess), answers={"one": ["b"]})
        assert [row[1] for row in kept()] == [enrollment.pk]

    def test_goes_with_the_enrollment(self, world: World) -> None:
        quiz = make_quiz(world.lesson)
        keep_answers(lesson=lesson_of(world, quiz, world.sam), answers={"one": ["b"]})
        world.enrollment.delete()
        assert kept() == []

    def test_refuses_what_is_no_quiz(self, world: World) -> None:
        with pytest.raises(NotAQuiz):
            keep_answers(lesson=lesson_of(world, world.item, world.sam), answers={})
