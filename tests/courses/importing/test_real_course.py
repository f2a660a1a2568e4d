"""The real course that stands beside the checkout on some machines, for trying only: nothing of it is copied."""

import re
from urllib.parse import unquote

import pytest
from django.conf import settings

from lms.courses.actions.content_types import load_content_types
from lms.courses.actions.tree import check_trees
from lms.courses.importing.reading import read_source
from lms.courses.importing.writing import import_course
from lms.courses.markdown import render_imported_html
from lms.courses.models import ContentItem, MediaAsset, Module

COURSE = settings.BASE_DIR.parent / "shared" / "data" / "open-edx-demo-course"
pytestmark = pytest.mark.skipif(not COURSE.is_dir(), reason="the course is not beside the checkout")


def test_the_whole_course_comes_in_and_a_second_time_changes_nothing(world):
    load_content_types()
    source, ledger = read_source(COURSE)
    first = import_course(by=None, university=world.north, source=source, ledger=ledger)

    assert {kind: count for kind, count in source.counts().items() if kind != "file"} == {
        "chapter": 6,
        "sequential": 17,
        "vertical": 58,
        "html item": 266,
        "video item": 11,
    }
    items = ContentItem.objects.filter(module__course=first.course).order_by("module__lft", "sequence_index")
    assert list(items.values_list("source_key", flat=True)) == [item.key for _, item in source.items()]
    assert items.filter(source_key__startswith="html/").count() == 266
    assert Module.objects.filter(course=first.course).count() == 1 + 6 + 17 + 58
    assert check_trees(fix=False) == []
    assert _pictures(items) <= set(MediaAsset.objects.filter(course=first.course).values_list("path", flat=True))
    assert len(_pictures(items)) == 45

    again, ledger = read_source(COURSE)
    second = import_course(by=None, university=world.north, source=again, ledger=ledger)
    assert (second.course, second.created, second.updated, second.unchanged) == (first.course, 0, 0, 277)
    assert set(items.values_list("revision", flat=True)) == {1}


def _pictures(items) -> set[str]:
    """Paths of the pictures that readers see."""
    pages = [render_imported_html(item.data["body"], media_prefix="/m/") for item in items if "body" in item.data]
    return {unquote(path) for page in pages for path in re.findall(r'<img[^>]* src="/m/([^"]+)"', page)}
