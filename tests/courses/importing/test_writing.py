from dataclasses import replace
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lms.courses.actions.content_types import load_content_types
from lms.courses.actions.courses import create_course
from lms.courses.actions.items import create_item, update_item
from lms.courses.actions.tree import check_trees, create_module, move_module, update_module
from lms.courses.errors import CourseExists
from lms.courses.importing.errors import ImportRefused
from lms.courses.importing.ledger import Entry, Ledger, Outcome
from lms.courses.importing.reading import read_source
from lms.courses.importing.source import SourceCourse
from lms.courses.importing.writing import import_course
from lms.courses.models import AnswerKey, ContentItem, ContentType, Course, MediaAsset, Module, Subject
from tenants.errors import NotAllowed, NotVisible
from tenants.models import AuditEntry
from tests.courses.importing.samples import MARKDOWN, PNG, Files, write

LESSON = "01-levers/02-balance"
READING = f"{LESSON}/01-reading.md"
KEY = "levers/balance/reading"


@pytest.fixture(autouse=True)
def content_types(db):
    load_content_types()


@pytest.fixture
def read(tmp_path):
    def read(changes: Files | None = None, without: tuple[str, ...] = ()) -> tuple[SourceCourse, Ledger]:
        files = {name: text for name, text in (MARKDOWN | (changes or {})).items() if name not in without}
        place = tmp_path / f"course-{len(list(tmp_path.iterdir()))}"
        return read_source(write(place, files))

    return read


@pytest.fixture
def take_in(read, world):
    def take_in(changes: Files | None = None, without: tuple[str, ...] = (), **options):
        source, ledger = read(changes, without)
        return import_course(by=world.tess, university=world.north, source=source, ledger=ledger, **options)

    return take_in


def reading(body: str = "The torques are equal.") -> str:
    return f"---\ntitle: Why it balances\ntype: text\n---\n{body}\n"


def item(key: str = KEY) -> ContentItem:
    return ContentItem.objects.get(source_key=key)


def outline(course: Course) -> list[tuple[str, int, int]]:
    rows = Module.objects.filter(course=course).order_by("lft")
    return [(row.source_key or row.title, row.level, row.sequence_index) for row in rows]


def keys(module_key: str = "levers/balance") -> list[tuple[str, int]]:
    rows = ContentItem.objects.filter(module__source_key=module_key).order_by("sequence_index")
    return [(row.source_key or row.title, row.sequence_index) for row in rows]


def stored_files() -> list[str]:
    root = Path(default_storage.location)
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def everything() -> dict[str, list]:
    """Every row that an import can touch, whole."""
    tables = (Course, Module, ContentItem, AnswerKey, MediaAsset, AuditEntry)
    return {table.__name__: list(table.objects.order_by("pk").values()) for table in tables}


def test_a_course_comes_in_as_a_draft(take_in, world):
    result = take_in()
    course = result.course
    assert (result.is_new, result.created, result.updated, result.unchanged, result.kept) == (True, 3, 0, 0, 0)
    assert (course.university, course.code, course.slug, course.level) == (
        world.north,
        "PHYS101",
        "forces",
        "intermediate",
    )
    assert (course.status, course.description) == (Course.Status.DRAFT, "Why bridges *stand*.")
    assert course.objectives == ["Draw the forces on a body"]
    assert outline(course) == [
        ("Forces at rest", 0, 0),
        ("levers", 1, 0),
        ("levers/start", 2, 0),
        ("levers/balance", 2, 1),
    ]
    assert check_trees(fix=False) == []
    assert keys() == [(KEY, 0), ("levers/balance/film", 1), ("levers/balance/check", 2)]
    row = item()
    assert (row.university, row.status, row.revision) == (world.north, ContentItem.Status.PUBLISHED, 1)
    assert (row.prompt_name, row.prompt_label) == ("tutor/lesson", "production")
    assert row.objectives == ["State the law of the lever"]
    assert item("levers/balance/check").answer_key.data["arm"]["correct"] == ["a"]
    entry = AuditEntry.objects.get(action="course.imported")
    assert (entry.actor, entry.subject_id, entry.detail) == (
        world.tess,
        str(course.pk),
        {"source": "markdown:forces", "created": 3, "updated": 0, "files": 3},
    )


