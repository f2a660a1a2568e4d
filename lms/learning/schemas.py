"""What the API takes and gives about studying."""

from datetime import datetime
from typing import Any

from ninja import Field, Schema
from pydantic import ConfigDict

from lms.courses import queries as courses
from lms.learning.access import Lesson
from lms.learning.actions.quizzes import QuizCheck
from lms.learning.models import Enrollment
from lms.learning.queries import ModuleProgress, study

# Beyond PostgreSQL's own integers there is nothing to find.
Id = Field(ge=1, lt=2**63)


class In(Schema):
    """Base of what is taken: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class EnrollIn(In):
    offering_id: int = Id


class DoneIn(In):
    item_id: int = Id


class AnswersIn(In):
    """`answers`: question id to a list. One option, text or number; several options; all options in order; or pairs."""

    item_id: int = Id
    answers: dict[str, list[str] | list[tuple[str, str]]] = Field(max_length=200)


class EnrollmentOut(Schema):
    """`place` is the item at which to go on; null where lessons may not be opened."""

    id: int
    university: str
    course_id: int
    course_title: str
    offering_id: int
    term: str
    status: str
    done: int
    total: int
    place: int | None
    created_at: datetime

    # For rows of `queries.studies_of`, which carry the counts.
    @staticmethod
    def resolve_university(row: Enrollment) -> str:
        return row.university.slug

    @staticmethod
    def resolve_course_id(row: Enrollment) -> int:
        return row.offering.course_id

    @staticmethod
    def resolve_course_title(row: Enrollment) -> str:
        return row.offering.course.title

    @staticmethod
    def resolve_term(row: Enrollment) -> str:
        return row.offering.term

    @staticmethod
    def resolve_place(row: Enrollment) -> int | None:
        place = study(row).place
        return place[0] if place else None


class ModuleProgressOut(Schema):
    module_id: int
    title: str
    level: int
    done: int
    total: int


class ProgressOut(Schema):
    """`done` and `total` count the course's items; `modules` are in the tree's order, each with what is below it."""

    done: int
    total: int
    modules: list[ModuleProgressOut]

    @staticmethod
    def of(rows: list[ModuleProgress]) -> "ProgressOut":
        modules = [ModuleProgressOut.from_orm(row) for row in rows]
        return ProgressOut(done=rows[0].done if rows else 0, total=rows[0].total if rows else 0, modules=modules)


class DoneOut(Schema):
    item_id: int
    completed_at: datetime


class ContentOut(Schema):
    """`data` is what the content type's schema describes; `content` is the same rendered, texts as safe HTML."""

    id: int
    title: str
    content_type: str
    course_id: int
    module_id: int
    objectives: list[str]
    revision: int
    is_done: bool
    data: dict[str, Any]
    content: dict[str, Any]

    @staticmethod
    def of(lesson: Lesson) -> "ContentOut":
        item = lesson.item
        return ContentOut(
            id=item.pk,
            title=item.title,
            content_type=item.content_type.slug,
            course_id=lesson.course.pk,
            module_id=item.module_id,
            objectives=item.objectives,
            revision=item.revision,
            is_done=lesson.is_done,
            data=item.data,
            content=courses.content_of(item, lesson.university, lesson.course),
        )


class QuestionCheckOut(Schema):
    is_correct: bool
    is_partly: bool
    explanation: str


class QuizCheckOut(Schema):
    """Marks of the answered questions, by id. They are not stored."""

    points: int
    of: int
    questions: dict[str, QuestionCheckOut]

    @staticmethod
    def from_check(check: QuizCheck) -> "QuizCheckOut":
        return QuizCheckOut.from_orm(check)
