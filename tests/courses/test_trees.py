"""The tree action under concurrent writers, and the command that tells a broken tree."""

import random
from datetime import UTC, datetime
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase, TransactionTestCase

from lms.courses.actions.tree import check_trees, create_module, delete_module, move_module, update_module
from lms.courses.errors import InvalidMove, RootStays
from lms.courses.models import Course, Module
from lms.courses.tree_numbers import Place, TreeProblem, tree_problems
from tenants.errors import DomainError, InvalidInput, NotAllowed, NotVisible
from tests import factories
from tests.world import World, make_world


def titles(course: Course) -> list[tuple[int, str, int]]:
    return list(Module.objects.filter(course=course).order_by("lft").values_list("level", "title", "sequence_index"))


def make_tree(course: Course, shape: dict[str, list[str]]) -> Module:
    root = create_module(by=None, course=course, parent=None, type="course_root", title="root")
    for unit, lessons in shape.items():
        parent = create_module(by=None, course=course, parent=root, type="unit", title=unit)
        for lesson in lessons:
            create_module(by=None, course=course, parent=parent, type="lesson", title=lesson)
    return root


class WritersTest(TransactionTestCase):
    """Eight connections at once, because that is what breaks the numbers without the lock."""

    def setUp(self) -> None:
        north = factories.make_university("north", "North")
        self.courses = [factories.make_course(north, f"C{number}", f"Course {number}") for number in range(2)]
        for course in self.courses:
            make_tree(course, {unit: [f"{unit}{number}" for number in range(5)] for unit in "abc"})

    def test_eight_writers_leave_whole_trees(self) -> None:
        errors: list[Exception] = []
        writers = [Thread(target=self.write, args=(seed, errors)) for seed in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

        assert errors == []
        assert check_trees() == []
        assert Module.objects.filter(parent=None).count() == 2 + 8

    def write(self, seed: int, errors: list[Exception]) -> None:
        chance = random.Random(seed)
        try:
            self.make_course(seed)
            for _ in range(12):
                self.change(chance)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    def make_course(self, seed: int) -> None:
        """Roots share one sequence of tree ids with everybody, so some must be made in between."""
        course = factories.make_course(self.courses[0].university, f"NEW{seed}", f"New {seed}")
        make_tree(course, {"unit": ["lesson"]})

    def change(self, chance: random.Random) -> None:
        course = chance.choice(self.courses)
        modules = list(Module.objects.filter(course=course))
        module, target = chance.choice(modules), chance.choice(modules)
        try:
            if chance.random() < 0.2:
                create_module(by=None, course=course, parent=target, type="topic", title="new", position=0)
            elif chance.random() < 0.1:
                delete_module(by=None, module=module)
            else:
                place = chance.choice(["first-child", "last-child", "left", "right"])
                move_module(by=None, module=module, target=target, position=place)
        except (InvalidMove, RootStays, NotVisible):
            pass


@pytest.fixture
def course(world: World) -> Course:
    course = factories.make_course(world.north, "TREE1", "Trees")
    make_tree(course, {"a": ["a1", "a2", "a3"], "b": []})
    return course


def module(course: Course, title: str) -> Module:
    return Module.objects.get(course=course, title=title)


class TestCreate:
    def test_puts_a_module_where_it_is_told(self, course: Course) -> None:
        root = module(course, "root")
        create_module(by=None, course=course, parent=root, type="unit", title="first", position=0)
        create_module(by=None, course=course, parent=root, type="unit", title="third", position=2)
        create_module(by=None, course=course, parent=root, type="unit", title="last", position=99)

        assert titles(course) == [
            (0, "root", 0),
            (1, "first", 0),
            (1, "a", 1),
            (2, "a1", 0),
            (2, "a2", 1),
            (2, "a3", 2),
            (1, "third", 2),
            (1, "b", 3),
            (1, "last", 4),
        ]
        assert check_trees() == []

    def test_refuses_a_second_root(self, course: Course) -> None:
        with pytest.raises(RootStays):
            create_module(by=None, course=course, parent=None, type="course_root", title="another")

    def test_refuses_a_parent_of_another_course(self, world: World, course: Course) -> None:
        with pytest.raises(NotVisible):
            create_module(by=None, course=course, parent=world.root, type="unit", title="astray")

    def test_refuses_what_the_columns_cannot_hold(self, course: Course) -> None:
        root = module(course, "root")
        for fields, sentence in [
            ({"type": "poem", "title": "x"}, "Type: Value 'poem' is not a valid choice."),
            ({"type": "unit", "title": ""}, "Title: This field cannot be blank."),
            (
                {"type": "unit", "title": "x" * 301},
                "Title: Ensure this value has at most 300 characters (it has 301).",
            ),
            ({"type": "unit", "title": "a\0b"}, "Title: it holds characters that cannot be stored."),
        ]:
            with pytest.raises(DomainError) as refusal:
                create_module(by=None, course=course, parent=root, **fields)
            assert refusal.value.detail == sentence


class TestMove:
    def test_takes_what_is_below_along(self, course: Course) -> None:
        moved = move_module(by=None, module=module(course, "a"), target=module(course, "b"), position="first-child")

        assert (moved.level, moved.parent.title, moved.sequence_index) == (2, "b", 0)
        assert titles(course) == [
            (0, "root", 0),
            (1, "b", 0),
            (2, "a", 0),
            (3, "a1", 0),
            (3, "a2", 1),
            (3, "a3", 2),
        ]
        assert check_trees() == []

    def test_moves_among_siblings(self, course: Course) -> None:
        move_module(by=None, module=module(course, "a3"), target=module(course, "a1"), position="left")
        assert [row[1:] for row in titles(course) if row[0] == 2] == [("a3", 0), ("a1", 1), ("a2", 2)]
        move_module(by=None, module=module(course, "a3"), target=module(course, "a1"), position="right")
        assert [row[1:] for row in titles(course) if row[0] == 2] == [("a1", 0), ("a3", 1), ("a2", 2)]

    def test_works_from_numbers_that_are_long_old(self, course: Course) -> None:
        old, target = module(course, "a3"), module(course, "b")
        move_module(by=None, module=module(course, "a1"), target=module(course, "b"), position="last-child")
        move_module(by=None, module=old, target=target, position="last-child")

        assert [title for _, title, _ in titles(course)] == ["root", "a", "a2", "b", "a1", "a3"]
        assert check_trees() == []

    def test_refuses_what_breaks_the_tree(self, world: World, course: Course) -> None:
        before = titles(course)
        a, a1, b, root = (module(course, title) for title in ("a", "a1", "b", "root"))
        for moved, target, position, refusal in [
            (a, a1, "last-child", InvalidMove),
            (a, a, "last-child", InvalidMove),
            (root, b, "last-child", RootStays),
            (a, root, "left", InvalidMove),
            (a, world.root, "last-child", InvalidMove),
        ]:
            with pytest.raises(refusal):
                move_module(by=None, module=moved, target=target, position=position)
        assert titles(course) == before


class TestUpdate:
    def test_writes_what_is_not_structure(self, world: World) -> None:
        opens_at, closes_at = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
        update_module(
            by=world.tess,
            module=world.lesson,
            type="lab",
            title="Lab",
            available_from=opens_at,
            available_until=closes_at,
        )
        written = Module.objects.values_list("type", "title", "available_from", "available_until")
        assert written.get(pk=world.lesson.pk) == ("lab", "Lab", opens_at, closes_at)
        assert check_trees() == []

    def test_refuses_what_makes_no_sense(self, world: World) -> None:
        day = datetime(2026, 9, 1, tzinfo=UTC)
        for module, changes, refusal in [
            (world.root, {"type": "unit"}, RootStays),
            (world.lesson, {"title": ""}, InvalidInput),
            (world.lesson, {"available_from": day, "available_until": day}, InvalidInput),
        ]:
            with pytest.raises(refusal):
                update_module(by=world.tess, module=module, **({"type": "lesson", "title": "x"} | changes))

    def test_needs_an_instructor(self, world: World) -> None:
        for person, refusal in [(world.oona, NotVisible), (world.sam, NotAllowed)]:
            with pytest.raises(refusal):
                update_module(by=person, module=world.lesson, type="lesson", title="x")


class TestDelete:
    def test_takes_all_below_and_closes_the_gap(self, course: Course) -> None:
        delete_module(by=None, module=module(course, "a"))
        assert titles(course) == [(0, "root", 0), (1, "b", 0)]
        assert check_trees() == []

    def test_leaves_the_root(self, course: Course) -> None:
        with pytest.raises(RootStays):
            delete_module(by=None, module=module(course, "root"))


class TestRights:
    def test_writing_needs_an_instructor_of_the_university(self, world: World) -> None:
        ta = factories.make_user("ta@north.example", "Tim", at=world.north, role="ta")
        for person, refusal in [(world.oona, NotVisible), (world.sam, NotAllowed), (ta, NotAllowed)]:
            with pytest.raises(refusal):
                create_module(by=person, course=world.course, parent=world.root, type="unit", title="x")
            with pytest.raises(refusal):
                move_module(by=person, module=world.lesson, target=world.root, position="last-child")
            with pytest.raises(refusal):
                delete_module(by=person, module=world.lesson)
        for person in (world.tess, world.ada, world.platform):
            create_module(by=person, course=world.course, parent=world.root, type="unit", title="x")

    def test_a_draft_is_absent_for_students(self, world: World) -> None:
        Course.objects.filter(pk=world.course.pk).update(status="draft")
        with pytest.raises(NotVisible):
            create_module(by=world.sam, course=world.course, parent=world.root, type="unit", title="x")


class CheckTreesTest(TestCase):
    def setUp(self) -> None:
        self.world = make_world()
        self.course = factories.make_course(self.world.north, "TREE1", "Trees")
        make_tree(self.course, {"a": ["a1", "a2"], "b": ["b1"]})
        self.before = self.rows()

    def rows(self) -> list[tuple[object, ...]]:
        return list(Module.objects.order_by("pk").values_list(*Place._fields))

    def test_command_says_that_all_is_well(self) -> None:
        call_command("check_trees")

    def test_repairs_numbers(self) -> None:
        Module.objects.filter(course=self.course, title="a2").update(lft=1, rght=2)
        Module.objects.filter(course=self.course, title="b").update(level=4)
        with pytest.raises(CommandError, match="modules stand wrongly"):
            call_command("check_trees")
        call_command("check_trees", fix=True)
        assert self.rows() == self.before

    def test_repairs_a_shared_tree_id(self) -> None:
        Module.objects.filter(course=self.course).update(tree_id=self.world.root.tree_id)
        assert {problem.found.tree_id for problem in check_trees(fix=True)} == {self.world.root.tree_id}
        assert check_trees() == []
        assert Module.objects.filter(parent=None).values("tree_id").distinct().count() == 3

    def test_repairs_stale_places_by_the_tree(self) -> None:
        Module.objects.filter(course=self.course, title="a1").update(sequence_index=7)
        assert [str(problem) for problem in check_trees(self.course, fix=True)] == [
            f"module {Module.objects.get(title='a1').pk}: sequence_index is 7, should be 0"
        ]
        assert self.rows() == self.before

    def test_repairs_parents_in_a_circle_and_of_another_course(self) -> None:
        a, a1, b1 = (Module.objects.get(course=self.course, title=title) for title in ("a", "a1", "b1"))
        Module.objects.filter(pk=a.pk).update(parent=a1)
        Module.objects.filter(pk=b1.pk).update(parent=self.world.root)
        check_trees(fix=True)

        assert check_trees() == []
        assert {title for _, title, _ in titles(self.course)} == {"root", "a", "a1", "a2", "b", "b1"}
        b1.refresh_from_db()
        assert b1.parent.title == "root"


def test_numbers_of_a_broken_tree_come_from_parents_and_places() -> None:
    root = Place(1, None, 0, 1, 6, 0, 5)
    first, second = Place(2, 1, 0, 4, 5, 1, 5), Place(3, 1, 1, 4, 9, 1, 5)
    assert tree_problems([root, second, first], 6) == [
        TreeProblem(root, Place(1, None, 0, 1, 6, 0, 6)),
        TreeProblem(first, Place(2, 1, 0, 2, 3, 1, 6)),
        TreeProblem(second, Place(3, 1, 1, 4, 5, 1, 6)),
    ]
    assert tree_problems([], 6) == []
