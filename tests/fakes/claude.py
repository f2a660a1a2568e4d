"""A server that speaks the Messages API's wire protocol, in a thread of its own, doing as each test says.

    with FakeClaude() as claude:
        claude.will(Answer(["Hel", "lo"]), Answer(status=529, error="overloaded_error"))

Requests beyond those that were scripted get a paragraph that quotes the lesson they carried. `claude.requests` is the
ledger. `python -m tests.fakes.claude --port 8787` serves the default answer.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import re
import threading
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

BAD_JSON = b'event: content_block_delta\ndata: {"type": "content_block_delta", "index":\n\n'
CUT_UTF8 = b'event: content_block_delta\ndata: {"type":"ping","x":"\xe2\x82"}\n\n'
UNKNOWN_EVENT = b'event: weather\ndata: {"type": "weather", "sunny": true}\n\n'
STOP_BEFORE_START = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'


class Gate:
    """Holds an answer until `release()`; `reached` is set when the answer stands before it. For any thread."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._released = threading.Event()
        self._wakers: list[Any] = []
        self._lock = threading.Lock()

    def release(self) -> None:
        with self._lock:
            self._released.set()
            for wake in self._wakers:
                wake()

    async def wait(self) -> None:
        loop, passed = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            if self._released.is_set():
                return
            self._wakers.append(lambda: loop.call_soon_threadsafe(passed.set))
        self.reached.set()
        await passed.wait()


@dataclass
class Answer:
    """One scripted answer. `raw` goes out after the texts as it is; `gate` holds it after `gate_after` texts."""

    texts: Sequence[str] | None = None
    delay_s: float = 0.0
    gate: Gate | None = None
    gate_after: int = 0
    stop_reason: str = "end_turn"
    usage: dict[str, int] = field(default_factory=dict)
    # Before the stream: an HTTP status. With `error_after` texts sent: an error event under 200.
    status: int = 200
    error: str = "api_error"
    error_after: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: Literal["", "without_headers", "with_headers", "with_pings"] = ""
    raw: bytes = b""
    instead_of_start: bytes = b""
    completes: bool = True


