"""The real SDK over HTTP against a server that decodes what it sends."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import pytest
from langfuse._utils.environment import common_release_envs
from opentelemetry import trace as otel

from tests.fakes.langfuse import SCORES, TRACES, FakeLangfuse
from tutoring.langfuse_client import LangfuseClient
from tutoring.providers.protocol import Usage
from tutoring.tracing import Complaints, ReplyTrace, score_reply, shut_down, trace_id_of, trace_reply

ROOT = Path(__file__).resolve().parents[2]
GENERATION = UUID("6f1c1e0a-8d0b-4c07-9a55-2f6b7d3e9c41")
SESSION = UUID("0b0e7a52-5f0c-4f0e-8f3b-7a1d9b6c2e10")
STARTED = datetime(2026, 11, 3, 9, 30, 0, 123456, tzinfo=UTC)
STARTED_NS = 1_793_698_200_123_456_000
WORDS = ("question-canary", "reply-canary", "comment-canary")

REPLY = ReplyTrace(
    generation=GENERATION,
    session=SESSION,
    user_key=987_654_321,
    university="north",
    course="Mechänics",
    content_item="Springs",
    hint_policy="guide",
    provider="anthropic",
    model="claude-sonnet-5-5",
    prompt_name="tutor/lesson",
    prompt_version=3,
    prompt_versions=[{"id": 7, "name": "tutor/lesson", "label": "production", "number": 3}],
    started_at=STARTED,
    first_text_at=STARTED + timedelta(milliseconds=700),
    ended_at=STARTED + timedelta(seconds=2.5),
    state="complete",
    usage=Usage(1000, 200, 3000, 40_000),
    cost_usd=Decimal("0.029250"),
    tries=2,
    question="Why? question-canary",
    reply="Because. reply-canary",
)

ATTRIBUTES = {
    "langfuse.internal.as_root": True,
    "langfuse.internal.is_app_root": True,
    "langfuse.trace.name": "tutor-reply",
    "langfuse.trace.tags": ["north", "north/Mechänics", "north/guide", "north/complete"],
    "user.id": "8718d9ae80ff293f",
    "session.id": "0b0e7a52-5f0c-4f0e-8f3b-7a1d9b6c2e10",
    "langfuse.observation.type": "generation",
    "langfuse.observation.model.name": "claude-sonnet-5-5",
    "langfuse.observation.prompt.name": "tutor/lesson",
    "langfuse.observation.prompt.version": 3,
    "langfuse.observation.completion_start_time": '"2026-11-03T09:30:00.823456Z"',
    "langfuse.observation.usage_details": json.dumps(
        {"input": 1000, "output": 200, "cache_creation_input_tokens": 3000, "cache_read_input_tokens": 40_000}
    ),
    "langfuse.observation.cost_details": '{"total": 0.02925}',
    "langfuse.observation.metadata.generation": f'"{GENERATION}"',
    "langfuse.observation.metadata.university": '"north"',
    "langfuse.observation.metadata.course": '"Mechänics"',
    "langfuse.observation.metadata.content_item": '"Springs"',
    "langfuse.observation.metadata.hint_policy": '"guide"',
    "langfuse.observation.metadata.provider": '"anthropic"',
    "langfuse.observation.metadata.state": '"complete"',
    "langfuse.observation.metadata.tries": "2",
    "langfuse.observation.metadata.prompt_versions": (
        '[{"id":7,"name":"tutor/lesson","label":"production","number":3}]'
    ),
}
SPAN = {
    "trace": "6f1c1e0a8d0b4c079a552f6b7d3e9c41",
    "name": "tutor-reply",
    "start": STARTED_NS,
    "end": STARTED_NS + 2_500_000_000,
    "status": (0, ""),
    "attributes": ATTRIBUTES,
    "scope": "langfuse-sdk",
    "resource": {"service.name": "colloquy"},
}
# Enough for the SDK to send a batch at once, and another at the end.
MORE_THAN_A_BATCH = 600


@pytest.fixture(autouse=True)
def known_machine(monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    settings.SECRET_KEY = "of-the-suite"
    for name in common_release_envs:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def langfuse(settings: object) -> Iterator[FakeLangfuse]:
    with FakeLangfuse() as server:
        for name, value in server.settings.items():
            setattr(settings, name, value)
        yield server
        server.release()
        shut_down()
        for thread in threads_of_tracing():
            thread.join(10)
        # pytest would itself listen to loggers that keep to themselves.
        for name in ("langfuse", "opentelemetry"):
            logging.getLogger(name).propagate = True


def threads_of_tracing() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "langfuse"]


def threads_of_this_side() -> set[threading.Thread]:
    """Without those that the fake server has for the requests that it is answering."""
    return {thread for thread in threading.enumerate() if "process_request" not in thread.name}


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What stands in the log, all of it our own lines."""
    assert {(record.name, record.levelname) for record in caplog.records} <= {("tutoring.tracing", "WARNING")}
    return [record.msg["detail"] for record in caplog.records]


