"""Redis goes away between two processes, one of which makes the replies that the other's readers follow."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.faults.clients import Student
from tests.faults.ledger import Ask, Reading
from tests.faults.report import Fault, Judged
from tests.faults.rig import Redis
from tests.faults.stage import Place, Stage
from tests.faults.test_upstream import ended
from tests.faults.trial import Trial, in_thread
from tests.faults.waiting import pause, until

# A process without Redis may say so.
EXPECTED = r"redis|Redis|Connection closed by server|Timeout reading from"
STREAMS = 6


@dataclass
class Pair:
    """Two processes of one site."""

    stage: Stage
    redis: Redis


@pytest.fixture(scope="module")
def pair(place: Place) -> Iterator[Pair]:
    redis = Redis(place.folder)
    try:
        redis.start()
        with place.stage(servers=2, REDIS_URL=redis.url) as stage:
            yield Pair(stage, redis)
    finally:
        redis.stop()


@pytest.fixture(autouse=True)
def up_again(pair: Pair) -> Iterator[None]:
    """For the next test, whatever became of this one."""
    yield
    if not pair.redis.is_running:
        pair.redis.start()


async def _undisturbed(trial: Trial, redis: Redis) -> None:
    await pause(1)


async def _stopped(trial: Trial, redis: Redis) -> None:
    await in_thread(redis.stop)
    await pause(trial.chance.uniform(0.2, 2.5))
    await in_thread(redis.start)


async def _flushed(trial: Trial, redis: Redis) -> None:
    for _ in range(5):
        await in_thread(redis.flush)
        await pause(trial.chance.uniform(0, 0.4))


async def _held(trial: Trial, redis: Redis) -> None:
    seconds = trial.chance.uniform(0.5, 2.5)
    await in_thread(redis.hold, seconds)
    await pause(seconds)


async def _frozen(trial: Trial, redis: Redis) -> None:
    redis.freeze()
    try:
        await pause(trial.chance.uniform(0.5, 2.5))
    finally:
        redis.thaw()


STRIKES: dict[str, Callable[[Trial, Redis], Awaitable[None]]] = {
    "undisturbed": _undisturbed,
    "stopped": _stopped,
    "flushed": _flushed,
    "paused": _held,
    "frozen": _frozen,
}


@pytest.mark.parametrize("strike", STRIKES)
def test_redis(pair: Pair, fault: Fault, judged: Judged, strike: str):
    async def scenario(trial: Trial) -> None:
        asks = await trial.asks(STREAMS)
        for _ in asks:
            trial.will(trial.answer(200, pace_s=trial.chance.uniform(0.01, 0.025)))
        making, following = pair.stage.servers
        makers = [trial.student(ask.student, making.url).converse(ask) for ask in asks]
        followers = [_follow(trial, ask, trial.student(ask.student, following.url)) for ask in asks]
        conversations = asyncio.gather(*makers, *followers)
        await pause(trial.chance.uniform(0.3, 1.5))
        await STRIKES[strike](trial, pair.redis)
        trial.fault_over()
        readings = await conversations
        assert {ended(reading) for reading in readings} == {("complete", "")}
        assert sum(reading.gaps for reading in readings) == 0

    for chance in fault.chances():
        judged(Trial(pair.stage, chance).run(scenario), expected=EXPECTED)


async def _follow(trial: Trial, ask: Ask, student: Student) -> Reading:
    """From the process that does not make the reply."""
    await until(lambda: ask.ids is not None, 20, "acknowledgement")
    return await student.converse(ask, trial.chance.choice(("sse", "socket")))
