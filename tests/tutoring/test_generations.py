from decimal import Decimal
from uuid import uuid4

import pytest

from tenants.errors import NotVisible
from tests.tutoring.scenes import ME, ask, sams_session
from tutoring.actions.generations import (
    Lease,
    Outcome,
    fail_lapsed,
    finish_generation,
    read_reply,
    request_stop,
    save_progress,
)
from tutoring.events import Ending
from tutoring.models import Generation, Message
from tutoring.providers.protocol import Usage


@pytest.fixture
def sent(world):
    return ask(world, sams_session(world))


def lease_of(sent, **changes):
    return Lease(**({"generation": sent.generation, "reply": sent.reply, "owner": ME} | changes))


def facts(sent):
    reply, generation = Message.objects.get(pk=sent.reply), Generation.objects.get(pk=sent.generation)
    return reply.state, reply.body, reply.error_code, generation.state


def test_progress_is_saved_and_the_lease_renewed(sent):
    before = Generation.objects.get(pk=sent.generation).lease_until
    assert save_progress(lease_of(sent), "Half a re") is True
    assert facts(sent) == ("streaming", "Half a re", "", "streaming")
    assert Generation.objects.get(pk=sent.generation).lease_until >= before


def test_the_end_is_written_once_with_usage_and_cost(sent):
    usage = Usage(input_tokens=10, output_tokens=20, cache_creation_input_tokens=30, cache_read_input_tokens=40)
    outcome = Outcome(state="complete", stop_reason="end_turn", usage=usage, cost_usd=Decimal("0.001234"), ttft_ms=56)
    assert finish_generation(lease_of(sent), "A reply.", outcome) is True
    assert finish_generation(lease_of(sent), "Another end", Outcome(state="failed", code="timeout")) is False
    assert save_progress(lease_of(sent), "Late text") is False

    assert facts(sent) == ("complete", "A reply.", "", "complete")
    generation = Generation.objects.get(pk=sent.generation)
    assert (generation.cost_usd, generation.ttft_ms) == (Decimal("0.001234"), 56)
    assert read_reply(sent.generation).ending == Ending(
        state="complete",
        stop_reason="end_turn",
        usage={"input_tokens": 10, "output_tokens": 20, "cache_write_tokens": 30, "cache_read_tokens": 40},
    )


@pytest.mark.parametrize("changes", [{"owner": "somebody-else"}, {"attempt": 2}])
def test_without_the_lease_nothing_is_written(sent, changes):
    assert save_progress(lease_of(sent, **changes), "Intruder") is False
    assert finish_generation(lease_of(sent, **changes), "Intruder", Outcome(state="complete")) is False
    assert facts(sent) == ("pending", "", "", "pending")


def test_a_stop_is_seen_by_the_writer_and_is_idempotent(world, sent):
    for _ in range(2):
        request_stop(by=world.sam, generation_id=sent.generation)
    assert save_progress(lease_of(sent), "Half") is False
    assert facts(sent) == ("streaming", "Half", "", "streaming")

    finish_generation(lease_of(sent), "Half", Outcome(state="stopped"))
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
    assert fail_lapsed(sent.session) == 0
    assert facts(sent) == ("pending", "", "", "pending")
    save_progress(lease_of(sent), "Half a")
    Generation.objects.filter(pk=sent.generation).update(lease_until="2020-01-01T00:00:00Z")

    reply = read_reply(sent.generation)
    assert (reply.body, reply.ending.state, reply.ending.code) == ("Half a", "failed", "interrupted")
    assert facts(sent) == ("failed", "Half a", "interrupted", "failed")
    # The process turns out to be alive after all: what it writes late is refused.
    assert finish_generation(lease_of(sent), "Half a reply", Outcome(state="complete")) is False
