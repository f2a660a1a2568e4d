"""A server that takes what Langfuse's SDK sends, in threads of its own: OTLP spans and scores, with basic auth.

    with FakeLangfuse() as langfuse:
        ...
        assert langfuse.spans == [...]

`spans` are the decoded spans, `scores` the JSON of the scores, `raw` every body before its compression. It answers
at once, unless it was told `hang()`, `slow(0.02)`, or `refuse(500)`; a 503 asks to be tried again at once.
"""

import base64
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TRACES, SCORES = "/api/public/otel/v1/traces", "/api/public/scores"


class FakeLangfuse:
    def __init__(self, public_key: str = "pk-lf-of-the-suite", secret_key: str = "sk-lf-of-the-suite") -> None:
        self.public_key, self.secret_key = public_key, secret_key
        self.spans: list[dict[str, Any]] = []
        self.scores: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        # Each request: path and the status that it was answered with, None while it is not.
        self.requests: list[tuple[str, int | None]] = []
        self.arrived = threading.Event()
        self._status: int | None = None
        self._pause_s: float | None = 0
        self._released = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def settings(self) -> dict[str, str]:
        keys = {"LANGFUSE_PUBLIC_KEY": self.public_key, "LANGFUSE_SECRET_KEY": self.secret_key}
        return keys | {"LANGFUSE_HOST": self.url}

    def hang(self) -> None:
        """Read each request and answer none before `release()`."""
        self._pause_s = None

    def slow(self, pause_s: float) -> None:
        self._pause_s = pause_s

    def refuse(self, status: int) -> None:
        self._status = status

    def release(self) -> None:
        self._released.set()

    def __enter__(self) -> "FakeLangfuse":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def take(self, path: str, authorization: str, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body of the answer."""
        with self._lock:
            number = len(self.requests)
            self.requests.append((path, None))
            self.raw.append(body)
        self.arrived.set()
        self._released.wait(self._pause_s)
        with self._lock:
            answer = self._answer(path, authorization, body)
            self.requests[number] = (path, answer[0])
        return answer

    def _answer(self, path: str, authorization: str, body: bytes) -> tuple[int, str, bytes]:
        key = base64.b64encode(f"{self.public_key}:{self.secret_key}".encode()).decode()
        if authorization != f"Basic {key}":
            return _json(401, {"message": "Invalid credentials. Confirm that you've configured the correct host."})
        if self._status:
            return _json(self._status, {"message": "Internal Server Error"})
        if path == TRACES:
            self.spans += _spans(body)
            return 200, "application/x-protobuf", ExportTraceServiceResponse().SerializeToString()
        if path == SCORES:
            self.scores += json.loads(body)
            return _json(202, {"message": "Accepted"})
        return _json(404, {"message": "Not Found"})


class _Handler(BaseHTTPRequestHandler):
    fake: FakeLangfuse

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        status, content_type, answer = self.fake.take(self.path, self.headers["authorization"] or "", body)
        try:
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(answer)))
            if status == 503:
                self.send_header("retry-after", "0")
            self.end_headers()
            self.wfile.write(answer)
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at `requests`."""


def _json(status: int, answer: dict[str, str]) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(answer).encode()


def _spans(body: bytes) -> list[dict[str, Any]]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        _span(span) | {"scope": scope.scope.name, "resource": _attributes(resource.resource)}
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _span(span: Span) -> dict[str, Any]:
    return {
        "trace": span.trace_id.hex(),
        "name": span.name,
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "status": (span.status.code, span.status.message),
        "attributes": _attributes(span),
    }


def _attributes(holder: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in holder.attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(member) for member in value.array_value.values]
    return getattr(value, kind)
