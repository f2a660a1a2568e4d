"""PostgreSQL goes away under replies that stream, and comes back."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.faults.report import Fault, Judged
from tests.faults.rig import Postgres
from tests.faults.stage import Stage
from tests.faults.test_upstream import ended
from tests.faults.trial import Trial, in_thread
from tests.faults.waiting import pause

# What a process without its database may write into its log.
EXPECTED = '"code": 503|Service Unavailable|OperationalError|InterfaceError|PoolTimeout|psycopg.pool'
STREAMS, SENDS = 10, 10


@pytest.fixture(autouse=True)
def up_again(stage: Stage) -> Iterator[None]:
    """For the next test, whatever became of this one."""
    yield
    if not stage.postgres.cluster.is_ready():
        stage.postgres.start()


@pytest.mark.parametrize("way_down", ["stop", "crash"])
def test_postgres_restarted(stage: Stage, fault: Fault, judged: Judged, way_down: str):
    async def scenario(trial: Trial) -> None:
        down: Callable[[], None] = getattr(stage.postgres, way_down)
        await _streams_through(trial, lambda: _away(trial, stage.postgres, down))

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario), expected=EXPECTED)


def test_postgres_connections_terminated(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        await _streams_through(trial, lambda: _cut_again_and_again(trial))

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario), expected=EXPECTED)


async def _streams_through(trial: Trial, strike: "Callable[[], asyncio.Future[None] | object]") -> None:
    """Some replies stream when it strikes, some questions are sent meanwhile; all come to their end."""
    asks = await trial.asks(STREAMS + SENDS)
    for _ in asks:
        trial.will(trial.answer(100, pace_s=trial.chance.uniform(0.01, 0.06)))
    streams = asyncio.create_task(trial.all_converse(asks[:STREAMS]))
    await pause(trial.chance.uniform(0.3, 2))
    striking = asyncio.ensure_future(strike())
    await pause(trial.chance.uniform(0, 1))
    sends = asyncio.create_task(trial.all_converse(asks[STREAMS:]))
    await striking
    trial.fault_over()
    assert {ended(reading) for reading in await streams} == {("complete", "")}
    # Where the connection was cut in a commit nobody knows whether it happened: the question may be there and its
    # reply ended by the next who looks, but not the other way round.
    assert {ended(reading) for reading in await sends} <= {("complete", ""), ("failed", "interrupted")}


async def _away(trial: Trial, postgres: Postgres, down: Callable[[], None]) -> None:
    await in_thread(down)
    await pause(trial.chance.uniform(0, 2))
    await in_thread(postgres.start)


async def _cut_again_and_again(trial: Trial) -> None:
    for _ in range(6):
        await in_thread(trial.stage.postgres.end_sessions, trial.stage.database)
        await pause(trial.chance.uniform(0, 0.5))