def test_files_come_in_under_their_paths(take_in):
    course = take_in().course
    assets = {asset.path: asset for asset in MediaAsset.objects.filter(course=course)}
    assert {path: asset.media_type for path, asset in assets.items()} == {
        f"{LESSON}/images/lever arm.png": "image/png",
        "media/crane.webm": "video/webm",
        "media/crane.vtt": "text/vtt",
    }
    picture = assets[f"{LESSON}/images/lever arm.png"]
    assert (picture.file.read(), picture.size_bytes) == (PNG, len(PNG))
    picture.file.close()


def test_the_same_source_again_changes_nothing(take_in):
    take_in()
    before, files = everything(), stored_files()
    result = take_in()
    assert (result.is_new, result.created, result.updated, result.unchanged) == (False, 0, 0, 3)
    assert (everything(), stored_files()) == (before, files)


def test_what_changed_in_the_source_is_brought_up_to_date(take_in, django_capture_on_commit_callbacks):
    first = take_in()
    changes: Files = {
        "course.md": MARKDOWN["course.md"]
        .replace("Forces at rest", "Forces")
        .replace("slug: forces", "slug: new\nid: forces"),
        "01-levers/module.md": "---\ntitle: Levers and cranes\ntype: chapter\n---\n",
        READING: reading("New words.\n\n![A lever](images/lever%20arm.png)"),
        f"{LESSON}/images/lever arm.png": PNG + b"new",
        f"{LESSON}/10-check.md": "---\ntitle: Check yourself\ntype: text\n---\nNo quiz any more.\n",
    }
    with django_capture_on_commit_callbacks(execute=True):
        result = take_in(changes)
    assert (result.course, result.created, result.updated, result.unchanged) == (first.course, 0, 2, 1)
    assert (result.course.title, result.course.slug) == ("Forces", "forces")
    assert outline(result.course)[:2] == [("Forces", 0, 0), ("levers", 1, 0)]
    module = Module.objects.get(source_key="levers")
    assert (module.title, module.type) == ("Levers and cranes", "chapter")
    assert (item().revision, item().data["body"].startswith("New words.")) == (2, True)
    assert (item("levers/balance/film").revision, item("levers/balance/check").revision) == (1, 2)
    assert item("levers/balance/check").content_type.slug == "text"
    assert not AnswerKey.objects.exists()
    picture = MediaAsset.objects.get(path=f"{LESSON}/images/lever arm.png")
    assert picture.file.read() == PNG + b"new"
    picture.file.close()
    assert len(stored_files()) == 3


def test_an_item_edited_here_is_kept_when_its_source_changes_too(take_in):
    take_in()
    update_item(by=None, item_id=item().pk, revision=1, data={"format": "markdown", "body": "Edited here."})
    unchanged_source = take_in()
    assert (unchanged_source.unchanged, item().data["body"]) == (3, "Edited here.")

    result = take_in({READING: reading("Changed there.")})
    assert (result.updated, result.unchanged, result.kept) == (0, 2, 1)
    assert (item().data["body"], item().revision) == ("Edited here.", 2)
    reason = "edited here since the last import, and changed in the source too"
    assert result.ledger.of(Outcome.KEPT) == [Entry(READING, "text item", Outcome.KEPT, reason)]

    result = take_in({READING: reading("Changed there.")}, overwrite=True)
    assert (result.updated, result.kept) == (1, 0)
    assert (item().data["body"], item().revision) == ("Changed there.", 3)


def test_an_answer_key_edited_here_counts_as_an_edit(take_in):
    take_in()
    quiz = item("levers/balance/check")
    edited = {**quiz.answer_key.data, "arm": {"correct": ["b"]}}
    update_item(by=None, item_id=quiz.pk, revision=1, answer_key=edited)
    text = MARKDOWN[f"{LESSON}/10-check.md"].replace("Which arm", "Which of the arms")
    assert take_in({f"{LESSON}/10-check.md": text}).kept == 1
    assert AnswerKey.objects.get().data == edited


def test_the_same_edit_on_both_sides_is_no_conflict(take_in):
    take_in()
    update_item(
        by=None,
        item_id=item().pk,
        revision=1,
        data={"format": "markdown", "body": "Same words."},
        objectives=[],
    )
    result = take_in({READING: reading("Same words.")})
    assert (result.updated, result.unchanged, result.kept, item().revision) == (0, 3, 0, 2)
    assert take_in({READING: reading("Other words.")}).updated == 1


