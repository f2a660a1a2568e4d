"""The circuit breaker, with real providers over HTTP and a clock that only the test moves."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.fakes.bedrock import FakeBedrock
from tests.fakes.claude import BAD_JSON, Answer, FakeClaude, Gate
from tests.tutoring.provider_case import BEDROCK_MODEL, KEY, REGION, read, request, told, use_credentials_of_fake
from tutoring.providers.anthropic import AnthropicProvider, BedrockProvider
from tutoring.providers.protocol import Answering, Finished, ProviderError, TextDelta
from tutoring.providers.upstream import RetryPolicy, Target, Upstream

MODEL = "claude-sonnet-5-5"
DOWN = Answer(status=500)


class Site:
    """An upstream that tries each target once, and its clock."""

    def __init__(self, claude: FakeClaude, bedrock: FakeBedrock | None = None, *, tries: int = 1) -> None:
        self.clock_s = 1000.0
        targets = [Target(AnthropicProvider(api_key=KEY, base_url=claude.url))]
        if bedrock:
            targets.append(Target(BedrockProvider(region=REGION, base_url=bedrock.url), {MODEL: BEDROCK_MODEL}))
        self.upstream = Upstream(
            targets, retries=RetryPolicy(tries=tries), now=lambda: self.clock_s, uniform=lambda _, __: 0
        )

    async def __aenter__(self) -> "Site":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.upstream.aclose()

    async def ask(self, model: str = MODEL) -> str | tuple[str, bool, float | None]:
        """The reply's text, or how it failed."""
        parts = await read(self.upstream, request(model=model))
        if isinstance(parts[-1], ProviderError):
            return told(parts[-1])
        return "".join(part.text for part in parts if isinstance(part, TextDelta))

    async def fail(self, times: int = 5) -> None:
        for _ in range(times):
            assert await self.ask() == ("provider_down", True, None)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_credentials_of_fake(monkeypatch, tmp_path)


@pytest.fixture
def claude() -> Iterator[FakeClaude]:
    """It answers nothing but 500 until its `default` is changed."""
    with FakeClaude() as server:
        server.default = DOWN
        yield server


@pytest.fixture
def bedrock() -> Iterator[FakeBedrock]:
    with FakeBedrock() as server:
        server.default = Answer(["From Bedrock"])
        yield server


UP = Answer(["Hello"])


def test_five_failures_open_it_for_fifteen_seconds(claude):
    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(5)
            claude.default = UP
            assert await site.ask() == ("provider_down", False, 15)
            site.clock_s += 14
            assert await site.ask() == ("provider_down", False, 1)
            assert len(claude.requests) == 5
            site.clock_s += 1
            assert await site.ask() == "Hello"

    asyncio.run(scenario())


def test_it_opens_and_closes_with_a_line_in_the_log(claude):
    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(5)
            claude.default = UP
            site.clock_s += 15
            await site.ask()

    with capture_logs() as logs:
        asyncio.run(scenario())
    who = {"provider": "anthropic", "model": MODEL}
    assert logs == [
        {
            "event": "tutor_upstream_breaker_opened",
            **who,
            "code": "provider_down",
            "open_s": 15,
            "log_level": "warning",
        },
        {"event": "tutor_upstream_breaker_closed", **who, "log_level": "info"},
    ]


@pytest.mark.parametrize(
    ("seconds_apart", "told_then"), [(7.5, ("provider_down", False, 7.5)), (7.625, "Hello")], ids=["within", "beyond"]
)
def test_failures_add_up_over_thirty_seconds(claude, seconds_apart, told_then):
    async def scenario() -> None:
        async with Site(claude) as site:
            for _ in range(5):
                await site.fail(1)
                site.clock_s += seconds_apart
            claude.default = UP
            assert await site.ask() == told_then

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(status=529, error="overloaded_error"), "overloaded"),
        (Answer(status=429, error="rate_limit_error"), "rate_limited"),
        (Answer(status=408, error="timeout_error"), "timeout"),
        (Answer(status=401, error="authentication_error"), "provider_down"),
        (Answer([], error_after=0, error="overloaded_error"), "overloaded"),
        (Answer(["Some"], error_after=1, error="overloaded_error"), "overloaded"),
        (Answer(["Some"], completes=False), "provider_down"),
    ],
    ids=["529", "429", "408", "401", "error event", "error event after text", "cut off"],
)
def test_while_open_it_tells_the_last_code(claude, answer, code):
    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(4)
            claude.default = answer
            await site.ask()
            assert await site.ask() == (code, False, 15)
            assert len(claude.requests) == 5

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "answer",
    [
        UP,
        Answer([], stop_reason="refusal"),
        Answer([], raw=BAD_JSON),
        Answer(status=400, error="invalid_request_error"),
    ],
    ids=["reply", "refusal", "bad JSON", "bad request"],
)
def test_what_says_nothing_about_the_provider_does_not_count(claude, answer):
    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(4)
            claude.default = answer
            for _ in range(3):
                await site.ask()
            assert len(claude.requests) == 7
            claude.default = DOWN
            await site.fail(1)
            assert await site.ask() == ("provider_down", False, 15)
            assert len(claude.requests) == 8

    asyncio.run(scenario())


