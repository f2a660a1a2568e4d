"""The real SDK over HTTP against a server that speaks Bedrock's wire format and checks every signature."""

import asyncio
import re
import struct
from binascii import crc32
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from time import monotonic

import pytest

from tests.fakes.bedrock import ACCESS_KEY, SECRET_KEY, Answer, FakeBedrock, Gate, chunk, exception, frame
from tests.fakes.claude import FakeClaude
from tests.tutoring.provider_case import (
    BEDROCK_MODEL,
    IMPATIENT,
    KEY,
    LESSON,
    REGION,
    read,
    request,
    told,
    use_credentials_of_fake,
)
from tutoring.providers.anthropic import AnthropicProvider, BedrockProvider
from tutoring.providers.protocol import Finished, Limits, TextDelta, TutorRequest, Usage

CHUNK = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_credentials_of_fake(monkeypatch, tmp_path)


@pytest.fixture
def bedrock() -> Iterator[FakeBedrock]:
    with FakeBedrock() as server:
        yield server


def all_parts(
    bedrock: FakeBedrock, wanted: TutorRequest | None = None, *, region: str = REGION, limits: Limits | None = None
) -> list:
    async def ask_and_close() -> list:
        provider = BedrockProvider(region=region, base_url=bedrock.url, limits=limits)
        parts = await read(provider, wanted or request(model=BEDROCK_MODEL))
        await provider.aclose()
        return parts

    return asyncio.run(ask_and_close())


def ask(bedrock: FakeBedrock, wanted: TutorRequest | None = None, **arguments: object) -> list:
    """All parts of one reply but the counts on the way; with the error that ended it as the last."""
    return [part for part in all_parts(bedrock, wanted, **arguments) if not isinstance(part, Usage)]


def test_a_reply_has_the_parts_that_it_has_at_the_vendor(bedrock):
    answer = Answer(["It stores ", "charge", " ⚡."], usage={"output_tokens": 12})
    bedrock.will(answer)
    counted = Usage(input_tokens=11, output_tokens=12, cache_creation_input_tokens=19)
    texts = [TextDelta("It stores "), TextDelta("charge"), TextDelta(" ⚡.")]
    parts = all_parts(bedrock)
    assert parts == [counted, *texts, counted, Finished("end_turn", counted)]

    async def at_the_vendor() -> list:
        with FakeClaude() as claude:
            claude.will(answer)
            provider = AnthropicProvider(api_key=KEY, base_url=claude.url)
            vendors_parts = await read(provider)
            await provider.aclose()
        return vendors_parts

    assert parts == asyncio.run(at_the_vendor())


def test_what_is_sent_is_signed_and_names_the_model_in_its_path(bedrock):
    ask(bedrock)
    received = bedrock.request()
    body = dict(received.body)
    assert re.fullmatch(r"[\w-]+", body.pop("anthropic_version"))
    assert body == {
        "max_tokens": 500,
        "system": [{"type": "text", "text": "You are the tutor."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": LESSON, "cache_control": {"type": "ephemeral"}},
                    {"type": "text", "text": "<student>Sam</student>"},
                    {"type": "text", "text": "What does it store?"},
                ],
            }
        ],
    }
    assert received.path == f"/model/{BEDROCK_MODEL}/invoke-with-response-stream"
    assert received.model == BEDROCK_MODEL
    assert re.match(
        rf"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/\d{{8}}/{REGION}/bedrock/aws4_request, SignedHeaders=",
        received.headers["authorization"],
    )


def test_a_profile_named_by_its_address_may_answer(bedrock):
    arn = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-5-5-v1:0"
    bedrock.will(Answer(["Yes"]))
    assert ask(bedrock, request(model=arn))[0] == TextDelta("Yes")
    assert bedrock.request().model == arn


