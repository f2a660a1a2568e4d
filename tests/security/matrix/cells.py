"""What is asked in one cell: whose rows an address, a query and a body name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.security.matrix.cast import MEDIA_PATH, Cast
from tests.security.matrix.ways import Way

# Whose rows are named. `missing` has the form of a name and names nothing; `malformed` has not even that.
OBJECTS = ("sam", "zoe", "oona", "missing", "malformed")
# Of what belongs to a university and to nobody in it, Sam's and Zoe's are the same.
_PERSONAL = {
    "session", "session_id", "generation_id", "reply_id", "message_id", "share", "share_id", "enrollment_id", "token",
}  # fmt: skip
_ADMIN_ROWS = {
    "tenants/user": "user", "tenants/membership": "membership", "tenants/university": "university",
    "tenants/department": "department", "courses/course": "course", "courses/module": "module",
    "courses/contentitem": "contentitem", "learning/enrollment": "enrollment", "tutoring/feedback": "feedback",
    "tutoring/generation": "generation", "tutoring/tutorpolicy": "tutorpolicy", "tutoring/usageentry": "usageentry",
}  # fmt: skip

# Query strings of ways that name a row there.
QUERIES = {
    "GET /admin/courses/module/": "course={course}",
    "POST /admin/courses/module/": "course={course}",
    "GET /admin/courses/module/add/": "course={course}&parent={module}",
    "GET /admin/courses/contentitem/": "module__id__exact={module}",
    "GET /admin/courses/contentitem/add/": "module={module}",
    "GET /admin/autocomplete/": "app_label=courses&model_name=courseoffering&field_name=course&term={word}",
    "GET /api/v1/chat/meter": "university={university}&offering={offering}",
    "GET /api/v1/chat/sessions": "university={university}",
    "GET /api/v1/chat/sessions/<session_id>/export": "format=markdown",
    "GET /api/v1/content/<item_id>": "offering={offering}",
    "GET /api/v1/courses": "university={university}",
    "GET /api/v1/prompts": "university={university}",
    "POST /api/v1/prompts": "university={university}",
    "GET /api/v1/prompts/named/<name>": "university={university}",
    "GET /api/v1/prompts/versions/<name>": "university={university}",
    "POST /api/v1/prompts/versions/<name>": "university={university}",
    "PUT /api/v1/prompts/labels/<label>/<name>": "university={university}",
    "DELETE /api/v1/prompts/labels/<label>/<name>": "university={university}",
    "GET /<slug:university>/learn/<int:offering>/<int:item>/": "branch={reply}",
    "GET /<slug:university>/tutor/": "search={word}",
}

# Bodies without which a way refuses before it looks at any row: JSON for the API, a form for pages.
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/auth/check-email": {"email": "new@nowhere.example"},
    "POST /api/v1/auth/login": {"email": "new@nowhere.example", "password": "wrong"},
    "POST /api/v1/auth/refresh": {"refresh_token": "none"},
    "POST /api/v1/chat/sessions": {"university": "{university}", "offering": "{offering}", "content_item": "{item}"},
    "POST /api/v1/chat/sessions/<session_id>/messages": {"text": "Why?"},
    "POST /api/v1/chat/sessions/<session_id>/shares": {},
    "PATCH /api/v1/chat/sessions/<session_id>": {"title": "Mine now"},
    "PUT /api/v1/chat/messages/<message_id>/feedback": {"thumb": "down"},
    "POST /api/v1/enrollments": {"offering_id": "{offering}"},
    "POST /api/v1/enrollments/<enrollment_id>/check": {"item_id": "{quiz}", "answers": {}},
    "POST /api/v1/enrollments/<enrollment_id>/progress": {"item_id": "{item}"},
    "POST /api/v1/prompts": {"name": "another/prompt", "type": "text", "body": "Say."},
    "POST /api/v1/prompts/versions/<name>": {"body": "Say more."},
    "PUT /api/v1/prompts/labels/<label>/<name>": {"version": 1},
    "PATCH /api/v1/users/me": {"full_name": "Another"},
    "POST /admin/university/": {"university": "{university}"},
    "POST /admin/courses/module/": {
        "cmd": "move_node", "cut_item": "{module}", "pasted_on": "{module}", "position": "left",
    },
    "POST /admin/courses/course/": {"action": "delete_selected", "_selected_action": "{course}", "post": "yes"},
    "POST /admin/courses/course/<path:object_id>/delete/": {"post": "yes"},
    "POST /admin/courses/module/<path:object_id>/delete/": {"post": "yes"},
    "POST /admin/courses/contentitem/<path:object_id>/delete/": {"post": "yes"},
    "POST /admin/courses/module/add/": {"course": "{course}", "parent": "{module}", "title": "New", "type": "lesson"},
    "POST /admin/tenants/department/<path:object_id>/delete/": {"post": "yes"},
    "POST /admin/tenants/membership/<path:object_id>/delete/": {"post": "yes"},
    "POST /admin/tenants/membership/add/": {
        "email": "zoe@north.example", "university": "{university_id}", "role": "instructor",
    },
    "POST /admin/tenants/department/add/": {"university": "{university_id}", "code": "D2", "name": "Another"},
    "POST /admin/learning/enrollment/add/": {"offering": "{offering}", "user": "{user}", "role": "student"},
    "POST /<slug:university>/learn/<int:offering>/<int:item>/ask/": {"text": "Why?", "key": "{key}"},
    "POST /<slug:university>/tutor/<uuid:session>/ask/": {"text": "Why?", "key": "{key}"},
    "POST /<slug:university>/tutor/<uuid:session>/regenerate/": {"reply": "{reply}", "key": "{key}"},
    "POST /<slug:university>/tutor/<uuid:session>/stop/": {"generation": "{generation}"},
    "POST /<slug:university>/tutor/<uuid:session>/feedback/": {"reply": "{reply}", "thumb": "down"},
    "POST /<slug:university>/tutor/<uuid:session>/rename/": {"title": "Mine now"},
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One way to the rows of `whose`; `-` where it names none."""

    way: Way
    whose: str
    path: str
    body: dict[str, Any]
    values: dict[str, str]

    @property
    def json(self) -> str:
        return json.dumps(self.body) if self.body or self.way.method not in ("GET", "DELETE") else ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Idempotency-Key": str(uuid4())}


