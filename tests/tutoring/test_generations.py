from decimal import Decimal
from uuid import uuid4

import pytest

from tenants.errors import NotVisible
from tests.tutoring.scenes import ask, end, lease_of, sams_session, save
from tutoring.actions.budgets import Spent
from tutoring.actions.generations import request_stop
from tutoring.actions.recovery import end_lapsed, read_reply
from tutoring.events import Ending
from tutoring.models import Generation, Message
from tutoring.providers.protocol import Usage


@pytest.fixture
def sent(world):
    return ask(world, sams_session(world))


def facts(sent):
    reply, generation = Message.objects.get(pk=sent.reply), Generation.objects.get(pk=sent.generation)
    return reply.state, reply.body, reply.error_code, generation.state


def test_progress_is_saved_and_the_lease_renewed(sent):
    before = Generation.objects.get(pk=sent.generation).lease_until
    assert save(sent, "Half a re") is True
    assert facts(sent) == ("streaming", "Half a re", "", "streaming")
    assert Generation.objects.get(pk=sent.generation).lease_until >= before


def test_the_end_is_written_once_with_usage_and_cost(sent):
    usage = Usage(input_tokens=10, output_tokens=20, cache_creation_input_tokens=30, cache_read_input_tokens=40)
    spent = Spent("anthropic", "a-model", usage, Decimal("0.0012339"))
    assert end(sent, spent=spent, stop_reason="end_turn", ttft_ms=56) is True
    assert end(sent, "Another end", "failed", code="timeout") is False
    assert save(sent, "Late text") is False

    assert facts(sent) == ("complete", "A reply.", "", "complete")
    generation = Generation.objects.get(pk=sent.generation)
    assert (generation.cost_usd, generation.ttft_ms) == (Decimal("0.001234"), 56)
    assert read_reply(sent.generation, sent.university).ending == Ending(
        state="complete",
        stop_reason="end_turn",
        usage={"input_tokens": 10, "output_tokens": 20, "cache_write_tokens": 30, "cache_read_tokens": 40},
    )


@pytest.mark.parametrize("changes", [{"owner": "somebody-else"}, {"attempt": 2}])
def test_without_the_lease_nothing_is_written(sent, changes):
    assert save(sent, "Intruder", **changes) is False
    assert end(sent, "Intruder", lease=lease_of(sent, **changes)) is False
    assert facts(sent) == ("pending", "", "", "pending")


def test_a_stop_is_seen_by_the_writer_and_is_idempotent(world, sent):
    for _ in range(2):
        request_stop(by=world.sam, generation_id=sent.generation)
    assert save(sent, "Half") is False
    assert facts(sent) == ("streaming", "Half", "", "streaming")

    end(sent, "Half", "stopped")
    request_stop(by=world.sam, generation_id=sent.generation)
    assert facts(sent) == ("stopped", "Half", "", "stopped")


def test_strangers_cannot_stop(world, sent):
    for stranger in (world.oona, world.tess, world.platform):
        with pytest.raises(NotVisible):
            request_stop(by=stranger, generation_id=sent.generation)
    with pytest.raises(NotVisible):
        request_stop(by=world.sam, generation_id=uuid4())
    assert Generation.objects.get(pk=sent.generation).stop_requested is False


def test_only_lapsed_replies_are_ended(sent):
    assert end_lapsed(sent.session) == 0
    assert facts(sent) == ("pending", "", "", "pending")
    save(sent, "Half a")
    Generation.objects.filter(pk=sent.generation).update(lease_until="2020-01-01T00:00:00Z")

    reply = read_reply(sent.generation, sent.university)
    assert (reply.body, reply.ending.state, reply.ending.code) == ("Half a", "failed", "interrupted")
    assert facts(sent) == ("failed", "Half a", "interrupted", "failed")
    # The process turns out to be alive after all: what it writes late is refused.
    assert end(sent, "Half a reply") is False
