"""Who enters the authoring pages, and that nothing of the neighbour shows on any of them."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from lms.courses.actions.content_types import load_content_types
from lms.courses.models import ContentItem, Course, Module
from tenants.models import Membership, Role
from tests.world import World

# Words that only South's rows contain.
CANARY = re.compile("zanzibarium|mitochondria|cells of the south|bio101|southern university|oona", re.IGNORECASE)


@pytest.fixture
def pages(world: World) -> list[str]:
    """Every page of the courses' authoring, with rows of North where a row is named."""
    load_content_types()
    course, module, item = world.course.pk, world.lesson.pk, world.item.pk
    return [
        "/admin/",
        "/admin/courses/",
        "/admin/courses/course/",
        "/admin/courses/course/add/",
        *(f"/admin/courses/course/{course}/{page}/" for page in ("change", "delete", "history")),
        f"/admin/courses/module/?course={course}",
        f"/admin/courses/module/add/?course={course}",
        *(f"/admin/courses/module/{module}/{page}/" for page in ("change", "delete", "history")),
        "/admin/courses/contentitem/",
        f"/admin/courses/contentitem/add/?module={module}",
        f"/admin/courses/contentitem/add/?module={module}&type=text",
        *(f"/admin/courses/contentitem/{item}/{page}/" for page in ("change", "delete", "history")),
        "/admin/learning/enrollment/",
        f"/admin/learning/enrollment/{world.enrollment.pk}/change/",
    ]


def test_an_instructor_works_on_every_page_and_sees_nothing_of_the_south(
    client: Client, world: World, pages: list[str]
) -> None:
    client.force_login(world.tess)
    answers = {page: client.get(page) for page in pages}
    assert {page: answer.status_code for page, answer in answers.items()} == dict.fromkeys(pages, 200)
    assert {page: CANARY.findall(answer.text) for page, answer in answers.items()} == {page: [] for page in pages}


def test_no_page_has_anything_inline(client: Client, world: World, pages: list[str]) -> None:
    client.force_login(world.tess)
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=\"|\son[a-z]+=\"")
    assert {page: inline.findall(client.get(page).text) for page in pages} == {page: [] for page in pages}
    assert "unsafe" not in client.get(pages[0])["Content-Security-Policy"]


@pytest.mark.parametrize("role", [Role.STUDENT, Role.TA])
def test_students_and_assistants_do_not_enter(client: Client, world: World, pages: list[str], role: Role) -> None:
    Membership.objects.filter(user=world.sam).update(role=role)
    client.force_login(world.sam)
    for page in pages:
        answer = client.get(page, follow=True)
        assert (answer.status_code, "Thinking with samples" in answer.text) == (403, False)
        answer = client.post(page, {"post": "yes", "cmd": "move_node"}, follow=True)
        assert (answer.status_code, "Thinking with samples" in answer.text) == (403, False)
    assert (Course.objects.count(), Module.objects.count(), ContentItem.objects.count()) == (2, 4, 3)


def test_nobody_enters_without_signing_in(client: Client, world: World, pages: list[str]) -> None:
    for page in pages:
        answer = client.get(page)
        assert (answer.status_code, answer["location"].partition("?")[0]) in [
            (302, "/admin/login/"),
            (302, "/accounts/login/"),
        ]


def test_rows_of_another_university_are_as_absent(client: Client, world: World) -> None:
    client.force_login(world.tess)
    rows: list[Any] = [world.south_course, world.south_item.module, world.south_item, world.south_offering]
    for row in rows[:3]:
        for page in ("change", "delete", "history"):
            foreign, absent = (
                client.get(reverse(f"admin:courses_{row._meta.model_name}_{page}", args=[pk]))
                for pk in (row.pk, 999_999)
            )
            assert (foreign.status_code, foreign.content) == (404, absent.content)


def test_what_the_platform_shares_is_the_platforms_to_change(client: Client, world: World) -> None:
    for person, subjects, types in ((world.tess, 403, 403), (world.platform, 200, 200)):
        client.force_login(person)
        assert client.get("/admin/courses/subject/").status_code == subjects
        assert client.get("/admin/courses/contenttype/").status_code == types
        assert client.get("/admin/courses/contenttype/add/").status_code == 403


def test_answer_keys_have_no_page_of_their_own() -> None:
    names = sorted(model.__name__ for model in admin.site._registry if model._meta.app_label == "courses")
    assert names == ["ContentItem", "ContentType", "Course", "Module", "Subject"]
