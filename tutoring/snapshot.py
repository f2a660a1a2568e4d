"""The lesson as it was when a conversation began, and what a prompt may say of it."""

import hashlib
from typing import TypedDict

from lms.courses.item_text import item_text
from lms.courses.models import Module
from lms.learning.access import Lesson


class LessonSnapshot(TypedDict):
    """`ChatSession.content_context`. Holds no student's name and no answer key."""

    title: str
    content: str
    content_type: str
    course_title: str
    module_path: str
    objectives: list[str]
    university_name: str
    language: str
    hint_level: str
    revision: int
    revision_hash: str


def take_snapshot(lesson: Lesson) -> LessonSnapshot:
    """One query, for the module's ancestors."""
    item = lesson.item
    content = item_text(item.content_type.slug, item.data)
    return LessonSnapshot(
        title=item.title,
        content=content,
        content_type=item.content_type.slug,
        course_title=lesson.course.title,
        module_path=_module_path(item.module),
        objectives=[str(objective) for objective in item.objectives],
        university_name=lesson.university.name,
        language=lesson.course.language,
        hint_level=lesson.offering.hint_policy,
        revision=item.revision,
        revision_hash=hashlib.sha256(f"{item.title}\n{content}".encode()).hexdigest(),
    )


def _module_path(module: Module) -> str:
    """Titles from the top of the course down, without the course's own."""
    titles = module.get_ancestors(include_self=True).exclude(type=Module.Type.COURSE_ROOT)
    return " / ".join(titles.values_list("title", flat=True))
