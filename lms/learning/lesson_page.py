"""The context of templates/tutoring/lesson.html, but for the tutor."""

from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import mark_safe

from lms.courses.addresses import media_prefix
from lms.courses.item_html import SHOWN_TYPES, Content
from lms.courses.markdown import render_lesson
from lms.learning import queries
from lms.learning.access import Lesson
from lms.learning.actions.quizzes import QuestionCheck, check_answers
from lms.learning.forms import given_answers
from lms.learning.marking import Answers

Context = dict[str, Any]


def lesson_context(lesson: Lesson, given: QueryDict | None = None) -> Context:
    """One query. `given` may hold a quiz's answers, as `learning:check_quiz` sends them: then their marks are shown."""
    tree = queries.outline(lesson)
    kind = lesson.item.content_type.slug
    course_url = reverse("learning:course", args=[lesson.university.slug, lesson.course.slug])
    path = [{"title": lesson.course.title, "url": course_url}, *({"title": title, "url": ""} for title in tree.path)]
    return {
        "university": lesson.university,
        "item": {"title": lesson.item.title, "kind": kind, "objectives": lesson.item.objectives},
        "content": _quiz(lesson, given) if kind == "quiz" else queries.content(lesson),
        "content_template": f"courses/content/_{kind if kind in SHOWN_TYPES else 'text'}.html",
        "path": path,
        "outline": {
            "course": lesson.course.title,
            "course_url": course_url,
            "done": tree.done,
            "total": tree.total,
            "units": tree.units,
        },
        "is_done": lesson.is_done,
        "done_url": _url(lesson, "learning:mark_done") if lesson.enrollment and not lesson.is_done else "",
        "previous": tree.previous,
        "next": tree.next,
    }


def _url(lesson: Lesson, name: str) -> str:
    return reverse(name, args=[lesson.university.slug, lesson.offering.pk, lesson.item.pk])


def _quiz(lesson: Lesson, given: QueryDict | None) -> Content:
    """The questions, with what was answered and how well. Marks come for answered questions alone."""
    shown = queries.content(lesson)
    answers = given_answers(lesson.item.data["questions"], given) if given else {}
    content = {**shown, "check_url": _url(lesson, "learning:check_quiz"), "score": None}
    checks: dict[str, QuestionCheck] = {}
    if answers:
        check = check_answers(by=lesson.user, offering=lesson.offering, item=lesson.item, answers=answers)
        content["score"], checks = {"points": check.points, "of": check.of}, check.questions
    prefix = media_prefix(lesson.university.slug, lesson.course.pk)
    content["questions"] = [
        _question(question, answers, checks.get(question["id"]), prefix) for question in shown["questions"]
    ]
    return content


def _question(shown: Content, answers: Answers, check: QuestionCheck | None, prefix: str) -> Content:
    given = answers.get(shown["id"], [])
    kind = shown["kind"]
    # Ordering: one-based places; matching: what each option was matched to.
    places = {option: at for at, option in enumerate(given, 1)} if kind == "ordering" else {}
    places = dict(given) if kind == "matching" else places
    options = [
        {
            **option,
            "is_chosen": kind in ("single", "multiple") and option["id"] in given,
            "place": places.get(option["id"]),
        }
        for option in shown["options"]
    ]
    answer = given[0] if given and kind in ("numeric", "short_text") else None
    return {**shown, "options": options, "answer": answer, "result": _result(check, prefix) if check else None}


def _result(check: QuestionCheck, prefix: str) -> Content:
    html = render_lesson(check.explanation, media_prefix=prefix) if check.explanation else ""
    return {
        "is_correct": check.is_correct,
        "is_partly": check.is_partly,
        "explanation_html": mark_safe(html),  # noqa: S308 # from the sanitiser, as all rendered Markdown
    }
