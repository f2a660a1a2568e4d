"""Sends that come together."""

import asyncio

from tests.fakes.scripts import Gate
from tests.faults.clients import Way
from tests.faults.ledger import Ask
from tests.faults.report import Fault, Judged
from tests.faults.stage import Stage
from tests.faults.test_upstream import ended
from tests.faults.trial import Trial
from tests.faults.upstream import by_mark
from tests.faults.waiting import until

SENDS, COPIES = 50, 20


def test_50_sends_from_two_tabs_in_one_conversation(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        gate = Gate()
        trial.will(trial.answer(10, gate=gate, gate_after=5))
        asks = [await trial.ask()]
        asks += [await trial.again(asks[0]) for _ in range(SENDS - 1)]
        trial.may_be_refused = {409, "generation_running"}
        try:
            conversations = asyncio.create_task(trial.all_converse(asks))
            await until(lambda: _refused(asks) >= SENDS - 1, 30, "refusal of all but one")
        finally:
            gate.release()
        await conversations
        (running,) = trial.ledger.acknowledged
        assert {ask.refusal[1]["generation"] for ask in asks if ask.refusal} == {running.generation}
        assert sum(len(by_mark(stage.upstream_requests()).get(ask.mark, [])) for ask in asks) == 1
        # What the refusal names is what the second tab follows, from its beginning.
        reading = await trial.of(running).converse(running, "socket")
        assert ended(reading) == ("complete", "")

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario))


def _refused(asks: list[Ask]) -> int:
    return sum(ask.refusal is not None for ask in asks)


def test_same_send_20_times(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        trial.will(trial.answer(40))
        ask = await trial.ask()
        ways: list[Way] = [trial.chance.choice(("sse", "socket")) for _ in range(COPIES)]
        readings = await asyncio.gather(*(trial.of(ask).send_again(ask, way) for way in ways))
        assert len({reading.text for reading in readings}) == 1
        assert len(by_mark(stage.upstream_requests())[ask.mark]) == 1

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario))
