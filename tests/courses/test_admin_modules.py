"""The tree of one course: every way of moving, adding and deleting in it ends in the one locked action."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from lms.courses.actions import tree
from lms.courses.models import Course, Module
from tenants.models import AuditEntry
from tests import factories
from tests.courses.browser_forms import fields_of
from tests.world import World

MODULES = "/admin/courses/module/"
Outline = list[tuple[int, str, int]]


@dataclass
class Tree:
    """Below the root: Samples (Why samples vary), Estimates (Intervals), Tests."""

    url: str
    course: Course
    modules: dict[str, Module]

    def pk(self, title: str) -> int:
        return self.modules[title].pk

    def outline(self) -> Outline:
        """Level, title and place of each module, in the tree's order; the numbers must be as the parents say."""
        assert tree.check_trees(self.course) == []
        rows = Module.objects.filter(course=self.course).order_by("lft")
        return list(rows.values_list("level", "title", "sequence_index"))

    def titles(self) -> list[str]:
        return ["  " * level + title for level, title, _place in self.outline()]


BEFORE = [
    "Thinking with samples",
    "  Samples",
    "    Why samples vary",
    "  Estimates",
    "    Intervals",
    "  Tests",
]


@pytest.fixture
def stat(world: World) -> Tree:
    def add(parent: Module, title: str) -> Module:
        return tree.create_module(by=None, course=world.course, parent=parent, type="lesson", title=title)

    estimates = add(world.root, "Estimates")
    add(estimates, "Intervals")
    add(world.root, "Tests")
    modules = {module.title: module for module in Module.objects.filter(course=world.course)}
    return Tree(f"{MODULES}?course={world.course.pk}", world.course, modules)


@pytest.fixture
def tess(client: Client, world: World) -> Client:
    client.force_login(world.tess)
    return client


