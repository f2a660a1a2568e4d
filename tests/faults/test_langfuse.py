"""Langfuse is dead or does not answer."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.fakes.langfuse import FakeLangfuse
from tests.faults.ledger import Reading
from tests.faults.report import Fault, Judged
from tests.faults.rig import free_port
from tests.faults.stage import Place, Stage
from tests.faults.test_upstream import ended
from tests.faults.trial import Trial

REPLIES = 20
FIRST_TEXT_S = 2.0
EXIT_S = 20


@pytest.fixture(scope="module", params=["dead", "hanging"])
def stage(place: Place, request: pytest.FixtureRequest) -> Iterator[Stage]:
    with ExitStack() as held:
        langfuse = held.enter_context(FakeLangfuse())
        langfuse.hang()
        settings = langfuse.settings
        if request.param == "dead":
            settings["LANGFUSE_HOST"] = f"http://127.0.0.1:{free_port()}"
        yield held.enter_context(place.stage(**settings))


def test_langfuse_changes_nothing(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        asks = await trial.asks(REPLIES)
        for _ in asks:
            trial.will(trial.answer(40))
        readings = await trial.all_converse(asks)
        assert {ended(reading) for reading in readings} == {("complete", "")}
        slowest = max(map(_first_text_s, readings))
        fault.note = f"first text after {slowest:.2f} s at worst"
        assert slowest < FIRST_TEXT_S

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario), expected="langfuse|opentelemetry")
    began_at = time.monotonic()
    stage.server.terminate()
    assert stage.server.exit_code(EXIT_S) == 0
    fault.note += f", exit after {time.monotonic() - began_at:.1f} s"


def _first_text_s(reading: Reading) -> float:
    assert reading.first_text_at
    assert reading.ask.acknowledged_at
    return reading.first_text_at - reading.ask.acknowledged_at
