"""A server that speaks the Messages API's wire protocol, in a thread of its own, doing as each test says.

    with FakeClaude() as claude:
        claude.will(Answer(["Hel", "lo"]), Answer(status=529, error="overloaded_error"))

Requests beyond those that were scripted get a paragraph that quotes the lesson they carried. `claude.requests` is the
ledger. `python -m tests.fakes.claude --port 8787` serves the default answer.
"""

import json
from typing import Any

from tests.fakes.scripts import Answer, Event, Gate, Received
from tests.fakes.server import FakeModel, Refusal, fault_in, serve

__all__ = [
    "BAD_JSON",
    "CUT_UTF8",
    "STOP_BEFORE_START",
    "UNKNOWN_EVENT",
    "Answer",
    "FakeClaude",
    "Gate",
    "Received",
]

BAD_JSON = b'event: content_block_delta\ndata: {"type": "content_block_delta", "index":\n\n'
CUT_UTF8 = b'event: content_block_delta\ndata: {"type":"ping","x":"\xe2\x82"}\n\n'
UNKNOWN_EVENT = b'event: weather\ndata: {"type": "weather", "sunny": true}\n\n'
STOP_BEFORE_START = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'


class FakeClaude(FakeModel):
    stream_headers = {"content-type": "text/event-stream; charset=utf-8"}

    def model_of(self, path: str, body: dict[str, Any]) -> str:
        return body.get("model", "")

    def refusal(self, received: Received, raw_body: bytes) -> Refusal | None:
        body = received.body
        if received.path != "/v1/messages":
            return 404, "not_found_error", f"{received.path} is not served here"
        # The API takes a key in either header; the SDK sends it as a bearer.
        if not received.key:
            return 401, "authentication_error", "x-api-key header is required"
        if "anthropic-version" not in received.headers:
            return 400, "invalid_request_error", "anthropic-version: header is required"
        if not body.get("model") or not body.get("max_tokens") or not body.get("messages") or not body.get("stream"):
            return 400, "invalid_request_error", "model, max_tokens, messages and stream are required"
        if fault := fault_in(body):
            return 400, "invalid_request_error", fault
        return None

    def frame(self, event: Event) -> bytes:
        return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()

    def error(self, error: str, message: str) -> tuple[dict[str, str], dict[str, Any]]:
        shape = {"type": "error", "error": {"type": error, "message": message}, "request_id": "req_fake"}
        return {"request-id": "req_fake"}, shape


if __name__ == "__main__":
    serve(FakeClaude, __doc__, 8787)
