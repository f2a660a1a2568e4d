"""The real SDK over HTTP against a server that speaks the real wire format."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from email.utils import formatdate
from time import monotonic, time

import pytest

from tests.fakes.claude import (
    BAD_JSON,
    CUT_UTF8,
    STOP_BEFORE_START,
    UNKNOWN_EVENT,
    Answer,
    FakeClaude,
    Gate,
)
from tests.tutoring.provider_case import IMPATIENT, KEY, LESSON, read, request, told
from tutoring.providers.anthropic import AnthropicProvider
from tutoring.providers.protocol import Finished, Limits, TextDelta, Turn, TutorRequest, Usage


@pytest.fixture
def claude() -> Iterator[FakeClaude]:
    with FakeClaude() as server:
        yield server


def ask(
    claude: FakeClaude, wanted: TutorRequest | None = None, *, limits: Limits | None = None, key: str = KEY
) -> list:
    """All parts of one reply but the counts on the way; with the error that ended it as the last."""

    async def all_parts() -> list:
        provider = AnthropicProvider(api_key=key, base_url=claude.url, limits=limits)
        parts = await read(provider, wanted)
        await provider.aclose()
        return [part for part in parts if not isinstance(part, Usage)]

    return asyncio.run(all_parts())


def test_a_reply_comes_in_the_pieces_it_was_sent_in_with_its_usage(claude):
    claude.will(Answer(["It stores ", "charge", " ⚡."], usage={"output_tokens": 12}))
    assert ask(claude) == [
        TextDelta("It stores "),
        TextDelta("charge"),
        TextDelta(" ⚡."),
        Finished("end_turn", Usage(input_tokens=11, output_tokens=12, cache_creation_input_tokens=19)),
    ]


def test_tokens_are_counted_from_the_first_event_on(claude):
    claude.will(Answer(["Half", " more"], usage={"output_tokens": 12}))

    async def all_parts() -> list:
        provider = AnthropicProvider(api_key=KEY, base_url=claude.url)
        parts = await read(provider)
        await provider.aclose()
        return parts

    counted = Usage(input_tokens=11, output_tokens=12, cache_creation_input_tokens=19)
    texts = [TextDelta("Half"), TextDelta(" more")]
    assert asyncio.run(all_parts()) == [counted, *texts, counted, Finished("end_turn", counted)]


def test_what_is_sent_is_the_prompt_then_the_lesson_marked_for_the_cache_then_the_conversation(claude):
    turns = [
        Turn("user", "What is it?"),
        Turn("assistant", "A part."),
        Turn("assistant", " "),
        Turn("user", "And then?"),
    ]
    ask(claude, request(turns=turns))
    received = claude.request()
    assert received.body == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 500,
        "stream": True,
        "system": [{"type": "text", "text": "You are the tutor."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": LESSON, "cache_control": {"type": "ephemeral"}},
                    {"type": "text", "text": "<student>Sam</student>"},
                    {"type": "text", "text": "What is it?"},
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "A part."}]},
            {"role": "user", "content": [{"type": "text", "text": "And then?"}]},
        ],
    }
    assert received.key == KEY


def test_the_second_request_reads_the_lesson_from_the_cache(claude):
    claude.will(Answer(["a"]), Answer(["b"]))
    ask(claude)
    assert ask(claude, request(turns=[Turn("user", "More?")]))[-1] == Finished(
        "end_turn", Usage(input_tokens=7, output_tokens=1, cache_read_input_tokens=19)
    )


def test_without_a_script_the_fake_quotes_the_lesson_it_was_sent(claude):
    text = "".join(part.text for part in ask(claude)[:-1])
    assert text == (
        "The lesson says: “A capacitor stores charge.”. You asked: “What does it store?”.\n\nWhat follows from it?"
    )
    assert text == claude.request().text


def test_the_end_of_the_allowance_is_an_end(claude):
    claude.will(Answer(["It stores"], stop_reason="max_tokens"))
    assert ask(claude)[-1].stop_reason == "max_tokens"


def test_a_refusal_with_text_is_an_end_and_without_text_an_error(claude):
    claude.will(Answer(["I would "], stop_reason="refusal"), Answer([], stop_reason="refusal"))
    assert ask(claude)[-1].stop_reason == "refusal"
    assert told(ask(claude)[-1]) == ("refused", False, None)


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, "invalid_request_error", ("bad_upstream", False, None)),
        (401, "authentication_error", ("provider_down", False, None)),
        (403, "permission_error", ("provider_down", False, None)),
        (404, "not_found_error", ("provider_down", False, None)),
        (408, "timeout_error", ("timeout", True, None)),
        (409, "conflict_error", ("provider_down", True, None)),
        (429, "rate_limit_error", ("rate_limited", True, None)),
        (500, "api_error", ("provider_down", True, None)),
        (503, "overloaded_error", ("overloaded", True, None)),
        (529, "overloaded_error", ("overloaded", True, None)),
        (502, "nobody_knows", ("provider_down", True, None)),
        (418, "nobody_knows", ("bad_upstream", False, None)),
        (504, "nobody_knows", ("timeout", True, None)),
    ],
)
def test_an_error_before_the_start_is_told_by_its_type_and_asked_once(claude, status, error, expected):
    claude.will(Answer(status=status, error=error))
    assert [told(part) for part in ask(claude)] == [expected]
    assert len(claude.requests) == 1


def test_retry_after_is_told_in_seconds(claude):
    claude.will(
        Answer(status=429, error="rate_limit_error", headers={"retry-after": "7"}),
        Answer(status=429, error="rate_limit_error", headers={"retry-after": formatdate(time() + 3600)}),
        Answer(status=429, error="rate_limit_error", headers={"retry-after": "soon"}),
        Answer(status=429, error="rate_limit_error", headers={"x-should-retry": "false"}),
    )
    assert told(ask(claude)[-1]) == ("rate_limited", True, 7.0)
    assert 3500 < told(ask(claude)[-1])[2] <= 3600
    assert told(ask(claude)[-1]) == ("rate_limited", True, None)
    assert told(ask(claude)[-1]) == ("rate_limited", False, None)


@pytest.mark.parametrize("texts", [0, 1, 20])
def test_an_error_event_under_200_keeps_the_text_before_it(claude, texts):
    claude.will(Answer(["word "] * 30, error="overloaded_error", error_after=texts))
    *parts, error = ask(claude)
    assert parts == [TextDelta("word ")] * texts
    assert told(error) == ("overloaded", True, None)


def test_a_stream_without_its_end_is_truncated(claude):
    claude.will(Answer(["Half"], completes=False))
    *parts, error = ask(claude)
    assert parts == [TextDelta("Half")]
    assert told(error) == ("truncated", True, None)


def test_a_connection_that_breaks_off_is_truncated(claude):
    claude.will(Answer(["Half"], breaks_off=True))
    *parts, error = ask(claude)
    assert parts == [TextDelta("Half")]
    assert told(error) == ("truncated", True, None)


@pytest.mark.parametrize(
    "broken",
    [
        Answer(["Half"], raw=BAD_JSON),
        Answer(["Half"], raw=CUT_UTF8),
        Answer(["Half"], raw=b"data: [1, 2]\n\n"),
        Answer(["Half"], raw=b"data: %b\n\n" % (b"[" * 200_000)),
        Answer(["Half"], raw=b'data: {"type": "message_start", "message": {}}\n\n'),
        Answer(["Half"], raw=b'data: {"type": "message_stop"}\n\n'),
        Answer(["Half"], raw=b'data: {"type": "content_block_stop", "index": [1]}\n\n'),
        Answer(["Half"], raw=b'data: {"type": "content_block_delta", "index": 7, "delta": {}}\n\n'),
        Answer(["Half"], raw=b'data: {"type": "message_delta", "delta": {}, "usage": {"output_tokens": "many"}}\n\n'),
    ],
)
def test_a_broken_stream_is_told_from_a_truncated_one(claude, broken):
    claude.will(broken)
    *parts, error = ask(claude)
    assert parts == [TextDelta("Half")]
    assert told(error) == ("bad_upstream", False, None)


def test_an_end_before_the_beginning_is_broken(claude):
    claude.will(Answer(["x"], instead_of_start=STOP_BEFORE_START))
    assert [told(part) for part in ask(claude)] == [("bad_upstream", False, None)]


def test_events_nobody_knows_are_skipped(claude):
    thinking = (
        b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}\n\n'
    )
    claude.will(Answer(["Whole"], raw=UNKNOWN_EVENT + thinking + b": a comment\n\n"))
    assert [type(part) for part in ask(claude)] == [TextDelta, Finished]


def test_lone_surrogates_are_replaced_and_large_pieces_pass(claude):
    claude.will(Answer(["a\ud800b", "x" * 5_000_000]))
    first, second, finished = ask(claude)
    assert (first, second.text, finished.stop_reason) == (TextDelta("a\ufffdb"), "x" * 5_000_000, "end_turn")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(hang="without_headers"), "no event in the first 0.3 s"),
        (Answer(hang="with_headers"), "no event in the first 0.3 s"),
        (Answer(hang="with_pings"), "no text for 0.5 s"),
        (Answer(["a", "b"], gate=Gate(), gate_after=1), "silence for 0.3 s"),
        (Answer(["a"] * 1000, delay_s=0.02), "not complete after 1 s"),
    ],
    ids=["no headers", "no events", "pings only", "silence", "endless"],
)
def test_each_limit_ends_the_wait(claude, answer, reason):
    claude.will(answer)
    started = monotonic()
    error = ask(claude, limits=IMPATIENT)[-1]
    assert told(error) == ("timeout", False, None)
    assert error.detail == reason
    assert monotonic() - started < 3
    assert claude.request().disconnected.wait(2)


def test_nobody_listening_is_a_provider_that_is_down():
    with FakeClaude() as gone:
        pass
    assert [told(part) for part in ask(gone)] == [("provider_down", True, None)]


def test_leaving_the_stream_reaches_the_server_at_once(claude):
    gate = Gate()
    claude.will(Answer(["One ", "two "], gate=gate, gate_after=1))

    async def read_one() -> TextDelta | Finished:
        provider = AnthropicProvider(api_key=KEY, base_url=claude.url)
        async with aclosing(provider.stream(request())) as stream:
            counted, first = await anext(stream), await anext(stream)
        assert isinstance(counted, Usage)
        await asyncio.to_thread(claude.request().disconnected.wait, 1)
        await provider.aclose()
        return first

    assert asyncio.run(read_one()) == TextDelta("One ")
    assert claude.request().disconnected.is_set()
    assert claude.request().text == "One "


def test_cancelling_the_reader_reaches_the_server_at_once(claude):
    gate = Gate()
    claude.will(Answer(["One ", "two "], gate=gate, gate_after=1))

    async def cancel_while_waiting() -> None:
        provider = AnthropicProvider(api_key=KEY, base_url=claude.url)

        async def read() -> None:
            async with aclosing(provider.stream(request())) as stream:
                async for _ in stream:
                    pass

        reading = asyncio.create_task(read())
        await asyncio.to_thread(gate.reached.wait, 5)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.to_thread(claude.request().disconnected.wait, 1)
        await provider.aclose()

    asyncio.run(cancel_while_waiting())
    assert claude.request().disconnected.is_set()


def test_one_client_serves_many_replies_at_once(claude):
    async def many() -> list[str]:
        provider = AnthropicProvider(api_key=KEY, base_url=claude.url)

        async def one(number: int) -> str:
            async with aclosing(provider.stream(request(turns=[Turn("user", f"Number {number}")]))) as stream:
                return "".join([part.text async for part in stream if isinstance(part, TextDelta)])

        replies = await asyncio.gather(*map(one, range(20)))
        await provider.aclose()
        return replies

    assert [f"Number {n}”" in reply for n, reply in enumerate(asyncio.run(many()))] == [True] * 20


def test_the_key_stays_out_of_what_is_logged(claude):
    claude.will(Answer(status=401, error=f"bad key {KEY}"), Answer(error=f"bad key {KEY}", error_after=0))
    before, within = ask(claude)[-1], ask(claude)[-1]
    assert told(before) == ("provider_down", False, None)
    assert told(within) == ("provider_down", True, None)
    assert within.detail == "in the stream: {'type': 'bad key [key]', 'message': 'bad key [key]'}"
