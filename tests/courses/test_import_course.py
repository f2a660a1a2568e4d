"""`manage.py import_course`, as an operator sees it."""

import io

import pytest
from django.core.management import CommandError, call_command

from lms.courses.actions.content_types import load_content_types
from lms.courses.models import Course
from tests.courses.importing.samples import MARKDOWN, OLX, write


@pytest.fixture
def run(world, tmp_path):
    load_content_types()

    def run(path, *options: str) -> list[str]:
        out = io.StringIO()
        call_command("import_course", str(path), "--university", "north", *options, stdout=out, no_color=True)
        return out.getvalue().splitlines()

    return run


def test_an_open_edx_course_and_its_ledger(run, tmp_path):
    assert run(write(tmp_path / "olx", OLX)) == [
        "Not mapped:",
        "  problem problem/p1: problems are not imported yet",
        "  wiki wiki/run1.2: elements of this kind are not imported yet",
        "  file static/unused.png: no imported page uses it",
        "APP7 “Apples”: a new draft.",
        "Contents: 2 chapters, 1 sequential, 1 vertical, 2 html items, 1 video item, 2 files.",
        "Items: 3 created, 0 updated, 0 unchanged, 0 kept as edited here.",
        "Ledger: 11 mapped, 0 degraded, 0 refused, 3 not mapped, 0 kept.",
    ]


def test_a_second_import_updates(run, tmp_path):
    course = write(tmp_path / "course", MARKDOWN)
    run(course)
    assert run(course) == [
        "PHYS101 “Forces at rest”: brought up to date.",
        "Contents: 1 unit, 1 topic, 1 lesson, 1 text item, 1 video item, 1 quiz item, 3 files.",
        "Items: 0 created, 0 updated, 3 unchanged, 0 kept as edited here.",
        "Ledger: 10 mapped, 0 degraded, 0 refused, 0 not mapped, 0 kept.",
    ]


def test_a_dry_run_shows_the_whole_ledger_and_writes_nothing(run, tmp_path):
    lines = run(write(tmp_path / "course", MARKDOWN), "--dry-run")
    assert lines[:3] == ["Mapped:", "  course course.md", "  unit 01-levers/module.md"]
    assert lines[-4:] == [
        "PHYS101 “Forces at rest”: not imported, this was a dry run.",
        "Contents: 1 unit, 1 topic, 1 lesson, 1 text item, 1 video item, 1 quiz item, 3 files.",
        "Items: 3 created, 0 updated, 0 unchanged, 0 kept as edited here.",
        "Ledger: 10 mapped, 0 degraded, 0 refused, 0 not mapped, 0 kept.",
    ]
    assert not Course.objects.filter(code="PHYS101").exists()


def test_the_source_wins_only_when_told_to(run, tmp_path):
    course = write(tmp_path / "course", MARKDOWN)
    run(course)
    item = Course.objects.get(code="PHYS101").modules.get(title="Balance").items.first()
    item.title = "Edited here"
    item.save()
    reading = course / "01-levers/02-balance/01-reading.md"
    reading.write_text(reading.read_text().replace("torques", "moments"))
    assert run(course)[:2] == [
        "Kept:",
        "  text item 01-levers/02-balance/01-reading.md: "
        "edited here since the last import, and changed in the source too",
    ]
    assert "Items: 0 created, 1 updated, 2 unchanged, 0 kept as edited here." in run(course, "--overwrite")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"chapter/c1.xml": "<chapter>"}, "chapter/c1.xml, line 1: is not well-formed XML."),
        (
            {"course.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"},
            "course.xml: declares entities or a document type, which no course export needs.",
        ),
        (
            {"html/h1.xml": '<html filename="gone"/>'},
            "html/h1.xml, line 1: html/gone.html is named here but is not there.",
        ),
        (
            {"html/h1.xml": '<html filename="../../x"/>'},
            "html/h1.xml: the path 'html/../../x.html' leads out of the course.",
        ),
    ],
)
def test_what_is_wrong_is_one_clear_sentence_and_leaves_nothing(run, tmp_path, changes, sentence):
    with pytest.raises(CommandError) as refusal:
        run(write(tmp_path / "olx", OLX | changes))
    assert str(refusal.value) == sentence
    assert not Course.objects.filter(code="APP7").exists()


def test_a_university_that_is_not_there(world, tmp_path):
    with pytest.raises(CommandError) as refusal:
        call_command("import_course", str(tmp_path), "--university", "west")
    assert str(refusal.value) == "There is no university 'west'."
