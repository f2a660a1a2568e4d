"""Programs that use the API as real ones do: they send until they are answered, and follow through whatever breaks."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.faults.ledger import Ask, Event, Gap, Ledger, Reading

Way = Literal["sse", "sse_header", "socket"]
WAYS: tuple[Way, ...] = ("sse", "sse_header", "socket")
BROKEN = (httpx.HTTPError, WebSocketException, OSError, EOFError, Gap)
PATIENCE_S = 75
# "Come back": of a server that is going away, or whose database is.
_PASSING, _PASSING_CODES = {500, 502, 503, 504}, {"server_error", "restarting", "unavailable"}


@dataclass
class Student:
    """One person's program. After a break it turns to the next of `urls`, as behind a balancer."""

    http: httpx.AsyncClient
    urls: Sequence[str]
    token: str
    ledger: Ledger
    turn: int = 0

    @property
    def url(self) -> str:
        return self.urls[self.turn % len(self.urls)]

    async def converse(
        self, ask: Ask, way: Way = "sse", reading: Reading | None = None, *, patience_s: float = PATIENCE_S
    ) -> Reading:
        """Send and read to the end, coming back after each break."""
        reading = reading or self.ledger.reading(ask)
        try:
            async with asyncio.timeout(patience_s):
                while not reading.is_over:
                    await self.take_part(ask, reading, way)
                    if not reading.is_over:
                        await asyncio.sleep(reading.come_back_after_s)
        except TimeoutError:
            reading.wrongs.append(f"no end in {patience_s} s; {len(reading.text)} characters came")
        return reading

    async def take_part(
        self, ask: Ask, reading: Reading, way: Way = "sse", leave_after: int | None = None, *, sends: bool = False
    ) -> None:
        """One connection: send, or follow what was acknowledged, up to a break, the end, or so many events.

        With `sends` what was acknowledged is sent again, under its key.
        """
        sends = sends or not ask.ids
        try:
            if way == "socket":
                await self._over_socket(ask, reading, leave_after, sends=sends)
            elif not sends:
                await self._follow(ask, reading, way, leave_after)
            else:
                await self._send(ask, reading, leave_after)
        except BROKEN as error:
            self.ledger.breaks[type(error).__name__] += 1
            self.turn += 1

    async def send_again(self, ask: Ask, way: Way = "sse") -> Reading:
        """The same words under the same key, as from a client that does not know that it was answered."""
        reading = self.ledger.reading(ask)
        await self.take_part(ask, reading, way, sends=True)
        return await self.converse(ask, way, reading)

    async def stop(self, ask: Ask) -> int:
        """The status of the answer."""
        url = f"{self.url}/api/v1/chat/generations/{ask.generation}/stop"
        answer = await self.http.post(url, headers=self._headers())
        self.ledger.answers[answer.status_code] += 1
        return answer.status_code

    async def status_of_following(self, ask: Ask) -> int:
        url = f"{self.url}/api/v1/chat/generations/{ask.generation}/events"
        async with self.http.stream("GET", url, headers=self._headers()) as answer:
            return answer.status_code

    async def _send(self, ask: Ask, reading: Reading, leave_after: int | None) -> None:
        url = f"{self.url}/api/v1/chat/sessions/{ask.session}/messages"
        headers = self._headers({"Idempotency-Key": ask.key})
        async with self.http.stream("POST", url, json={"text": ask.text}, headers=headers) as answer:
            await self._read(answer, ask, reading, leave_after)

    async def _follow(self, ask: Ask, reading: Reading, way: Way, leave_after: int | None) -> None:
        url, held = f"{self.url}/api/v1/chat/generations/{ask.generation}/events", len(reading.text)
        # As EventSource does: the header wins over whatever the address says.
        by_header = way == "sse_header"
        headers = self._headers({"Last-Event-ID": str(held)} if by_header else {})
        async with self.http.stream("GET", f"{url}?after={0 if by_header else held}", headers=headers) as answer:
            await self._read(answer, ask, reading, leave_after)

    async def _read(self, answer: httpx.Response, ask: Ask, reading: Reading, leave_after: int | None) -> None:
        self.ledger.answers[answer.status_code] += 1
        if answer.status_code != 200:
            await answer.aread()
            await self._refused(answer, ask)
            return
        events = 0
        async with aclosing(server_sent_events(answer)) as stream:
            async for event in stream:
                events += 1
                reading.take(event)
                if reading.is_over or events == leave_after:
                    return
                if self._is_sent_away(event):
                    return

    async def _refused(self, answer: httpx.Response, ask: Ask) -> None:
        if answer.status_code in _PASSING:
            self.turn += 1
            return
        try:
            body = answer.json()
        except ValueError:
            body = {"detail": answer.text}
        ask.refusal = (answer.status_code, body | {"retry_after": answer.headers.get("retry-after")})

    async def _over_socket(self, ask: Ask, reading: Reading, leave_after: int | None, *, sends: bool) -> None:
        async with self.socket(ask.session) as socket:
            await socket.send(json.dumps(_first_frame(ask, reading, sends)))
            events = 0
            async for message in socket:
                event = json.loads(message)
                if event["event"] == "error":
                    self._refused_frame(event, ask)
                    return
                events += 1
                reading.take(event)
                if events == leave_after:
                    # As when a phone loses its network: no closing handshake.
                    socket.transport.abort()
                if reading.is_over or events == leave_after or self._is_sent_away(event):
                    return

    def socket(self, session: str) -> Any:
        url = f"{self.url.replace('http', 'ws', 1)}/ws/tutor/{session}/"
        protocols = ["colloquy.v1", f"bearer.{self.token}"]
        options: dict[str, Any] = {"max_size": None, "proxy": None, "compression": None, "close_timeout": 1}
        return connect(url, subprotocols=protocols, open_timeout=10, ping_interval=None, **options)

    def _is_sent_away(self, event: Event) -> bool:
        if event["event"] != "restart":
            return False
        self.turn += 1
        return True

    def _refused_frame(self, event: Event, ask: Ask) -> None:
        code = event["code"]
        self.ledger.answers[code] += 1
        if code in _PASSING_CODES:
            self.turn += 1
            return
        ask.refusal = (code, event)

    def _headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **(more or {})}


def _first_frame(ask: Ask, reading: Reading, sends: bool) -> dict[str, Any]:
    if sends:
        return {"action": "send", "key": ask.key, "text": ask.text}
    return {"action": "attach", "generation": ask.generation, "after": len(reading.text)}


async def server_sent_events(answer: httpx.Response) -> AsyncIterator[Event]:
    """Each event of the body in the shape of the socket's frames; comments are passed over."""
    unread = b""
    async with aclosing(answer.aiter_raw()) as chunks:
        async for chunk in chunks:
            *blocks, unread = (unread + chunk).split(b"\n\n")
            for block in blocks:
                if not block.startswith(b":"):
                    yield _event(block.decode())


def _event(block: str) -> Event:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    return {"event": fields["event"], **json.loads(fields["data"])}
