from datetime import UTC, datetime

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from lms.courses.actions import courses
from lms.courses.actions.tree import check_trees, create_module
from lms.courses.errors import CourseExists, InvalidContent, OfferingExists
from lms.courses.models import Course, CourseOffering, MediaAsset, Module, Prerequisite, Subject
from tenants.errors import InvalidInput, NotAllowed, NotVisible
from tenants.models import AuditEntry, Department, Role
from tests import factories
from tests.world import World

FALL = datetime(2026, 9, 1, tzinfo=UTC)
SPRING = datetime(2027, 2, 1, tzinfo=UTC)


def row(course: Course) -> dict:
    names = (
        "code",
        "title",
        "slug",
        "level",
        "language",
        "description",
        "objectives",
        "status",
        "department",
        "subject",
    )
    return Course.objects.values(*names).get(pk=course.pk)


def audited() -> list[tuple[str, int | None, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "actor", "subject_id"))


class TestCreate:
    def test_makes_a_draft_with_its_topmost_module(self, world: World) -> None:
        department = Department.objects.create(university=world.north, code="MA", name="Mathematics")
        subject = Subject.objects.create(slug="statistics", name="Statistics")
        course = courses.create_course(
            by=world.tess,
            university=world.north,
            code="STAT201",
            title="Thinking, further: a course",
            department=department,
            subject=subject,
            level="advanced",
            language="de",
            description="About *that*.",
            objectives=["Think further", " "],
        )
        assert row(course) == {
            "code": "STAT201",
            "title": "Thinking, further: a course",
            "slug": "thinking-further-a-course",
            "level": "advanced",
            "language": "de",
            "description": "About *that*.",
            "objectives": ["Think further"],
            "status": "draft",
            "department": department.pk,
            "subject": subject.pk,
        }
        assert list(Module.objects.filter(course=course).values_list("type", "title", "parent", "university")) == [
            ("course_root", "Thinking, further: a course", None, world.north.pk)
        ]
        assert audited() == [("course.created", world.tess.pk, str(course.pk))]

    def test_a_title_without_letters_takes_the_code_for_its_address(self, world: World) -> None:
        course = courses.create_course(by=None, university=world.north, code="C++ 1", title="编程")
        assert course.slug == "c-1"

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"code": "STAT101"}, CourseExists),
            ({"slug": "stat101"}, CourseExists),
            ({"slug": "not a slug"}, InvalidInput),
            ({"title": "x" * 201}, InvalidInput),
            ({"level": "easy"}, InvalidInput),
            ({"description": "a\0b"}, InvalidInput),
            ({"objectives": ["x"] * 51}, InvalidContent),
        ],
    )
    def test_refuses_what_does_not_fit(self, world: World, changes: dict, refusal: type) -> None:
        values = {"by": None, "university": world.north, "code": "NEW1", "title": "New"}
        with pytest.raises(refusal):
            courses.create_course(**(values | changes))
        assert Course.objects.filter(university=world.north).count() == 1
        assert audited() == []

    def test_the_same_code_may_stand_at_another_university(self, world: World) -> None:
        assert courses.create_course(by=None, university=world.south, code="STAT101", title="Samples").pk

    def test_refuses_a_department_of_another_university(self, world: World) -> None:
        department = Department.objects.create(university=world.south, code="BIO", name="Biology")
        with pytest.raises(NotVisible):
            courses.create_course(
                by=world.tess, university=world.north, code="NEW1", title="New", department=department
            )

    def test_needs_an_instructor_there(self, world: World) -> None:
        for person, refusal in [(world.oona, NotVisible), (world.sam, NotAllowed)]:
            with pytest.raises(refusal):
                courses.create_course(by=person, university=world.north, code="NEW1", title="New")


class TestUpdate:
    def changes(self, **changes: object) -> dict:
        return {
            "code": "STAT102",
            "title": "Thinking more",
            "slug": "thinking-more",
            "department": None,
            "subject": None,
            "level": "intermediate",
            "language": "en",
            "description": "More.",
            "objectives": ["More"],
        } | changes

    def test_writes_everything_but_the_status(self, world: World) -> None:
        courses.update_course(by=world.tess, course=world.course, **self.changes())
        assert row(world.course) == self.changes(status="published")
        assert Module.objects.get(pk=world.root.pk).title == "Thinking more"
        assert audited() == [("course.updated", world.tess.pk, str(world.course.pk))]

    def test_refuses_a_name_that_is_taken(self, world: World) -> None:
        factories.make_course(world.north, "STAT102", "Other")
        with pytest.raises(CourseExists):
            courses.update_course(by=world.tess, course=world.course, **self.changes())

    def test_needs_an_instructor_there(self, world: World) -> None:
        for person, refusal in [(world.oona, NotVisible), (world.sam, NotAllowed)]:
            with pytest.raises(refusal):
                courses.update_course(by=person, course=world.course, **self.changes())