def trace_many(count: int = MORE_THAN_A_BATCH) -> None:
    for number in range(count):
        trace_reply(replace(REPLY, generation=UUID(int=number + 1)))


def test_a_reply_is_one_generation_without_a_word_of_it(langfuse):
    assert trace_reply(REPLY) == SPAN["trace"]
    shut_down()
    assert langfuse.spans == [SPAN]
    assert langfuse.requests == [(TRACES, 200)]


def test_texts_are_sent_where_the_installation_allows_it(langfuse, settings):
    settings.TUTOR_TRACE_TEXTS = True
    trace_reply(REPLY)
    shut_down()
    texts = {
        "langfuse.observation.input": "Why? question-canary",
        "langfuse.observation.output": "Because. reply-canary",
    }
    assert langfuse.spans == [SPAN | {"attributes": ATTRIBUTES | texts}]


def test_a_failed_reply_of_the_practice_tutor_that_said_nothing(langfuse):
    trace_reply(
        replace(
            REPLY,
            model="",
            provider="practice",
            prompt_name="",
            prompt_version=None,
            prompt_versions=[],
            content_item="",
            first_text_at=None,
            state="failed",
            error_code="timeout",
            cost_usd=None,
            usage=Usage(),
        )
    )
    shut_down()
    unknown = {"model.name", "prompt.name", "prompt.version", "completion_start_time", "cost_details"}
    gone = {f"langfuse.observation.{name}" for name in {*unknown, "metadata.content_item"}}
    zeros = dict.fromkeys(("input", "output", "cache_creation_input_tokens", "cache_read_input_tokens"), 0)
    changed = {
        "langfuse.trace.tags": ["north", "north/Mechänics", "north/guide", "north/failed"],
        "langfuse.observation.level": "ERROR",
        "langfuse.observation.status_message": "timeout",
        "langfuse.observation.usage_details": json.dumps(zeros),
        "langfuse.observation.metadata.provider": '"practice"',
        "langfuse.observation.metadata.state": '"failed"',
        "langfuse.observation.metadata.prompt_versions": "[]",
    }
    kept = {name: value for name, value in ATTRIBUTES.items() if name not in gone}
    assert langfuse.spans == [SPAN | {"status": (2, "timeout"), "attributes": kept | changed}]


def test_tags_are_no_longer_than_langfuse_takes(langfuse):
    trace_reply(replace(REPLY, course="C" * 300))
    shut_down()
    tags = langfuse.spans[0]["attributes"]["langfuse.trace.tags"]
    assert tags == ["north", "north/" + "C" * 194, "north/guide", "north/complete"]


def thumbs(generation: UUID, value: float) -> dict[str, object]:
    trace = generation.hex
    return {"id": f"{trace}-thumbs", "traceId": trace, "name": "thumbs", "value": value, "dataType": "BOOLEAN"}


def test_thumbs_are_scores_of_the_trace(langfuse, settings):
    other = UUID(int=2)
    score_reply(generation_id=GENERATION, value=1, comment="comment-canary")
    settings.TUTOR_TRACE_TEXTS = True
    score_reply(generation_id=GENERATION, value=-1, comment="comment-canary")
    score_reply(generation_id=other, value=1, comment="")
    shut_down()
    times = [datetime.fromisoformat(score.pop("timestamp")) for score in langfuse.scores]
    assert langfuse.scores == [
        thumbs(GENERATION, 1.0),
        thumbs(GENERATION, 0.0) | {"comment": "comment-canary"},
        thumbs(other, 1.0),
    ]
    assert all(abs(datetime.now(UTC) - time) < timedelta(minutes=1) for time in times)
    assert langfuse.requests == [(SCORES, 202)]


