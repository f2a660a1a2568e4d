"""Course trees under any sequence of changes, and under eight writers at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Barrier
from typing import Any

from django.db import connections
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lms.courses.actions import tree
from lms.courses.errors import InvalidMove, RootStays
from lms.courses.models import Course, Module
from tenants.errors import NotVisible
from tenants.visits import within
from tests.factories import make_course, make_university
from tests.security.matrix.runner import undone

POSITIONS: list[tree.Position] = ["first-child", "last-child", "left", "right"]
WRITERS, WRITES = 8, 12


@dataclass
class Node:
    """A module as plain Python has it."""

    id: int
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)

    def all(self) -> list["Node"]:
        return [self, *(below for child in self.children for below in child.all())]

    def outline(self) -> Any:
        return self.id, [child.outline() for child in self.children]


class TreeMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.undone = undone()
        self.undone.__enter__()
        self.course = make_course(make_university("north", "North"), "C1", "Course")
        root = tree.create_module(by=None, course=self.course, parent=None, type="course_root", title="Root")
        self.root = Node(root.pk)

    def teardown(self) -> None:
        if hasattr(self, "undone"):
            self.undone.__exit__(None, None, None)

    def _module(self, node: Node) -> Module:
        return Module.objects.get(pk=node.id)

    @rule(data=st.data(), place=st.integers(0, 4) | st.none())
    def create(self, data: st.DataObject, place: int | None) -> None:
        parent = data.draw(st.sampled_from(self.root.all()))
        made = tree.create_module(
            by=None, course=self.course, parent=self._module(parent), type="lesson", title="New", position=place
        )
        parent.children.insert(len(parent.children) if place is None else place, Node(made.pk, parent))

    @rule(data=st.data(), position=st.sampled_from(POSITIONS))
    def move(self, data: st.DataObject, position: tree.Position) -> None:
        node, goal = (data.draw(st.sampled_from(self.root.all())) for _ in range(2))
        try:
            tree.move_module(by=None, module=self._module(node), target=self._module(goal), position=position)
        except (InvalidMove, RootStays):
            beside_root = goal is self.root and position in ("left", "right")
            assert node is self.root or beside_root or goal in node.all()
            return
        assert node is not self.root
        assert goal not in node.all()
        node.parent.children.remove(node)
        node.parent = goal if position.endswith("child") else goal.parent
        siblings = node.parent.children
        index = {"first-child": 0, "last-child": len(siblings)}.get(position)
        siblings.insert(siblings.index(goal) + (position == "right") if index is None else index, node)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(self.root.all()))
        try:
            tree.delete_module(by=None, module=self._module(node))
        except RootStays:
            assert node is self.root
            return
        node.parent.children.remove(node)

    @invariant()
    def the_tree_is_as_the_model_has_it(self) -> None:
        if not hasattr(self, "root"):
            return
        assert tree.check_trees() == []
        rows = list(
            Module.objects.filter(course=self.course).order_by("lft").values("id", "parent_id", "sequence_index")
        )
        nodes: dict[int | None, list[Any]] = {}
        for row in reversed(rows):
            nodes.setdefault(row["parent_id"], []).insert(0, (row["id"], nodes.get(row["id"], [])))
        assert nodes[None] == [self.root.outline()]
        indexes = {row["id"]: row["sequence_index"] for row in rows}
        assert indexes == {self.root.id: 0} | {
            child.id: index for node in self.root.all() for index, child in enumerate(node.children)
        }


class Trees(TestCase):
    def test_trees(self) -> None:
        quick = settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(TreeMachine, settings=quick)


class EightWriters(TransactionTestCase):
    """In two courses of two universities, each writer at its own, as the application's role."""

    def setUp(self) -> None:
        self.courses = [self._course(slug) for slug in ("north", "south")]
        self.start = Barrier(WRITERS)

    def _course(self, slug: str) -> Course:
        course = make_course(make_university(slug, slug.title()), "C1", f"Course of {slug}")
        root = tree.create_module(by=None, course=course, parent=None, type="course_root", title="Root")
        for title in ("One", "Two", "Three"):
            tree.create_module(by=None, course=course, parent=root, type="unit", title=title)
        return course

    def write(self, number: int) -> int:
        """How many changes were made; what another writer has taken away or moved meanwhile is refused."""
        random, course, made = Random(number), self.courses[number % 2], 0
        self.start.wait()
        try:
            with within(course.university_id):
                for _ in range(WRITES):
                    made += self._one_change(random, course)
        finally:
            connections.close_all()
        return made

    def _one_change(self, random: Random, course: Course) -> bool:
        modules = list(Module.objects.filter(course=course))
        module, target = random.choice(modules), random.choice(modules)
        try:
            match random.choice(["create", "create", "move", "move", "delete"]):
                case "create":
                    tree.create_module(by=None, course=course, parent=module, type="lesson", title="New")
                case "move":
                    tree.move_module(by=None, module=module, target=target, position=random.choice(POSITIONS))
                case _:
                    tree.delete_module(by=None, module=module)
        except (InvalidMove, RootStays, NotVisible):
            return False
        return True

    def test_the_trees_are_whole_in_the_end(self) -> None:
        with ThreadPoolExecutor(WRITERS) as pool:
            made = sum(pool.map(self.write, range(WRITERS)))
        assert tree.check_trees() == []
        assert made > WRITERS
        for course in self.courses:
            rows = Module.objects.filter(course=course)
            assert rows.filter(parent=None).count() == 1
            assert set(rows.values_list("university", "tree_id")) == {(course.university_id, course.pk)}
