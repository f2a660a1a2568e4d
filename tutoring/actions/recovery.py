"""Ending the replies whose process is gone, with their text kept and what was set aside for them given back."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Length, Now
from django.utils import timezone

from tenants import doors
from tenants.throttles import forget_old_windows
from tenants.visits import within
from tutoring.actions.budgets import Spent
from tutoring.actions.generations import Outcome, end_generation
from tutoring.events import Ending
from tutoring.models import END_STATES, Generation, GenerationQuerySet, IdempotencyKey
from tutoring.providers.costs import cost_usd, estimated_usage
from tutoring.providers.protocol import Usage

log = structlog.get_logger(__name__)

# Any number that nothing else in this database locks by.
_ONE_WORKER = 7_310_442
# A phone that comes back after a month asks anew.
KEYS_KEPT = timedelta(days=30)
_ROUND, _KEYS_AT_ONCE = 200, 1000


@dataclass(frozen=True)
class Recovered:
    """A reply that was ended as interrupted; `length` of its text in code points."""

    generation: UUID
    university: str
    length: int


def lapsed_generations() -> GenerationQuerySet:
    """Live ones that nobody has renewed in time, the oldest first."""
    return Generation.objects.live().filter(lease_until__lt=Now()).order_by("lease_until")


def lapsed_replies(at_most: int) -> list[tuple[UUID, int]]:
    """Generation and university of those at all universities, the oldest first."""
    return [(generation_id, university_id) for generation_id, university_id in doors.ask("lapsed_replies", at_most)]


def show_lapsed(at_most: int = 1000) -> list[Recovered]:
    """What `recover_lapsed` would end, and how much text of each is there."""
    found: list[Recovered] = []
    for generation_id, university_id in lapsed_replies(at_most):
        with within(university_id):
            rows = lapsed_generations().filter(pk=generation_id)
            found += [Recovered(*row) for row in rows.values_list("pk", "university__slug", Length("message__body"))]
    return found


def recover_lapsed() -> list[Recovered]:
    """One worker at a time, in however many processes: another finds the lock taken and does nothing."""
    recovered: list[Recovered] = []
    for generation_id, university_id in lapsed_replies(_ROUND):
        try:
            with within(university_id):
                recovered += _recover(generation_id)
        except Exception:
            # Whatever is wrong with this row, the others' students do not wait for it.
            log.exception("tutor_reply_not_recovered", generation=str(generation_id))
    for each in recovered:
        log.warning("tutor_reply_recovered", generation=str(each.generation), length=each.length)
    return recovered


@transaction.atomic
def _recover(generation_id: UUID) -> list[Recovered]:
    """In a transaction of its own: counters of budgets are locked in one order within one reply alone."""
    return _end_lapsed(Generation.objects.filter(pk=generation_id)) if _is_only_worker() else []


def forget_what_is_old() -> None:
    """Counts of requests whose time is over, and idempotency keys that nobody will send again."""
    forget_old_windows()
    before = timezone.now() - KEYS_KEPT
    for (university_id,) in doors.ask("universities_with_old_keys", before):
        with within(university_id):
            old = IdempotencyKey.objects.filter(created_at__lt=before).values("pk")[:_KEYS_AT_ONCE]
            IdempotencyKey.objects.filter(pk__in=old).delete()


@transaction.atomic
def end_lapsed(session_id: UUID) -> int:
    """End the conversation's generation whose process is gone; the number ended, 0 or 1."""
    return len(_end_lapsed(Generation.objects.filter(session=session_id)))


@dataclass(frozen=True)
class SavedReply:
    """A reply as its row has it. `ending` is None while it is being made."""

    body: str
    ending: Ending | None


def read_reply(generation_id: UUID, university_id: int) -> SavedReply:
    """For readers of a reply that another process makes. A reply whose process is gone is ended on the way.

    One whose conversation was deleted meanwhile is over, without a text.
    """
    with within(university_id):
        return _read_reply(generation_id)


def _read_reply(generation_id: UUID) -> SavedReply:
    is_lapsed = Exists(lapsed_generations().filter(pk=OuterRef("pk")))
    rows = Generation.objects.select_related("message").annotate(is_lapsed=is_lapsed)
    generation = rows.filter(pk=generation_id).first()
    if generation is None:
        return SavedReply(body="", ending=Ending(state="stopped", stop_reason="deleted"))
    if cast(Any, generation).is_lapsed and end_lapsed(generation.session_id):
        generation = Generation.objects.select_related("message").get(pk=generation_id)
    return SavedReply(body=generation.message.body, ending=ending_of(generation))


def ending_of(generation: Generation) -> Ending | None:
    if generation.state not in END_STATES:
        return None
    return Ending(
        state=generation.state,
        code=generation.message.error_code,
        stop_reason=generation.stop_reason,
        usage=generation.usage.as_columns(),
    )


def end_by_its_row(generation: Generation, *, state: str, code: str = "", stop_reason: str = "") -> Outcome:
    """The end of a reply that its writer did not write, with what its row knows. `generation` has its message."""
    asked = max(0, generation.reserved_tokens - settings.TUTOR_MAX_OUTPUT_TOKENS) if generation.tries else 0
    usage, is_estimated = estimated_usage(generation.usage, generation.message.body, asked_tokens=asked)
    is_free = generation.provider == "practice" or usage == Usage()
    cost = None if is_free else cost_usd(usage, generation.model, settings.TUTOR_PRICES)
    return Outcome(
        state=state,
        code=code,
        stop_reason=stop_reason,
        spent=Spent(generation.provider, generation.model, usage, cost, is_estimated),
        ttft_ms=generation.ttft_ms,
        tries=generation.tries,
        trace_id=generation.trace_id,
    )


def _end_lapsed(rows: GenerationQuerySet) -> list[Recovered]:
    """Of the one generation of `rows`, when it has lapsed. One that somebody else is ending now is theirs."""
    lapsed = rows.live().filter(lease_until__lt=Now())
    generation = (
        lapsed.select_for_update(of=("self",), skip_locked=True).select_related("message", "university").first()
    )
    if generation is None:
        return []
    outcome = end_by_its_row(generation, state="failed", code="interrupted")
    if not end_generation(lapsed, None, outcome):
        return []
    return [Recovered(generation.pk, generation.university.slug, len(generation.message.body))]


def _is_only_worker() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_WORKER])
        row = cursor.fetchone()
    return bool(row and row[0])