def test_nobodys_words_or_numbers_leave_by_default(langfuse):
    trace_reply(REPLY)
    score_reply(generation_id=GENERATION, value=-1, comment="comment-canary")
    shut_down()
    sent = b"".join(langfuse.raw)
    assert [word for word in ("thumbs", "Springs", *WORDS, "canary", "987654321") if word.encode() in sent] == [
        "thumbs",
        "Springs",
    ]


def test_a_pseudonym_stays_while_the_secret_key_does(langfuse, settings):
    for user_key, secret in ((1, "a"), (1, "a"), (2, "a"), (1, "b")):
        settings.SECRET_KEY = secret
        trace_reply(replace(REPLY, user_key=user_key))
    shut_down()
    first, again, other, rekeyed = (span["attributes"]["user.id"] for span in langfuse.spans)
    assert first == again
    assert len({first, other, rekeyed}) == 3
    assert {len(first), len(other), len(rekeyed)} == {16}


def test_texts_that_are_hard_to_carry_cost_nothing(langfuse, settings):
    settings.TUTOR_TRACE_TEXTS = True
    trace_reply(replace(REPLY, question="half a \ud83d", reply="data:image/png;base64,aGVsbG8="))
    score_reply(generation_id=GENERATION, value=1, comment="half a \ud83d")
    shut_down()
    attributes = langfuse.spans[0]["attributes"]
    assert (attributes["langfuse.observation.input"], attributes["langfuse.observation.output"]) == (
        "half a ?",
        "data:image/png;base64,aGVsbG8=",
    )
    assert langfuse.scores[0]["comment"] == "half a ?"
    assert sorted(langfuse.requests) == [(TRACES, 200), (SCORES, 202)]


@pytest.mark.parametrize("missing", ["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"])
def test_without_keys_nothing_is_started_or_sent(langfuse, settings, missing):
    setattr(settings, missing, "")
    threads = threading.enumerate()
    assert (trace_id_of(GENERATION), trace_reply(REPLY)) == ("", "")
    score_reply(generation_id=GENERATION, value=1, comment="")
    assert threading.enumerate() == threads
    shut_down()
    assert langfuse.requests == []


def test_a_trace_has_its_id_before_it_is_sent(langfuse):
    assert trace_id_of(GENERATION) == SPAN["trace"]
    assert threads_of_tracing() == []
    assert langfuse.requests == []


def test_tracing_can_be_shut_down_twice_and_starts_again(langfuse):
    trace_reply(REPLY)
    shut_down()
    shut_down()
    assert threads_of_tracing() == []
    trace_reply(REPLY)
    shut_down()
    assert langfuse.spans == [SPAN, SPAN]


def test_only_our_own_spans_are_sent_by_two_threads(langfuse):
    threads = threads_of_this_side()
    client = LangfuseClient(host=langfuse.url, public_key=langfuse.public_key, secret_key=langfuse.secret_key)
    started = sorted(type(thread).__name__ for thread in threads_of_this_side() - threads)
    assert started == ["ScoreConsumer", "Thread"]
    with otel.get_tracer("langfuse-sdk").start_as_current_span("somebody else's"):
        client.record(replace(REPLY, question="", reply=""), user=ATTRIBUTES["user.id"])
    client.close()
    assert threads_of_this_side() == threads
    assert langfuse.spans == [SPAN]
    assert isinstance(otel.get_tracer_provider(), otel.ProxyTracerProvider)


def test_a_server_that_never_answers_holds_nobody_up(langfuse, caplog):
    caplog.set_level(logging.WARNING, logger="tutoring.tracing")
    langfuse.hang()
    trace_many()
    assert langfuse.arrived.wait(10)
    trace_many()
    score_reply(generation_id=GENERATION, value=1, comment="")
    shut_down(0.1)
    assert {status for _, status in langfuse.requests} == {None}
    assert complaints(caplog) == ["not everything was sent before the end: traces are lost"]


