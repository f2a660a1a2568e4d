"""A provider that refuses, breaks off or falls silent."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.fakes.scripts import Answer, Gate
from tests.faults.ledger import Reading
from tests.faults.report import Fault, Judged
from tests.faults.stage import Place, Stage
from tests.faults.trial import Trial
from tests.faults.upstream import by_mark
from tests.faults.waiting import until

TRIES = 3
# To the arguments of an answer, and what a reply fails with that meets nothing else.
REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "429": ({"status": 429, "error": "rate_limit_error"}, "rate_limited"),
    "429-retry-after": ({"status": 429, "error": "rate_limit_error", "headers": {"retry-after": "1"}}, "rate_limited"),
    "500": ({"status": 500, "error": "api_error"}, "provider_down"),
    "529": ({"status": 529, "error": "overloaded_error"}, "overloaded"),
}


@pytest.fixture(scope="module")
def stage(place: Place) -> Iterator[Stage]:
    with place.stage(TUTOR_FIRST_EVENT_S="1", TUTOR_SILENCE_S="1", TUTOR_TEXT_SILENCE_S="2") as stage:
        yield stage


def ended(reading: Reading) -> tuple[str, str]:
    assert reading.done, reading.ask.refusal or reading.wrongs
    return reading.done["state"], reading.done["code"]


@pytest.mark.parametrize("kind", REFUSALS)
def test_refused_before_the_start(stage: Stage, fault: Fault, judged: Judged, kind: str):
    how, code = REFUSALS[kind]

    async def scenario(trial: Trial) -> None:
        refusals = trial.chance.randint(1, TRIES)
        trial.will(*(Answer(**how) for _ in range(refusals)), trial.answer(20))
        ask = await trial.ask()
        reading = await trial.of(ask).converse(ask)
        assert ended(reading) == (("failed", code) if refusals == TRIES else ("complete", ""))
        requests = by_mark(stage.upstream_requests())[ask.mark]
        assert len(requests) == min(refusals + 1, TRIES)
        if "headers" in how:
            arrived = [request.received_at for request in requests]
            assert all(later - earlier >= 1 for earlier, later in pairwise(arrived))

    for chance in fault.chances():
        stage.spare_breaker(TRIES)
        judged(Trial(stage, chance).run(scenario))


@pytest.mark.parametrize("texts", [0, 1, 20])
def test_error_event_under_200_after_texts(stage: Stage, fault: Fault, judged: Judged, texts: int):
    async def scenario(trial: Trial) -> None:
        trial.will(trial.answer(40, error_after=texts, error="overloaded_error"), trial.answer(20))
        ask = await trial.ask()
        reading = await trial.of(ask).converse(ask)
        # Only what has not been shown may begin again.
        assert ended(reading) == (("failed", "overloaded") if texts else ("complete", ""))
        assert len(by_mark(stage.upstream_requests())[ask.mark]) == (1 if texts else 2)

    for chance in fault.chances():
        stage.spare_breaker(1)
        judged(Trial(stage, chance).run(scenario))


@pytest.mark.parametrize("hang", ["without_headers", "with_headers", "with_pings", "after_texts"])
def test_silence(stage: Stage, fault: Fault, judged: Judged, hang: str):
    async def scenario(trial: Trial) -> None:
        texts = trial.chance.randint(1, 20) if hang == "after_texts" else 0
        silent = {"gate": Gate(), "gate_after": texts} if texts else {"hang": hang}
        trial.will(trial.answer(40, **silent), trial.answer(20))
        ask = await trial.ask()
        reading = await trial.of(ask).converse(ask)
        # Whether a silent provider is asked again before the first text is the product's choice; after it, never.
        assert ended(reading) in {("failed", "timeout")} | (set() if texts else {("complete", "")})
        silent_one = by_mark(stage.upstream_requests())[ask.mark][0]
        await until(silent_one.ended.is_set, 2, "end of the request that said nothing")

    for chance in fault.chances():
        stage.spare_breaker(1)
        judged(Trial(stage, chance).run(scenario))
