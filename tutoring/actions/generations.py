"""The life of a generation. Every step is a conditional UPDATE: who has lost the lease changes nothing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from tenants.models import User
from tenants.visits import within
from tutoring.access import access_generation
from tutoring.actions.budgets import Spent, rounded, settle
from tutoring.models import Generation, GenerationQuerySet, Message
from tutoring.providers.protocol import Usage

# How long a reply may go unsaved before its process is taken for dead.
LEASE_S = 15


@dataclass(frozen=True)
class Lease:
    """The right to write one generation: held by `owner` for its `attempt`, until somebody ends or takes it."""

    university: int
    generation: UUID
    reply: UUID
    owner: str
    attempt: int = 1

    def rows(self) -> GenerationQuerySet:
        return Generation.objects.live().filter(pk=self.generation, owner=self.owner, attempt=self.attempt)


@dataclass(frozen=True)
class Progress:
    """What a reply has come to so far: its text, and what is known of its cost should nobody come to end it."""

    lease: Lease
    body: str
    provider: str
    model: str
    usage: Usage
    tries: int


@dataclass(frozen=True)
class Outcome:
    """How a reply ended. `state` is complete, stopped or failed; `code` says why it failed."""

    state: str
    spent: Spent
    code: str = ""
    stop_reason: str = ""
    ttft_ms: int | None = None
    tries: int = 0
    trace_id: str = ""


# One statement for all replies of a university: a hundred streams cost one round trip, not two hundred.
_SAVE = """
WITH given AS (
    SELECT * FROM unnest(
        %(generation)s::uuid[], %(reply)s::uuid[], %(owner)s::text[], %(attempt)s::int[], %(body)s::text[],
        %(provider)s::text[], %(model)s::text[], %(tries)s::int[], %(input)s::int[], %(output)s::int[],
        %(cache_write)s::int[], %(cache_read)s::int[]
    ) AS row(
        generation, reply, owner, attempt, body, provider, model, tries, input, output, cache_write, cache_read
    )
), renewed AS (
    UPDATE tutoring_generation AS generation SET
        state = 'streaming', lease_until = statement_timestamp() + make_interval(secs => %(lease_s)s),
        provider = given.provider, model = given.model,
        tries = given.tries, input_tokens = given.input, output_tokens = given.output,
        cache_write_tokens = given.cache_write, cache_read_tokens = given.cache_read
    FROM given
    WHERE generation.id = given.generation AND generation.owner = given.owner
        AND generation.attempt = given.attempt AND generation.state IN ('pending', 'streaming')
    RETURNING generation.id, generation.stop_requested
), saved AS (
    UPDATE tutoring_message AS message SET body = given.body, state = 'streaming'
    FROM given JOIN renewed ON renewed.id = given.generation
    WHERE message.id = given.reply
)
SELECT id FROM renewed WHERE NOT stop_requested
"""


def save_progress(rows: Sequence[Progress]) -> set[UUID]:
    """Save texts and renew leases. The generations whose writers may go on: neither lost nor asked to stop.

    One statement for each university, all in one transaction.
    """
    by_university: dict[int, list[Progress]] = defaultdict(list)
    for row in rows:
        by_university[row.lease.university].append(row)
    going_on: set[UUID] = set()
    with transaction.atomic():
        for university_id, theirs in by_university.items():
            with within(university_id):
                going_on |= _save(theirs)
    return going_on


def _save(rows: Sequence[Progress]) -> set[UUID]:
    columns: dict[str, Any] = {
        "generation": [row.lease.generation for row in rows],
        "reply": [row.lease.reply for row in rows],
        "owner": [row.lease.owner for row in rows],
        "attempt": [row.lease.attempt for row in rows],
        "body": [row.body for row in rows],
        "provider": [row.provider for row in rows],
        "model": [row.model for row in rows],
        "tries": [row.tries for row in rows],
        "input": [row.usage.input_tokens for row in rows],
        "output": [row.usage.output_tokens for row in rows],
        "cache_write": [row.usage.cache_creation_input_tokens for row in rows],
        "cache_read": [row.usage.cache_read_input_tokens for row in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, {**columns, "lease_s": LEASE_S})
        return {generation for (generation,) in cursor.fetchall()}


def finish_generation(lease: Lease, body: str, outcome: Outcome) -> bool:
    """Write the end and settle what was set aside, once. False when somebody else has ended the generation before."""
    with within(lease.university), transaction.atomic():
        return end_generation(lease.rows(), body, outcome)


def end_generation(rows: GenerationQuerySet, body: str | None, outcome: Outcome) -> bool:
    """End the one generation of `rows`, in the caller's transaction; a `body` of None keeps the text of the row."""
    spent = rounded(outcome.spent)
    generation = rows.select_for_update(of=("self",)).select_related("session__offering").first()
    if generation is None:
        return False
    Generation.objects.filter(pk=generation.pk).update(
        state=outcome.state,
        stop_reason=outcome.stop_reason,
        provider=spent.provider,
        model=spent.model,
        tries=outcome.tries,
        cost_usd=spent.cost,
        is_estimated=spent.is_estimated,
        ttft_ms=outcome.ttft_ms,
        trace_id=outcome.trace_id,
        reserved_tokens=0,
        reserved_usd=Decimal(0),
        finished_at=Now(),
        **spent.usage.as_columns(),
    )
    text = {} if body is None else {"body": body}
    Message.objects.filter(pk=generation.message_id).update(
        state=outcome.state, error_code=outcome.code, finished_at=Now(), **text
    )
    settle(generation, spent)
    return True


def request_stop(*, by: User, generation_id: UUID, session_id: UUID | None = None) -> Generation:
    """Ask whichever process makes the reply to stop; after the end this changes nothing."""
    generation = access_generation(by, generation_id, session_id)
    Generation.objects.live().filter(pk=generation.pk).update(stop_requested=True)
    return generation
