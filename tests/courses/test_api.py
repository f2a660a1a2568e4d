"""API groups courses, modules and content-types."""

from datetime import UTC, datetime

from lms.courses.actions.content_types import load_content_types
from lms.courses.models import Course, CourseOffering, Module, Prerequisite, Subject
from tests import factories
from tests.tenants.conftest import Call
from tests.world import World

NOT_FOUND = {"detail": "There is nothing here.", "code": "not_found"}


def shown(course: Course, **changes: object) -> dict:
    return {
        "id": course.pk,
        "university": course.university.slug,
        "code": course.code,
        "title": course.title,
        "slug": course.slug,
        "level": "introductory",
        "language": "en",
        "subject": None,
        "department": None,
        "description": course.description,
        "objectives": [],
        "status": "published",
    } | changes


class TestList:
    def titles(self, call: Call, world: World, query: str) -> list[str]:
        return [row["title"] for row in call("GET", f"/courses{query}", by=world.sam).json()["items"]]

    def test_shows_what_the_caller_may_see(self, call: Call, world: World) -> None:
        draft = factories.make_course(world.north, "DRAFT1", "A draft", status="draft")
        old = factories.make_course(world.north, "OLD1", "Old", status="archived")
        assert call("GET", "/courses", by=world.sam).json() == {"items": [shown(world.course)], "count": 1}
        assert call("GET", "/courses", by=world.tess).json() == {
            "items": [shown(draft, status="draft"), shown(old, status="archived"), shown(world.course)],
            "count": 3,
        }
        assert call("GET", "/courses?university=north", by=world.tess).json()["count"] == 2
        assert call("GET", "/courses", by=world.platform).json()["count"] == 4

    def test_filters(self, call: Call, world: World) -> None:
        subject = Subject.objects.create(slug="music", name="Music")
        factories.make_course(world.north, "MUS201", "Fugues", level="advanced", subject=subject)
        assert self.titles(call, world, "?search=fug") == ["Fugues"]
        assert self.titles(call, world, "?subject=music") == ["Fugues"]
        assert self.titles(call, world, "?level=introductory") == ["Thinking with samples"]
        assert self.titles(call, world, "?limit=1&offset=1") == ["Thinking with samples"]
        for malformed in ("?level=none", "?subject=%27", "?limit=1000", "?search=" + "x" * 201):
            assert call("GET", f"/courses{malformed}", by=world.sam).status_code == 422

    def test_costs_the_same_with_one_and_with_three(self, call: Call, world: World, django_assert_num_queries) -> None:
        call("GET", "/courses", by=world.sam)
        with django_assert_num_queries(4):
            assert call("GET", "/courses", by=world.sam).json()["count"] == 1
        for number in range(2):
            factories.make_course(world.north, f"X{number}", f"X {number}")
        with django_assert_num_queries(4):
            assert call("GET", "/courses", by=world.sam).json()["count"] == 3

    def test_is_for_members(self, call: Call, world: World) -> None:
        assert call("GET", "/courses").status_code == 401
        answers = [call("GET", f"/courses?university={slug}", by=world.oona) for slug in ("north", "nowhere")]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(404, NOT_FOUND)] * 2
        assert call("POST", "/courses", {}, by=world.ada).status_code == 405


class TestOne:
    def test_has_its_offerings_and_what_comes_before(self, call: Call, world: World) -> None:
        before = factories.make_course(world.north, "STAT100", "Numbers")
        Prerequisite.objects.create(university=world.north, course=world.course, required_course=before)
        CourseOffering.objects.filter(pk=world.offering.pk).update(
            capacity=30, starts_at=datetime(2026, 9, 1, 8, tzinfo=UTC)
        )
        assert call("GET", f"/courses/{world.course.pk}", by=world.sam).json() == shown(
            world.course,
            offerings=[
                {
                    "id": world.offering.pk,
                    "term": "Autumn",
                    "starts_at": "2026-09-01T08:00:00Z",
                    "ends_at": None,
                    "capacity": 30,
                    "enrollment_opens_at": None,
                    "enrollment_closes_at": None,
                }
            ],
            prerequisites=[{"course_id": before.pk, "title": "Numbers", "kind": "strict"}],
        )

    def test_is_for_those_who_may_see_it(self, call: Call, world: World) -> None:
        for end in ("", "/modules"):
            path = f"/courses/{world.course.pk}{end}"
            assert call("GET", path).status_code == 401
            answers = [call("GET", each, by=world.oona) for each in (path, f"/courses/999999{end}")]
            assert [(answer.status_code, answer.json()) for answer in answers] == [(404, NOT_FOUND)] * 2
            assert call("PUT", path, {}, by=world.ada).status_code == 405
            assert call("GET", f"/courses/{10**30}{end}", by=world.sam).json() == NOT_FOUND
            assert call("GET", f"/courses/x{end}", by=world.sam).status_code == 404


class TestModules:
    def item(self, item) -> dict:
        return {"id": item.pk, "title": item.title, "content_type": "text"}

    def node(self, module: Module, items=(), children=(), **changes: object) -> dict:
        return {
            "id": module.pk,
            "type": module.type,
            "title": module.title,
            "available_from": None,
            "available_until": None,
            "items": list(items),
            "children": list(children),
        } | changes

    def test_are_a_tree_with_items(self, call: Call, world: World) -> None:
        opens_at = datetime(2026, 9, 1, 8, tzinfo=UTC)
        Module.objects.filter(pk=world.lesson.pk).update(available_from=opens_at)
        draft = factories.make_text(world.lesson, "Draft", "x", status="draft")
        items = [self.item(world.item), self.item(world.second_item)]

        def tree(items: list[dict]) -> dict:
            lesson = self.node(world.lesson, items, available_from="2026-09-01T08:00:00Z")
            return self.node(world.root, [], [self.node(world.lesson.parent, [], [lesson])])

        path = f"/courses/{world.course.pk}/modules"
        assert call("GET", path, by=world.sam).json() == tree(items)
        assert call("GET", path, by=world.tess).json() == tree([*items, self.item(draft)])

    def test_cost_the_same_for_any_size(self, call: Call, world: World, django_assert_num_queries) -> None:
        path = f"/courses/{world.course.pk}/modules"
        call("GET", path, by=world.sam)
        with django_assert_num_queries(6):
            call("GET", path, by=world.sam)
        for number in range(3):
            factories.make_text(factories.make_module(world.course, world.root, f"U {number}"), "x", "x")
        with django_assert_num_queries(6):
            assert len(call("GET", path, by=world.sam).json()["children"]) == 4

    def test_of_a_course_without_any_are_empty(self, call: Call, world: World) -> None:
        course = factories.make_course(world.north, "BARE1", "Bare")
        assert call("GET", f"/courses/{course.pk}/modules", by=world.sam).json() == {}


class TestContentTypes:
    def test_come_with_their_schema(self, call: Call, world: World) -> None:
        load_content_types()
        answer = call("GET", "/content-types", by=world.sam).json()
        assert [row["slug"] for row in answer["items"]] == [
            "assignment",
            "engineering_lab",
            "quiz",
            "resource",
            "text",
            "video",
        ]
        assert answer["items"][4]["data_schema"]["required"] == ["format", "body"]
        assert call("GET", "/content-types").status_code == 401
        assert call("POST", "/content-types", {}, by=world.platform).status_code == 405
