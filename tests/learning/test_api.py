"""API groups enrollments, progress and content."""

import pytest

from lms.courses.models import ContentItem, Course, CourseOffering
from lms.learning.models import Enrollment, ItemProgress, SelfCheck
from tests import factories
from tests.learning.samples import CANARY, DATA, make_quiz
from tests.tenants.conftest import Call
from tests.world import World

NOT_FOUND = {"detail": "There is nothing here.", "code": "not_found"}


def shown(enrollment: Enrollment, world: World, **changes: object) -> dict:
    return {
        "id": enrollment.pk,
        "university": "north",
        "course_id": world.course.pk,
        "course_title": "Thinking with samples",
        "offering_id": world.offering.pk,
        "term": "Autumn",
        "status": "active",
        "done": 0,
        "total": 2,
        "place": world.item.pk,
        "created_at": enrollment.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    } | changes


def not_for_others(call: Call, world: World, method: str, path: str, absent: str, body: dict | None = None) -> None:
    """Without a token 401; foreign and absent the same 404; the wrong method 405."""
    assert call(method, path, body).status_code == 401
    answers = [call(method, path, body, by=world.oona), call(method, absent, body, by=world.oona)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, NOT_FOUND)] * 2
    assert call("DELETE", path, by=world.sam).status_code == 405


class TestEnrollments:
    def test_lists_mine(self, call: Call, world: World) -> None:
        factories.make_enrollment(world.tess, world.offering)
        answer = call("GET", "/enrollments", by=world.sam)
        assert answer.json() == {"items": [shown(world.enrollment, world)], "count": 1}
        assert call("GET", "/enrollments?status=dropped", by=world.sam).json() == {"items": [], "count": 0}
        assert call("GET", "/enrollments?status=none", by=world.sam).status_code == 422
        assert call("GET", "/enrollments").status_code == 401

    def test_costs_the_same_with_one_and_with_three(self, call: Call, world: World, django_assert_num_queries) -> None:
        call("GET", "/enrollments", by=world.sam)
        with django_assert_num_queries(4):
            assert call("GET", "/enrollments", by=world.sam).json()["count"] == 1
        for number in range(2):
            course = factories.make_course(world.north, f"X{number}", f"X {number}")
            factories.make_enrollment(world.sam, factories.make_offering(course))
        with django_assert_num_queries(4):
            assert call("GET", "/enrollments", by=world.sam).json()["count"] == 3

    def test_enrols(self, call: Call, world: World) -> None:
        nia = factories.make_user("nia@north.example", "Nia", at=world.north)
        for _ in range(2):
            answer = call("POST", "/enrollments", {"offering_id": world.offering.pk}, by=nia)
            enrollment = Enrollment.objects.get(user=nia)
            assert (answer.status_code, answer.json()) == (200, shown(enrollment, world))

    def test_waits_when_all_seats_are_taken(self, call: Call, world: World) -> None:
        CourseOffering.objects.update(capacity=1)
        nia = factories.make_user("nia@north.example", "Nia", at=world.north)
        answer = call("POST", "/enrollments", {"offering_id": world.offering.pk}, by=nia)
        enrollment = Enrollment.objects.get(user=nia)
        assert answer.json() == shown(enrollment, world, status="waitlisted", place=None)

    def test_refuses_to_enrol(self, call: Call, world: World) -> None:
        body = {"offering_id": world.offering.pk}
        not_for_others(call, world, "POST", "/enrollments", "/enrollments/999999/drop", body)
        for malformed in ({}, {"offering_id": "x"}, {"offering_id": 10**30}, body | {"user": world.ada.pk}):
            assert call("POST", "/enrollments", malformed, by=world.sam).status_code == 422
        Course.objects.filter(pk=world.course.pk).update(status="draft")
        refused = call("POST", "/enrollments", body, by=world.tess)
        assert (refused.status_code, refused.json()) == (
            409,
            {"detail": "The course is not published.", "code": "enrollment_closed"},
        )

    def test_shows_and_drops_one(self, call: Call, world: World) -> None:
        path = f"/enrollments/{world.enrollment.pk}"
        assert call("GET", path, by=world.sam).json() == shown(world.enrollment, world)
        for _ in range(2):
            dropped = call("POST", f"{path}/drop", by=world.sam)
            assert dropped.json() == shown(world.enrollment, world, status="dropped", place=None)

    @pytest.mark.parametrize(("method", "end"), [("GET", ""), ("POST", "/drop"), ("GET", "/progress")])
    def test_are_their_owners(self, call: Call, world: World, method: str, end: str) -> None:
        not_for_others(call, world, method, f"/enrollments/{world.enrollment.pk}{end}", f"/enrollments/999999{end}")