def test_publishing_and_archiving_are_recorded_once(world: World) -> None:
    courses.publish_course(by=world.tess, course=world.course)
    courses.archive_course(by=world.tess, course=world.course)
    courses.archive_course(by=world.tess, course=world.course)
    assert courses.publish_course(by=world.tess, course=world.course).status == "published"
    subject = str(world.course.pk)
    assert audited() == [("course.archived", world.tess.pk, subject), ("course.published", world.tess.pk, subject)]
    for act in (courses.publish_course, courses.archive_course):
        for person, refusal in [(world.oona, NotVisible), (world.sam, NotAllowed)]:
            with pytest.raises(refusal):
                act(by=person, course=world.course)


class TestDelete:
    def test_takes_the_tree_and_the_files_along(self, world: World, django_capture_on_commit_callbacks) -> None:
        file = ContentFile(b"PNG", name="curve.png")
        asset = MediaAsset.objects.create(
            university=world.north,
            course=world.course,
            path="images/curve.png",
            file=file,
            media_type="image/png",
            size_bytes=3,
            sha256="ab",
        )
        assert default_storage.exists(asset.file.name)
        with django_capture_on_commit_callbacks(execute=True):
            courses.delete_course(by=world.ada, course=world.course)
        assert not Course.objects.filter(pk=world.course.pk).exists()
        assert list(Module.objects.values_list("course", flat=True)) == [world.south_course.pk]
        assert not default_storage.exists(asset.file.name)
        assert check_trees() == []
        assert audited() == [("course.deleted", world.ada.pk, str(world.course.pk))]

    def test_an_instructor_deletes_drafts_alone(self, world: World) -> None:
        with pytest.raises(NotAllowed):
            courses.delete_course(by=world.tess, course=world.course)
        Course.objects.filter(pk=world.course.pk).update(status="draft")
        courses.delete_course(by=world.tess, course=world.course)
        assert not Course.objects.filter(pk=world.course.pk).exists()

    def test_strangers_and_students_delete_nothing(self, world: World) -> None:
        for person, refusal in [(world.oona, NotVisible), (world.sam, NotAllowed)]:
            with pytest.raises(refusal):
                courses.delete_course(by=person, course=world.course)


class TestOffering:
    def test_is_stored_as_given(self, world: World) -> None:
        offering = courses.create_offering(
            by=world.tess,
            course=world.course,
            term="Spring",
            starts_at=FALL,
            ends_at=SPRING,
            capacity=12,
            enrollment_opens_at=FALL,
            enrollment_closes_at=SPRING,
            hint_policy="open",
        )
        names = ("university", "course", "term", "starts_at", "ends_at", "capacity", "hint_policy")
        assert CourseOffering.objects.values_list(*names).get(pk=offering.pk) == (
            world.north.pk,
            world.course.pk,
            "Spring",
            FALL,
            SPRING,
            12,
            "open",
        )
        assert audited() == [("offering.created", world.tess.pk, str(offering.pk))]

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"term": "Autumn"}, OfferingExists),
            ({"term": ""}, InvalidInput),
            ({"capacity": -1}, InvalidInput),
            ({"hint_policy": "all"}, InvalidInput),
            ({"starts_at": SPRING, "ends_at": FALL}, InvalidInput),
            ({"enrollment_opens_at": FALL, "enrollment_closes_at": FALL}, InvalidInput),
        ],
    )
    def test_refuses_what_does_not_fit(self, world: World, changes: dict, refusal: type) -> None:
        with pytest.raises(refusal):
            courses.create_offering(**({"by": world.tess, "course": world.course, "term": "Spring"} | changes))
        assert CourseOffering.objects.filter(course=world.course).count() == 1

    def test_needs_an_instructor_there(self, world: World) -> None:
        for person, refusal in [(world.oona, NotVisible), (world.sam, NotAllowed)]:
            with pytest.raises(refusal):
                courses.create_offering(by=person, course=world.course, term="Spring")


class TestPrerequisite:
    def test_is_added_once(self, world: World) -> None:
        before = factories.make_course(world.north, "STAT100", "Numbers")
        courses.add_prerequisite(by=world.tess, course=world.course, required_course=before)
        courses.add_prerequisite(by=world.tess, course=world.course, required_course=before, kind="recommended")
        rows = Prerequisite.objects.values_list("university", "course", "required_course", "kind")
        assert list(rows) == [(world.north.pk, world.course.pk, before.pk, "recommended")]

    def test_refuses_what_makes_no_sense(self, world: World) -> None:
        before = factories.make_course(world.north, "STAT100", "Numbers")
        for required, kind, refusal in [
            (world.course, "strict", InvalidInput),
            (world.south_course, "strict", NotVisible),
            (before, "perhaps", InvalidInput),
        ]:
            with pytest.raises(refusal):
                courses.add_prerequisite(by=world.tess, course=world.course, required_course=required, kind=kind)
        with pytest.raises(NotAllowed):
            courses.add_prerequisite(by=world.sam, course=world.course, required_course=before)


def test_department_administrators_write_too(world: World) -> None:
    dora = factories.make_user("dora@north.example", "Dora", at=world.north, role=Role.DEPARTMENT_ADMIN)
    create_module(by=dora, course=world.course, parent=world.root, type="unit", title="x")
    courses.delete_course(by=dora, course=world.course)
