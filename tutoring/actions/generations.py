"""The life of a generation. Every step is a conditional UPDATE: who has lost the lease changes nothing."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from tenants.models import User
from tutoring.access import access_generation
from tutoring.events import Ending
from tutoring.models import END_STATES, ChatSession, Generation, GenerationQuerySet, Message
from tutoring.providers.protocol import Usage

# How long a reply may go unsaved before its process is taken for dead.
LEASE_S = 15


@dataclass(frozen=True)
class Lease:
    """The right to write one generation: held by `owner` for its `attempt`, until somebody ends or takes it."""

    generation: UUID
    reply: UUID
    owner: str
    attempt: int = 1

    def rows(self) -> GenerationQuerySet:
        return Generation.objects.live().filter(pk=self.generation, owner=self.owner, attempt=self.attempt)


@dataclass(frozen=True)
class Outcome:
    """How a reply ended. `state` is complete, stopped or failed; `code` says why it failed."""

    state: str
    code: str = ""
    stop_reason: str = ""
    usage: Usage | None = None
    cost_usd: Decimal | None = None
    ttft_ms: int | None = None


@transaction.atomic
def save_progress(lease: Lease, body: str) -> bool:
    """Save the text so far and renew the lease. False when the writer must stop: lease lost, or stop asked for."""
    renewed = lease.rows().update(state=Message.State.STREAMING, lease_until=Now() + timedelta(seconds=LEASE_S))
    if not renewed:
        return False
    Message.objects.filter(pk=lease.reply).update(body=body, state=Message.State.STREAMING)
    return not Generation.objects.filter(pk=lease.generation, stop_requested=True).exists()


@transaction.atomic
def finish_generation(lease: Lease, body: str, outcome: Outcome) -> bool:
    """Write the end, once. False when somebody else has ended the generation before."""
    usage = outcome.usage or Usage()
    ended = lease.rows().update(
        state=outcome.state,
        stop_reason=outcome.stop_reason,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_write_tokens=usage.cache_creation_input_tokens,
        cache_read_tokens=usage.cache_read_input_tokens,
        cost_usd=outcome.cost_usd,
        ttft_ms=outcome.ttft_ms,
        finished_at=Now(),
    )
    if ended:
        Message.objects.filter(pk=lease.reply).update(
            body=body, state=outcome.state, error_code=outcome.code, finished_at=Now()
        )
    return bool(ended)


def request_stop(*, by: User, generation_id: UUID, session_id: UUID | None = None) -> Generation:
    """Ask whichever process makes the reply to stop; after the end this changes nothing."""
    generation = access_generation(by, generation_id, session_id)
    Generation.objects.live().filter(pk=generation.pk).update(stop_requested=True)
    return generation


def fail_lapsed(session: ChatSession | UUID) -> int:
    """End the conversation's generation whose process is gone, keeping its text; the number ended, 0 or 1."""
    session_id = session.pk if isinstance(session, ChatSession) else session
    with transaction.atomic():
        lapsed = list(
            Generation.objects.live()
            .select_for_update()
            .filter(session=session_id, lease_until__lt=Now())
            .values_list("pk", "message_id")
        )
        for generation_id, message_id in lapsed:
            Generation.objects.filter(pk=generation_id).update(state=Message.State.FAILED, finished_at=Now())
            Message.objects.filter(pk=message_id).update(
                state=Message.State.FAILED, error_code="interrupted", finished_at=Now()
            )
    return len(lapsed)


@dataclass(frozen=True)
class SavedReply:
    """A reply as its row has it. `ending` is None while it is being made."""

    body: str
    ending: Ending | None


def read_reply(generation_id: UUID) -> SavedReply:
    """For readers of a reply that another process makes. A reply whose process is gone is ended on the way."""
    generation = Generation.objects.select_related("message").get(pk=generation_id)
    if generation.state not in END_STATES and fail_lapsed(generation.session_id):
        generation.refresh_from_db()
    return SavedReply(body=generation.message.body, ending=ending_of(generation))


def ending_of(generation: Generation) -> Ending | None:
    if generation.state not in END_STATES:
        return None
    return Ending(
        state=generation.state,
        code=generation.message.error_code,
        stop_reason=generation.stop_reason,
        usage={
            "input_tokens": generation.input_tokens,
            "output_tokens": generation.output_tokens,
            "cache_write_tokens": generation.cache_write_tokens,
            "cache_read_tokens": generation.cache_read_tokens,
        },
    )
