from threading import Barrier, Thread

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

from lms.courses.actions.content_types import load_content_types
from lms.courses.actions.items import create_item, delete_item, move_item, update_item
from lms.courses.errors import InvalidContent, InvalidMove, StaleRevision
from lms.courses.models import AnswerKey, ContentItem, ContentType, Module
from tenants.errors import InvalidInput, NotAllowed, NotVisible
from tenants.models import AuditEntry, Role
from tests import factories
from tests.world import World, make_world

TEXT = {"format": "markdown", "body": "Words."}
QUIZ = {
    "introduction": "",
    "questions": [{"id": "q1", "kind": "numeric", "prompt": "How many?", "options": [], "points": 1}],
}
KEY = {"q1": {"correct": [3]}}


@pytest.fixture
def types(world: World) -> dict[str, ContentType]:
    return {row.slug: row for row in load_content_types()}


def titles(module: Module) -> list[tuple[str, int]]:
    return list(ContentItem.objects.filter(module=module).values_list("title", "sequence_index"))


def row(item: ContentItem) -> dict:
    names = ("title", "data", "objectives", "prompt_name", "prompt_label", "status", "revision", "sequence_index")
    return ContentItem.objects.values(*names).get(pk=item.pk)


class TestCreate:
    def test_stores_what_it_is_given(self, world: World, types: dict) -> None:
        item = create_item(
            by=world.tess,
            module=world.lesson,
            content_type=types["quiz"],
            title="Check",
            data=QUIZ,
            objectives=[" Count ", ""],
            prompt_name="tutor/quiz",
            prompt_label="trial",
            status="draft",
            answer_key=KEY,
        )
        assert row(item) == {
            "title": "Check",
            "data": QUIZ,
            "objectives": ["Count"],
            "prompt_name": "tutor/quiz",
            "prompt_label": "trial",
            "status": "draft",
            "revision": 1,
            "sequence_index": 2,
        }
        assert (item.university_id, item.module_id) == (world.north.pk, world.lesson.pk)
        assert AnswerKey.objects.values("university", "content_item", "data").get() == {
            "university": world.north.pk,
            "content_item": item.pk,
            "data": KEY,
        }

    def test_puts_it_where_it_is_told(self, world: World, types: dict) -> None:
        for title, position in [("first", 0), ("third", 2), ("last", 99)]:
            create_item(
                by=None,
                module=world.lesson,
                content_type=types["text"],
                title=title,
                data=TEXT,
                position=position,
            )
        assert titles(world.lesson) == [
            ("first", 0),
            ("Reading: why samples vary", 1),
            ("third", 2),
            ("Reading: how much", 3),
            ("last", 4),
        ]

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"data": {}}, InvalidContent),
            ({"title": ""}, InvalidInput),
            ({"title": "a\0b"}, InvalidInput),
            ({"status": "hidden"}, InvalidInput),
            ({"prompt_label": "x" * 40}, InvalidInput),
            ({"objectives": ["x" * 501]}, InvalidContent),
            ({"answer_key": KEY}, InvalidContent),
        ],
    )
    def test_refuses_what_is_malformed(self, world: World, types: dict, changes: dict, refusal: type) -> None:
        values = {"by": None, "module": world.lesson, "content_type": types["text"], "title": "x", "data": TEXT}
        with pytest.raises(refusal):
            create_item(**(values | changes))
        assert ContentItem.objects.filter(module=world.lesson).count() == 2

    def test_refuses_a_module_that_is_gone(self, world: World, types: dict) -> None:
        gone = Module.objects.get(pk=world.lesson.pk)
        world.lesson.delete()
        with pytest.raises(NotVisible):
            create_item(by=None, module=gone, content_type=types["text"], title="x", data=TEXT)