class TestProgress:
    def path(self, world: World) -> str:
        return f"/enrollments/{world.enrollment.pk}/progress"

    def test_marks_once_and_rolls_up(self, call: Call, world: World) -> None:
        answers = [call("POST", self.path(world), {"item_id": world.item.pk}, by=world.sam).json() for _ in range(2)]
        done = ItemProgress.objects.get()
        stamp = done.completed_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        assert answers == [{"item_id": world.item.pk, "completed_at": stamp}] * 2
        unit = world.lesson.parent
        rows = [(world.root, "Thinking with samples", 0), (unit, "Samples", 1), (world.lesson, "Why samples vary", 2)]
        assert call("GET", self.path(world), by=world.sam).json() == {
            "done": 1,
            "total": 2,
            "modules": [
                {"module_id": row.pk, "title": title, "level": level, "done": 1, "total": 2}
                for row, title, level in rows
            ],
        }

    def test_refuses_what_is_not_in_the_course(self, call: Call, world: World) -> None:
        not_for_others(
            call, world, "POST", self.path(world), "/enrollments/999999/progress", {"item_id": world.item.pk}
        )
        for item_id in (world.south_item.pk, 999_999):
            assert call("POST", self.path(world), {"item_id": item_id}, by=world.sam).json() == NOT_FOUND
        for malformed in ({}, {"item_id": 0}, {"item_id": world.item.pk, "done": False}):
            assert call("POST", self.path(world), malformed, by=world.sam).status_code == 422
        Enrollment.objects.update(status="dropped")
        assert call("POST", self.path(world), {"item_id": world.item.pk}, by=world.sam).json() == NOT_FOUND
        assert not ItemProgress.objects.exists()

    def test_staff_who_gave_up_studying_mark_nothing(self, call: Call, world: World) -> None:
        dropped = factories.make_enrollment(world.tess, world.offering, status="dropped")
        refused = call("POST", f"/enrollments/{dropped.pk}/progress", {"item_id": world.item.pk}, by=world.tess)
        assert (refused.status_code, refused.json()["code"]) == (409, "not_enrolled")


class TestCheck:
    def test_marks_answers(self, call: Call, world: World) -> None:
        quiz = make_quiz(world.lesson)
        body = {"item_id": quiz.pk, "answers": {"one": ["b"], "match": [["a", "x"]], "gone": ["x"]}}
        answer = call("POST", f"/enrollments/{world.enrollment.pk}/check", body, by=world.sam)
        assert (answer.status_code, answer.json()) == (
            200,
            {
                "points": 2,
                "of": 7,
                "questions": {
                    "one": {"is_correct": True, "is_partly": False, "explanation": f"Because *{CANARY}* b."},
                    "match": {"is_correct": False, "is_partly": True, "explanation": ""},
                },
            },
        )

    def test_keeps_the_latest_answers(self, call: Call, world: World) -> None:
        quiz = make_quiz(world.lesson)
        for answers in ({"one": ["a"], "word": ["mean"]}, {"one": ["b"], "match": [["a", "x"]], "word": ["\x00"]}):
            body = {"item_id": quiz.pk, "answers": answers}
            assert call("POST", f"/enrollments/{world.enrollment.pk}/check", body, by=world.sam).status_code == 200
        assert list(SelfCheck.objects.values_list("enrollment", "content_item", "answers")) == [
            (world.enrollment.pk, quiz.pk, {"one": ["b"], "match": [["a", "x"]]})
        ]

    def test_is_refused(self, call: Call, world: World) -> None:
        path = f"/enrollments/{world.enrollment.pk}/check"
        body = {"item_id": world.item.pk, "answers": {}}
        not_for_others(call, world, "POST", path, "/enrollments/999999/check", body)
        refused = call("POST", path, body, by=world.sam)
        assert (refused.status_code, refused.json()["code"]) == (400, "not_a_quiz")
        for malformed in ({"item_id": 1}, body | {"answers": {"one": "b"}}, body | {"answers": {"one": [{}]}}):
            assert call("POST", path, malformed, by=world.sam).status_code == 422
        assert not SelfCheck.objects.exists()


class TestContent:
    def test_is_rendered_and_raw(self, call: Call, world: World) -> None:
        ContentItem.objects.filter(pk=world.item.pk).update(
            data={"format": "markdown", "body": "![curve](images/curve.png) <script>x</script>"}
        )
        answer = call("GET", f"/content/{world.item.pk}?offering={world.offering.pk}", by=world.sam)
        assert (answer.status_code, answer.json()) == (
            200,
            {
                "id": world.item.pk,
                "title": "Reading: why samples vary",
                "content_type": "text",
                "course_id": world.course.pk,
                "module_id": world.lesson.pk,
                "objectives": ["Explain why samples vary"],
                "revision": 1,
                "is_done": False,
                "data": {"format": "markdown", "body": "![curve](images/curve.png) <script>x</script>"},
                "content": {
                    "html": f'<p><img src="/north/media/{world.course.pk}/images/curve.png" alt="curve" '
                    'loading="lazy" decoding="async"> &lt;script&gt;x&lt;/script&gt;</p>\n'
                },
            },
        )

    @pytest.mark.parametrize("person", ["sam", "tess", "ada", "platform"])
    def test_never_has_the_answers(self, call: Call, world: World, person: str) -> None:
        quiz = make_quiz(world.lesson)
        answer = call("GET", f"/content/{quiz.pk}?offering={world.offering.pk}", by=getattr(world, person))
        assert (answer.json()["data"], CANARY in answer.content.decode()) == (DATA, False)
        for path in (f"/courses/{world.course.pk}", f"/courses/{world.course.pk}/modules", "/enrollments"):
            assert CANARY not in call("GET", path, by=getattr(world, person)).content.decode()

    def test_is_for_those_who_study_or_teach(self, call: Call, world: World) -> None:
        path, place = f"/content/{world.item.pk}", f"?offering={world.offering.pk}"
        not_for_others(call, world, "GET", path + place, f"/content/999999{place}")
        nia = factories.make_user("nia@north.example", "Nia", at=world.north)
        assert call("GET", path + place, by=nia).json() == NOT_FOUND
        assert call("GET", f"{path}?offering={world.south_offering.pk}", by=world.sam).json() == NOT_FOUND
        for query in ("", "?offering=x", f"?offering={10**30}"):
            assert call("GET", path + query, by=world.sam).status_code == 422
        assert call("GET", f"/content/{10**30}{place}", by=world.sam).json() == NOT_FOUND