def cells_of(way: Way, cast: Cast) -> Iterator[Cell]:
    for whose in _objects_of(way):
        values = _values(way, "missing" if whose == "-" else whose, cast)
        query = QUERIES.get(way.name, "").format_map(values)
        path = way.path(values) + (f"?{query}" if query else "")
        yield Cell(way, whose, path, json.loads(_filled(BODIES.get(way.name, {}), values)), values)


def _objects_of(way: Way) -> list[str]:
    named = f"{way.route} {QUERIES.get(way.name, '')} {BODIES.get(way.name, '')}"
    names = {*way.parameters, *(name for name in ("university", "word") if f"{{{name}" in named)}
    if "{" in named.split(" ", 1)[1]:
        names.add("body")
    if not names:
        return ["-"]
    is_personal = names & _PERSONAL or way.route.startswith("ws/") or "{reply}" in named or "{user}" in named
    is_personal = is_personal or _admin_row(way) in (
        "user",
        "membership",
        "enrollment",
        "feedback",
        "generation",
        "usageentry",
    )
    return list(OBJECTS) if is_personal else [whose for whose in OBJECTS if whose != "zoe"]


def _filled(body: dict[str, Any], values: dict[str, str]) -> str:
    """As JSON, in which a name in braces becomes its value; numbers stay numbers."""
    text = json.dumps(body)
    for name, value in values.items():
        is_number = name in ("offering", "item", "quiz", "course", "module") and value.isdigit()
        text = text.replace(f'"{{{name}}}"', value if is_number else json.dumps(value))
    return text


def _admin_row(way: Way) -> str:
    place = "/".join(way.route.removeprefix("admin/").split("/")[:2])
    return _ADMIN_ROWS.get(place, "") if "object_id" in way.route or "<int:pk>" in way.route else ""


def _values(way: Way, whose: str, cast: Cast) -> dict[str, str]:
    values = {"label": "production", "app_label": "courses", "uidb36": "1", "url": "nowhere", "key": str(uuid4())}
    if whose == "missing":
        return values | _unknown("999999", str(uuid4()), "nowhere", way)
    if whose == "malformed":
        return values | _unknown("x", "no-id", "no!slug", way)
    mine = cast.students[whose]
    home, rows = mine.home, mine.rows
    named = home.rows | rows
    object_id = named[_admin_row(way)].pk if _admin_row(way) else 999999
    found = {
        "university": home.university.slug, "university_id": home.university.pk, "word": home.term,
        "offering": home.offering.pk, "item": home.item.pk, "item_id": home.item.pk, "quiz": home.quiz.pk,
        "course": home.course.pk, "course_id": home.course.pk, "module": home.module.pk, "pk": home.item.pk,
        "session": rows["session"].pk, "session_id": rows["session"].pk, "generation": rows["generation"].pk,
        "generation_id": rows["generation"].pk, "reply": rows["reply"].pk, "reply_id": rows["reply"].pk,
        "message_id": rows["reply"].pk, "share": rows["share"].pk, "share_id": rows["share"].pk, "token": mine.token,
        "enrollment_id": rows["enrollment"].pk, "user": mine.user.pk, "object_id": object_id, "name": "own/prompt",
        "path": MEDIA_PATH, "slug": home.course.slug if "courses" in way.route else home.university.slug,
    }  # fmt: skip
    if way.method == "DELETE":
        # Gone afterwards, for it is deleted in a thread of its own: one in which nothing was said.
        found["session_id"] = rows["silent"].pk
    return values | {name: str(value) for name, value in found.items()}


def _unknown(number: str, uuid: str, slug: str, way: Way) -> dict[str, str]:
    numbers = (
        "offering", "item", "item_id", "quiz", "course", "course_id", "module", "pk", "enrollment_id", "user",
        "object_id", "university_id",
    )  # fmt: skip
    ids = (
        "session", "session_id", "generation", "generation_id", "reply", "reply_id", "message_id", "share", "share_id",
    )  # fmt: skip
    words = ("university", "word", "token", "name", "path", "slug")
    if _admin_row(way) in ("generation",):
        numbers, ids = numbers[:-2] + numbers[-1:], (*ids, "object_id")
    # In the same folder as the one that is there, because a page of 405 leads back to the folder.
    path = {"path": f"images/{slug}"}
    return dict.fromkeys(numbers, number) | dict.fromkeys(ids, uuid) | dict.fromkeys(words, slug) | path
