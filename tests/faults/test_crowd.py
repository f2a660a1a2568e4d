"""Many at once, and few connections to the database."""

import time
from collections.abc import Iterator

import pytest

from tests.faults.report import Fault, Judged
from tests.faults.stage import Place, Stage
from tests.faults.test_upstream import ended
from tests.faults.trial import Trial

STREAMS, POOL = 300, 4


@pytest.fixture(scope="module")
def stage(place: Place) -> Iterator[Stage]:
    with place.stage(DATABASE_POOL_SIZE=str(POOL)) as stage:
        yield stage


def test_pool_of_4_with_300_streams(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        asks = await trial.asks(STREAMS)
        for _ in asks:
            trial.will(trial.answer(25, pace_s=trial.chance.uniform(0.1, 0.3)))
        began_at = time.monotonic()
        readings = await trial.all_converse(asks)
        assert {ended(reading) for reading in readings} == {("complete", "")}
        fault.note = f"{time.monotonic() - began_at:.1f} s for all"

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario))
