"""Checking one's own answers. It is no attempt: nothing is graded, and of the answers only the latest are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lms.courses.models import AnswerKey, ContentItem, CourseOffering
from lms.learning.access import Lesson, access_lesson
from lms.learning.answers import kept_answers
from lms.learning.errors import NotAQuiz
from lms.learning.marking import Answers, Mark, mark
from lms.learning.models import SelfCheck
from tenants.models import User


@dataclass(frozen=True)
class QuestionCheck:
    """`explanation` is Markdown; like the marks it comes only to those who have answered."""

    is_correct: bool
    is_partly: bool
    explanation: str


@dataclass(frozen=True)
class QuizCheck:
    """`questions` holds the answered ones, by id, in the quiz's order."""

    points: int
    of: int
    questions: dict[str, QuestionCheck]


def check_answers(*, by: User, offering: CourseOffering, item: ContentItem, answers: Answers) -> QuizCheck:
    """Mark the answers here, on the server: the right ones never leave it."""
    access_lesson(by, university=item.university.slug, offering=offering.pk, item=item.pk)
    if item.content_type.slug != "quiz":
        raise NotAQuiz
    key = AnswerKey.objects.filter(content_item=item).values_list("data", flat=True).first() or {}
    questions: list[Mapping[str, Any]] = item.data["questions"]
    checks = {
        question["id"]: _check(question, key[question["id"]], given)
        for question in questions
        if question["id"] in key and (given := answers.get(question["id"]))
    }
    points = sum(each["points"] for each in questions if each["id"] in checks and checks[each["id"]].is_correct)
    return QuizCheck(points=points, of=sum(each["points"] for each in questions), questions=checks)


def keep_answers(*, lesson: Lesson, answers: Answers) -> None:
    """For the student's own tutor; of two checks the later stands. Of those who do not study here nothing is kept."""
    item = lesson.item
    if item.content_type.slug != "quiz":
        raise NotAQuiz
    if lesson.enrollment is None:
        return
    check = SelfCheck(
        university_id=lesson.enrollment.university_id,
        enrollment=lesson.enrollment,
        content_item=item,
        answers=kept_answers(item.data["questions"], answers),
    )
    # One statement, so that two forms sent at once cannot collide.
    SelfCheck.objects.bulk_create(
        [check],
        update_conflicts=True,
        unique_fields=["enrollment", "content_item"],
        update_fields=["answers", "checked_at"],
    )


def _check(question: Mapping[str, Any], key: Mapping[str, Any], given: Any) -> QuestionCheck:
    result: Mark = mark(question["kind"], key, given)
    return QuestionCheck(result.is_correct, result.is_partly, key.get("explanation", ""))
