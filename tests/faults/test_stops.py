"""Stopping a reply: at any time, more than once, too late, and by somebody else."""

import asyncio
import time

from tests.faults.ledger import Ask, Reading
from tests.faults.report import Fault, Judged
from tests.faults.stage import STRANGER, Stage
from tests.faults.test_upstream import ended
from tests.faults.trial import Trial
from tests.faults.upstream import by_mark
from tests.faults.waiting import pause, until

REACHES_UPSTREAM_S = 1.0


async def _begun(trial: Trial) -> tuple[Ask, "asyncio.Task[Reading]"]:
    """A reply of about four seconds that has been acknowledged."""
    trial.will(trial.answer(200))
    ask = await trial.ask()
    conversation = asyncio.create_task(trial.of(ask).converse(ask, trial.chance.choice(("sse", "socket"))))
    await until(lambda: ask.ids is not None, 10, "acknowledgement")
    return ask, conversation


def test_stop_at_a_random_time(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        begun = [await _begun(trial) for _ in range(8)]
        await asyncio.gather(*(_stop_in_a_while(trial, ask, conversation) for ask, conversation in begun))

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario))


async def _stop_in_a_while(trial: Trial, ask: Ask, conversation: "asyncio.Task[Reading]") -> None:
    await pause(trial.chance.uniform(0, 2))
    stopped_at = time.monotonic()
    assert await trial.of(ask).stop(ask) == 202
    assert ended(await conversation) == ("stopped", "")
    for request in by_mark(trial.stage.upstream_requests()).get(ask.mark, []):
        left_s = stopped_at + REACHES_UPSTREAM_S - time.monotonic()
        await until(request.ended.is_set, left_s, "end of the request within a second of the stop")


def test_stop_twice_at_once(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        ask, conversation = await _begun(trial)
        await pause(trial.chance.uniform(0, 1))
        assert await asyncio.gather(*(trial.of(ask).stop(ask) for _ in range(2))) == [202, 202]
        assert ended(await conversation) == ("stopped", "")

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario))


def test_stop_after_the_end(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        trial.will(trial.answer(10))
        ask = await trial.ask()
        assert ended(await trial.of(ask).converse(ask)) == ("complete", "")
        assert await trial.of(ask).stop(ask) == 202
        assert ended(await trial.of(ask).converse(ask)) == ("complete", "")

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario))


def test_stop_by_a_stranger(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        ask, conversation = await _begun(trial)
        stranger = trial.student(STRANGER)
        await pause(trial.chance.uniform(0, 1))
        assert await stranger.stop(ask) == 404
        assert await stranger.status_of_following(ask) == 404
        assert ended(await conversation) == ("complete", "")
        assert await stranger.stop(ask) == 404

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario))
