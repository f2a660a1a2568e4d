from typing import Any

import pytest
from django.test import Client

from lms.courses.models import Course, CourseOffering, Module, Prerequisite
from tenants.models import AuditEntry, Department, Membership, Role
from tests import factories
from tests.courses.browser_forms import fields_of
from tests.world import World

COURSES = "/admin/courses/course/"


@pytest.fixture
def tess(client: Client, world: World) -> Client:
    client.force_login(world.tess)
    return client


def change_url(course: Course) -> str:
    return f"{COURSES}{course.pk}/change/"


def changed(client: Client, course: Course, **changes: Any) -> Any:
    """The form of a course, opened and sent back with what somebody typed."""
    fields = fields_of(client.get(change_url(course)).text, "course_form")
    return client.post(change_url(course), fields | changes)


def sentences(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def actions_recorded() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


class TestList:
    def test_search_and_filters_find_own_courses(self, tess: Client, world: World) -> None:
        draft = factories.make_course(world.north, "STAT201", "More samples", status=Course.Status.DRAFT)
        found = {
            query: [course.pk for course in tess.get(f"{COURSES}?{query}").context["cl"].result_list]
            for query in ("", "q=more", "q=STAT101", "q=Cells", "status__exact=draft", "level__exact=advanced")
        }
        assert found == {
            "": [draft.pk, world.course.pk],
            "q=more": [draft.pk],
            "q=STAT101": [world.course.pk],
            "q=Cells": [],
            "status__exact=draft": [draft.pk],
            "level__exact=advanced": [],
        }

    def test_each_course_leads_to_its_tree(self, tess: Client, world: World) -> None:
        assert f'<a href="/admin/courses/module/?course={world.course.pk}">' in tess.get(COURSES).text

    @pytest.mark.parametrize("count", [1, 3])
    def test_the_list_costs_the_same_for_any_number(
        self, tess: Client, world: World, count: int, django_assert_num_queries: Any
    ) -> None:
        for number in range(count - 1):
            factories.make_course(world.north, f"C{number}", f"Course {number}")
        tess.get(COURSES)
        # Session, person, roles, two filters, and the list with its two counts.
        with django_assert_num_queries(8):
            tess.get(COURSES)

    def test_courses_are_published_and_archived_together(self, tess: Client, world: World) -> None:
        drafts = [factories.make_course(world.north, f"D{n}", f"Draft {n}", status="draft") for n in range(2)]
        selected = {"_selected_action": [course.pk for course in drafts]}
        page = tess.post(COURSES, {"action": "publish", **selected}, follow=True)
        assert sentences(page) == ["2 courses are published."]
        page = tess.post(COURSES, {"action": "archive", "_selected_action": [drafts[0].pk]}, follow=True)
        assert sentences(page) == ["1 course is archived."]
        assert [Course.objects.get(pk=course.pk).status for course in drafts] == ["archived", "published"]
        assert actions_recorded() == ["course.published", "course.published", "course.archived"]


class TestAdding:
    BODY = {
        "title": "Data at work",
        "code": "DATA1",
        "slug": "data-at-work",
        "status": "draft",
        "level": "advanced",
        "language": "en",
        "description": "All about *data*.",
        "objectives": "Collect data\r\n\r\n  Clean data  ",
    }

    def test_makes_a_course_with_its_topmost_module(self, tess: Client, world: World) -> None:
        department = Department.objects.create(university=world.north, code="STAT", name="Statistics")
        body = {**self.BODY, "university": world.north.pk, "department": department.pk}
        answer = tess.post(f"{COURSES}add/", {**body, "_continue": "1"})
        course = Course.objects.get(code="DATA1")
        assert answer["location"] == change_url(course)
        assert (course.university, course.department, course.status) == (world.north, department, "draft")
        assert (course.title, course.slug, course.level) == ("Data at work", "data-at-work", "advanced")
        assert (course.description, course.objectives) == ("All about *data*.", ["Collect data", "Clean data"])
        modules = Module.objects.filter(course=course).values_list("type", "title", "university")
        assert list(modules) == [("course_root", "Data at work", world.north.pk)]
        assert actions_recorded() == ["course.created", "admin.added"]

    def test_may_be_published_at_once(self, tess: Client, world: World) -> None:
        tess.post(f"{COURSES}add/", {**self.BODY, "university": world.north.pk, "status": "published"})
        assert Course.objects.get(code="DATA1").status == "published"

    def test_the_form_knows_where_somebody_teaches(self, tess: Client, world: World) -> None:
        fields = fields_of(tess.get(f"{COURSES}add/").text, "course_form")
        assert fields["university"] == str(world.north.pk)

    def test_another_university_is_no_choice(self, tess: Client, world: World) -> None:
        page = tess.post(f"{COURSES}add/", {**self.BODY, "university": world.south.pk})
        assert page.context["adminform"].form.errors == {
            "university": ["Select a valid choice. That choice is not one of the available choices."]
        }
        assert not Course.objects.filter(code="DATA1").exists()

    def test_a_foreign_department_is_no_choice(self, tess: Client, world: World) -> None:
        foreign = Department.objects.create(university=world.south, code="BIO", name="Biology")
        body = {**self.BODY, "university": world.north.pk, "department": foreign.pk}
        page = tess.post(f"{COURSES}add/", body)
        assert list(page.context["adminform"].form.errors) == ["department"]
        assert not Course.objects.filter(code="DATA1").exists()

    def test_a_code_is_taken_once(self, tess: Client, world: World) -> None:
        body = {**self.BODY, "university": world.north.pk, "code": "STAT101"}
        page = tess.post(f"{COURSES}add/", body)
        assert "Data at work" in page.text
        assert Course.objects.filter(title="Data at work").count() == 0


class TestChanging:
    def test_an_untouched_form_changes_nothing(self, tess: Client, world: World) -> None:
        before = Course.objects.filter(pk=world.course.pk).values().get()
        assert changed(tess, world.course).status_code == 302
        after = Course.objects.filter(pk=world.course.pk).values().get()
        assert after | {"updated_at": None} == before | {"updated_at": None}
        assert list(CourseOffering.objects.filter(course=world.course)) == [world.offering]

    def test_words_and_status_change_through_the_actions(self, tess: Client, world: World) -> None:
        answer = changed(tess, world.course, title="New title", status="archived", objectives="One\r\nTwo")
        assert answer.status_code == 302
        course = Course.objects.get(pk=world.course.pk)
        assert (course.title, course.status, course.objectives) == ("New title", "archived", ["One", "Two"])
        assert Module.objects.get(course=course, parent=None).title == "New title"
        assert actions_recorded() == ["course.updated", "course.archived", "admin.changed"]

    def test_what_students_have_seen_is_no_draft_again(self, tess: Client, world: World) -> None:
        page = changed(tess, world.course, status="draft")
        assert list(page.context["adminform"].form.errors) == ["status"]

    def test_a_refusal_of_the_action_keeps_what_was_typed(self, tess: Client, world: World) -> None:
        factories.make_course(world.north, "STAT201", "More samples")
        page = changed(tess, world.course, title="Mine", slug="stat201")
        assert (page.status_code, "Mine" in page.text) == (200, True)
        assert "already exists" in page.text
        assert Course.objects.get(pk=world.course.pk).title == "Thinking with samples"


class TestOfferings:
    def test_are_added_and_changed_on_the_course(self, tess: Client, world: World) -> None:
        answer = changed(
            tess,
            world.course,
            **{
                "offerings-TOTAL_FORMS": "2",
                "offerings-0-capacity": "30",
                "offerings-1-term": "Spring",
                "offerings-1-starts_at_0": "2027-01-10",
                "offerings-1-starts_at_1": "08:00",
                "offerings-1-hint_policy": "open",
                "offerings-1-course": str(world.course.pk),
            },
        )
        assert answer.status_code == 302
        rows = CourseOffering.objects.filter(course=world.course).order_by("pk")
        assert list(rows.values_list("term", "capacity", "hint_policy", "university")) == [
            ("Autumn", 30, "guide", world.north.pk),
            ("Spring", None, "open", world.north.pk),
        ]
        assert actions_recorded() == ["course.updated", "offering.created", "offering.updated", "admin.changed"]

    def test_a_refused_offering_undoes_the_whole_form(self, tess: Client, world: World) -> None:
        page = changed(
            tess,
            world.course,
            title="Undone",
            **{
                "offerings-0-starts_at_0": "2027-02-01",
                "offerings-0-starts_at_1": "08:00",
                "offerings-0-ends_at_0": "2027-01-01",
                "offerings-0-ends_at_1": "08:00",
            },
        )
        assert page.status_code == 400
        assert page.context["adminform"].form.non_field_errors() == ["The term ends after it starts, not before."]
        assert ("Undone" in page.text, "2027-02-01" in page.text) == (True, True)
        assert Course.objects.get(pk=world.course.pk).title == "Thinking with samples"
        assert actions_recorded() == []

    def test_a_foreign_offering_is_not_reached(self, tess: Client, world: World) -> None:
        changed(tess, world.course, **{"offerings-0-id": str(world.south_offering.pk), "offerings-0-term": "Stolen"})
        world.south_offering.refresh_from_db()
        assert (world.south_offering.term, world.south_offering.course) == ("Autumn", world.south_course)


class TestPrerequisites:
    def row(self, course: Course, **changes: str) -> dict[str, str]:
        row = {"required_course": str(course.pk), "kind": "strict", **changes}
        return {"prerequisites-TOTAL_FORMS": "1", **{f"prerequisites-0-{name}": row[name] for name in row}}

    def rows(self) -> list[tuple[Any, ...]]:
        return list(Prerequisite.objects.values_list("course", "required_course", "kind", "university"))

    def test_are_chosen_among_the_courses_of_the_university(self, tess: Client, world: World) -> None:
        other = factories.make_course(world.north, "MATH1", "Sums")
        page = tess.get(change_url(world.course))
        choices = page.context["inline_admin_formsets"][1].formset.empty_form.fields["required_course"].queryset
        assert list(choices) == [other]

    def test_are_added_changed_and_removed(self, tess: Client, world: World) -> None:
        first = factories.make_course(world.north, "MATH1", "Sums")
        second = factories.make_course(world.north, "MATH2", "More sums")
        assert changed(tess, world.course, **self.row(first)).status_code == 302
        assert self.rows() == [(world.course.pk, first.pk, "strict", world.north.pk)]
        assert changed(tess, world.course, **self.row(second, kind="recommended")).status_code == 302
        assert self.rows() == [(world.course.pk, second.pk, "recommended", world.north.pk)]
        assert changed(tess, world.course, **self.row(second, DELETE="on")).status_code == 302
        assert self.rows() == []

    def test_a_foreign_course_and_the_course_itself_are_refused(self, tess: Client, world: World) -> None:
        for course in (world.south_course, world.course):
            page = changed(tess, world.course, **self.row(course))
            assert page.status_code == 200
            assert page.context["inline_admin_formsets"][1].formset.errors == [
                {"required_course": ["Select a valid choice. That choice is not one of the available choices."]}
            ]
        assert self.rows() == []

    def test_a_teacher_of_two_universities_cannot_join_them(self, tess: Client, world: World) -> None:
        Membership.objects.create(user=world.tess, university=world.south, role=Role.INSTRUCTOR)
        assert changed(tess, world.course, **self.row(world.south_course)).status_code == 200
        assert self.rows() == []


class TestDeleting:
    def test_a_draft_goes_with_its_author(self, tess: Client, world: World) -> None:
        draft = factories.make_course(world.north, "D1", "Draft", status="draft")
        factories.make_module(draft, None, "Draft", type="course_root")
        assert tess.post(f"{COURSES}{draft.pk}/delete/", {"post": "yes"}).status_code == 302
        assert not Course.objects.filter(pk=draft.pk).exists()

    def test_what_students_have_seen_needs_an_administrator(self, tess: Client, world: World) -> None:
        for _attempt in range(2):
            answer = tess.post(f"{COURSES}{world.course.pk}/delete/", {"post": "yes"})
            assert answer.status_code == 403
        bulk = {"action": "delete_selected", "_selected_action": [world.course.pk], "post": "yes"}
        assert tess.post(COURSES, bulk).status_code == 403
        assert Course.objects.filter(pk=world.course.pk).exists()
        assert actions_recorded() == []

    def test_an_administrator_deletes_it(self, client: Client, world: World) -> None:
        client.force_login(world.ada)
        bulk = {"action": "delete_selected", "_selected_action": [world.course.pk], "post": "yes"}
        assert client.post(COURSES, bulk).status_code == 302
        assert not Course.objects.filter(pk=world.course.pk).exists()

    def test_the_confirmation_counts_what_is_students_own(self, client: Client, world: World) -> None:
        client.force_login(world.ada)
        page = client.get(f"{COURSES}{world.course.pk}/delete/")
        assert page.context["deleted_objects"] == [
            "Course: STAT101 Thinking with samples",
            "Module: Samples",
            "Module: Thinking with samples",
            "Module: Why samples vary",
            "Content item: Reading: how much",
            "Content item: Reading: why samples vary",
        ]
        assert dict(page.context["model_count"]) == {
            "courses": 1,
            "course offerings": 1,
            "enrollments": 1,
            "modules": 3,
            "content items": 2,
        }
        assert "Sam Sorensen" not in page.text
