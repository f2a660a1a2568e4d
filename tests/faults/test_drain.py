"""SIGTERM under load."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.faults.clients import BROKEN
from tests.faults.ledger import Ask
from tests.faults.report import Fault, Judged
from tests.faults.rig import Server
from tests.faults.stage import STUDENTS, Place, Stage
from tests.faults.test_upstream import ended
from tests.faults.trial import Trial, in_thread
from tests.faults.waiting import pause, until

DRAIN_S, STREAMS = 4, 10
# Requests that were told to come back later.
EXPECTED = '"code": 503|Service Unavailable'


@pytest.fixture(scope="module")
def stage(place: Place) -> Iterator[Stage]:
    with place.stage(servers=2, TUTOR_DRAIN_S=str(DRAIN_S)) as stage:
        yield stage


def test_sigterm_lets_replies_finish(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        leaving, staying = stage.servers
        asks = await trial.asks(STREAMS)
        for _ in asks:
            trial.will(trial.answer(100, pace_s=trial.chance.uniform(0.02, 0.035)))
        begun = await _begin(trial, asks, leaving, staying)
        # Told before the signal, so that the process has not finished meanwhile.
        late = (await trial.asks(1))[0]
        leaving.terminate()
        await _refuses_while_it_drains(trial, leaving, late)
        assert await in_thread(leaving.exit_code, DRAIN_S + 10) == 0
        trial.fault_over()
        readings = await asyncio.gather(*begun)
        assert {ended(reading) for reading in readings} == {("complete", "")}
        assert [reading.restarts for reading in readings if reading.restarts != 1] == []
        # The same key is taken by the process that stays.
        assert ended(await trial.student(late.student, staying.url).converse(late)) == ("complete", "")

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario), expected=EXPECTED)


def test_sigterm_interrupts_what_takes_too_long(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        leaving, staying = stage.servers
        asks = await trial.asks(STREAMS)
        for _ in asks:
            trial.will(trial.answer(1000, pace_s=trial.chance.uniform(0.02, 0.04)))
        begun = await _begin(trial, asks, leaving, staying)
        leaving.terminate()
        assert await in_thread(leaving.exit_code, DRAIN_S + 10) == 0
        trial.fault_over()
        readings = await asyncio.gather(*begun)
        assert {ended(reading) for reading in readings} == {("failed", "interrupted")}

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario), expected=EXPECTED)


async def _begin(trial: Trial, asks: list[Ask], leaving: Server, staying: Server) -> list["asyncio.Task[object]"]:
    """Sent to the one and followed there, until it goes away."""
    conversations = [
        asyncio.create_task(
            trial.student(ask.student, leaving.url, staying.url).converse(ask, trial.chance.choice(("sse", "socket")))
        )
        for ask in asks
    ]
    await until(lambda: all(ask.ids for ask in asks), 20, "acknowledgement of all")
    await pause(trial.chance.uniform(0, 0.7))
    return conversations


async def _refuses_while_it_drains(trial: Trial, leaving: Server, late: Ask) -> None:
    """Readiness turns to 503, and so do new sends, with the time after which to come back."""
    student = trial.student(STUDENTS[0], leaving.url)
    headers = {"Authorization": f"Bearer {trial.stage.token(late.student)}", "Idempotency-Key": late.key}
    url = f"{leaving.url}/api/v1/chat/sessions/{late.session}/messages"
    ready, send = [], []

    async def look() -> bool:
        try:
            ready.append((await student.http.get(f"{leaving.url}/readyz")).status_code)
            if ready[-1] != 503:
                return False
            send.append(await student.http.post(url, json={"text": late.text}, headers=headers))
        except BROKEN:
            return True
        return True

    for _ in range(200):
        if await look():
            break
        await asyncio.sleep(0.02)
    assert ready, "it took no connection after SIGTERM"
    assert ready[-1] == 503
    assert send, "it was gone before it refused a send"
    assert _told(send[0]) == (503, "restarting", True)


def _told(answer: httpx.Response) -> tuple[int, str, bool]:
    return answer.status_code, answer.json().get("code", ""), answer.headers.get("retry-after", "").isdigit()
