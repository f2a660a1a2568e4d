from datetime import timedelta

from django.utils import timezone

from lms.courses.actions.items import update_item
from lms.courses.actions.tree import check_trees
from lms.courses.models import ContentItem, Course, CourseOffering, Module, Prerequisite
from lms.learning import queries
from lms.learning.access import access_lesson
from lms.learning.actions.progress import mark_done, note_place
from lms.learning.actions.quizzes import keep_answers
from lms.learning.lesson_page import lesson_context
from lms.learning.models import Enrollment
from tenants.models import Membership
from tests import factories
from tests.learning.samples import make_quiz
from tests.world import World


def open_lesson(world: World, user=None):
    return access_lesson(user or world.sam, university="north", offering=world.offering.pk, item=world.item.pk)


def add_units(world: World, count: int) -> None:
    """Straight into the tables and all at once: this is about reading."""
    root = Module.objects.get(pk=world.root.pk)
    place = {"university": world.north, "course": world.course, "parent": root, "tree_id": root.tree_id, "level": 1}
    units = Module.objects.bulk_create(
        Module(**place, title=f"Unit {n}", sequence_index=n + 1, lft=root.rght + 2 * n, rght=root.rght + 2 * n + 1)
        for n in range(count)
    )
    Module.objects.filter(pk=root.pk).update(rght=root.rght + 2 * count)
    ContentItem.objects.bulk_create(
        ContentItem(university=world.north, module=unit, content_type=world.item.content_type, title="Reading")
        for unit in units
    )
    assert check_trees(world.course) == []


class TestOutline:
    def test_costs_the_same_for_3_and_for_300_modules(self, world: World, django_assert_num_queries) -> None:
        lesson_context(open_lesson(world))
        with django_assert_num_queries(2):
            small = lesson_context(open_lesson(world))
        add_units(world, 297)
        with django_assert_num_queries(2):
            large = lesson_context(open_lesson(world))

        assert world.course.modules.count() == 300
        assert (len(small["outline"]["units"]), len(large["outline"]["units"])) == (1, 298)
        assert [len(unit.rows) for unit in large["outline"]["units"][1:]] == [0] * 297

    def test_shows_progress_and_the_way_on(self, world: World) -> None:
        add_units(world, 1)
        mark_done(by=world.sam, enrollment=world.enrollment, item=world.item)
        tree = queries.outline(open_lesson(world))

        prefix = f"/north/learn/{world.offering.pk}"
        assert (tree.done, tree.total, tree.path, tree.previous) == (1, 3, ["Samples", "Why samples vary"], None)
        assert tree.next == {"title": "Reading: how much", "url": f"{prefix}/{world.second_item.pk}/"}
        assert [(row["title"], row["state"], row["is_current"]) for row in tree.units[0].rows] == [
            ("Why samples vary", "open", False),
            ("Reading: why samples vary", "done", True),
            ("Reading: how much", "open", False),
        ]

    def test_drafts_are_for_staff(self, world: World) -> None:
        ContentItem.objects.filter(pk=world.second_item.pk).update(status="draft")
        assert queries.outline(open_lesson(world)).total == 1
        assert queries.outline(open_lesson(world, world.tess)).total == 2


class TestContent:
    def test_is_rendered_once_for_each_revision(self, world: World, django_assert_num_queries) -> None:
        lesson = open_lesson(world)
        first = queries.content(lesson)
        assert str(first["html"]).startswith('<h2 id="section-why-samples-vary">Why samples vary</h2>')

        ContentItem.objects.filter(pk=world.item.pk).update(data={"format": "markdown", "body": "unseen"})
        assert queries.content(open_lesson(world)) == first
        update_item(
            by=world.tess, item_id=world.item.pk, revision=1, data={"format": "markdown", "body": "<b>New</b> *words*"}
        )
        assert queries.content(open_lesson(world)) == {"html": "<p>&lt;b&gt;New&lt;/b&gt; <em>words</em></p>\n"}


