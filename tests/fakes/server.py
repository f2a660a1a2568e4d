"""A server that answers as a model does, in a thread of its own; how it says so on the wire is for its subclasses."""

import argparse
import asyncio
import contextlib
import hashlib
import json
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

from tests.fakes.scripts import Answer, Event, Received, blocks, reply_events, said, tokens

# Status, type, message.
Refusal = tuple[int, str, str]


class FakeModel:
    """Answers each request with the next of its script, and with `default` when that is at its end.

    `default` may be a function of the request's body. `requests` is the ledger.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.requests: list[Received] = []
        self.default: Answer | Callable[[dict[str, Any]], Answer] = Answer()
        self._script: deque[Answer] = deque()
        self._cached: set[str] = set()
        self._arrived = threading.Condition()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    stream_headers: dict[str, str]

    def model_of(self, path: str, body: dict[str, Any]) -> str:
        raise NotImplementedError

    def refusal(self, received: Received, raw_body: bytes) -> Refusal | None:
        """What the API refuses before it answers."""
        raise NotImplementedError

    def frame(self, event: Event) -> bytes:
        raise NotImplementedError

    def error(self, error: str, message: str) -> tuple[dict[str, str], dict[str, Any]]:
        """Headers and body of an answer that is none."""
        raise NotImplementedError

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

    def start(self) -> Self:
        self._thread.start()
        assert self._started.wait(5)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(5)

    def __enter__(self) -> Self:
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
        received, raw_body = await self._read(reader)
        answering = asyncio.create_task(self._answer(received, raw_body, writer))
        # Nothing more comes while an answer is under way, unless the client goes away.
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                received.disconnected.set()
                return False
            return answering.result()
        except ConnectionError:
            # The client's going was noticed in writing first.
            received.disconnected.set()
            return False
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
            received.ended.set()

    async def _read(self, reader: asyncio.StreamReader) -> tuple[Received, bytes]:
        request_line, *header_lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in header_lines)}
        raw_body = await reader.readexactly(int(headers.get("content-length", 0)))
        path, body = request_line.split()[1], json.loads(raw_body or b"{}")
        received = Received(path, headers, body, self.model_of(path, body))
        with self._arrived:
            self.requests.append(received)
            self._arrived.notify_all()
        return received, raw_body

    async def _answer(self, received: Received, raw_body: bytes, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection can take another request."""
        if refusal := self.refusal(received, raw_body):
            return await self._send_error(writer, *refusal)
        answer = self._script.popleft() if self._script else self._default(received)
        if answer.hang == "without_headers":
            await asyncio.Event().wait()
        if answer.status != 200:
            return await self._send_error(writer, answer.status, answer.error, answer.error, answer.headers)
        writer.write(_head(200, self.stream_headers | {"transfer-encoding": "chunked"}))
        await writer.drain()
        await self._send(reply_events(received, answer, self._usage(received.body)), received, writer)
        return True

    def _default(self, received: Received) -> Answer:
        return self.default if isinstance(self.default, Answer) else self.default(received.body)

    async def _send(
        self, events: AsyncIterator[Event | bytes], received: Received, writer: asyncio.StreamWriter
    ) -> None:
        async with contextlib.aclosing(events):
            async for event in events:
                is_text = isinstance(event, dict) and event["type"] == "content_block_delta"
                if is_text:
                    received.sent.append(event["delta"]["text"])
                    received.sent_at.append(time.time())
                part = event if isinstance(event, bytes) else self.frame(event)
                writer.write(b"%x\r\n%b\r\n" % (len(part), part))
                await writer.drain()
                if is_text:
                    received.sent_at[-1] = time.time()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _send_error(
        self, writer: asyncio.StreamWriter, status: int, error: str, message: str, headers: dict[str, str] | None = None
    ) -> bool:
        own_headers, shape = self.error(error, message)
        body = json.dumps(shape).encode()
        length = {"content-type": "application/json", "content-length": str(len(body))}
        writer.write(_head(status, length | own_headers | (headers or {})) + body)
        await writer.drain()
        return True

    def _usage(self, body: dict[str, Any]) -> dict[str, int]:
        """As the API counts: what stands before the cache mark is written once and read from then on."""
        sent = [*blocks(body.get("system", [])), *said(body)]
        cached = max((number for number, block in enumerate(sent, 1) if "cache_control" in block), default=0)
        prefix = "".join(block["text"] for block in sent[:cached])
        rest = "".join(block["text"] for block in sent[cached:])
        key = hashlib.sha256(prefix.encode()).hexdigest()
        is_cached = key in self._cached
        self._cached.add(key)
        return {
            "input_tokens": tokens(len(rest)),
            "cache_creation_input_tokens": 0 if is_cached else tokens(len(prefix)),
            "cache_read_input_tokens": tokens(len(prefix)) if is_cached else 0,
            "output_tokens": 1,
        }


def fault_in(body: dict[str, Any]) -> str | None:
    """What the API says to messages that it does not take."""
    if body["messages"][0]["role"] != "user":
        return 'messages: first message must use the "user" role'
    if any(not block["text"].strip() for block in said(body)):
        return "messages: text content blocks must be non-empty"
    return None


def serve(fake: type[FakeModel], description: str | None, port: int) -> None:
    """Serve the default answer until interrupted, on a port that the command line may name."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=port)
    with fake(parser.parse_args().port) as server:
        print(f"Serving {server.url}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Fake", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()
