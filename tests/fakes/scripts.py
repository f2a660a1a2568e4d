"""What a fake model is told to answer, what it remembers of a request, and the events of its replies."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

Event = dict[str, Any]


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
    """One scripted answer. `raw` goes out after the texts as it is; `gate` holds it after `gate_after` texts.

    `texts` may be made while they are sent; an answer that is given more than once needs a function that makes them.
    """

    texts: Iterable[str] | Callable[[], Iterable[str]] | None = None
    delay_s: float = 0.0
    gate: Gate | None = None
    gate_after: int = 0
    stop_reason: str = "end_turn"
    usage: dict[str, int] = field(default_factory=dict)
    # Before the stream: an HTTP status. With `error_after` texts sent: an error under 200.
    status: int = 200
    error: str = "api_error"
    error_after: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: Literal["", "without_headers", "with_headers", "with_pings"] = ""
    raw: bytes = b""
    instead_of_start: bytes = b""
    completes: bool = True
    # The connection breaks off where the end would be.
    breaks_off: bool = False


@dataclass
class Received:
    """One request: what came, what was sent back, how it ended.

    `sent_at` has the time of each text in `sent`, by `time.time()`: when it was handed to the socket and drained.
    """

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    model: str = ""
    received_at: float = field(default_factory=time.time)
    sent: list[str] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    disconnected: threading.Event = field(default_factory=threading.Event)

    @property
    def text(self) -> str:
        return "".join(self.sent)

    @property
    def key(self) -> str:
        return self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")


async def reply_events(received: Received, answer: Answer, usage: dict[str, int]) -> AsyncIterator[Event | bytes]:
    """The events of the reply in their order; bytes are for the wire as they are."""
    if answer.hang == "with_headers":
        await asyncio.Event().wait()
    yield answer.instead_of_start or _start(received.model, usage | answer.usage)
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield {"type": "ping"}
    while answer.hang == "with_pings":
        await asyncio.sleep(answer.delay_s or 0.01)
        yield {"type": "ping"}
    number = characters = 0
    for number, text in enumerate(islice(_texts(received.body, answer), answer.error_after), 1):
        if answer.gate and number == answer.gate_after + 1:
            await answer.gate.wait()
        await asyncio.sleep(answer.delay_s)
        characters += len(text)
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    if answer.gate and number <= answer.gate_after:
        await answer.gate.wait()
    for event in _end(answer, characters):
        yield event


def said(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks of all messages."""
    return [block for message in body["messages"] for block in blocks(message["content"])]


def blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def tokens(characters: int) -> int:
    return (characters + 3) // 4


def _start(model: str, usage: dict[str, int]) -> Event:
    message = {"id": "msg_fake", "type": "message", "role": "assistant", "model": model, "content": []}
    return {
        "type": "message_start",
        "message": message | {"stop_reason": None, "stop_sequence": None, "usage": usage},
    }


def _end(answer: Answer, characters: int) -> Iterator[Event | bytes]:
    if answer.error_after is not None:
        yield {"type": "error", "error": {"type": answer.error, "message": answer.error}}
        return
    if answer.raw:
        yield answer.raw
    if answer.breaks_off:
        raise ConnectionAbortedError
    if answer.completes:
        delta = {"stop_reason": answer.stop_reason, "stop_sequence": None}
        output_tokens = answer.usage.get("output_tokens", tokens(characters))
        yield {"type": "content_block_stop", "index": 0}
        yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": output_tokens}}
        yield {"type": "message_stop"}


def _texts(body: dict[str, Any], answer: Answer) -> Iterable[str]:
    if answer.texts is None:
        return _quoting(body)
    return answer.texts() if callable(answer.texts) else answer.texts


def _quoting(body: dict[str, Any]) -> list[str]:
    """A paragraph with the question and the first words of the lesson, which is the block with the cache mark."""
    spoken = said(body)
    lesson = next((block["text"] for block in spoken if "cache_control" in block), spoken[0]["text"])
    inner = re.search(r"<text>(.*?)</text>", lesson, re.DOTALL)
    words = (inner.group(1) if inner else lesson).split()[:12]
    question = spoken[-1]["text"].split()[:20]
    reply = f"The lesson says: “{' '.join(words)}”. You asked: “{' '.join(question)}”.\n\nWhat follows from it?"
    return re.findall(r"\S+\s*\S*\s*", reply)