class TestStudies:
    def test_count_published_items_and_name_the_first(self, world: World) -> None:
        draft = factories.make_text(world.root, "Draft", "x", status="draft")
        mark_done(by=world.sam, enrollment=world.enrollment, item=world.item)
        ContentItem.objects.filter(pk=world.item.pk).update(status="published")
        (study,) = queries.shelf(world.sam, world.north)

        assert study == queries.Study(
            world.enrollment, done=1, total=2, place=(world.item.pk, "Reading: why samples vary")
        )
        note_place(world.enrollment, world.second_item)
        assert queries.shelf(world.sam, world.north)[0].place == (world.second_item.pk, "Reading: how much")
        # Where the last item is hidden by now, the first one is the way in.
        note_place(world.enrollment, draft)
        assert queries.shelf(world.sam, world.north)[0].place == (world.item.pk, "Reading: why samples vary")

    def test_the_shelf_costs_one_query(self, world: World, django_assert_num_queries) -> None:
        with django_assert_num_queries(1):
            assert len(queries.shelf(world.sam, world.north)) == 1
        for number in range(2):
            course = factories.make_course(world.north, f"X{number}", f"X {number}")
            factories.make_enrollment(world.sam, factories.make_offering(course))
        with django_assert_num_queries(1):
            assert len(queries.shelf(world.sam, world.north)) == 3

    def test_the_shelf_leaves_out_what_is_dropped_or_hidden(self, world: World) -> None:
        Enrollment.objects.update(status="dropped")
        assert queries.shelf(world.sam, world.north) == []
        Enrollment.objects.update(status="active")
        Course.objects.update(status="archived")
        assert queries.shelf(world.sam, world.north) == []
        assert queries.shelf(world.sam, world.south) == []

    def test_those_who_wait_have_no_place_to_go_on(self, world: World) -> None:
        Enrollment.objects.update(status="waitlisted")
        assert queries.shelf(world.sam, world.north)[0].place is None

    def test_resume_is_where_one_was_last(self, world: World) -> None:
        assert queries.resume(world.sam) is None
        other = factories.make_offering(factories.make_course(world.north, "LATE1", "Later"))
        root = factories.make_module(other.course, None, "Later")
        item = factories.make_text(root, "Fresh", "x")
        enrollment = factories.make_enrollment(world.sam, other)
        note_place(enrollment, item)
        Enrollment.objects.filter(pk=world.enrollment.pk).update(
            last_item=world.item, last_seen_at=timezone.now() - timedelta(days=1)
        )
        assert queries.resume(world.sam) == queries.Study(enrollment, done=0, total=1, place=(item.pk, "Fresh"))


def test_roll_up_counts_what_is_below_each_module(world: World, django_assert_num_queries) -> None:
    add_units(world, 1)
    mark_done(by=world.sam, enrollment=world.enrollment, item=world.item)
    unit = world.lesson.parent
    other = world.course.modules.get(title="Unit 0")
    with django_assert_num_queries(2):
        rows = queries.roll_up(world.enrollment)
    assert rows == [
        queries.ModuleProgress(world.root.pk, "Thinking with samples", 0, done=1, total=3),
        queries.ModuleProgress(unit.pk, "Samples", 1, done=1, total=2),
        queries.ModuleProgress(world.lesson.pk, "Why samples vary", 2, done=1, total=2),
        queries.ModuleProgress(other.pk, "Unit 0", 1, done=0, total=1),
    ]


def test_seats_left_never_goes_below_zero(world: World, django_assert_num_queries) -> None:
    assert queries.offerings_with_seats(world.course) == [(world.offering, None)]
    for capacity, left in [(3, 2), (1, 0), (0, 0)]:
        CourseOffering.objects.filter(pk=world.offering.pk).update(capacity=capacity)
        with django_assert_num_queries(1):
            assert queries.offerings_with_seats(world.course) == [(world.offering, left)]
        world.offering.refresh_from_db()
        assert queries.seats_left(world.offering) == left


def test_prerequisites_come_with_whether_they_are_met(world: World) -> None:
    before = factories.make_course(world.north, "STAT100", "Numbers")
    row = Prerequisite.objects.create(university=world.north, course=world.course, required_course=before)
    assert queries.prerequisites_for(world.sam, world.course) == [(row, False)]
    factories.make_enrollment(world.sam, factories.make_offering(before), status="completed")
    assert queries.prerequisites_for(world.sam, world.course) == [(row, True)]


class TestLatestAnswers:
    def check(self, user, offering, quiz, answer: str) -> None:
        lesson = access_lesson(user, university="north", offering=offering.pk, item=quiz.pk)
        keep_answers(lesson=lesson, answers={"word": [answer]})

    def test_are_ones_own_of_this_item_in_this_offering(self, world: World, django_assert_num_queries) -> None:
        quiz, other = make_quiz(world.lesson), make_quiz(world.lesson, title="Another")
        nia = factories.make_user("nia@north.example", "Nia", at=world.north)
        spring = factories.make_offering(world.course, "Spring")
        for user, offering in ((nia, world.offering), (world.sam, spring)):
            factories.make_enrollment(user, offering)
        self.check(nia, world.offering, quiz, "Nia's")
        self.check(world.sam, spring, quiz, "Sam's in spring")
        self.check(world.sam, world.offering, other, "Sam's of another")

        def latest(user):
            return queries.latest_answers(user, offering_id=world.offering.pk, item_id=quiz.pk)

        with django_assert_num_queries(1):
            assert latest(world.sam) == {}
        self.check(world.sam, world.offering, quiz, "Sam's")
        assert (latest(world.sam), latest(nia)) == ({"word": ["Sam's"]}, {"word": ["Nia's"]})
        Membership.objects.filter(user=world.sam).delete()
        assert latest(world.sam) == {}