def test_what_the_source_no_longer_has_is_kept_and_named(take_in):
    course = take_in().course
    result = take_in(without=(READING, "01-levers/01-start/module.md"))
    reason = "the source no longer has it; delete it here if it should go"
    assert result.ledger.of(Outcome.KEPT) == [
        Entry("levers/start", "topic", Outcome.KEPT, reason),
        Entry(KEY, "text item", Outcome.KEPT, reason),
    ]
    assert outline(course)[2:] == [("levers/start", 2, 0), ("levers/balance", 2, 1)]
    assert keys() == [(KEY, 0), ("levers/balance/film", 1), ("levers/balance/check", 2)]


def test_a_new_order_in_the_source_is_the_order_here(take_in):
    def unit(name: str) -> str:
        return f"---\ntitle: {name}\ntype: unit\n---\n"

    first = (
        "01-levers/module.md",
        "02-ropes/module.md",
        "03-wheels/module.md",
        "01-levers/01-b.md",
        "01-levers/02-c.md",
    )
    files: Files = {name: reading() if name.endswith(("b.md", "c.md")) else unit("U") for name in first}
    course = take_in(files, without=tuple(MARKDOWN.keys() - {"course.md", *first})).course
    assert outline(course)[1:] == [("levers", 1, 0), ("ropes", 1, 1), ("wheels", 1, 2)]

    # Wheels to the front, levers below ropes, page c before b, and d new between them.
    second: Files = {
        "01-wheels/module.md": unit("U"),
        "02-ropes/module.md": unit("U"),
        "02-ropes/01-levers/module.md": "---\nid: levers\ntitle: U\ntype: unit\n---\n",
        "02-ropes/01-levers/01-c.md": "---\nid: levers/c\n" + reading()[4:],
        "02-ropes/01-levers/02-d.md": "---\nid: levers/d\n" + reading()[4:],
        "02-ropes/03-b.md": "---\nid: levers/b\n" + reading()[4:],
    }
    result = take_in(second, without=tuple(MARKDOWN.keys() - {"course.md", *second}))
    assert (result.course, result.created, result.updated, result.unchanged) == (course, 1, 0, 2)
    assert outline(course)[1:] == [("wheels", 1, 0), ("ropes", 1, 1), ("levers", 2, 0)]
    assert keys("levers") == [("levers/c", 0), ("levers/d", 1)]
    assert keys("ropes") == [("levers/b", 0)]
    assert check_trees(fix=False) == []


def test_modules_and_items_made_here_stay_beside_their_neighbours(take_in, world):
    course = take_in().course
    levers = Module.objects.get(source_key="levers")
    create_module(by=None, course=course, parent=levers, type="lesson", title="Ours", position=1)
    balance = Module.objects.get(source_key="levers/balance")
    text = ContentType.objects.get(slug="text")
    data = {"format": "markdown", "body": "x"}
    create_item(by=None, module=balance, content_type=text, title="First", data=data, position=0)
    create_item(by=None, module=balance, content_type=text, title="After the film", data=data, position=3)
    before = everything()
    take_in()
    assert everything() == before

    take_in({"01-levers/00-new/module.md": "---\ntitle: New\ntype: topic\n---\n", f"{LESSON}/03-new.md": reading()})
    assert [row[0] for row in outline(course)] == [
        "Forces at rest",
        "levers",
        "levers/new",
        "levers/start",
        "Ours",
        "levers/balance",
    ]
    assert [key for key, _ in keys()] == [
        "First",
        KEY,
        "levers/balance/film",
        "After the film",
        "levers/balance/new",
        "levers/balance/check",
    ]
    assert check_trees(fix=False) == []


def test_a_module_moved_here_returns_to_its_place(take_in):
    course = take_in().course
    start = Module.objects.get(source_key="levers/start")
    move_module(by=None, module=start, target=Module.objects.get(source_key="levers/balance"), position="first-child")
    take_in()
    assert outline(course)[1:] == [("levers", 1, 0), ("levers/start", 2, 0), ("levers/balance", 2, 1)]
    assert check_trees(fix=False) == []


def test_dates_and_levels_set_here_stay_where_the_source_has_none(take_in, read, world):
    course = take_in().course
    module = Module.objects.get(source_key="levers")
    opens = course.created_at
    update_module(by=None, module=module, type="unit", title="Levers", available_from=opens)
    source, ledger = read()
    source.level = ""
    result = import_course(by=None, university=world.north, source=source, ledger=ledger)
    module.refresh_from_db()
    assert (module.available_from, result.course.level) == (opens, "intermediate")