def test_credentials_come_from_a_profile_too(bedrock, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_PROFILE", "campus")
    keys = f"[campus]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
    (tmp_path / "credentials").write_text(keys)
    bedrock.will(Answer(["Yes"]))
    assert ask(bedrock, region="eu-west-1")[0] == TextDelta("Yes")


def test_a_wrong_secret_is_told_without_what_was_sent(bedrock, monkeypatch):
    token = "FwoGZXIvYXdzE/+" * 20
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    (error,) = ask(bedrock, region="eu-west-2")
    assert told(error) == ("provider_down", False, None)
    sent = bedrock.request().headers
    assert sent["x-amz-security-token"] == token
    assert "x-amz-security-token:[key]" in error.detail
    assert sent["authorization"][-64:] not in error.detail


@pytest.mark.parametrize(
    ("profile", "region", "detail"),
    [
        ("", "eu-west-3", "not signed: RuntimeError: Could not resolve AWS credentials from session"),
        ("nobody", "eu-north-1", "not signed: ProfileNotFound: The config profile (nobody) could not be found"),
    ],
)
def test_without_credentials_nothing_is_sent(bedrock, monkeypatch, profile, region, detail):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)
    (error,) = ask(bedrock, region=region)
    assert (told(error), error.detail) == (("provider_down", False, None), detail)
    assert bedrock.requests == []


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, "ValidationException", ("bad_upstream", False, None)),
        (400, "ServiceQuotaExceededException", ("rate_limited", False, None)),
        (403, "AccessDeniedException", ("provider_down", False, None)),
        (403, "ExpiredTokenException", ("provider_down", False, None)),
        (404, "ResourceNotFoundException", ("provider_down", False, None)),
        (408, "ModelTimeoutException", ("timeout", True, None)),
        (424, "ModelErrorException", ("provider_down", True, None)),
        (429, "ThrottlingException", ("rate_limited", True, None)),
        (429, "ModelNotReadyException", ("overloaded", True, None)),
        (500, "InternalServerException", ("provider_down", True, None)),
        (503, "ServiceUnavailableException", ("overloaded", True, None)),
    ],
)
def test_an_error_before_the_start_is_told_by_its_name_and_asked_once(bedrock, status, error, expected):
    bedrock.will(Answer(status=status, error=error))
    (only,) = ask(bedrock)
    assert told(only) == expected
    assert only.detail.startswith(f"{status} request-of-the-fake ")
    assert len(bedrock.requests) == 1


def test_retry_after_is_told_in_seconds(bedrock):
    bedrock.will(Answer(status=429, error="ThrottlingException", headers={"retry-after": "7"}))
    assert told(ask(bedrock)[-1]) == ("rate_limited", True, 7.0)


@pytest.mark.parametrize("texts", [0, 1, 20])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("throttlingException", ("rate_limited", True, None)),
        ("modelStreamErrorException", ("provider_down", True, None)),
        ("internalServerException", ("provider_down", True, None)),
        ("serviceUnavailableException", ("overloaded", True, None)),
        ("modelTimeoutException", ("timeout", True, None)),
        ("validationException", ("bad_upstream", False, None)),
        ("nobodyKnowsException", ("provider_down", True, None)),
        ("overloaded_error", ("overloaded", True, None)),
    ],
)
def test_an_error_in_the_stream_keeps_the_text_before_it(bedrock, texts, error, expected):
    bedrock.will(Answer(["word "] * 30, error=error, error_after=texts))
    *parts, last = ask(bedrock)
    assert parts == [TextDelta("word ")] * texts
    assert told(last) == expected
    assert last.detail.startswith("in the stream: ")


def test_an_exception_frame_says_what_happened(bedrock):
    bedrock.will(
        Answer(["Half"], raw=exception("ModelStreamErrorException", "the model stumbled")),
        Answer(
            ["Half"], raw=frame({":message-type": "error", ":error-code": "Odd", ":error-message": "so it is"}, b"")
        ),
    )
    first, second = ask(bedrock)[-1], ask(bedrock)[-1]
    assert first.detail == 'in the stream: modelStreamErrorException: {"message": "the model stumbled"}'
    assert second.detail == "in the stream: Odd: so it is"
    assert told(first) == told(second) == ("provider_down", True, None)


