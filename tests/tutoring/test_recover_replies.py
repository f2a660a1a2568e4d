"""`manage.py recover_replies`: what it ends, what it gives back, what it says."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models.functions import Now

from tests.tutoring.rows import DAY, RESERVED, make_reply
from tests.world import World
from tutoring.models import Budget, Generation, Message, UsageEntry


def run(*arguments: str) -> list[str]:
    output = StringIO()
    call_command("recover_replies", *arguments, stdout=output)
    return output.getvalue().splitlines()


@pytest.fixture
def lapsed(world: World) -> Generation:
    """Sam's reply broke off ten seconds ago; another of his still runs, one of Oona's broke off long ago."""
    for scope, subject, start in (("user", world.sam.pk, DAY), ("course", world.course.pk, DAY.replace(day=1))):
        Budget.objects.create(university=world.north, scope=scope, subject_id=subject, period_start=start, **RESERVED)
    make_reply(world.sam, world.offering, world.item, "still", lease_until=Now() + timedelta(hours=1))
    long_ago = Now() - timedelta(hours=1)
    make_reply(world.oona, world.south_offering, world.south_item, "", lease_until=long_ago)
    return make_reply(world.sam, world.offering, world.item, "Samples vary 🎲")


def states() -> list[tuple[str, str]]:
    return sorted(Message.objects.values_list("state", "error_code"))


def test_ends_them_with_their_text_and_gives_back_what_was_reserved(lapsed: Generation, world: World) -> None:
    foreign = Generation.objects.get(university=world.south)
    assert run() == [
        f"{foreign.pk}  south  0 characters kept",
        f"{lapsed.pk}  north  14 characters kept",
        "2 replies ended as interrupted.",
    ]
    assert states() == [("failed", "interrupted"), ("failed", "interrupted"), ("streaming", "")]
    assert Message.objects.get(generation=lapsed).body == "Samples vary 🎲"
    assert list(Budget.objects.values_list("reserved_tokens", "reserved_usd")) == [(0, 0), (0, 0)]
    assert UsageEntry.objects.filter(generation=lapsed.pk).count() == 1


def test_again_finds_nothing(lapsed: Generation) -> None:
    run()
    assert run() == ["No reply waits for a process that is gone."]


def test_a_dry_run_names_them_and_changes_nothing(lapsed: Generation, world: World) -> None:
    foreign = Generation.objects.get(university=world.south)
    said = [
        f"{foreign.pk}  south  0 characters kept",
        f"{lapsed.pk}  north  14 characters kept",
        "2 replies would be ended as interrupted.",
    ]
    assert (run("--dry-run"), run("--dry-run")) == (said, said)
    assert states() == [("streaming", "")] * 3
    assert list(Budget.objects.values_list("reserved_tokens", flat=True)) == [3000, 3000]


def test_one_is_spoken_of_as_one(lapsed: Generation, world: World) -> None:
    Generation.objects.filter(university=world.south).delete()
    assert run("--dry-run")[-1] == "1 reply would be ended as interrupted."
    assert run()[-1] == "1 reply ended as interrupted."