def test_it_is_for_one_model_alone(claude):
    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(5)
            claude.default = UP
            assert await site.ask("claude-haiku-5-5") == "Hello"
            assert await site.ask() == ("provider_down", False, 15)

    asyncio.run(scenario())


def test_a_trial_that_fails_opens_it_again(claude):
    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(5)
            site.clock_s += 15
            await site.fail(1)
            assert await site.ask() == ("provider_down", False, 15)
            assert len(claude.requests) == 6

    asyncio.run(scenario())


def test_a_trial_that_succeeds_forgets_the_failures(claude):
    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(5)
            site.clock_s += 15
            claude.default = UP
            assert await site.ask() == "Hello"
            claude.default = DOWN
            await site.fail(5)
            assert await site.ask() == ("provider_down", False, 15)

    asyncio.run(scenario())


def test_one_trial_at_a_time_and_its_first_text_lets_all_others_in(claude):
    before, after = Gate(), Gate()

    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(5)
            site.clock_s += 20
            claude.will(Answer(["One ", "two"], gate=before))
            trial = asyncio.create_task(site.ask())
            await asyncio.to_thread(before.reached.wait, 5)
            assert await site.ask() == ("provider_down", False, 0)
            before.release()
            assert await trial == "One two"

            await site.fail(5)
            site.clock_s += 20
            claude.will(Answer(["One ", "two"], gate=after, gate_after=1), UP)
            async with aclosing(site.upstream.stream(request())) as stream:
                while await anext(stream) != TextDelta("One "):
                    pass
                assert await site.ask() == "Hello"

    asyncio.run(scenario())


@pytest.mark.parametrize("answer", [Answer([], stop_reason="refusal"), Answer(status=400, error="request_too_large")])
def test_a_trial_that_says_nothing_leaves_the_next_one_to_try(claude, answer):
    gate = Gate()

    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(5)
            site.clock_s += 15
            claude.will(answer, Answer(["Hello"], gate=gate))
            await site.ask()
            trial = asyncio.create_task(site.ask())
            await asyncio.to_thread(gate.reached.wait, 5)
            assert await site.ask() == ("provider_down", False, 0)
            gate.release()
            assert await trial == "Hello"

    asyncio.run(scenario())


def test_a_stop_frees_the_trial_and_counts_for_nothing(claude):
    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(5)
            site.clock_s += 15
            gate = Gate()
            claude.will(Answer(["One"], gate=gate), UP)
            trial = asyncio.create_task(site.ask())
            await asyncio.to_thread(gate.reached.wait, 5)
            trial.cancel()
            with pytest.raises(asyncio.CancelledError):
                await trial
            assert await site.ask() == "Hello"

    asyncio.run(scenario())


def test_leaving_before_the_request_frees_the_trial(claude):
    async def scenario() -> None:
        async with Site(claude) as site:
            await site.fail(5)
            site.clock_s += 15
            async with aclosing(site.upstream.stream(request())) as stream:
                assert await anext(stream) == Answering("anthropic", MODEL, 1)
            claude.default = UP
            assert await site.ask() == "Hello"
            assert len(claude.requests) == 6

    asyncio.run(scenario())


def test_what_began_before_and_fails_later_does_not_keep_it_open(claude):
    gate = Gate()

    async def scenario() -> None:
        async with Site(claude) as site:
            claude.will(Answer(["Some"], gate=gate, gate_after=1, error_after=1))
            early = asyncio.create_task(site.ask())
            await asyncio.to_thread(gate.reached.wait, 5)
            await site.fail(5)
            site.clock_s += 10
            gate.release()
            assert await early == ("provider_down", True, None)
            assert await site.ask() == ("provider_down", False, 5)

    asyncio.run(scenario())


def test_no_try_is_made_once_it_is_open(claude):
    async def scenario() -> None:
        async with Site(claude, tries=3) as site:
            assert await site.ask() == ("provider_down", True, None)
            # The second reply's second try is the fifth failure. What it met is told, not that it was not asked again.
            assert await site.ask() == ("provider_down", True, None)
            assert len(claude.requests) == 5
            assert await site.ask() == ("provider_down", False, 15)

    asyncio.run(scenario())


def test_the_next_provider_is_asked_at_once_while_it_is_open(claude, bedrock):
    async def scenario() -> list:
        async with Site(claude, bedrock) as site:
            for _ in range(5):
                assert await site.ask() == "From Bedrock"
            return await read(site.upstream)

    parts = asyncio.run(scenario())
    assert parts[0] == Answering("bedrock", BEDROCK_MODEL, 1)
    assert isinstance(parts[-1], Finished)
    assert (len(claude.requests), len(bedrock.requests)) == (5, 6)


def test_with_all_of_them_open_nobody_is_asked(claude, bedrock):
    bedrock.default = Answer(status=503, error="ServiceUnavailableException")

    async def scenario() -> list:
        async with Site(claude, bedrock) as site:
            for _ in range(5):
                assert await site.ask() == ("overloaded", True, None)
            return await read(site.upstream)

    (error,) = asyncio.run(scenario())
    assert told(error) == ("provider_down", False, 15)
    assert (len(claude.requests), len(bedrock.requests)) == (5, 5)
