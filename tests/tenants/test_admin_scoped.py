"""`ScopedAdmin`: a teacher of North sees, names and writes North's rows only, also by addresses made up by hand."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client

from lms.courses.models import Course, CourseOffering
from tenants.models import AuditEntry, Department, Membership, Role
from tests.postgresql.base import without_second_wall
from tests.world import World

pytestmark = pytest.mark.urls("tests.tenants.scoped_urls")

COURSES, OFFERINGS = "/scoped/courses/course/", "/scoped/courses/courseoffering/"
NO_INLINES = {"offerings-TOTAL_FORMS": 0, "offerings-INITIAL_FORMS": 0}
# What only South's rows contain.
CANARY = re.compile("south|cells|zanzibar|biolog", re.IGNORECASE)


@pytest.fixture
def departments(world: World) -> tuple[Department, Department]:
    north = Department.objects.create(university=world.north, code="STAT", name="Statistics")
    south = Department.objects.create(university=world.south, code="BIO", name="Biology")
    world.course.department, world.south_course.department = north, south
    world.course.save()
    world.south_course.save()
    return north, south


@pytest.fixture
def tess(client: Client, world: World) -> Client:
    client.force_login(world.tess)
    return client


def same(*answers: HttpResponse) -> bool:
    """The same page to the byte, but for the token that each form gets."""
    pages = {re.sub(r'(csrf\w*"? value="|csrfToken": ")\w+', "", answer.text) for answer in answers}
    return len(pages) == 1


class TestReading:
    def test_lists_and_filters_name_own_rows(self, tess: Client, world: World, departments: object) -> None:
        page = tess.get(COURSES).text
        assert ("Thinking with samples" in page, CANARY.search(page)) == (True, None)

    @pytest.mark.parametrize("query", ["q=Cells", "department__id__exact={south}", "university__id__exact={uni}"])
    def test_no_query_reaches_foreign_rows(
        self, tess: Client, world: World, departments: tuple[Department, Department], query: str
    ) -> None:
        query = query.format(south=departments[1].pk, uni=world.south.pk)
        page = tess.get(f"{COURSES}?{query}")
        assert page.status_code == 200
        assert "Cells of the south" not in page.text

    def test_foreign_and_absent_rows_are_the_same_page(self, tess: Client, world: World) -> None:
        for action in ("change", "delete", "history"):
            foreign, absent, malformed = (
                tess.get(f"{COURSES}{pk}/{action}/") for pk in (world.south_course.pk, 999_999, "abc")
            )
            assert [answer.status_code for answer in (foreign, absent, malformed)] == [404, 404, 404]
            assert same(foreign, absent, malformed)
            assert tess.get(f"{COURSES}{world.course.pk}/{action}/").status_code == 200

    def test_choices_are_own_rows(self, tess: Client, departments: object) -> None:
        page = tess.get(f"{COURSES}add/").text
        assert ("Statistics" in page, CANARY.search(page)) == (True, None)

    def test_autocomplete_finds_own_rows(self, tess: Client, world: World) -> None:
        answer = tess.get(
            "/scoped/autocomplete/",
            {"app_label": "courses", "model_name": "courseoffering", "field_name": "course", "term": ""},
        )
        assert answer.json() == {
            "results": [{"id": str(world.course.pk), "text": "STAT101 Thinking with samples"}],
            "pagination": {"more": False},
        }

    def test_a_refused_form_does_not_name_the_foreign_row(self, tess: Client, world: World) -> None:
        page = tess.post(f"{OFFERINGS}add/", {"course": world.south_course.pk, "term": "Spring"}).text
        assert ("Select a valid choice" in page, CANARY.search(page)) == (True, None)

    def test_there_is_no_look_up_by_type_and_id(self, tess: Client, world: World) -> None:
        assert tess.get(f"/scoped/r/1/{world.south_course.pk}/").status_code == 404

    def test_the_platform_sees_all(self, client: Client, world: World) -> None:
        client.force_login(world.platform)
        assert client.get(COURSES).context["cl"].result_count == 2

    def test_a_person_of_two_universities_chooses_where_to_work(self, tess: Client, world: World) -> None:
        Membership.objects.create(user=world.tess, university=world.south, role=Role.INSTRUCTOR)
        rows = [[row.title for row in tess.get(COURSES).context["cl"].result_list]]
        assert tess.post("/scoped/university/", {"university": "north"}).status_code == 302
        rows.append([row.title for row in tess.get(COURSES).context["cl"].result_list])
        # A link to a row leads where the row is, and what follows stays there.
        assert tess.get(f"{COURSES}{world.south_course.pk}/change/").status_code == 200
        rows.append([row.title for row in tess.get(COURSES).context["cl"].result_list])
        south, north = ["Cells of the south"], ["Thinking with samples"]
        assert rows == [south, north, south]

    def test_nobody_works_where_they_have_no_role(self, tess: Client, world: World) -> None:
        Membership.objects.create(user=world.tess, university=world.south, role=Role.STUDENT)
        for slug in ("south", "nowhere", "a\x00b", ""):
            assert tess.post("/scoped/university/", {"university": slug}).status_code == 404
        assert tess.get(f"{COURSES}{world.south_course.pk}/change/").status_code == 404

    @pytest.mark.parametrize("role", [Role.STUDENT, Role.TA])
    def test_a_lesser_role_elsewhere_adds_nothing(self, tess: Client, world: World, role: Role) -> None:
        Membership.objects.create(user=world.tess, university=world.south, role=role)
        assert tess.get(COURSES).context["cl"].result_count == 1

    def test_a_closed_university_is_out(self, tess: Client, world: World) -> None:
        world.north.is_active = False
        world.north.save()
        assert tess.get(COURSES).status_code == 302

    @pytest.mark.parametrize("count", [1, 3])
    def test_the_list_costs_the_same_for_any_number(
        self, tess: Client, world: World, count: int, django_assert_num_queries: object
    ) -> None:
        for n in range(count - 1):
            Course.objects.create(university=world.north, code=f"C{n}", title=f"Course {n}", slug=f"c{n}")
        tess.get(COURSES)
        # Session, person, roles, two filters, and the list with its two counts.
        with django_assert_num_queries(8):
            tess.get(COURSES)


class TestWriting:
    def test_adds_and_changes_own_rows_and_records_it(self, tess: Client, world: World, departments: object) -> None:
        body = {"university": world.north.pk, "code": "NEW1", "title": "New", "slug": "new"} | NO_INLINES
        assert tess.post(f"{COURSES}add/", body).status_code == 302
        course = Course.objects.get(code="NEW1")
        assert course.university == world.north
        tess.post(f"{COURSES}{course.pk}/change/", body | {"title": "Newer"})
        course.refresh_from_db()
        assert course.title == "Newer"
        entries = AuditEntry.objects.values_list("action", "actor", "university", "subject_type", "subject_id")
        assert list(entries.order_by("id")) == [
            (action, world.tess.pk, world.north.pk, "courses.course", str(course.pk))
            for action in ("admin.added", "admin.changed")
        ]

    def test_a_form_cannot_name_another_university(self, tess: Client, world: World) -> None:
        body = {"university": world.south.pk, "code": "NEW1", "title": "New", "slug": "new"} | NO_INLINES
        assert tess.post(f"{COURSES}add/", body).status_code == 200
        assert not Course.objects.filter(code="NEW1").exists()

    def test_a_row_never_moves_to_another_university(self, client: Client, world: World) -> None:
        client.force_login(world.platform)
        body = {"university": world.south.pk, "code": "STAT101", "title": "Moved", "slug": "stat101"} | NO_INLINES
        client.post(f"{COURSES}{world.course.pk}/change/", body)
        world.course.refresh_from_db()
        assert (world.course.title, world.course.university) == ("Moved", world.north)

    def test_a_row_cannot_point_into_another_university(
        self, client: Client, world: World, departments: tuple[Department, Department]
    ) -> None:
        client.force_login(world.platform)
        body = {
            "university": world.north.pk,
            "department": departments[1].pk,
            "code": "NEW1",
            "title": "New",
            "slug": "new",
        }
        page = client.post(f"{COURSES}add/", body | NO_INLINES)
        assert page.context["adminform"].form.errors == {"department": ["This belongs to another university."]}
        assert not Course.objects.filter(code="NEW1").exists()

    def test_foreign_rows_are_not_written_by_a_crafted_post(self, tess: Client, world: World) -> None:
        body = {"code": "X", "title": "Taken over", "slug": "x"} | NO_INLINES
        assert tess.post(f"{COURSES}{world.south_course.pk}/change/", body).status_code == 404
        assert tess.post(f"{COURSES}{world.south_course.pk}/delete/", {"post": "yes"}).status_code == 404
        bulk = {"action": "delete_selected", "_selected_action": [world.south_course.pk], "post": "yes"}
        assert tess.post(COURSES, bulk).status_code == 302
        assert Course.objects.get(pk=world.south_course.pk).title == "Cells of the south"

    def test_inline_rows_get_the_university_of_their_parent(self, tess: Client, world: World) -> None:
        body = {
            "code": "STAT101",
            "title": "Thinking with samples",
            "slug": "stat101",
            "offerings-TOTAL_FORMS": 2,
            "offerings-INITIAL_FORMS": 1,
            "offerings-0-id": world.offering.pk,
            "offerings-0-course": world.course.pk,
            "offerings-0-term": "Autumn",
            "offerings-1-course": world.course.pk,
            "offerings-1-term": "Spring",
        }
        assert tess.post(f"{COURSES}{world.course.pk}/change/", body).status_code == 302
        rows = CourseOffering.objects.filter(course=world.course).values_list("term", "university")
        assert sorted(rows) == [("Autumn", world.north.pk), ("Spring", world.north.pk)]

    def test_an_inline_cannot_reach_for_a_foreign_row(self, tess: Client, world: World) -> None:
        body = {
            "code": "STAT101",
            "title": "Thinking with samples",
            "slug": "stat101",
            "offerings-TOTAL_FORMS": 1,
            "offerings-INITIAL_FORMS": 1,
            "offerings-0-id": world.south_offering.pk,
            "offerings-0-course": world.course.pk,
            "offerings-0-term": "Stolen",
        }
        tess.post(f"{COURSES}{world.course.pk}/change/", body)
        world.south_offering.refresh_from_db()
        assert (world.south_offering.term, world.south_offering.course) == ("Autumn", world.south_course)

    def test_the_university_comes_from_the_parent_row(self, tess: Client, world: World) -> None:
        assert "university" not in tess.get(f"{OFFERINGS}add/").context["adminform"].form.fields
        tess.post(f"{OFFERINGS}add/", {"course": world.course.pk, "term": "Spring", "university": world.south.pk})
        assert CourseOffering.objects.get(term="Spring").university == world.north

    def test_uniqueness_within_the_university_is_an_error_of_the_form(self, tess: Client, world: World) -> None:
        body = {"university": world.north.pk, "code": "STAT101", "title": "Again", "slug": "again"} | NO_INLINES
        page = tess.post(f"{COURSES}add/", body)
        assert page.status_code == 200
        assert page.context["adminform"].form.errors
        other = Course.objects.create(university=world.north, code="OTHER", title="Other", slug="other")
        page = tess.post(f"{COURSES}{other.pk}/change/", {"code": "STAT101", "title": "O", "slug": "o"} | NO_INLINES)
        assert page.status_code == 200
        assert page.context["adminform"].form.errors

    @pytest.mark.parametrize("verb", ["add", "change"])
    def test_a_form_that_forgets_its_walls_is_stopped_by_the_last(self, tess: Client, world: World, verb: str) -> None:
        path = "add" if verb == "add" else f"{world.offering.pk}/change"
        body = {"course": world.south_course.pk, "term": "Smuggled"}
        with without_second_wall():
            assert tess.post(f"/loose/courses/courseoffering/{path}/", body).status_code == 403
        # With it the form does not even find the row.
        assert "Select a valid choice" in tess.post(f"/loose/courses/courseoffering/{path}/", body).text
        assert not CourseOffering.objects.filter(term="Smuggled").exists()
        assert not AuditEntry.objects.exists()


class TestDeleting:
    def test_counts_what_goes_along_and_names_only_the_row(self, tess: Client, world: World) -> None:
        page = tess.get(f"{COURSES}{world.course.pk}/delete/").text
        assert "STAT101 Thinking with samples" in page
        assert "Enrollments: 1" in page or "enrollments: 1" in page
        # Titles of conversations and the like are students' own words.
        assert "Sam Sorensen" not in page

    def test_deletes_and_records_it(self, tess: Client, world: World) -> None:
        assert tess.post(f"{COURSES}{world.course.pk}/delete/", {"post": "yes"}).status_code == 302
        assert not Course.objects.filter(pk=world.course.pk).exists()
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.subject_id) == ("admin.deleted", str(world.course.pk))


class TestEntering:
    @pytest.mark.parametrize("name", ["tess", "ada", "platform"])
    def test_who_authors_comes_in(self, client: Client, world: World, name: str) -> None:
        client.force_login(getattr(world, name))
        assert client.get("/scoped/").status_code == 200

    @pytest.mark.parametrize("name", ["sam", "oona"])
    def test_students_are_refused(self, client: Client, world: World, name: str) -> None:
        client.force_login(getattr(world, name))
        assert client.get(COURSES, follow=True).status_code == 403

    def test_assistants_are_refused(self, client: Client, world: World) -> None:
        Membership.objects.filter(user=world.tess).update(role=Role.TA)
        client.force_login(world.tess)
        assert client.get(COURSES, follow=True).status_code == 403

    def test_strangers_sign_in_first_and_come_back(self, client: Client, db: None) -> None:
        answer = client.get(COURSES)
        chain = [answer.headers["Location"], client.get(answer.headers["Location"]).headers["Location"]]
        assert chain == [
            f"/scoped/login/?next={COURSES}",
            f"/accounts/login/?next={COURSES}",
        ]

    def test_a_closed_account_is_out_at_once(self, tess: Client, world: World) -> None:
        world.tess.is_active = False
        world.tess.save()
        assert tess.get(COURSES).status_code == 302

    def test_a_role_taken_away_counts_at_once(self, tess: Client, world: World) -> None:
        assert tess.get(COURSES).status_code == 200
        world.tess.memberships.all().delete()
        assert tess.get(COURSES, follow=True).status_code == 403

    def test_the_index_shows_own_history(self, tess: Client, world: World) -> None:
        LogEntry.objects.log_actions(world.oona.pk, [world.south_course], 2, "Cells", single_object=True)
        assert CANARY.search(tess.get("/scoped/").text) is None