def test_drafts_stay_drafts_until_somebody_publishes_them(take_in, read, world):
    source, ledger = read()
    source.root.modules[0].modules[1].items[0].is_draft = True
    import_course(by=None, university=world.north, source=source, ledger=ledger)
    assert item().status == ContentItem.Status.DRAFT
    result = take_in({READING: reading("Now with words.")})
    assert item().status == ContentItem.Status.DRAFT
    assert result.ledger.of(Outcome.DEGRADED) == [
        Entry(READING, "text item", Outcome.DEGRADED, "still a draft here; publish it when students should see it")
    ]


def test_the_subject_is_one_that_the_platform_knows(take_in):
    physics = Subject.objects.create(slug="physics", name="Physics")
    text = str(MARKDOWN["course.md"])
    assert take_in({"course.md": text.replace("code:", "subject: physics\ncode:")}).course.subject == physics
    result = take_in({"course.md": text.replace("code:", "subject: alchemy\ncode:")})
    assert result.course.subject == physics
    reason = "the subject 'alchemy' is not known here"
    assert result.ledger.of(Outcome.DEGRADED) == [Entry("course.md", "course", Outcome.DEGRADED, reason)]


def test_a_dry_run_does_all_and_leaves_nothing(take_in):
    before = everything()
    result = take_in(dry_run=True)
    assert (result.is_new, result.created, result.course.title) == (True, 3, "Forces at rest")
    assert (everything(), stored_files()) == (before, [])


@pytest.mark.parametrize("step", ["asset", "item"])
def test_a_failure_leaves_nothing_behind(take_in, read, world, monkeypatch, step):
    """The disc fills up in the middle of the files; an item of a type that nobody has loaded."""
    before = everything()
    if step == "item":
        ContentType.objects.filter(slug="quiz").delete()
        with pytest.raises(ImportRefused) as refusal:
            take_in()
        problem = "there is no content type 'quiz': run manage.py load_content_types first."
        assert str(refusal.value) == f"{LESSON}/10-check.md: {problem}"
    else:
        source, ledger = read()
        source.files.append(replace(source.files[0], path="gone.png", sha256="0" * 64, location=Path("gone.png")))
        with pytest.raises(FileNotFoundError):
            import_course(by=world.tess, university=world.north, source=source, ledger=ledger)
    assert (everything(), stored_files()) == (before, [])


def test_a_name_that_another_course_has(take_in, world):
    create_course(by=None, university=world.north, code="PHYS101", title="Another")
    before = everything()
    with pytest.raises(CourseExists):
        take_in()
    assert (everything(), stored_files()) == (before, [])


def test_each_university_has_its_own_course_of_a_source(take_in, read, world):
    north = take_in().course
    source, ledger = read()
    south = import_course(by=None, university=world.south, source=source, ledger=ledger).course
    assert (north.university, south.university, north.pk == south.pk) == (world.north, world.south, False)
    assert set(ContentItem.objects.filter(module__course=south).values_list("university", flat=True)) == {
        world.south.pk
    }
    assert set(MediaAsset.objects.filter(course=south).values_list("university", flat=True)) == {world.south.pk}


def test_who_may_import(read, world):
    for person, refusal in ((world.sam, NotAllowed), (world.oona, NotVisible)):
        source, ledger = read()
        with pytest.raises(refusal):
            import_course(by=person, university=world.north, source=source, ledger=ledger)
    source, ledger = read()
    import_course(by=None, university=world.north, source=source, ledger=ledger)
    for person, refusal in ((world.sam, NotVisible), (world.oona, NotVisible)):
        source, ledger = read()
        with pytest.raises(refusal):
            import_course(by=person, university=world.north, source=source, ledger=ledger)


def test_progress_counts_every_module_item_and_file(read, world):
    steps: list[tuple[int, int]] = []
    source, ledger = read()
    import_course(
        by=None,
        university=world.north,
        source=source,
        ledger=ledger,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert steps == [(done, 10) for done in range(1, 11)]


def test_items_cost_the_same_number_of_queries_however_many(read, world):
    def queries(pages: int) -> int:
        extra: Files = {f"{LESSON}/{number + 20}-page{number}.md": reading() for number in range(pages)}
        code = str(MARKDOWN["course.md"]).replace("PHYS101", f"P{pages}").replace("slug: forces", f"slug: s{pages}")
        source, ledger = read(extra | {"course.md": code})
        with CaptureQueriesContext(connection) as captured:
            import_course(by=None, university=world.north, source=source, ledger=ledger)
        return len(captured)

    assert queries(1) == queries(60)
