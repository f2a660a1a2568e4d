"""A budget that is nearly used up, and everybody at once."""

import asyncio

from tests.fakes.scripts import Answer, Gate
from tests.faults.report import Fault, Judged
from tests.faults.stage import NO_LIMIT, STUDENTS, Stage
from tests.faults.trial import Trial, in_thread
from tests.faults.waiting import until

SENDS = 200
_RESERVED = """
SELECT budget.scope, budget.reserved_tokens + budget.used_tokens AS taken,
       (SELECT coalesce(max(reserved_tokens), 0) FROM tutoring_generation) AS one
FROM tutoring_budget budget JOIN tenants_user person ON person.id = budget.subject_id AND budget.scope = 'user'
WHERE person.email = %s ORDER BY period_start DESC LIMIT 1
"""
_LIMIT = "UPDATE tutoring_tutorpolicy SET user_daily_tokens = %s, when_used_up = 'stop'"
_USED = """
SELECT coalesce(sum(used_tokens), 0)::bigint AS used
FROM tutoring_budget budget JOIN tenants_user person ON person.id = budget.subject_id AND budget.scope = 'user'
WHERE person.email = %s AND period_start = (SELECT max(period_start) FROM tutoring_budget WHERE scope = 'user')
"""


def test_tiny_budget_and_200_parallel_sends(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        asks = await trial.asks(SENDS, students=1)
        used = (await in_thread(stage.rows, _USED, STUDENTS[0]))[0]["used"]
        limit = used + trial.chance.randint(5_000, 60_000)
        await in_thread(stage.rows, _LIMIT, limit)
        trial.may_be_refused = {429, "budget"}
        gate = Gate()
        # All replies are held until every question has been taken or refused.
        stage.claude.default = trial.answer(5, gate=gate)
        try:
            conversations = asyncio.create_task(trial.all_converse(asks))
            await until(lambda: all(ask.ids or ask.refusal for ask in asks), 60, "answer to every send")
            row = (await in_thread(stage.rows, _RESERVED, STUDENTS[0]))[0]
        finally:
            gate.release()
        await conversations
        taken = len(trial.ledger.acknowledged)
        fault.note = (
            f"limit {limit - used}, {taken} taken, {row['taken'] - limit} over with {row['one']} reserved for each"
        )
        assert 0 < taken < SENDS
        assert 0 <= row["taken"] - limit <= row["one"], fault.note

    for chance in fault.chances():
        try:
            judged(Trial(stage, chance).run(scenario))
        finally:
            stage.claude.default = Answer()
            stage.rows(_LIMIT, NO_LIMIT)
