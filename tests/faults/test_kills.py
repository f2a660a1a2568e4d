"""kill -9 of the server."""

import asyncio

from tests.faults.report import Fault, Judged
from tests.faults.stage import Stage
from tests.faults.trial import Trial, in_thread
from tests.faults.waiting import pause, until

# Of text that had been sent by the provider.
MOST_LOST_S = 1.0
SENDS = 60
_STORED = """
SELECT count(*) AS questions, count(*) FILTER (WHERE reply.state IN ('pending', 'streaming')) AS live
FROM tutoring_message question JOIN tutoring_message reply ON reply.parent_id = question.id
WHERE question.session_id = ANY(%s) AND question.role = 'user'
"""


def test_kill_9_while_replies_stream(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        asks = await trial.asks(12)
        for _ in asks:
            trial.will(trial.answer(300, pace_s=trial.chance.uniform(0.01, 0.04)))
        conversations = asyncio.create_task(trial.all_converse(asks))
        await pause(trial.chance.uniform(0.5, 4))
        await _kill_and_start(trial)
        readings = await conversations
        assert {reading.done["code"] for reading in readings if reading.done} <= {"interrupted", ""}
        # The same words under the same key have the same ids as before, and the conversation goes on.
        await asyncio.gather(*(trial.of(ask).send_again(ask, trial.chance.choice(("sse", "socket"))) for ask in asks))
        await trial.all_converse([await trial.again(ask) for ask in asks])

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario), most_lost_s=MOST_LOST_S)


def test_kill_9_between_the_steps_of_send(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        asks = await trial.asks(SENDS)
        for _ in asks:
            trial.will(trial.answer(20))
        # Whoever was not acknowledged sends again with the same key until the new process answers.
        conversations = asyncio.create_task(trial.all_converse(asks))
        taken = trial.chance.randint(1, SENDS - 10)
        await until(lambda: len(trial.ledger.acknowledged) >= taken, 30, f"acknowledgement of {taken}")
        await pause(trial.chance.uniform(0, 0.03))
        fault.note = await _kill_and_start(trial)
        await conversations

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario), most_lost_s=MOST_LOST_S)


async def _kill_and_start(trial: Trial) -> str:
    """What stood between the client and the rows at the kill."""
    await trial.kill(trial.stage.server)
    stored = (await in_thread(trial.stage.rows, _STORED, trial.ledger.sessions))[0]
    known = len(trial.ledger.acknowledged)
    await in_thread(trial.stage.server.start)
    trial.fault_over()
    return f"killed with {stored['questions']} stored, {known} of them acknowledged, {stored['live']} in the making"