@dataclass
class Received:
    """One request: what came, what was sent back, how it ended."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    sent: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    disconnected: threading.Event = field(default_factory=threading.Event)

    @property
    def text(self) -> str:
        return "".join(self.sent)

    @property
    def key(self) -> str:
        return self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")


class FakeClaude:
    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.requests: list[Received] = []
        self._script: deque[Answer] = deque()
        self._cached: set[str] = set()
        self._arrived = threading.Condition()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def will(self, *answers: Answer) -> None:
        self._script.extend(answers)

    def forget_script(self) -> None:
        """Drop what no request has asked for."""
        self._script.clear()

    def request(self, index: int = 0, timeout_s: float = 5) -> Received:
        """The request with this number, waiting for it to arrive."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) > index, timeout_s), "no such request came"
            return self.requests[index]

    def start(self) -> "FakeClaude":
        self._thread.start()
        assert self._started.wait(5)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(5)

    def __enter__(self) -> "FakeClaude":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, limit=2**24)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stopping.wait()
        server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._connections.add(task)
        try:
            while await self._one_request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request_line, *header_lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in header_lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        received = Received(request_line.split()[1], headers, json.loads(body or b"{}"))
        with self._arrived:
            self.requests.append(received)
            self._arrived.notify_all()
        answering = asyncio.create_task(self._answer(received, writer))
        # Nothing more comes while an answer is under way, unless the client goes away.
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                received.disconnected.set()
                return False
            return answering.result()
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
            received.ended.set()

    async def _answer(self, received: Received, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection can take another request."""
        refusal = _refusal(received)
        if refusal:
            return await _send_error(writer, *refusal)
        answer = self._script.popleft() if self._script else Answer()
        if answer.hang == "without_headers":
            await asyncio.Event().wait()
        if answer.status != 200:
            return await _send_error(writer, answer.status, answer.error, answer.error, answer.headers)
        writer.write(_head(200, {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}))
        await writer.drain()
        async for part in self._stream(received, answer):
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _stream(self, received: Received, answer: Answer) -> AsyncIterator[bytes]:
        if answer.hang == "with_headers":
            await asyncio.Event().wait()
        texts = _quoting(received.body) if answer.texts is None else answer.texts
        usage = self._usage(received.body) | answer.usage
        yield answer.instead_of_start or _start(received.body["model"], usage)
        yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield _event("ping")
        while answer.hang == "with_pings":
            await asyncio.sleep(answer.delay_s or 0.01)
            yield _event("ping")
        for number, text in enumerate(texts):
            if number == answer.error_after:
                break
            if answer.gate and number == answer.gate_after:
                await answer.gate.wait()
            await asyncio.sleep(answer.delay_s)
            received.sent.append(text)
            yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
        if answer.error_after is not None:
            yield _event("error", error={"type": answer.error, "message": answer.error})
            return
        if answer.gate and answer.gate_after >= len(texts):
            await answer.gate.wait()
        if answer.raw:
            yield answer.raw
        if answer.completes:
            yield _event("content_block_stop", index=0)
            delta = {"stop_reason": answer.stop_reason, "stop_sequence": None}
            output_tokens = answer.usage.get("output_tokens", _tokens("".join(texts)))
            yield _event("message_delta", delta=delta, usage={"output_tokens": output_tokens})
            yield _event("message_stop")

    def _usage(self, body: dict[str, Any]) -> dict[str, int]:
        """As the API counts: what stands before the cache mark is written once and read from then on."""
        blocks = [*_blocks(body.get("system", [])), *_said(body)]
        marks = [number for number, block in enumerate(blocks, 1) if "cache_control" in block]
        prefix = "".join(block["text"] for block in blocks[: max(marks, default=0)])
        rest = "".join(block["text"] for block in blocks[max(marks, default=0) :])
        key = hashlib.sha256(prefix.encode()).hexdigest()
        is_cached = key in self._cached
        self._cached.add(key)
        return {
            "input_tokens": _tokens(rest),
            "cache_creation_input_tokens": 0 if is_cached else _tokens(prefix),
            "cache_read_input_tokens": _tokens(prefix) if is_cached else 0,
            "output_tokens": 1,
        }


def _refusal(received: Received) -> tuple[int, str, str] | None:
    """What the API refuses before it answers: status, type, message."""
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
    if body["messages"][0]["role"] != "user":
        return 400, "invalid_request_error", 'messages: first message must use the "user" role'
    if any(not block["text"].strip() for block in _said(body)):
        return 400, "invalid_request_error", "messages: text content blocks must be non-empty"
    return None


async def _send_error(
    writer: asyncio.StreamWriter, status: int, error: str, message: str, headers: dict[str, str] | None = None
) -> bool:
    shape = {"type": "error", "error": {"type": error, "message": message}, "request_id": "req_fake"}
    body = json.dumps(shape).encode()
    own = {"content-type": "application/json", "content-length": str(len(body)), "request-id": "req_fake"}
    writer.write(_head(status, own | (headers or {})) + body)
    await writer.drain()
    return True


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Fake", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _event(event_type: str, **fields: Any) -> bytes:
    return f"event: {event_type}\ndata: {json.dumps({'type': event_type, **fields})}\n\n".encode()


def _start(model: str, usage: dict[str, int]) -> bytes:
    message = {"id": "msg_fake", "type": "message", "role": "assistant", "model": model, "content": []}
    return _event("message_start", message=message | {"stop_reason": None, "stop_sequence": None, "usage": usage})


def _quoting(body: dict[str, Any]) -> list[str]:
    """A paragraph with the question and the first words of the lesson, which is the block with the cache mark."""
    blocks = _said(body)
    lesson = next((block["text"] for block in blocks if "cache_control" in block), blocks[0]["text"])
    inner = re.search(r"<text>(.*?)</text>", lesson, re.DOTALL)
    words = (inner.group(1) if inner else lesson).split()[:12]
    question = blocks[-1]["text"].split()[:20]
    reply = f"The lesson says: “{' '.join(words)}”. You asked: “{' '.join(question)}”.\n\nWhat follows from it?"
    return re.findall(r"\S+\s*\S*\s*", reply)


def _said(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for message in body["messages"] for block in _blocks(message["content"])]


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _tokens(text: str) -> int:
    return (len(text) + 3) // 4


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8787)
    with FakeClaude(parser.parse_args().port) as claude:
        print(f"Serving {claude.url}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