@pytest.mark.parametrize(
    "cut",
    [
        Answer(["Half"], completes=False),
        Answer(["Half"], completes=False, raw=chunk(b'{"type": "message_stop"}')[:-5]),
        Answer(["Half"], breaks_off=True),
    ],
    ids=["no end", "half a frame", "broken connection"],
)
def test_a_stream_without_its_end_is_truncated(bedrock, cut):
    bedrock.will(cut)
    *parts, error = ask(bedrock)
    assert parts == [TextDelta("Half")]
    assert told(error) == ("truncated", True, None)


def prelude(total: int, headers: int) -> bytes:
    lengths = struct.pack("!II", total, headers)
    return lengths + struct.pack("!I", crc32(lengths))


def frame_of_header(header: bytes) -> bytes:
    message = prelude(16 + len(header), len(header)) + header
    return message + struct.pack("!I", crc32(message))


@pytest.mark.parametrize(
    "broken",
    [
        chunk(b'{"type": "ping"}')[:-1] + b"\x00",
        b"\x00" + chunk(b'{"type": "ping"}'),
        prelude(0, 0) + b"more",
        prelude(2**31, 0) + b"more",
        frame_of_header(b"\x01a\x63"),
        frame_of_header(b"\x01a\x07\x00\x02\xe2\x82"),
        frame(CHUNK, b"{}"),
        frame(CHUNK, b"[1]"),
        frame(CHUNK, b"no JSON"),
        frame(CHUNK, b"[" * 200_000),
        frame(CHUNK, b'{"bytes": "*"}'),
        chunk(b'{"type": "content_block_delta", "index":'),
        chunk(b'{"type":"ping","x":"\xe2\x82"}'),
        chunk(b'{"type": "message_stop"}'),
    ],
    ids=[
        "CRC of the frame",
        "CRC of the lengths",
        "no length",
        "too long",
        "header of no type",
        "header of cut UTF-8",
        "no bytes",
        "no object",
        "frame without JSON",
        "nested too deep",
        "no base64",
        "cut JSON",
        "cut UTF-8",
        "end in the middle",
    ],
)
def test_a_broken_stream_is_told_from_a_truncated_one(bedrock, broken):
    bedrock.will(Answer(["Half"], raw=broken))
    *parts, error = ask(bedrock)
    assert parts == [TextDelta("Half")]
    assert told(error) == ("bad_upstream", False, None)


def test_frames_and_events_nobody_knows_are_skipped(bedrock):
    other = frame(CHUNK | {":event-type": "weather"}, b"sunny")
    bedrock.will(Answer(["Whole"], raw=other + chunk(b'{"type": "weather", "sunny": true}')))
    assert [type(part) for part in ask(bedrock)] == [TextDelta, Finished]


def test_lone_surrogates_are_replaced_and_large_pieces_pass(bedrock):
    bedrock.will(Answer(["a\ud800b", "x" * 5_000_000]))
    first, second, finished = ask(bedrock)
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
def test_each_limit_ends_the_wait(bedrock, answer, reason):
    # Once without limits: the first signature loads boto3, which takes a while.
    bedrock.will(Answer(["a"]), answer)
    ask(bedrock)
    started = monotonic()
    error = ask(bedrock, limits=IMPATIENT)[-1]
    assert told(error) == ("timeout", False, None)
    assert error.detail == reason
    assert monotonic() - started < 3
    assert bedrock.request(1).disconnected.wait(2)


def test_nobody_listening_is_a_provider_that_is_down():
    with FakeBedrock() as gone:
        pass
    assert [told(part) for part in ask(gone)] == [("provider_down", True, None)]


def test_leaving_the_stream_reaches_the_server_at_once(bedrock):
    bedrock.will(Answer(["One ", "two "], gate=Gate(), gate_after=1))

    async def read_one() -> TextDelta | Finished:
        provider = BedrockProvider(region=REGION, base_url=bedrock.url)
        async with aclosing(provider.stream(request(model=BEDROCK_MODEL))) as stream:
            counted, first = await anext(stream), await anext(stream)
        assert isinstance(counted, Usage)
        await asyncio.to_thread(bedrock.request().disconnected.wait, 1)
        await provider.aclose()
        return first

    assert asyncio.run(read_one()) == TextDelta("One ")
    assert bedrock.request().disconnected.is_set()
    assert bedrock.request().text == "One "
