"""Front door, a university's home, a course's page, and the forms of a student."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from lms.courses.models import Course, CourseOffering, Module, Prerequisite, Subject
from lms.learning.actions.progress import note_place
from lms.learning.models import Enrollment, ItemProgress, SelfCheck
from tenants.models import User
from tests import factories
from tests.learning.samples import CANARY, make_quiz
from tests.world import World


@pytest.fixture
def sam(client: Client, world: World) -> Client:
    client.force_login(world.sam)
    return client


def page(client: Client, path: str, by: User | None = None) -> HttpResponse:
    if by:
        client.force_login(by)
    return client.get(path)


def text(response: HttpResponse) -> str:
    """What a reader sees of the page, as one line."""
    body = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", response.content.decode())
    return " ".join(body.split())


def absent_and_foreign_are_the_same(client: Client, foreign: str, absent: str, method: str = "get") -> None:
    found = [getattr(client, method)(path) for path in (foreign, absent)]
    assert [response.status_code for response in found] == [404, 404]
    bodies = [re.sub(rb'(csrfmiddlewaretoken" value=")[^"]+', rb"\1", response.content) for response in found]
    assert bodies[0] == bodies[1]


class TestFront:
    def test_strangers_see_what_this_is_and_who_is_here(self, client: Client, world: World) -> None:
        seen = page(client, "/")
        assert seen.status_code == 200
        assert [card.name for card in seen.context["universities"]] == [
            "Southern University",
            "University of the North",
        ]
        assert "Every lesson has a tutor." in text(seen)

    def test_a_student_goes_on_where_they_were(self, sam: Client, world: World) -> None:
        assert page(sam, "/").context["resume"] is None
        note_place(world.enrollment, world.second_item)
        seen = page(sam, "/")
        assert seen.context["resume"] == {
            "university": "University of the North",
            "course": "Thinking with samples",
            "lesson": "Reading: how much",
            "url": f"/north/learn/{world.offering.pk}/{world.second_item.pk}/",
            "done": 0,
            "total": 2,
        }
        assert [(card.name, card.roles) for card in seen.context["my_universities"]] == [
            ("University of the North", "Student")
        ]

    def test_offers_universities_that_are_open(self, sam: Client, world: World) -> None:
        factories.make_university("west", "Open West", is_open_to_join=True)
        seen = page(sam, "/")
        assert [card.name for card in seen.context["open_universities"]] == ["Open West"]
        assert 'action="/west/join/"' in seen.content.decode()

    def test_knows_no_other_method(self, client: Client, world: World) -> None:
        assert client.post("/").status_code == 405


class TestHome:
    def test_shows_my_courses_and_the_catalogue(self, sam: Client, world: World) -> None:
        seen = page(sam, "/north/")
        assert seen.context["my_courses"] == [
            {
                "title": "Thinking with samples",
                "code": "STAT101",
                "term": "Autumn",
                "url": "/north/courses/stat101/",
                "status": "active",
                "done": 0,
                "total": 2,
                "continue_url": f"/north/learn/{world.offering.pk}/{world.item.pk}/",
                "continue_title": "Reading: why samples vary",
            }
        ]
        assert list(seen.context["catalogue"].object_list) == [
            {
                "title": "Thinking with samples",
                "code": "STAT101",
                "url": "/north/courses/stat101/",
                "summary": "About Thinking with samples.",
                "subject": "",
                "level": "Introductory",
                "is_mine": True,
            }
        ]
        assert "Cells of the south" not in text(seen)

    def test_costs_the_same_with_one_and_with_three_courses(
        self, sam: Client, world: World, django_assert_num_queries
    ) -> None:
        page(sam, "/north/")
        with django_assert_num_queries(7):
            page(sam, "/north/")
        for number in range(2):
            course = factories.make_course(world.north, f"X{number}", f"X {number}")
            factories.make_enrollment(world.sam, factories.make_offering(course))
        with django_assert_num_queries(7):
            assert len(page(sam, "/north/").context["my_courses"]) == 3

    def test_searches_and_filters(self, sam: Client, world: World) -> None:
        subject = Subject.objects.create(slug="music", name="Music")
        factories.make_course(world.north, "MUS201", "Fugues", level="advanced", subject=subject)
        factories.make_course(world.north, "MUS999", "Unfinished", status="draft")

        def found(query: str) -> list[str]:
            return [row["title"] for row in page(sam, f"/north/?{query}").context["catalogue"].object_list]

        assert found("") == ["Fugues", "Thinking with samples"]
        assert found("q=fug") == ["Fugues"]
        assert found("q=think+sam") == ["Thinking with samples"]
        assert found("q=stat101") == ["Thinking with samples"]
        assert found("q=fug+sam") == []
        assert found("subject=music") == ["Fugues"]
        assert found("level=introductory") == ["Thinking with samples"]
        for nonsense in ("q=%27%26%7C%21%28%3A*", "q=%00", "level=none", "subject=none", "page=none", "page=99"):
            assert page(sam, f"/north/?{nonsense}").status_code == 200
        assert page(sam, "/north/?q=fug").context["is_filtered"] is True
        assert page(sam, "/north/").context["is_filtered"] is False

    def test_the_catalogue_has_pages(self, sam: Client, world: World) -> None:
        for number in range(25):
            factories.make_course(world.north, f"X{number:02}", f"X {number:02}")
        seen = page(sam, "/north/?page=2&q=x")
        assert [row["title"] for row in seen.context["catalogue"].object_list] == [f"X {n}" for n in range(20, 25)]

    def test_is_for_members(self, client: Client, world: World) -> None:
        assert page(client, "/north/").headers["Location"] == "/accounts/login/?next=/north/"
        client.force_login(world.oona)
        absent_and_foreign_are_the_same(client, "/north/", "/nowhere/")
        assert client.post("/south/").status_code == 405


class TestCourse:
    path = "/north/courses/stat101/"

    def test_says_what_the_course_is(self, sam: Client, world: World) -> None:
        Course.objects.filter(pk=world.course.pk).update(
            description="Why *samples* vary.\n\n![curve](images/curve.png)", objectives=["Tell chance from cause"]
        )
        before = factories.make_course(world.north, "STAT100", "Numbers")
        Prerequisite.objects.create(university=world.north, course=world.course, required_course=before)
        CourseOffering.objects.filter(pk=world.offering.pk).update(capacity=10)
        ItemProgress.objects.create(university=world.north, enrollment=world.enrollment, content_item=world.item)

        seen = page(sam, self.path)

        context = seen.context
        assert context["course"] == {
            "title": "Thinking with samples",
            "code": "STAT101",
            "subject": "",
            "department": "",
            "level": "Introductory",
            "is_draft": False,
        }
        assert f'src="/north/media/{world.course.pk}/images/curve.png"' in context["description_html"]
        assert context["objectives"] == ["Tell chance from cause"]
        prefix = f"/north/learn/{world.offering.pk}"
        assert context["offerings"] == [
            {
                "id": world.offering.pk,
                "term": "Autumn",
                "starts_at": None,
                "ends_at": None,
                "seats_left": 9,
                "status": "active",
                "can_enroll": False,
                "refusal": "",
                "done": 1,
                "total": 2,
                "continue_url": f"{prefix}/{world.item.pk}/",
                "continue_title": "Reading: why samples vary",
            }
        ]
        assert context["prerequisites"] == [
            {"title": "Numbers", "url": "/north/courses/stat100/", "kind": "Required", "is_met": False}
        ]
        assert [(row["title"], row["url"], row["state"]) for row in context["outline"].units[0].rows] == [
            ("Why samples vary", "", "open"),
            ("Reading: why samples vary", f"{prefix}/{world.item.pk}/", "done"),
            ("Reading: how much", f"{prefix}/{world.second_item.pk}/", "open"),
        ]

    def test_shows_who_is_not_enrolled_the_syllabus_without_links(self, client: Client, world: World) -> None:
        Module.objects.filter(pk=world.lesson.pk).update(available_from=timezone.now() + timedelta(days=1))
        nia = factories.make_user("nia@north.example", "Nia", at=world.north)
        seen = page(client, self.path, by=nia)
        assert [(row["title"], row["url"], row["state"]) for row in seen.context["outline"].units[0].rows] == [
            ("Why samples vary", "", "open"),
            ("Reading: why samples vary", "", "open"),
            ("Reading: how much", "", "open"),
        ]
        assert seen.context["offerings"][0]["can_enroll"] is True
        assert f'action="/north/offerings/{world.offering.pk}/enroll/"' in seen.content.decode()

    def test_says_why_one_cannot_enrol(self, client: Client, world: World) -> None:
        nia = factories.make_user("nia@north.example", "Nia", at=world.north)
        before = factories.make_course(world.north, "STAT100", "Numbers")
        Prerequisite.objects.create(university=world.north, course=world.course, required_course=before)
        offering = page(client, self.path, by=nia).context["offerings"][0]
        assert (offering["can_enroll"], offering["refusal"]) == (False, "First comes: Numbers.")
        CourseOffering.objects.update(ends_at=timezone.now() - timedelta(days=1))
        offering = page(client, self.path).context["offerings"][0]
        assert (offering["can_enroll"], offering["refusal"]) == (False, "This term is over.")

    def test_leads_staff_into_lessons_and_drafts(self, client: Client, world: World) -> None:
        Course.objects.filter(pk=world.course.pk).update(status="draft")
        factories.make_text(world.lesson, "Still a draft", "x", status="draft")
        seen = page(client, self.path, by=world.tess)
        assert seen.context["course"]["is_draft"] is True
        assert [row["title"] for row in seen.context["outline"].units[0].rows if row["url"]] == [
            "Reading: why samples vary",
            "Reading: how much",
            "Still a draft",
        ]

    def test_costs_the_same_for_any_size(self, sam: Client, world: World, django_assert_num_queries) -> None:
        page(sam, self.path)
        with django_assert_num_queries(8):
            page(sam, self.path)
        for number in range(3):
            unit = factories.make_module(world.course, world.root, f"Unit {number}")
            factories.make_text(unit, "Reading", "x")
            factories.make_offering(world.course, f"Term {number}")
        with django_assert_num_queries(8):
            page(sam, self.path)

    def test_markup_in_titles_is_inert(self, sam: Client, world: World) -> None:
        evil = "<script>alert(1)</script>"
        Course.objects.filter(pk=world.course.pk).update(title=evil, description=evil, objectives=[evil])
        Module.objects.filter(pk=world.lesson.pk).update(title=evil)
        for path in (self.path, "/north/"):
            assert "<script>alert" not in page(sam, path).content.decode()

    def test_is_for_those_who_may_see_it(self, client: Client, world: World) -> None:
        assert page(client, self.path).status_code == 302
        client.force_login(world.oona)
        absent_and_foreign_are_the_same(client, self.path, "/north/courses/none/")
        client.force_login(world.sam)
        absent_and_foreign_are_the_same(client, "/south/courses/bio101/", "/south/courses/none/")
        Course.objects.update(status="draft")
        absent_and_foreign_are_the_same(client, self.path, "/north/courses/none/")
        assert client.post(self.path).status_code == 405


class TestEnrolling:
    def test_enrols_and_drops(self, client: Client, world: World) -> None:
        nia = factories.make_user("nia@north.example", "Nia", at=world.north)
        client.force_login(nia)
        made = client.post(f"/north/offerings/{world.offering.pk}/enroll/", follow=True)
        assert made.redirect_chain == [("/north/courses/stat101/", 302)]
        assert "You are enrolled." in text(made)
        assert Enrollment.objects.get(user=nia).status == "active"

        dropped = client.post(f"/north/offerings/{world.offering.pk}/drop/", follow=True)
        assert "You no longer take this course. What you have done is kept." in text(dropped)
        assert Enrollment.objects.get(user=nia).status == "dropped"

    def test_says_that_one_waits(self, client: Client, world: World) -> None:
        CourseOffering.objects.update(capacity=1)
        client.force_login(factories.make_user("nia@north.example", "Nia", at=world.north))
        waiting = client.post(f"/north/offerings/{world.offering.pk}/enroll/", follow=True)
        assert "All seats are taken. You are on the waiting list." in text(waiting)
        assert waiting.context["offerings"][0]["status"] == "waitlisted"

    def test_a_refusal_is_a_page_with_its_sentence(self, client: Client, world: World) -> None:
        CourseOffering.objects.update(ends_at=timezone.now() - timedelta(days=1))
        client.force_login(factories.make_user("nia@north.example", "Nia", at=world.north))
        refused = client.post(f"/north/offerings/{world.offering.pk}/enroll/")
        assert refused.status_code == 409
        assert "This term is over." in text(refused)

    @pytest.mark.parametrize("act", ["enroll", "drop"])
    def test_is_for_those_who_may_see_the_course(self, client: Client, world: World, act: str) -> None:
        path = f"/north/offerings/{world.offering.pk}/{act}/"
        assert client.post(path).headers["Location"] == f"/accounts/login/?next={path}"
        client.force_login(world.oona)
        absent_and_foreign_are_the_same(client, path, f"/north/offerings/999999/{act}/", "post")
        client.force_login(world.sam)
        # The right offering under another university's name.
        absent_and_foreign_are_the_same(
            client, f"/south/offerings/{world.offering.pk}/{act}/", f"/south/offerings/999999/{act}/", "post"
        )
        assert client.get(path).status_code == 405
        assert dict(Enrollment.objects.values_list("user", "status")) == {
            world.sam.pk: "active",
            world.oona.pk: "active",
        }


class TestDone:
    def path(self, world: World) -> str:
        return f"/north/learn/{world.offering.pk}/{world.item.pk}/done/"

    def test_marks_and_comes_back(self, sam: Client, world: World) -> None:
        for _ in range(2):
            answer = sam.post(self.path(world))
            assert answer.headers["Location"] == f"/north/learn/{world.offering.pk}/{world.item.pk}/#lesson"
        assert list(ItemProgress.objects.values_list("enrollment", "content_item")) == [
            (world.enrollment.pk, world.item.pk)
        ]

    def test_staff_who_do_not_study_have_nothing_to_mark(self, client: Client, world: World) -> None:
        client.force_login(world.tess)
        refused = client.post(self.path(world))
        assert (refused.status_code, "You are not enrolled here." in text(refused)) == (409, True)

    def test_is_for_students_of_the_offering(self, client: Client, world: World) -> None:
        assert client.post(self.path(world)).status_code == 302
        client.force_login(world.oona)
        absent_and_foreign_are_the_same(client, self.path(world), "/north/learn/1/999999/done/", "post")
        assert client.get(self.path(world)).status_code == 405
        assert not ItemProgress.objects.exists()


class TestQuiz:
    def test_checking_leads_back_with_the_marks(self, sam: Client, world: World) -> None:
        quiz = make_quiz(world.lesson)
        lesson = f"/north/learn/{world.offering.pk}/{quiz.pk}/"
        given = {
            "q-one": "b",
            "q-many": ["a", "b"],
            "q-number": " 3,2 ",
            "q-word": "",
            "q-order-a": "1",
            "q-order-b": "2",
            "q-order-c": "3",
            "q-match-a": "x",
            "q-match-b": "x",
            "next": "elsewhere",
        }
        answer = sam.post(f"{lesson}check/", given)
        target = urlsplit(answer.headers["Location"])
        assert (target.path, target.fragment) == (lesson, "lesson")
        assert parse_qs(target.query) == {
            "q-one": ["b"],
            "q-many": ["a", "b"],
            "q-number": [" 3,2 "],
            "q-order-a": ["1"],
            "q-order-b": ["2"],
            "q-order-c": ["3"],
            "q-match-a": ["x"],
            "q-match-b": ["x"],
        }

    def test_checking_keeps_the_answers_and_reading_does_not(self, sam: Client, world: World) -> None:
        quiz = make_quiz(world.lesson)
        lesson = f"/north/learn/{world.offering.pk}/{quiz.pk}/"
        assert sam.get(f"{lesson}?q-one=a").status_code == 200
        assert not SelfCheck.objects.exists()
        sam.post(f"{lesson}check/", {"q-one": "b", "q-number": "3,2", "q-word": " ", "q-match-a": "x", "q-gone": "a"})
        assert sam.get(f"{lesson}?q-one=a").status_code == 200
        assert list(SelfCheck.objects.values_list("enrollment", "content_item", "answers")) == [
            (world.enrollment.pk, quiz.pk, {"one": ["b"], "number": ["3,2"], "match": [["a", "x"]]})
        ]

    def test_staff_who_do_not_study_check_and_nothing_is_kept(self, client: Client, world: World) -> None:
        quiz = make_quiz(world.lesson)
        client.force_login(world.tess)
        checked = client.post(f"/north/learn/{world.offering.pk}/{quiz.pk}/check/", {"q-one": "b"}, follow=True)
        assert checked.context["content"]["score"] == {"points": 2, "of": 7}
        assert not SelfCheck.objects.exists()

    def test_what_is_no_quiz_is_refused(self, sam: Client, world: World) -> None:
        refused = sam.post(f"/north/learn/{world.offering.pk}/{world.item.pk}/check/")
        assert (refused.status_code, "There are no questions here" in text(refused)) == (400, True)

    def test_is_for_students_of_the_offering(self, client: Client, world: World) -> None:
        quiz = make_quiz(world.lesson)
        path = f"/north/learn/{world.offering.pk}/{quiz.pk}/check/"
        assert client.post(path).status_code == 302
        client.force_login(world.oona)
        absent_and_foreign_are_the_same(client, path, f"/north/learn/{world.offering.pk}/999999/check/", "post")
        assert client.get(path).status_code == 405
        assert not SelfCheck.objects.exists()

    def test_no_page_tells_the_key(self, sam: Client, world: World) -> None:
        quiz = make_quiz(world.lesson)
        for path in (
            "/",
            "/north/",
            "/north/courses/stat101/",
            f"/north/learn/{world.offering.pk}/{quiz.pk}/",
            f"/north/learn/{world.offering.pk}/{world.item.pk}/",
            # An answer to one question does not open the others.
            f"/north/learn/{world.offering.pk}/{quiz.pk}/?q-many=a",
        ):
            seen = page(sam, path)
            assert (seen.status_code, CANARY in seen.content.decode()) == (200, False)
