"""What pages and endpoints read of courses."""

import re
from collections import defaultdict
from datetime import datetime
from typing import Any, TypedDict

from django.contrib.postgres.search import SearchQuery
from django.core.cache import cache
from django.db import connection
from django.db.models import Q, QuerySet

from lms.courses.addresses import media_prefix
from lms.courses.item_html import Content, item_content
from lms.courses.models import ContentItem, ContentType, Course, CourseOffering, Module, Prerequisite, Subject
from lms.courses.outlines import Entry
from tenants.access import has_role
from tenants.keys import key_for
from tenants.models import Role, University, User


def courses_for_catalogue(
    user: User, university: University, *, search: str = "", level: str = "", subject: str = ""
) -> QuerySet[Course]:
    """Courses of one university that the person sees, by title. Words of `search` may be begun; `subject` is a slug.

    Archived courses are left out, for those who teach too: the catalogue is for choosing.
    """
    found = courses_visible_to(user, search=search, level=level, subject=subject)
    return found.filter(university=university).exclude(status=Course.Status.ARCHIVED)


def courses_visible_to(user: User, *, search: str = "", level: str = "", subject: str = "") -> QuerySet[Course]:
    """At all universities; an empty filter is none."""
    found = Course.objects.visible_to(user).select_related("university", "subject", "department")
    if level:
        found = found.filter(level=level)
    if subject:
        found = found.filter(Q(subject__slug=subject) | Q(subject__parent__slug=subject))
    if words := re.findall(r"\w+", search):
        prefixes = " & ".join(f"{word}:*" for word in words[:20])
        found = found.filter(search=SearchQuery(prefixes, search_type="raw", config="simple"))
    return found.defer("search").order_by("title", "pk")


def subjects_taught_at(university: University) -> QuerySet[Subject]:
    """Those that a published course has, for the catalogue's filter."""
    courses = Course.objects.filter(university=university, status=Course.Status.PUBLISHED)
    return Subject.objects.filter(pk__in=courses.values("subject"))


def offerings_of(course: Course) -> QuerySet[CourseOffering]:
    """The newest term first."""
    return CourseOffering.objects.filter(course=course)


def prerequisites_of(course: Course) -> QuerySet[Prerequisite]:
    return Prerequisite.objects.filter(course=course).select_related("required_course").order_by("kind", "pk")


def content_types() -> QuerySet[ContentType]:
    return ContentType.objects.all()


# By hand, because each lesson page asks this: the ORM takes three times as long for a large course.
_SYLLABUS = """
SELECT module.id, module.level, module.lft, module.rght, module.title,
    (module.available_from > now() OR module.available_until <= now()) IS TRUE,
    item.id, coalesce(item.title, '')
FROM courses_module AS module
LEFT JOIN courses_contentitem AS item
    ON item.module_id = module.id AND (item.status = 'published' OR %(with_drafts)s)
WHERE module.course_id = %(course)s
ORDER BY module.lft, item.sequence_index, item.id
"""


def syllabus(course: Course, *, with_drafts: bool = False) -> list[Entry]:
    """All modules and items in the tree's order, without any item's data: one query for a course of any size."""
    with connection.cursor() as cursor:
        cursor.execute(_SYLLABUS, {"course": course.pk, "with_drafts": with_drafts})
        return [Entry(*row) for row in cursor.fetchall()]


class ModuleNode(TypedDict):
    id: int
    type: str
    title: str
    available_from: datetime | None
    available_until: datetime | None
    items: list[dict[str, Any]]
    children: list["ModuleNode"]


def module_tree(course: Course, *, with_drafts: bool = False) -> ModuleNode | dict[str, Any]:
    """The topmost module with all below it, in order; empty for a course without one. Two queries."""
    items: dict[int, list[dict[str, Any]]] = defaultdict(list)
    shown = ContentItem.objects.filter(module__course=course).order_by("sequence_index", "pk")
    if not with_drafts:
        shown = shown.filter(status=ContentItem.Status.PUBLISHED)
    for module_id, *values in shown.values_list("module_id", "pk", "title", "content_type__slug"):
        items[module_id].append(dict(zip(("id", "title", "content_type"), values, strict=True)))
    nodes: dict[int, ModuleNode] = {}
    top: ModuleNode | None = None
    for row in Module.objects.filter(course=course).order_by("lft").values_list("parent_id", *_NODE_FIELDS):
        parent_id, pk, *values = row
        fields = dict(zip(_NODE_FIELDS[1:], values, strict=True))
        node: Any = {"id": pk, **fields, "items": items[pk], "children": []}
        nodes[pk] = node
        if parent_id in nodes:
            nodes[parent_id]["children"].append(node)
        else:
            top = top or node
    return top or {}


_NODE_FIELDS = ("pk", "type", "title", "available_from", "available_until")


def is_taught_by(user: User, course: Course) -> bool:
    return has_role(user, course.university_id, Role.TA)


# Part of the cache's key. Raise it with each change of the renderer: a cache in Redis outlives the release.
_RENDERING = 1
_CACHE_S = 3600


def content_of(item: ContentItem, university: University, course: Course) -> Content:
    """What the item shows, rendered once for each revision. The caller has the right to see it."""
    prefix = media_prefix(university.slug, course.pk)
    key = key_for(university.pk, "content", _RENDERING, item.pk, item.revision, university.slug, course.pk)
    content: Content | None = cache.get(key)
    if content is None:
        content = item_content(item.content_type.slug, item.data, media_prefix=prefix)
        cache.set(key, content, _CACHE_S)
    return content
