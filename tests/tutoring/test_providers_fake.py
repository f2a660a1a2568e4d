"""The fake itself: what others rely on when they test against it."""

import httpx
import pytest

from tests.fakes.claude import Answer, FakeClaude

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
