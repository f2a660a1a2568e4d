"""Retries and failover: real providers over HTTP, judged by the ledgers of the fakes."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.fakes.bedrock import FakeBedrock
from tests.fakes.claude import BAD_JSON, Answer, FakeClaude, Gate
from tests.fakes.server import FakeModel
from tests.tutoring.provider_case import (
    BEDROCK_MODEL,
    IMPATIENT,
    KEY,
    REGION,
    read,
    request,
    told,
    use_credentials_of_fake,
)
from tutoring.providers.anthropic import AnthropicProvider, BedrockProvider
from tutoring.providers.protocol import Answering, Finished, Limits, TextDelta, TutorRequest, Usage
from tutoring.providers.upstream import RetryPolicy, Target, Upstream

MODEL = "claude-sonnet-5-5"
PLAIN = {"input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 2}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_credentials_of_fake(monkeypatch, tmp_path)


@pytest.fixture
def claude() -> Iterator[FakeClaude]:
    with FakeClaude() as server:
        yield server


@pytest.fixture
def bedrock() -> Iterator[FakeBedrock]:
    with FakeBedrock() as server:
        yield server


def target(server: FakeModel, limits: Limits | None = None) -> Target:
    """The limits are for Claude: the first signature for Bedrock loads boto3, which may take longer."""
    if isinstance(server, FakeBedrock):
        return Target(BedrockProvider(region=REGION, base_url=server.url), {MODEL: BEDROCK_MODEL})
    return Target(AnthropicProvider(api_key=KEY, base_url=server.url, limits=limits))


def at_once(_: float, __: float) -> float:
    return 0


def ask(
    *servers: FakeModel, wanted: TutorRequest | None = None, limits: Limits | None = None, **options: object
) -> list:
    """All parts of one reply but the counts on the way, from these servers in this order."""

    async def all_parts() -> list:
        upstream = Upstream([target(server, limits) for server in servers], **{"uniform": at_once} | options)
        parts = await read(upstream, wanted)
        await upstream.aclose()
        return [part for part in parts if not isinstance(part, Usage)]

    return asyncio.run(all_parts())


def asked(server: FakeModel) -> list[tuple[str, str]]:
    """The ledger: the model that each request named, and the text it got."""
    return [(received.model, received.text) for received in server.requests]


def answerings(*tries: int, provider: str = "anthropic", model: str = MODEL) -> list[Answering]:
    return [Answering(provider, model, number) for number in tries]


def test_a_reply_that_comes_at_once_says_who_makes_it(claude):
    claude.will(Answer(["Hello"], usage=PLAIN))
    assert ask(claude) == [*answerings(1), TextDelta("Hello"), Finished("end_turn", Usage(10, 2))]
    assert asked(claude) == [(MODEL, "Hello")]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (408, "timeout_error"),
        (409, "conflict_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "overloaded_error"),
        (529, "overloaded_error"),
    ],
)
def test_what_may_pass_is_tried_three_times(claude, status, error):
    failing = Answer(status=status, error=error)
    claude.will(failing, failing, Answer(["Hello"], usage=PLAIN))
    assert ask(claude) == [*answerings(1, 2, 3), TextDelta("Hello"), Finished("end_turn", Usage(10, 2))]
    assert asked(claude) == [(MODEL, ""), (MODEL, ""), (MODEL, "Hello")]
    # The vendor's SDK made none of them by itself.
    assert [received.headers["x-stainless-retry-count"] for received in claude.requests] == ["0", "0", "0"]


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (429, "rate_limit_error", ("rate_limited", True, None)),
        (500, "api_error", ("provider_down", True, None)),
        (529, "overloaded_error", ("overloaded", True, None)),
    ],
)
def test_after_three_tries_the_error_is_told(claude, status, error, expected):
    claude.default = Answer(status=status, error=error)
    *tries, last = ask(claude)
    assert tries == answerings(1, 2, 3)
    assert told(last) == expected
    assert len(claude.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=400, error="invalid_request_error"),
        Answer(status=401, error="authentication_error"),
        Answer(status=429, error="rate_limit_error", headers={"x-should-retry": "false"}),
        Answer([], stop_reason="refusal"),
        Answer([], raw=BAD_JSON),
    ],
    ids=["bad request", "bad key", "no retry wanted", "refusal", "bad JSON"],
)
def test_what_will_not_pass_is_asked_once(claude, answer):
    claude.will(answer)
    assert ask(claude)[:-1] == answerings(1)
    assert len(claude.requests) == 1


@pytest.mark.parametrize("texts", [0, 1, 20])
def test_an_error_event_is_tried_again_only_before_the_first_text(claude, bedrock, texts):
    claude.will(Answer(["word "] * 30, error="overloaded_error", error_after=texts), Answer(["Hello"], usage=PLAIN))
    parts = ask(claude, bedrock)
    if texts == 0:
        assert parts[:-1] == [*answerings(1, 2), TextDelta("Hello")]
        return
    *parts, error = parts
    assert parts == [*answerings(1), *[TextDelta("word ")] * texts]
    assert told(error) == ("overloaded", True, None)
    assert (asked(claude), asked(bedrock)) == ([(MODEL, "word " * texts)], [])


@pytest.mark.parametrize(
    "broken",
    [Answer(["Half"], completes=False), Answer(["Half"], breaks_off=True), Answer(["Half"], raw=BAD_JSON)],
    ids=["no end", "broken connection", "bad JSON"],
)
def test_after_the_first_text_nobody_else_is_asked(claude, bedrock, broken):
    claude.will(broken)
    assert ask(claude, bedrock)[:-1] == [*answerings(1), TextDelta("Half")]
    assert (len(claude.requests), len(bedrock.requests)) == (1, 0)


def test_silence_after_the_first_text_is_the_end(claude, bedrock):
    claude.will(Answer(["a", "b"], gate=Gate(), gate_after=1))
    *parts, error = ask(claude, bedrock, limits=IMPATIENT)
    assert parts == [*answerings(1), TextDelta("a")]
    assert told(error) == ("timeout", False, None)
    assert (len(claude.requests), len(bedrock.requests)) == (1, 0)


def test_pauses_are_drawn_from_a_range_that_doubles_up_to_a_limit(claude):
    claude.default = Answer(status=500)
    ranges = []

    def draw(least: float, most: float) -> float:
        ranges.append((least, most))
        return 0

    ask(claude, uniform=draw, retries=RetryPolicy(tries=6))
    assert ranges == [(0, 0.5), (0, 1), (0, 2), (0, 4), (0, 5)]


def test_retry_after_is_waited_for(claude):
    claude.will(Answer(status=429, error="rate_limit_error", headers={"retry-after": "0.05"}), Answer(["Hello"]))
    assert ask(claude)[:-1] == [*answerings(1, 2), TextDelta("Hello")]
    first, second = claude.requests
    assert second.received_at - first.received_at >= 0.05


def test_a_longer_pause_than_retry_after_stays(claude):
    claude.will(Answer(status=429, error="rate_limit_error", headers={"retry-after": "0.001"}), Answer(["Hello"]))
    with capture_logs() as logs:
        ask(claude, uniform=lambda _, __: 0.02)
    assert [entry["pause_s"] for entry in logs] == [0.02]


def test_a_retry_after_beyond_what_is_left_is_not_waited_for(claude, bedrock):
    patient = Answer(status=429, error="rate_limit_error", headers={"retry-after": "21"})
    claude.will(patient, patient)
    *tries, error = ask(claude)
    assert (tries, told(error)) == (answerings(1), ("rate_limited", True, 21.0))
    bedrock.will(Answer(["Hello"]))
    parts = ask(claude, bedrock)
    assert parts[:-1] == [*answerings(1), *answerings(2, provider="bedrock", model=BEDROCK_MODEL), TextDelta("Hello")]


@pytest.mark.parametrize(("each_takes_s", "requests"), [(5, 3), (10, 3), (11, 2), (21, 1)])
def test_no_try_begins_after_twenty_seconds(claude, bedrock, each_takes_s, requests):
    seconds = [0.0]

    def answer(_: dict) -> Answer:
        seconds[0] += each_takes_s
        return Answer(status=500)

    claude.default = answer
    *_, error = ask(claude, now=lambda: seconds[0])
    assert told(error) == ("provider_down", True, None)
    assert len(claude.requests) == requests
    # A second provider is asked as long as there is time.
    ask(claude, bedrock, now=lambda: seconds[0])
    assert len(bedrock.requests) == (1 if each_takes_s * requests <= 20 else 0)


def test_what_cannot_answer_is_stood_in_for_before_the_first_text(claude, bedrock):
    claude.default = Answer(status=529, error="overloaded_error")
    bedrock.will(Answer(["From ", "Bedrock"], usage=PLAIN))
    with capture_logs() as logs:
        parts = ask(claude, bedrock)
    assert parts == [
        *answerings(1, 2, 3),
        *answerings(4, provider="bedrock", model=BEDROCK_MODEL),
        TextDelta("From "),
        TextDelta("Bedrock"),
        Finished("end_turn", Usage(10, 2)),
    ]
    assert (asked(claude), asked(bedrock)) == ([(MODEL, "")] * 3, [(BEDROCK_MODEL, "From Bedrock")])
    assert claude.request(2).body["messages"] == bedrock.request().body["messages"]
    what = {"provider": "anthropic", "model": MODEL, "code": "overloaded", "log_level": "warning"}
    assert [{name: value for name, value in entry.items() if name != "detail"} for entry in logs] == [
        {"event": "tutor_upstream_retried", **what, "tries": 1, "pause_s": 0},
        {"event": "tutor_upstream_retried", **what, "tries": 2, "pause_s": 0},
        {
            "event": "tutor_upstream_failed_over",
            **what,
            "tries": 3,
            "to_provider": "bedrock",
            "to_model": BEDROCK_MODEL,
        },
    ]
    assert all(entry["detail"].startswith("529 req_fake OverloadedError") for entry in logs)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=401, error="authentication_error"),
        Answer(status=429, error="rate_limit_error"),
        Answer(status=500),
        Answer(["x"], error_after=0, error="overloaded_error"),
        Answer(hang="without_headers"),
        Answer(hang="with_headers"),
        Answer(hang="with_pings"),
    ],
    ids=["bad key", "429", "500", "error event", "no headers", "no events", "pings only"],
)
def test_each_way_of_not_answering_is_stood_in_for(claude, bedrock, answer):
    claude.default = answer
    parts = ask(claude, bedrock, limits=IMPATIENT)
    tries = len(claude.requests)
    standing_in = answerings(tries + 1, provider="bedrock", model=BEDROCK_MODEL)
    assert parts[: tries + 1] == [*answerings(*range(1, tries + 1)), *standing_in]
    assert "".join(part.text for part in parts if isinstance(part, TextDelta)) == bedrock.request().text != ""


def test_nobody_listening_is_stood_in_for(bedrock):
    with FakeClaude() as gone:
        pass
    parts = ask(gone, bedrock)
    assert parts[:4] == [*answerings(1, 2, 3), *answerings(4, provider="bedrock", model=BEDROCK_MODEL)]
    assert isinstance(parts[-1], Finished)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer([], stop_reason="refusal"), "refused"),
        (Answer([], raw=BAD_JSON), "bad_upstream"),
        (Answer(status=400, error="invalid_request_error"), "bad_upstream"),
        (Answer([], completes=False), "truncated"),
    ],
)
def test_what_the_request_itself_caused_is_not_asked_elsewhere(claude, bedrock, answer, code):
    claude.default = answer
    assert told(ask(claude, bedrock)[-1])[0] == code
    assert bedrock.requests == []


def test_when_nobody_can_answer_the_last_error_is_told(claude, bedrock):
    claude.default = Answer(status=529, error="overloaded_error")
    bedrock.default = Answer(status=429, error="ThrottlingException")
    *tries, error = ask(claude, bedrock)
    assert tries == [*answerings(1, 2, 3), *answerings(4, 5, 6, provider="bedrock", model=BEDROCK_MODEL)]
    assert told(error) == ("rate_limited", True, None)


@pytest.mark.parametrize("texts", [0, 2])
def test_bedrocks_exception_frames_follow_the_same_rules(bedrock, texts):
    failing = Answer(["a", "b", "c"], error="modelStreamErrorException", error_after=texts)
    bedrock.will(failing, Answer(["Hello"]))
    parts = ask(bedrock)
    if texts == 0:
        assert parts[:-1] == [
            *answerings(1, 2, provider="bedrock", model=BEDROCK_MODEL),
            TextDelta("Hello"),
        ]
        return
    assert parts[:-1] == [
        *answerings(1, provider="bedrock", model=BEDROCK_MODEL),
        TextDelta("a"),
        TextDelta("b"),
    ]
    assert told(parts[-1]) == ("provider_down", True, None)
    assert len(bedrock.requests) == 1


def test_what_failed_tries_used_is_counted_too(claude, bedrock):
    claude.default = Answer([], error_after=0, error="overloaded_error", usage=PLAIN)
    bedrock.will(Answer(["Hello"], usage=PLAIN | {"output_tokens": 7}))

    async def counts() -> list:
        upstream = Upstream([target(claude), target(bedrock)], uniform=at_once)
        parts = await read(upstream)
        await upstream.aclose()
        return [part for part in parts if isinstance(part, Usage | Finished)]

    assert asyncio.run(counts()) == [
        Usage(10, 2),
        Usage(20, 4),
        Usage(30, 6),
        Usage(40, 13),
        Usage(40, 13),
        Finished("end_turn", Usage(40, 13)),
    ]


def test_a_failure_that_counted_nothing_takes_nothing_away(claude):
    claude.will(Answer([], error_after=0, usage=PLAIN), Answer(status=500), Answer(["Hello"], usage=PLAIN))
    assert ask(claude)[-1] == Finished("end_turn", Usage(20, 4))


def test_a_stop_in_a_pause_asks_nobody_again(claude):
    claude.default = Answer(status=500)

    async def stop_in_the_pause() -> None:
        pausing = asyncio.Event()

        def draw(_: float, most: float) -> float:
            pausing.set()
            return most

        upstream = Upstream([target(claude)], uniform=draw, retries=RetryPolicy(first_pause_s=5))
        reading = asyncio.create_task(read(upstream))
        async with asyncio.timeout(3):
            await pausing.wait()
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        await upstream.aclose()

    asyncio.run(stop_in_the_pause())
    assert len(claude.requests) == 1


@pytest.mark.parametrize("gate_after", [0, 1], ids=["before the first text", "after it"])
def test_a_stop_in_a_stream_reaches_the_server(claude, bedrock, gate_after):
    gate = Gate()
    claude.will(Answer(["One ", "two "], gate=gate, gate_after=gate_after))

    async def stop_while_waiting() -> None:
        upstream = Upstream([target(claude), target(bedrock)])
        reading = asyncio.create_task(read(upstream))
        await asyncio.to_thread(gate.reached.wait, 5)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.to_thread(claude.request().disconnected.wait, 1)
        await upstream.aclose()

    asyncio.run(stop_while_waiting())
    assert claude.request().disconnected.is_set()
    assert (len(claude.requests), len(bedrock.requests)) == (1, 0)


def test_leaving_the_stream_reaches_the_server(claude):
    claude.will(Answer(["One ", "two "], gate=Gate(), gate_after=1))

    async def read_one() -> None:
        upstream = Upstream([target(claude)])
        async with aclosing(upstream.stream(request())) as stream:
            async for part in stream:
                if isinstance(part, TextDelta):
                    break
        await asyncio.to_thread(claude.request().disconnected.wait, 1)
        await upstream.aclose()

    asyncio.run(read_one())
    assert claude.request().disconnected.is_set()


def test_it_is_named_for_the_provider_it_asks_first(claude, bedrock):
    async def names() -> list[str]:
        upstreams = [Upstream([target(bedrock), target(claude)]), Upstream([target(claude)])]
        for upstream in upstreams:
            await upstream.aclose()
        return [upstream.name for upstream in upstreams]

    assert asyncio.run(names()) == ["bedrock", "anthropic"]
