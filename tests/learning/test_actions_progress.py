from datetime import timedelta

import pytest
from django.utils import timezone

from lms.courses.models import ContentItem
from lms.learning.actions.progress import mark_done, note_place
from lms.learning.models import Enrollment, ItemProgress
from tenants.errors import NotVisible
from tests import factories
from tests.world import World


def test_done_is_kept_for_good(world: World) -> None:
    first = mark_done(by=world.sam, enrollment=world.enrollment, item=world.item)
    again = mark_done(by=world.sam, enrollment=world.enrollment, item=world.item)

    assert again == first
    rows = ItemProgress.objects.values_list("university", "enrollment", "content_item", "completed_at")
    assert list(rows) == [(world.north.pk, world.enrollment.pk, world.item.pk, first.completed_at)]


def test_only_the_student_marks_and_only_what_belongs_to_the_course(world: World) -> None:
    draft = factories.make_text(world.lesson, "Draft", "x", status=ContentItem.Status.DRAFT)
    for person, item in [(world.oona, world.item), (world.sam, world.south_item), (world.sam, draft)]:
        with pytest.raises(NotVisible):
            mark_done(by=person, enrollment=world.enrollment, item=item)
    world.enrollment.status = Enrollment.Status.DROPPED
    with pytest.raises(NotVisible):
        mark_done(by=world.sam, enrollment=world.enrollment, item=world.item)
    assert not ItemProgress.objects.exists()


def test_the_place_is_noted_once_for_a_while(world: World, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        note_place(world.enrollment, world.item)
    world.enrollment.refresh_from_db()
    assert (world.enrollment.last_item, timezone.now() - world.enrollment.last_seen_at < timedelta(seconds=30)) == (
        world.item,
        True,
    )
    with django_assert_num_queries(0):
        note_place(world.enrollment, world.item)


def test_the_place_moves_with_the_student(world: World) -> None:
    note_place(world.enrollment, world.item)
    world.enrollment.refresh_from_db()
    note_place(world.enrollment, world.second_item)
    assert Enrollment.objects.get(pk=world.enrollment.pk).last_item == world.second_item


def test_a_later_visit_counts_anew(world: World) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    Enrollment.objects.filter(pk=world.enrollment.pk).update(last_item=world.item, last_seen_at=long_ago)
    world.enrollment.refresh_from_db()
    note_place(world.enrollment, world.item)
    assert Enrollment.objects.get(pk=world.enrollment.pk).last_seen_at > long_ago
