"""The fakes themselves: what others rely on when they test against them."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from tests.fakes.bedrock import ACCESS_KEY, SECRET_KEY, FakeBedrock
from tests.fakes.claude import Answer, FakeClaude, Gate

BODY = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "stream": True,
    "messages": [{"role": "user", "content": "Hello"}],
}
HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}

EVENTS = """event: message_start
data: {"type": "message_start", "message": {"id": "msg_fake", "type": "message", "role": "assistant", "model": \
"claude-sonnet-5-5", "content": [], "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 2, \
"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}}}

event: content_block_start
data: {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": \
{"output_tokens": 1}}

event: message_stop
data: {"type": "message_stop"}

"""


def post(claude: FakeClaude, path: str = "/v1/messages", **changes: object) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.post(claude.url + path, **({"json": BODY, "headers": HEADERS} | changes))


def test_it_speaks_the_wire_format():
    with FakeClaude() as claude:
        claude.will(Answer(["Hi"]))
        answer = post(claude)
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (
        200,
        "text/event-stream; charset=utf-8",
        EVENTS,
    )


@pytest.mark.parametrize(
    ("changes", "status", "error", "message"),
    [
        ({"headers": {}}, 401, "authentication_error", "x-api-key header is required"),
        ({"headers": {"x-api-key": "key"}}, 400, "invalid_request_error", "anthropic-version: header is required"),
        ({"path": "/v1/else"}, 404, "not_found_error", "/v1/else is not served here"),
        ({"json": {}}, 400, "invalid_request_error", "model, max_tokens, messages and stream are required"),
        (
            {"json": BODY | {"messages": [{"role": "assistant", "content": "Hi"}]}},
            400,
            "invalid_request_error",
            'messages: first message must use the "user" role',
        ),
        (
            {"json": BODY | {"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]}},
            400,
            "invalid_request_error",
            "messages: text content blocks must be non-empty",
        ),
    ],
)
def test_it_refuses_what_the_api_refuses(changes, status, error, message):
    with FakeClaude() as claude:
        answer = post(claude, **changes)
    assert (answer.status_code, answer.json()) == (
        status,
        {"type": "error", "error": {"type": error, "message": message}, "request_id": "req_fake"},
    )


def test_each_text_has_the_time_at_which_it_was_sent():
    with FakeClaude() as claude:
        gate = Gate()
        claude.will(Answer(["One ", "two ", "three"], delay_s=0.01, gate=gate, gate_after=2))
        started = time.time()
        with (
            httpx.Client(trust_env=False) as client,
            client.stream("POST", f"{claude.url}/v1/messages", json=BODY, headers=HEADERS) as answer,
        ):
            assert gate.reached.wait(5)
            received = claude.request()
            assert (received.sent, len(received.sent_at)) == (["One ", "two "], 2)
            gate.release()
            answer.read()
        times = [started, received.received_at, *received.sent_at, time.time()]
        assert times == sorted(times)
        assert received.sent_at[1] - received.sent_at[0] >= 0.01
        assert (received.model, received.sent) == ("claude-sonnet-5-5", ["One ", "two ", "three"])


def test_texts_are_made_while_they_are_sent():
    made = []

    def texts() -> Iterator[str]:
        for number in range(1000):
            made.append(number)
            yield str(number)

    with FakeClaude() as claude:
        gate = Gate()
        claude.default = Answer(texts, gate=gate, gate_after=3)
        with (
            httpx.Client(trust_env=False) as client,
            client.stream("POST", f"{claude.url}/v1/messages", json=BODY, headers=HEADERS),
        ):
            assert gate.reached.wait(5)
            assert made == [0, 1, 2, 3]
        gate.release()
        assert claude.request().disconnected.wait(5)
        post(claude)
        assert claude.request(1).text == "".join(map(str, range(1000)))


def test_what_has_no_script_gets_the_default():
    with FakeClaude() as claude:
        claude.will(Answer(["scripted"]))
        claude.default = Answer(["always"])
        for _ in range(3):
            post(claude)
        claude.default = lambda body: Answer([body["messages"][0]["content"], "!"])
        post(claude)
        assert [received.text for received in claude.requests] == ["scripted", "always", "always", "Hello!"]


BEDROCK_BODY = {"anthropic_version": "1", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}


def boto(bedrock: FakeBedrock, secret: str = SECRET_KEY) -> Any:
    """AWS's own client."""
    return boto3.client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url=bedrock.url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


def invoke(bedrock: FakeBedrock, body: dict[str, Any] = BEDROCK_BODY, **arguments: str) -> list[dict[str, Any]]:
    """The events of the reply."""
    client = boto(bedrock, **arguments)
    answer = client.invoke_model_with_response_stream(modelId="anthropic.claude-v1:0", body=json.dumps(body))
    events = [json.loads(part["chunk"]["bytes"]) for part in answer["body"]]
    client.close()
    return events


def test_awss_own_client_reads_bedrocks_stream():
    with FakeBedrock() as bedrock:
        bedrock.will(Answer(["Hi"]))
        events = invoke(bedrock)
        assert bedrock.request().model == "anthropic.claude-v1:0"
    start, *rest = events
    assert start["message"]["model"] == "anthropic.claude-v1:0"
    assert rest == [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 1},
        },
        {"type": "message_stop"},
    ]