def test_a_process_ends_while_a_server_does_not_answer(langfuse):
    langfuse.hang()
    script = f"""
from uuid import UUID
from tutoring.langfuse_client import LangfuseClient
client = LangfuseClient(host={langfuse.url!r}, public_key="pk", secret_key="sk")
client.score(UUID(int=1), is_up=True, comment="")
while client._sdk._resources._score_queue.qsize():
    pass
"""
    # The SDK itself would go on for more than 15 seconds.
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=12, check=True)
    assert langfuse.scores == []


def test_what_waits_for_a_server_that_never_answers_is_bounded(langfuse, caplog):
    caplog.set_level(logging.WARNING, logger="tutoring.tracing")
    langfuse.hang()
    trace_many()
    assert langfuse.arrived.wait(10)
    trace_many(5000)
    langfuse.release()
    shut_down(20)
    # One batch under way, the SDK's queue and ours.
    assert len(langfuse.spans) <= 512 + 2048 + 1000
    full = {"more came than could be taken: traces are lost", "Queue full, dropping Span."}
    assert set(complaints(caplog)) & full
    assert len(complaints(caplog)) == len(set(complaints(caplog)))


def test_a_slow_server_gets_everything(langfuse):
    langfuse.slow(0.02)
    trace_many()
    shut_down()
    assert len({span["trace"] for span in langfuse.spans}) == MORE_THAN_A_BATCH


def test_refused_keys_are_told_once(langfuse, settings, caplog):
    caplog.set_level(logging.WARNING, logger="tutoring.tracing")
    settings.LANGFUSE_SECRET_KEY = "sk-lf-of-somebody-else"
    trace_many()
    for number in range(20):
        score_reply(generation_id=UUID(int=number + 1), value=1, comment="")
    shut_down()
    assert sorted(langfuse.requests) == [(TRACES, 401)] * 2 + [(SCORES, 401)] * 2
    spans, scores = sorted(complaints(caplog))
    assert spans == "Failed to export spans batch code: 401, reason: Unauthorized"
    assert scores.startswith("Unauthorized. Please check your public/private host settings.")
    assert {record.msg["host"] for record in caplog.records} == {langfuse.url}


@pytest.mark.parametrize(
    ("status", "tries", "told"),
    [
        (500, 1, "Failed to export spans batch code: 500, reason: Internal Server Error"),
        (503, 6, "Failed to export spans batch due to timeout, max retries or shutdown."),
    ],
)
def test_a_broken_server_is_told_once(langfuse, caplog, status, tries, told):
    for name in ("tutoring.tracing", "opentelemetry"):
        caplog.set_level(logging.WARNING, logger=name)
    langfuse.refuse(status)
    trace_many()
    shut_down()
    assert langfuse.requests == [(TRACES, status)] * 2 * tries
    assert complaints(caplog) == [told]


def test_a_server_that_is_not_there_is_told_once(langfuse, settings, caplog):
    caplog.set_level(logging.WARNING, logger="tutoring.tracing")
    with FakeLangfuse() as gone:
        settings.LANGFUSE_HOST = gone.url
    # Shorter than the SDK's first pause, so that it tries once.
    with patch("tutoring.langfuse_client.TIMEOUT_S", 0.5):
        trace_many()
        shut_down()
    assert complaints(caplog) == ["Failed to export spans batch due to timeout, max retries or shutdown."]


def test_a_trace_that_cannot_be_made_costs_no_other_and_tells_nothing(langfuse, caplog):
    caplog.set_level(logging.WARNING, logger="tutoring.tracing")
    trace_reply(replace(REPLY, ended_at=STARTED.replace(tzinfo=None)))
    trace_reply(REPLY)
    shut_down()
    assert langfuse.spans == [SPAN]
    assert complaints(caplog) == ["a trace could not be made: TypeError"]


def test_a_trouble_that_lasts_is_told_each_hour(caplog):
    caplog.set_level(logging.WARNING, logger="tutoring.tracing")
    hours = iter([0, 0.5, 0.9, 1.1, 1.2, 2.2])
    teller = Complaints(clock=lambda: next(hours) * 3600)
    for kind in ("a", "a", "b", "a", "a", "a"):
        teller.complain(kind, kind)
    assert complaints(caplog) == ["a", "b", "a", "a"]
