"""Streams that are not what the provider's API promises."""

import os
from typing import Any

import pytest

from tests.fakes.claude import BAD_JSON, CUT_UTF8
from tests.fakes.scripts import Answer
from tests.faults.report import Fault, Judged
from tests.faults.stage import Stage
from tests.faults.test_upstream import ended
from tests.faults.trial import Trial

MALFORMED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "bad-json": ({"raw": BAD_JSON}, {"bad_upstream"}),
    "cut-utf8": ({"raw": CUT_UTF8}, {"bad_upstream"}),
    "no-message-stop": ({"completes": False}, {"truncated"}),
    "broken-off": ({"breaks_off": True}, {"truncated", "provider_down"}),
}
LINE = 5_000_000
TINY_DELTAS = int(os.environ.get("FAULT_DELTAS") or 1_000_000)
# Beside what the process has anyway; a reply's text is held a few times over while it is saved and sent.
MOST_MB = 150


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_stream(stage: Stage, fault: Fault, judged: Judged, kind: str):
    how, codes = MALFORMED[kind]

    async def scenario(trial: Trial) -> None:
        trial.will(trial.answer(trial.chance.randint(1, 30), **how))
        ask = await trial.ask()
        state, code = ended(await trial.of(ask).converse(ask))
        assert (state, code) in {("failed", code) for code in codes}

    for chance in fault.chances():
        stage.spare_breaker(1)
        judged(Trial(stage, chance).run(scenario))


@pytest.mark.parametrize("way", ["sse", "socket"])
def test_line_of_5_mb(stage: Stage, fault: Fault, judged: Judged, way: Any):
    async def scenario(trial: Trial) -> None:
        trial.will(Answer(texts=["begin ", "x" * LINE, " end"]))
        ask = await trial.ask()
        assert ended(await trial.of(ask).converse(ask, way)) in {("complete", ""), ("failed", "bad_upstream")}

    for chance in fault.chances():
        stage.spare_breaker(1)
        judged(_with_memory_watched(Trial(stage, chance), scenario, fault))


def test_tiny_deltas(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        trial.will(Answer(texts=lambda: ("abcdefghi\n"[index % 10] for index in range(TINY_DELTAS))))
        ask = await trial.ask()
        reading = await trial.of(ask).converse(ask, patience_s=60 + TINY_DELTAS / 1000)
        # So many may take longer than a whole reply may take.
        assert ended(reading) in {("complete", ""), ("failed", "timeout")}

    for chance in fault.chances():
        stage.spare_breaker(1)
        judged(_with_memory_watched(Trial(stage, chance), scenario, fault))
        fault.note = f"{TINY_DELTAS} deltas, {fault.note}"


def _with_memory_watched(trial: Trial, scenario: Any, fault: Fault) -> Trial:
    server = trial.stage.server
    server.forget_peak()
    before = server.peak_mb()
    trial.run(scenario)
    grown = server.peak_mb() - before
    fault.note = f"peak {before + grown:.0f} MB (+{grown:.0f})"
    assert grown < MOST_MB, fault.note
    return trial
