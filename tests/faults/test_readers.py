"""Readers who leave and come back."""

import asyncio
from contextlib import suppress

import pytest

from tests.faults.clients import WAYS, Way
from tests.faults.ledger import Ask
from tests.faults.report import Fault, Judged
from tests.faults.stage import Stage
from tests.faults.trial import Trial
from tests.faults.waiting import pause


@pytest.mark.parametrize("way", ["sse", "socket"])
def test_reader_leaves_after_0_to_50_events(stage: Stage, fault: Fault, judged: Judged, way: Way):
    async def scenario(trial: Trial) -> None:
        asks = await trial.asks(51)
        for _ in asks:
            trial.will(trial.answer(55, pace_s=trial.chance.uniform(0.01, 0.04)))
        await asyncio.gather(*(_leave_and_come_back(trial, ask, way, events) for events, ask in enumerate(asks)))

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario))


async def _leave_and_come_back(trial: Trial, ask: Ask, way: Way, events: int) -> None:
    reading, student = trial.ledger.reading(ask), trial.of(ask)
    away_s, back = trial.chance.uniform(0, 1), trial.chance.choice(WAYS)
    if events:
        await student.take_part(ask, reading, way, leave_after=events)
    else:
        # Who leaves before the first event leaves anywhere in the send.
        with suppress(TimeoutError):
            async with asyncio.timeout(trial.chance.uniform(0, 0.3)):
                await student.take_part(ask, reading, way)
    await pause(away_s)
    await student.converse(ask, back, reading)
