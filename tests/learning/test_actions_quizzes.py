import pytest

from lms.courses.models import AnswerKey
from lms.learning.actions.quizzes import QuestionCheck, QuizCheck, check_answers
from lms.learning.errors import NotAQuiz
from tenants.errors import NotVisible
from tests.learning.samples import CANARY, make_quiz
from tests.world import World


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
