"""The standing cast: two universities that must never see each other, and the people between them."""

from dataclasses import dataclass

from lms.courses.models import ContentItem, Course, CourseOffering, Module
from lms.learning.models import Enrollment
from tenants.models import Role, University, User
from tests import factories

PASSWORD = "correct horse battery"


@dataclass
class World:
    """Tess teaches and Sam studies at North, Ada administers it; Oona studies at South and is the outsider.

    `course` at North has one unit with one lesson of two items; Sam is enrolled in `offering`. `south_item` is
    South's, with words of its own that must never turn up at North.
    """

    north: University
    south: University
    tess: User
    sam: User
    ada: User
    oona: User
    platform: User
    course: Course
    offering: CourseOffering
    root: Module
    lesson: Module
    item: ContentItem
    second_item: ContentItem
    enrollment: Enrollment
    south_course: Course
    south_offering: CourseOffering
    south_item: ContentItem


def make_world() -> World:
    north = factories.make_university("north", "University of the North")
    south = factories.make_university("south", "Southern University")
    tess = factories.make_user("tess@north.example", "Tess Tanaka", at=north, role=Role.INSTRUCTOR)
    sam = factories.make_user("sam@north.example", "Sam Sorensen", at=north)
    ada = factories.make_user("ada@north.example", "Ada Adeyemi", at=north, role=Role.UNIVERSITY_ADMIN)
    oona = factories.make_user("oona@south.example", "Oona Okafor", at=south)
    platform = factories.make_user("root@platform.example", "Pia Platform", is_platform_admin=True)

    course = factories.make_course(north, "STAT101", "Thinking with samples")
    offering = factories.make_offering(course)
    root = factories.make_module(course, None, "Thinking with samples", type=Module.Type.COURSE_ROOT)
    unit = factories.make_module(course, root, "Samples", type=Module.Type.UNIT)
    lesson = factories.make_module(course, unit, "Why samples vary")
    body = (
        "# Why samples vary\n\nTwo samples from one population differ by chance. "
        "The **standard error** is $\\sigma/\\sqrt{n}$.\n\nA larger sample varies less."
    )
    item = factories.make_text(lesson, "Reading: why samples vary", body)
    second = factories.make_text(lesson, "Reading: how much", "Four times the sample halves the standard error.")
    enrollment = factories.make_enrollment(sam, offering)

    south_course = factories.make_course(south, "BIO101", "Cells of the south")
    south_offering = factories.make_offering(south_course)
    south_root = factories.make_module(south_course, None, "Cells of the south", type=Module.Type.COURSE_ROOT)
    south_item = factories.make_text(south_root, "Mitochondria", "The zanzibarium word belongs to South alone.")
    factories.make_enrollment(oona, south_offering)
    return World(
        north=north,
        south=south,
        tess=tess,
        sam=sam,
        ada=ada,
        oona=oona,
        platform=platform,
        course=course,
        offering=offering,
        root=root,
        lesson=lesson,
        item=item,
        second_item=second,
        enrollment=enrollment,
        south_course=south_course,
        south_offering=south_offering,
        south_item=south_item,
    )