class TestUpdate:
    def test_writes_what_is_given_and_leaves_the_rest(self, world: World, types: dict) -> None:
        before = row(world.item)
        written = update_item(by=world.tess, item_id=world.item.pk, revision=1, title="New", data=TEXT)
        assert row(world.item) == before | {"title": "New", "data": TEXT, "revision": 2}
        assert (written.revision, written.title) == (2, "New")
        assert written.updated_at > world.item.updated_at

    def test_a_stale_revision_is_refused_with_both_texts(self, world: World, types: dict) -> None:
        update_item(by=world.ada, item_id=world.item.pk, revision=1, title="Ada was faster")
        before = row(world.item)
        with pytest.raises(StaleRevision) as refusal:
            update_item(by=world.tess, item_id=world.item.pk, revision=1, title="Tess", answer_key=None)
        assert (refusal.value.status, refusal.value.code) == (409, "stale_revision")
        assert (refusal.value.current.title, refusal.value.current.revision) == ("Ada was faster", 2)
        assert row(world.item) == before

    def test_the_answer_key_counts_as_a_change(self, world: World, types: dict) -> None:
        item = create_item(by=None, module=world.lesson, content_type=types["quiz"], title="Check", data=QUIZ)
        update_item(by=None, item_id=item.pk, revision=1, answer_key=KEY)
        assert AnswerKey.objects.get().data == KEY
        with pytest.raises(StaleRevision):
            update_item(by=None, item_id=item.pk, revision=1, answer_key=None)
        assert AnswerKey.objects.get().data == KEY
        update_item(by=None, item_id=item.pk, revision=2, answer_key=None)
        assert not AnswerKey.objects.exists()

    def test_new_questions_must_fit_the_key_that_stays(self, world: World, types: dict) -> None:
        item = create_item(
            by=None, module=world.lesson, content_type=types["quiz"], title="Check", data=QUIZ, answer_key=KEY
        )
        renamed = {**QUIZ, "questions": [{**QUIZ["questions"][0], "id": "q2"}]}
        with pytest.raises(InvalidContent, match=r"answer_key\.q1: there is no such question"):
            update_item(by=None, item_id=item.pk, revision=1, data=renamed)
        update_item(by=None, item_id=item.pk, revision=1, data=renamed, answer_key={"q2": {"correct": [3]}})

    def test_refuses_what_is_malformed(self, world: World, types: dict) -> None:
        before = row(world.item)
        for changes in ({"data": {"format": "markdown"}}, {"title": ""}, {"status": "hidden"}, {"objectives": [3]}):
            with pytest.raises(InvalidInput):
                update_item(by=None, item_id=world.item.pk, revision=1, **changes)
        assert row(world.item) == before


class TestMove:
    def test_within_and_between_modules(self, world: World, types: dict) -> None:
        unit = world.lesson.parent
        move_item(by=world.tess, item=world.second_item, module=world.lesson, position=0)
        assert titles(world.lesson) == [("Reading: how much", 0), ("Reading: why samples vary", 1)]
        moved = move_item(by=world.tess, item=world.second_item, module=unit)
        assert (titles(world.lesson), titles(unit)) == (
            [("Reading: why samples vary", 0)],
            [("Reading: how much", 0)],
        )
        # Nobody's text became stale by that.
        assert moved.revision == 1

    def test_never_out_of_the_course(self, world: World) -> None:
        with pytest.raises(InvalidMove):
            move_item(by=None, item=world.item, module=world.south_item.module)


def test_delete_closes_the_gap_and_is_recorded(world: World) -> None:
    delete_item(by=world.tess, item=world.item)
    assert titles(world.lesson) == [("Reading: how much", 0)]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject_type, entry.subject_id, entry.university, entry.detail) == (
        "item.deleted",
        world.tess,
        "courses.contentitem",
        str(world.item.pk),
        world.north,
        {"course": world.course.pk, "title": "Reading: why samples vary"},
    )


def test_writing_needs_an_instructor_of_the_university(world: World, types: dict) -> None:
    ta = factories.make_user("ta@north.example", "Tim", at=world.north, role=Role.TA)
    new = {"module": world.lesson, "content_type": types["text"], "title": "x", "data": TEXT}
    for person, refusal in [(world.oona, NotVisible), (world.sam, NotAllowed), (ta, NotAllowed)]:
        with pytest.raises(refusal):
            create_item(by=person, **new)
        with pytest.raises(refusal):
            update_item(by=person, item_id=world.item.pk, revision=1, title="x")
        with pytest.raises(refusal):
            move_item(by=person, item=world.item, module=world.root)
        with pytest.raises(refusal):
            delete_item(by=person, item=world.item)
    with pytest.raises(NotVisible):
        update_item(by=world.tess, item_id=999_999, revision=1, title="x")
    for person in (world.tess, world.ada, world.platform):
        create_item(by=person, **new)


class TestContentTypes:
    def test_are_loaded_once_and_renewed(self, world: World) -> None:
        call_command("load_content_types")
        before = list(ContentType.objects.order_by("slug").values_list("pk", "slug", "name"))
        ContentType.objects.filter(slug="quiz").update(name="Old", schema={})
        ContentType.objects.create(slug="poem", name="Poem", schema={})
        call_command("load_content_types")
        assert (
            list(ContentType.objects.exclude(slug="poem").order_by("slug").values_list("pk", "slug", "name")) == before
        )
        assert [slug for _, slug, _ in before] == [
            "assignment",
            "engineering_lab",
            "quiz",
            "resource",
            "text",
            "video",
        ]


class WritersTest(TransactionTestCase):
    def test_of_eight_writers_of_one_revision_one_wins(self) -> None:
        world = make_world()
        load_content_types()
        start, outcomes = Barrier(8), []
        threads = [Thread(target=self.write, args=(world.item.pk, f"Text {n}", start, outcomes)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        item = ContentItem.objects.get(pk=world.item.pk)
        assert sorted(outcomes, key=str) == sorted([item.title] + ["stale_revision"] * 7, key=str)
        assert item.revision == 2

    def write(self, item_id: int, title: str, start: Barrier, outcomes: list[str]) -> None:
        start.wait()
        try:
            outcomes.append(update_item(by=None, item_id=item_id, revision=1, title=title).title)
        except StaleRevision as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()
