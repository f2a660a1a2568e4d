"""A server that speaks the wire protocol of Amazon Bedrock's runtime: signed requests, AWS's event stream back.

Scripted like `tests.fakes.claude`. An `error` whose name ends in "Exception" is told as Bedrock tells its own: in the
header `x-amzn-errortype` before the stream, in an exception frame within it. Every signature is checked; it must be
made with ACCESS_KEY and SECRET_KEY, for any region. `python -m tests.fakes.bedrock --port 8788` serves the default.
"""

import base64
import json
import re
import struct
from binascii import crc32
from typing import Any
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.fakes.scripts import Answer, Event, Gate, Received
from tests.fakes.server import FakeModel, Refusal, fault_in, serve

__all__ = ["ACCESS_KEY", "SECRET_KEY", "Answer", "FakeBedrock", "Gate", "chunk", "exception", "frame"]

ACCESS_KEY = "AKIAOFTHEFAKEBEDROCK"
SECRET_KEY = "the-secret-key-of-the-fake-bedrock"

_PATH = re.compile(r"/model/([^/]+)/invoke-with-response-stream")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/bedrock/aws4_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


class FakeBedrock(FakeModel):
    stream_headers = {
        "content-type": "application/vnd.amazon.eventstream",
        "x-amzn-bedrock-content-type": "application/json",
        "x-amzn-requestid": "request-of-the-fake",
    }

    def model_of(self, path: str, body: dict[str, Any]) -> str:
        match = _PATH.fullmatch(path)
        return unquote(match[1]) if match else ""

    def refusal(self, received: Received, raw_body: bytes) -> Refusal | None:
        body = received.body
        if not received.model:
            return 404, "UnknownOperationException", f"{received.path} is not served here"
        if fault := _fault_in_signature(received, raw_body):
            return 403, *fault
        if not body.get("anthropic_version") or not body.get("max_tokens") or not body.get("messages"):
            return 400, "ValidationException", "anthropic_version, max_tokens and messages are required"
        if extra := {"model", "stream"} & body.keys():
            return 400, "ValidationException", f"{', '.join(sorted(extra))}: Extra inputs are not permitted"
        if fault := fault_in(body):
            return 400, "ValidationException", fault
        return None

    def frame(self, event: Event) -> bytes:
        error = event.get("error", {})
        if error.get("type", "").endswith("Exception"):
            return exception(error["type"], error["message"])
        return chunk(json.dumps(event).encode())

    def error(self, error: str, message: str) -> tuple[dict[str, str], dict[str, Any]]:
        error_type = f"{error}:http://internal.amazon.com/coral/com.amazon.bedrock/"
        return {"x-amzn-errortype": error_type, "x-amzn-requestid": "request-of-the-fake"}, {"message": message}


def chunk(event: bytes) -> bytes:
    """An event in its frame; `p` is the padding that Bedrock adds against eavesdroppers who count bytes."""
    payload = json.dumps({"bytes": base64.b64encode(event).decode(), "p": "abcdefgh"}).encode()
    return frame({":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(exception_type: str, message: str) -> bytes:
    """In the stream the names begin with a small letter."""
    name = exception_type[:1].lower() + exception_type[1:]
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """A message of AWS's event stream: lengths, their CRC, headers of type 7 (string), payload, the whole's CRC."""
    encoded = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    lengths = struct.pack("!II", 16 + len(encoded) + len(payload), len(encoded))
    message = lengths + struct.pack("!I", crc32(lengths)) + encoded + payload
    return message + struct.pack("!I", crc32(message))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", 7, len(value)) + value


def _fault_in_signature(received: Received, raw_body: bytes) -> tuple[str, str] | None:
    """The type and the message with which AWS refuses it."""
    match = _AUTHORIZATION.fullmatch(received.headers.get("authorization", ""))
    if not match:
        return "MissingAuthenticationTokenException", "Missing Authentication Token"
    if match["key"] != ACCESS_KEY:
        return "UnrecognizedClientException", "The security token included in the request is invalid."
    names = match["names"].split(";")
    if missing := [name for name in names if name not in received.headers]:
        return "InvalidSignatureException", f"{missing} were signed but not sent"
    if not {"host", "x-amz-date"} <= set(names) or not received.headers["x-amz-date"].startswith(match["day"]):
        return "InvalidSignatureException", "host and x-amz-date must be signed, for the day of the credential"
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "bedrock", match["region"])
    canonical, signature = _sign(signer, received, names, raw_body)
    if signature != match["signature"]:
        # In AWS's words, which repeat the headers with whatever is secret in them.
        return "InvalidSignatureException", f"The Canonical String for this request should have been '{canonical}'"
    return None


def _sign(signer: SigV4Auth, received: Received, names: list[str], raw_body: bytes) -> tuple[str, str]:
    """The canonical request and its signature, made from what arrived."""
    headers = {name: received.headers[name] for name in names}
    request = AWSRequest("POST", f"http://{headers['host']}{received.path}", headers=headers, data=raw_body)
    request.context["timestamp"] = headers["x-amz-date"]
    canonical = signer.canonical_request(request)
    return canonical, signer.signature(signer.string_to_sign(request, canonical), request)


if __name__ == "__main__":
    serve(FakeBedrock, __doc__, 8788)
