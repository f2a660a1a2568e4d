"""Each thing that the judge looks for, done to the rows by hand: it has to be seen, and under its own name."""

import time
from collections.abc import Iterator
from random import Random

import pytest

from tests.faults.judge import judge
from tests.faults.stage import Place, Stage
from tests.faults.trial import Trial

_REPLY = "WHERE session_id = %s AND role = 'assistant'"
_TWIN = """
INSERT INTO tutoring_message
SELECT (jsonb_populate_record(message, jsonb_build_object('id', gen_random_uuid(), 'seq', 3))).*
FROM tutoring_message message WHERE session_id = %s AND role = 'user'
"""
# To a statement about the conversation, what the judge says about it.
HARM = {
    "lost": ("UPDATE tutoring_message SET body = 'Why?' WHERE session_id = %s AND role = 'user'", "is not stored so"),
    "doubled": (_TWIN, "was stored 2 times"),
    "numbers": (f"UPDATE tutoring_message SET seq = 7 {_REPLY}", "has the numbers [1, 7]"),
    "short": (
        f"UPDATE tutoring_message SET body = left(body, -9) {_REPLY}",
        "is complete without its last 9 characters",
    ),
    "other": (f"UPDATE tutoring_message SET body = 'x' || body {_REPLY}", "is not what the provider sent"),
    "told": (f"UPDATE tutoring_message SET body = body || 'x' {_REPLY}", "a reader was told"),
    "stuck": ("UPDATE tutoring_generation SET state = 'streaming' WHERE session_id = %s", "1 replies are pending"),
    "late": ("UPDATE tutoring_generation SET finished_at = now() + '1 hour' WHERE session_id = %s", "ended later than"),
    "tries": ("UPDATE tutoring_generation SET tries = 2 WHERE session_id = %s", "1 requests, 2 tries"),
    "reserved": (
        "UPDATE tutoring_budget SET reserved_tokens = reserved_tokens + 5 WHERE scope = 'user' AND %s <> ''",
        "budget ('user'",
    ),
    "unbooked": (
        "DELETE FROM tutoring_usageentry WHERE generation IN"
        " (SELECT id FROM tutoring_generation WHERE session_id = %s)",
        "budget ('university'",
    ),
}


@pytest.fixture(scope="module")
def stage(place: Place) -> Iterator[Stage]:
    """Of its own, since its rows are not whole afterwards."""
    with place.stage() as stage:
        yield stage


@pytest.mark.parametrize("harm", HARM)
def test_judge_sees_harm(stage: Stage, harm: str):
    statement, words = HARM[harm]

    async def scenario(trial: Trial) -> None:
        trial.will(trial.answer(10, pace_s=0.001))
        ask = await trial.ask()
        await trial.of(ask).converse(ask)

    trial = Trial(stage, Random(1)).run(scenario)
    assert judge(trial).wrongs == []
    stage.rows(statement, trial.ledger.asks[0].session)
    trial.fault_over_at = time.time() - 20 if harm == "stuck" else trial.fault_over_at
    assert [wrong for wrong in judge(trial).wrongs if words in wrong]


def test_judge_sees_text_lost_in_a_cut(stage: Stage):
    """Three seconds of text that were sent before a cut and are in no row."""

    async def scenario(trial: Trial) -> None:
        trial.will(trial.answer(300, pace_s=0.01))
        ask = await trial.ask()
        await trial.of(ask).converse(ask)

    trial = Trial(stage, Random(1)).run(scenario)
    (ask,) = trial.ledger.asks
    trial.cut_at = stage.upstream_requests()[-1].sent_at[-1]
    for table in ("tutoring_message", "tutoring_generation"):
        stage.rows(f"UPDATE {table} SET state = 'failed' WHERE session_id = %s", ask.session)
    stage.rows(f"UPDATE tutoring_message SET body = left(body, 20) {_REPLY}", ask.session)
    verdict = judge(trial)
    assert verdict.seconds_lost > 2.5
    assert [wrong for wrong in verdict.wrongs if "lacks" in wrong]
