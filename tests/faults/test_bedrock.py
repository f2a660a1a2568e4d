"""The second provider: its errors in the stream, and taking over from the first."""

from collections.abc import Iterator

import pytest

from tests.faults.report import Fault, Judged
from tests.faults.stage import Place, Stage
from tests.faults.test_upstream import REFUSALS, TRIES, ended
from tests.faults.trial import Trial
from tests.faults.upstream import by_mark

# As Bedrock names them, to what a reply fails with.
EXCEPTIONS = {
    "ThrottlingException": "rate_limited",
    "InternalServerException": "provider_down",
    "ModelStreamErrorException": "provider_down",
    "ModelTimeoutException": "timeout",
    "ServiceUnavailableException": "overloaded",
}


@pytest.fixture(scope="module")
def bedrock_stage(place: Place) -> Iterator[Stage]:
    with place.stage(TUTOR_PROVIDER="bedrock") as stage:
        yield stage


@pytest.fixture(scope="module")
def failover_stage(place: Place) -> Iterator[Stage]:
    with place.stage(TUTOR_FAILOVER_PROVIDER="bedrock") as stage:
        yield stage


@pytest.mark.parametrize("texts", [0, 1, 20])
def test_bedrock_exception_frame_after_texts(bedrock_stage: Stage, fault: Fault, judged: Judged, texts: int):
    async def scenario(trial: Trial) -> None:
        exception = trial.chance.choice(sorted(EXCEPTIONS))
        broken = trial.answer(40, error_after=texts, error=exception)
        bedrock_stage.bedrock.will(broken, trial.answer(20))
        ask = await trial.ask()
        state, code = ended(await trial.of(ask).converse(ask))
        requests = by_mark(bedrock_stage.bedrock.requests)[ask.mark]
        if texts:
            assert (state, code, len(requests)) == ("failed", EXCEPTIONS[exception], 1)
        else:
            assert (state, code, len(requests)) == ("complete", "", 2)

    for chance in fault.chances():
        bedrock_stage.spare_breaker(1)
        judged(Trial(bedrock_stage, chance).run(scenario))


def test_failover_before_the_first_text(failover_stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        how, _ = REFUSALS[trial.chance.choice(["429", "500", "529"])]
        trial.will(*(trial.answer(20, **how) for _ in range(TRIES)))
        failover_stage.bedrock.will(trial.answer(20))
        ask = await trial.ask()
        assert ended(await trial.of(ask).converse(ask)) == ("complete", "")
        assert len(by_mark(failover_stage.claude.requests)[ask.mark]) == TRIES
        assert len(by_mark(failover_stage.bedrock.requests)[ask.mark]) == 1

    for chance in fault.chances():
        failover_stage.spare_breaker(TRIES)
        judged(Trial(failover_stage, chance).run(scenario))


def test_no_failover_after_the_first_text(failover_stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        trial.will(trial.answer(20, error_after=trial.chance.randint(1, 10), error="overloaded_error"))
        ask = await trial.ask()
        assert ended(await trial.of(ask).converse(ask)) == ("failed", "overloaded")
        assert ask.mark not in by_mark(failover_stage.bedrock.requests)

    for chance in fault.chances():
        failover_stage.spare_breaker(1)
        judged(Trial(failover_stage, chance).run(scenario))