def test_awss_own_client_knows_bedrocks_errors():
    with FakeBedrock() as bedrock:
        bedrock.will(
            Answer(status=429, error="ThrottlingException"),
            Answer(["Half"], error="modelStreamErrorException", error_after=1),
        )
        with pytest.raises(ClientError) as before:
            invoke(bedrock)
        with pytest.raises(EventStreamError) as within:
            invoke(bedrock)
    assert before.value.response["Error"] == {"Code": "ThrottlingException", "Message": "ThrottlingException"}
    assert within.value.response["Error"] == {
        "Code": "modelStreamErrorException",
        "Message": "modelStreamErrorException",
    }


@pytest.mark.parametrize(
    ("body", "arguments", "code"),
    [
        (BEDROCK_BODY, {"secret": "another"}, "InvalidSignatureException"),
        ({}, {}, "ValidationException"),
        (BEDROCK_BODY | {"model": "claude"}, {}, "ValidationException"),
        (BEDROCK_BODY | {"messages": [{"role": "assistant", "content": "Hi"}]}, {}, "ValidationException"),
    ],
    ids=["wrong secret", "nothing", "model in the body", "no question"],
)
def test_bedrock_refuses_what_the_api_refuses(body, arguments, code):
    with FakeBedrock() as bedrock, pytest.raises(ClientError) as refused:
        invoke(bedrock, body, **arguments)
    assert refused.value.response["Error"]["Code"] == code


SCOPE = "20260101/eu-west-1/bedrock/aws4_request"


@pytest.mark.parametrize(
    ("path", "authorization", "status", "error"),
    [
        ("/model/a/invoke", "", 404, "UnknownOperationException"),
        ("/model/a/invoke-with-response-stream", "", 403, "MissingAuthenticationTokenException"),
        ("/model/a/invoke-with-response-stream", "Bearer token", 403, "MissingAuthenticationTokenException"),
        (
            "/model/a/invoke-with-response-stream",
            f"AWS4-HMAC-SHA256 Credential=nobody/{SCOPE}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
            403,
            "UnrecognizedClientException",
        ),
        (
            "/model/a/invoke-with-response-stream",
            f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{SCOPE}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
            403,
            "InvalidSignatureException",
        ),
        (
            "/model/a/invoke-with-response-stream",
            f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{SCOPE}, SignedHeaders=host, Signature={'0' * 64}",
            403,
            "InvalidSignatureException",
        ),
    ],
)
def test_bedrock_wants_a_signature(path, authorization, status, error):
    with FakeBedrock() as bedrock, httpx.Client(trust_env=False) as client:
        answer = client.post(bedrock.url + path, json=BEDROCK_BODY, headers={"authorization": authorization})
    assert answer.status_code == status
    assert answer.headers["x-amzn-errortype"] == f"{error}:http://internal.amazon.com/coral/com.amazon.bedrock/"


@pytest.mark.parametrize("fake", ["claude", "bedrock"])
def test_it_runs_by_itself(fake):
    command = [sys.executable, "-m", f"tests.fakes.{fake}", "--port", "0"]
    root = Path(__file__).resolve().parent.parent.parent
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().removeprefix("Serving ").strip()
        with httpx.Client(trust_env=False) as client:
            status = client.post(f"{url}/v1/messages", json=BODY, headers=HEADERS).status_code
        process.terminate()
    assert status == {"claude": 200, "bedrock": 404}[fake]