def sentences(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def history() -> list[tuple[str, str]]:
    return list(LogEntry.objects.order_by("id").values_list("object_repr", "change_message"))


class TestList:
    def test_shows_one_course_in_the_order_of_its_tree(self, tess: Client, stat: Tree, world: World) -> None:
        factories.make_module(factories.make_course(world.north, "X1", "Other"), None, "Other root")
        page = tess.get(stat.url)
        assert ["  " * row.level + row.title for row in page.context["cl"].result_list] == BEFORE
        assert "Other root" not in page.text

    def test_the_script_is_told_of_this_course_alone(self, tess: Client, stat: Tree, world: World) -> None:
        factories.make_module(factories.make_course(world.north, "X1", "Other"), None, "Other root")
        (script,) = [js for js in tess.get(stat.url).context["media"]._js if "draggable" in str(js)]
        context = json.loads(script.attributes["data-context"])
        assert context["treeStructure"] == {
            str(stat.pk("Thinking with samples")): [stat.pk("Samples"), stat.pk("Estimates"), stat.pk("Tests")],
            str(stat.pk("Samples")): [stat.pk("Why samples vary")],
            str(stat.pk("Estimates")): [stat.pk("Intervals")],
        }
        assert (context["storageName"], context["expandTreeByDefault"]) == (
            f"tree_of_course_{stat.course.pk}_collapsed",
            True,
        )

    @pytest.mark.parametrize("query", ["", "?course=", "?course=999999", "?course=abc", "?course={south}"])
    def test_without_a_course_of_ones_own_it_asks_for_one(
        self, tess: Client, stat: Tree, world: World, query: str
    ) -> None:
        page = tess.get(MODULES + query.format(south=world.south_course.pk), follow=True)
        assert page.redirect_chain == [("/admin/courses/course/", 302)]
        assert sentences(page) == ["Choose the course whose modules you want to see."]

    def test_titles_are_text(self, tess: Client, stat: Tree) -> None:
        Module.objects.filter(pk=stat.pk("Tests")).update(title='<img src=x onerror="alert(1)">')
        text = tess.get(stat.url).text
        assert ("<img src=x" in text, "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;" in text) == (False, True)

    def test_nothing_is_styled_in_place(self, tess: Client, stat: Tree) -> None:
        assert ' style="' not in tess.get(stat.url).text

    @pytest.mark.parametrize("count", [1, 3])
    def test_the_tree_costs_the_same_for_any_number(
        self, tess: Client, stat: Tree, count: int, django_assert_num_queries: Any
    ) -> None:
        for number in range(count):
            tree.create_module(
                by=None, course=stat.course, parent=stat.modules["Tests"], type="lesson", title=f"L{number}"
            )
        tess.get(stat.url)
        # Session, person, roles; the course for the page and for the script, with its tree; the list with its counts.
        with django_assert_num_queries(9):
            tess.get(stat.url)


class TestDrag:
    """What django-mptt's script posts when a row is dropped."""

    def drop(self, client: Client, stat: Tree, cut: object, on: object, position: str) -> Any:
        body = {"cmd": "move_node", "cut_item": cut, "pasted_on": on, "position": position}
        return client.post(stat.url, body)

    @pytest.mark.parametrize(
        ("cut", "position", "on", "expected"),
        [
            ("Tests", "left", "Samples", [0, 5, 1, 2, 3, 4]),
            ("Samples", "right", "Tests", [0, 3, 4, 5, 1, 2]),
            ("Tests", "last-child", "Estimates", [0, 1, 2, 3, 4, "    Tests"]),
            ("Intervals", "right", "Why samples vary", [0, 1, 2, 4, 3, 5]),
        ],
    )
    def test_moves_the_module_with_all_below_it(
        self, tess: Client, stat: Tree, cut: str, position: str, on: str, expected: list[Any]
    ) -> None:
        answer = self.drop(tess, stat, stat.pk(cut), stat.pk(on), position)
        assert (answer.status_code, answer.text) == (200, "Moved.")
        assert stat.titles() == [BEFORE[line] if isinstance(line, int) else line for line in expected]
        assert sentences(tess.get(stat.url)) == [f"“{cut}” has moved."]
        assert history() == [(cut, '[{"changed": {"fields": ["parent", "place"]}}]')]

    @pytest.mark.parametrize(
        ("cut", "position", "on", "status", "sentence"),
        [
            ("Samples", "last-child", "Why samples vary", 400, "A module cannot be moved under or beside itself."),
            ("Samples", "left", "Samples", 400, "A module cannot be moved under or beside itself."),
            (
                "Samples",
                "right",
                "Thinking with samples",
                400,
                "Nothing stands beside the topmost module; move it under that one.",
            ),
            (
                "Thinking with samples",
                "left",
                "Tests",
                409,
                "Every course has one topmost module, which stays as long as the course.",
            ),
            ("Samples", "sideways", "Tests", 400, "It cannot be moved there."),
            ("Samples", "", "Tests", 400, "It cannot be moved there."),
        ],
    )
    def test_a_refused_move_is_said_in_words(
        self, tess: Client, stat: Tree, cut: str, position: str, on: str, status: int, sentence: str
    ) -> None:
        answer = self.drop(tess, stat, stat.pk(cut), stat.pk(on), position)
        assert (answer.status_code, answer.text) == (status, sentence)
        assert (stat.titles(), history()) == (BEFORE, [])
        assert sentences(tess.get(stat.url)) == [sentence]

    @pytest.mark.parametrize("odd", ["", "abc", "999999", "-1", "1e3"])
    def test_what_is_not_there_is_not_moved(self, tess: Client, stat: Tree, odd: str) -> None:
        sentence = "The module is no longer there. This is the tree as it is now."
        for cut, on in ((odd, stat.pk("Tests")), (stat.pk("Tests"), odd)):
            answer = self.drop(tess, stat, cut, on, "left")
            assert (answer.status_code, answer.text) == (404, sentence)
        assert stat.titles() == BEFORE

    def test_foreign_modules_are_as_absent_ones(self, tess: Client, stat: Tree, world: World) -> None:
        foreign = world.south_item.module
        absent = self.drop(tess, stat, stat.pk("Tests"), 999_999, "left")
        for cut, on in ((foreign.pk, stat.pk("Tests")), (stat.pk("Tests"), foreign.pk)):
            answer = self.drop(tess, stat, cut, on, "left")
            assert (answer.status_code, answer.content) == (absent.status_code, absent.content)
        assert stat.titles() == BEFORE

    def test_a_module_stays_in_its_course(self, client: Client, stat: Tree, world: World) -> None:
        client.force_login(world.tess)
        other = factories.make_course(world.north, "OTHER1", "Another course")
        root = factories.make_module(other, None, "Another course", type=Module.Type.COURSE_ROOT)
        answer = self.drop(client, stat, stat.pk("Tests"), root.pk, "last-child")
        assert (answer.status_code, answer.text) == (400, "A module stays in its course.")

    def test_needs_the_token_of_the_page(self, world: World, stat: Tree) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(world.tess)
        assert self.drop(strict, stat, stat.pk("Tests"), stat.pk("Samples"), "left").status_code == 403
        assert stat.titles() == BEFORE


class TestArrows:
    """The way to move by keyboard, and without a script."""

    @pytest.mark.parametrize(
        ("title", "way", "expected"),
        [
            ("Estimates", "up", [0, 3, 4, 1, 2, 5]),
            ("Estimates", "down", [0, 1, 2, 5, 3, 4]),
            ("Tests", "in", [0, 1, 2, 3, 4, "    Tests"]),
            ("Intervals", "out", [0, 1, 2, 3, "  Intervals", 5]),
        ],
    )
    def test_one_step(self, tess: Client, stat: Tree, title: str, way: str, expected: list[Any]) -> None:
        answer = tess.post(stat.url, {"nudge": f"{way}:{stat.pk(title)}"})
        assert (answer.status_code, answer["location"]) == (302, f"{stat.url}#nudge-{stat.pk(title)}-{way}")
        assert stat.titles() == [BEFORE[line] if isinstance(line, int) else line for line in expected]
        assert sentences(tess.get(stat.url)) == [f"“{title}” has moved."]

    @pytest.mark.parametrize(
        ("title", "way", "sentence"),
        [
            ("Samples", "up", "“Samples” is the first there already."),
            ("Tests", "down", "“Tests” is the last there already."),
            ("Samples", "in", "There is no module above “Samples” to put it under."),
            ("Samples", "out", "“Samples” stands as far out as it can."),
        ],
    )
    def test_the_end_of_the_way_is_said(self, tess: Client, stat: Tree, title: str, way: str, sentence: str) -> None:
        page = tess.post(stat.url, {"nudge": f"{way}:{stat.pk(title)}"}, follow=True)
        assert (sentences(page), stat.titles()) == ([sentence], BEFORE)

    def test_each_module_but_the_topmost_has_its_buttons(self, tess: Client, stat: Tree) -> None:
        text = tess.get(stat.url).text
        assert text.count('name="nudge"') == 4 * 5
        assert 'aria-label="Put “Tests” under the module above it"' in text

    @pytest.mark.parametrize(("value", "status"), [("over:1", 400), ("up:", 404), ("up:999999", 404), ("", 400)])
    def test_odd_values_are_refused(self, tess: Client, stat: Tree, value: str, status: int) -> None:
        assert tess.post(stat.url, {"nudge": value}).status_code == status
        assert stat.titles() == BEFORE

    def test_a_foreign_module_is_not_moved(self, tess: Client, stat: Tree, world: World) -> None:
        assert tess.post(stat.url, {"nudge": f"up:{world.south_item.module.pk}"}).status_code == 404


class TestAdding:
    def add(self, client: Client, stat: Tree, **fields: Any) -> Any:
        body = {"title": "Bootstrap", "type": "lesson", "parent": stat.pk("Estimates"), **fields}
        return client.post(f"{MODULES}add/?course={stat.course.pk}", body)

    def test_adds_under_a_module_at_a_place(self, tess: Client, stat: Tree, world: World) -> None:
        answer = self.add(tess, stat, place="1")
        assert answer["location"] == stat.url
        self.add(tess, stat, title="Last", place="")
        assert stat.titles()[3:7] == ["  Estimates", "    Bootstrap", "    Intervals", "    Last"]
        assert set(Module.objects.filter(course=stat.course).values_list("university", flat=True)) == {world.north.pk}

    def test_the_form_knows_the_parent_that_was_clicked(self, tess: Client, stat: Tree) -> None:
        page = tess.get(f"{MODULES}add/?course={stat.course.pk}&parent={stat.pk('Samples')}")
        fields = fields_of(page.text, "module_form")
        assert (fields["parent"], fields["type"]) == (str(stat.pk("Samples")), "lesson")

    def test_choices_are_the_modules_of_the_course(self, tess: Client, stat: Tree, world: World) -> None:
        page = tess.get(f"{MODULES}add/?course={stat.course.pk}")
        form = page.context["adminform"].form
        assert [module.title for module in form.fields["parent"].queryset] == [line.strip() for line in BEFORE]
        assert "course_root" not in dict(form.fields["type"].choices)

    def test_a_foreign_parent_is_no_choice(self, tess: Client, stat: Tree, world: World) -> None:
        page = self.add(tess, stat, parent=world.south_item.module.pk)
        assert page.context["adminform"].form.errors == {
            "parent": ["Select a valid choice. That choice is not one of the available choices."]
        }
        assert stat.titles() == BEFORE

    def test_a_refusal_of_the_action_keeps_what_was_typed(self, tess: Client, stat: Tree) -> None:
        times = {
            "available_from_0": "2027-02-01",
            "available_from_1": "08:00",
            "available_until_0": "2027-01-01",
            "available_until_1": "08:00",
        }
        page = self.add(tess, stat, **times)
        assert page.status_code == 400
        assert page.context["adminform"].form.non_field_errors() == [
            "A module becomes unavailable after it became available, not before."
        ]
        assert ("Bootstrap" in page.text, stat.titles()) == (True, BEFORE)

    @pytest.mark.parametrize("query", ["", "?course={south}", "?course=abc"])
    def test_needs_a_course_of_ones_own(self, tess: Client, stat: Tree, world: World, query: str) -> None:
        url = f"{MODULES}add/{query.format(south=world.south_course.pk)}"
        for page in (tess.get(url, follow=True), tess.post(url, {"title": "x", "type": "lesson"}, follow=True)):
            assert sentences(page) == ["Modules are added in the tree of their course. Choose it first."]
        assert Module.objects.filter(course=world.south_course).count() == 1


class TestChanging:
    def test_title_type_and_times_change(self, tess: Client, stat: Tree) -> None:
        url = f"{MODULES}{stat.pk('Tests')}/change/"
        fields = fields_of(tess.get(url).text, "module_form")
        answer = tess.post(url, fields | {"title": "Testing", "type": "unit", "available_from_0": "2027-01-01",
                                          "available_from_1": "08:00"})  # fmt: skip
        assert answer["location"] == stat.url
        module = Module.objects.get(pk=stat.pk("Tests"))
        assert (module.title, module.type, str(module.available_from)) == (
            "Testing",
            "unit",
            "2027-01-01 08:00:00+00:00",
        )

    def test_the_place_is_not_changed_here(self, tess: Client, stat: Tree) -> None:
        url = f"{MODULES}{stat.pk('Tests')}/change/"
        fields = fields_of(tess.get(url).text, "module_form")
        assert not {"parent", "place", "course"} & set(fields)
        tess.post(url, fields | {"parent": stat.pk("Samples"), "course": 1, "place": "1"})
        assert stat.titles() == BEFORE

    def test_the_topmost_module_keeps_its_type(self, tess: Client, stat: Tree) -> None:
        page = tess.get(f"{MODULES}{stat.pk('Thinking with samples')}/change/")
        assert page.context["adminform"].form.fields["type"].choices == [("course_root", "Course")]


class TestDeleting:
    def test_one_module_goes_with_all_below_it(self, tess: Client, stat: Tree) -> None:
        url = f"{MODULES}{stat.pk('Estimates')}/delete/"
        page = tess.get(url)
        assert page.context["deleted_objects"] == ["Module: Estimates", "Module: Intervals"]
        assert tess.post(url, {"post": "yes"}).status_code == 302
        assert stat.outline() == [
            (0, "Thinking with samples", 0),
            (1, "Samples", 0),
            (2, "Why samples vary", 0),
            (1, "Tests", 1),
        ]
        deleted = AuditEntry.objects.get(action="module.deleted")
        assert deleted.detail == {"course": stat.course.pk, "title": "Estimates"}

    def test_the_topmost_module_stays(self, tess: Client, stat: Tree) -> None:
        pk = stat.pk("Thinking with samples")
        sentence = "Every course has one topmost module, which stays as long as the course."
        page = tess.post(f"{MODULES}{pk}/delete/", {"post": "yes"}, follow=True)
        assert (page.redirect_chain[0][0], sentences(page)) == (f"{MODULES}{pk}/change/", [sentence])
        bulk = {"action": "delete_selected", "_selected_action": [pk, stat.pk("Tests")], "post": "yes"}
        assert sentences(tess.post(stat.url, bulk, follow=True)) == [sentence]
        assert (stat.titles(), history()) == (BEFORE, [])
        assert not AuditEntry.objects.filter(action__endswith="deleted").exists()

    def test_selected_modules_go_together(self, tess: Client, stat: Tree) -> None:
        selected = [stat.pk(title) for title in ("Estimates", "Intervals", "Samples")]
        bulk = {"action": "delete_selected", "_selected_action": selected}
        page = tess.post(stat.url, {**bulk, "index": "0"})
        assert page.templates[0].name == "admin/delete_selected_confirmation.html"
        assert stat.titles() == BEFORE
        tess.post(stat.url, {**bulk, "post": "yes"})
        assert stat.outline() == [(0, "Thinking with samples", 0), (1, "Tests", 0)]
        deleted = AuditEntry.objects.filter(action="module.deleted").order_by("id")
        assert [entry.detail["title"] for entry in deleted] == ["Samples", "Estimates"]

    def test_foreign_modules_are_not_deleted(self, tess: Client, stat: Tree, world: World) -> None:
        foreign = world.south_item.module.pk
        assert tess.post(f"{MODULES}{foreign}/delete/", {"post": "yes"}).status_code == 404
        tess.post(stat.url, {"action": "delete_selected", "_selected_action": [foreign], "post": "yes"})
        assert Module.objects.filter(pk=foreign).exists()
