"""Tests of replies in the making: the real SDK asks a fake Claude over HTTP, and every thread sees the rows."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any
from unittest.mock import patch
from uuid import UUID

from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client, TransactionTestCase

from lms.asgi import application
from tenants.models import User
from tenants.tokens import start_family
from tests.fakes.claude import FakeClaude, Gate, Received
from tests.tutoring.scenes import ask, sams_session
from tests.world import make_world
from tutoring.actions.sending import Sent
from tutoring.models import Generation, Message
from tutoring.providers.breaker import BreakerPolicy
from tutoring.providers.upstream import RetryPolicy
from tutoring.runner import OWNER, runner

# Far longer than anything takes: a test that fails waits for it, none that passes.
PATIENCE_S = 20
ORIGIN = "http://localhost:8000"
KEY = "sk-ant-key-of-the-suite"

Frame = dict[str, Any]


class LiveCase(TransactionTestCase):
    def setUp(self) -> None:
        self.claude = self.enterContext(FakeClaude())
        provider = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": self.claude.url}
        self.enterContext(self.settings(TUTOR_PROVIDER="anthropic", **provider))
        self.enterContext(patch("tutoring.provider.RETRIES", RetryPolicy(first_pause_s=0.001, longest_pause_s=0.01)))
        self.enterContext(patch("tutoring.provider.BREAKERS", BreakerPolicy(failures=1000)))
        self.world = make_world()
        self.session = sams_session(self.world)
        self.path = f"/ws/tutor/{self.session.pk}/"

    async def send(self, text: str = "Why do samples vary?", **arguments: object) -> Sent:
        """A question of Sam's whose reply this process makes."""
        arguments = {"owner": OWNER} | arguments
        sent = await database_sync_to_async(ask)(self.world, self.session, text, **arguments)
        runner.start(sent)
        return sent

    async def answered(self, text: str = "Why do samples vary?", **arguments: object) -> Sent:
        sent = await self.send(text, **arguments)
        await ended(sent.generation)
        return sent

    async def row(self, sent: Sent) -> tuple[str, str, str]:
        """The reply's state, text and error code; its generation has the same state."""
        generation = await Generation.objects.select_related("message").aget(pk=sent.generation)
        assert generation.state == generation.message.state
        return generation.state, generation.message.body, generation.message.error_code

    async def row_becomes(self, sent: Sent, *expected: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while (row := await self.row(sent)) != expected:
            assert time.monotonic() < until, row
            await asyncio.sleep(0.01)

    async def said(self) -> list[tuple[str, str, str]]:
        """Role, state and text of each message of the conversation."""
        messages = Message.objects.filter(session=self.session).order_by("seq")
        return [row async for row in messages.values_list("role", "state", "body")]

    async def upstream(self, number: int = 0) -> Received:
        """The request to Claude with this number, once it has come."""
        return await asyncio.to_thread(self.claude.request, number, PATIENCE_S)

    def token(self, user: User | None = None) -> str:
        return start_family(user or self.world.sam).access_token

    def cookie(self, user: User | None = None) -> str:
        client = Client()
        client.force_login(user or self.world.sam)
        return f"sessionid={client.cookies['sessionid'].value}"


async def ended(generation: UUID) -> None:
    university = (await Generation.objects.aget(pk=generation)).university_id
    async with asyncio.timeout(PATIENCE_S):
        await runner.wait_ended(generation, university)


async def happens(event: Any) -> None:
    """Waits for an event of the fake server's thread."""
    assert await asyncio.to_thread(event.wait, PATIENCE_S)


async def reached(gate: Gate) -> None:
    await happens(gate.reached)


class Socket(WebsocketCommunicator):
    """The other end of a tutor's socket."""

    # In place of channels' own, which keep every thread's database connection open while they wait.
    send_input = ApplicationCommunicator.send_input
    receive_output = ApplicationCommunicator.receive_output

    async def say(self, **frame: object) -> None:
        await self.send_to(json.dumps(frame, default=str))

    async def hear(self) -> Frame:
        return await self.receive_json_from(PATIENCE_S)

    async def hear_until(self, event: str) -> list[Frame]:
        frames = [await self.hear()]
        while frames[-1]["event"] != event:
            frames.append(await self.hear())
        return frames

    async def closing_code(self) -> int:
        message = await self.receive_output(PATIENCE_S)
        assert message["type"] == "websocket.close", message
        return message["code"]


def new_socket(path: str, *, cookie: str = "", origin: str = ORIGIN, protocols: list[str] | None = None) -> Socket:
    headers = [(b"host", b"localhost:8000")]
    headers += [(b"origin", origin.encode())] if origin else []
    headers += [(b"cookie", cookie.encode())] if cookie else []
    return Socket(application, path, headers=headers, subprotocols=protocols)


@asynccontextmanager
async def opened(socket: Socket) -> AsyncIterator[Socket]:
    is_open, _ = await socket.connect(PATIENCE_S)
    assert is_open
    yield socket
    await socket.disconnect(timeout=PATIENCE_S)


def texts(frames: list[Frame]) -> str:
    """The deltas' text in one, each of which begins where the one before ended."""
    deltas = [frame for frame in frames if frame["event"] == "delta"]
    for before, after in pairwise(deltas):
        assert after["from"] == before["from"] + len(before["text"])
    return "".join(delta["text"] for delta in deltas)


class EventStream(ApplicationCommunicator):
    """One request to the API whose answer comes as it is made; `events` are read one by one."""

    def __init__(self, method: str, path: str, *, token: str, body: object = None, **headers: str) -> None:
        path, _, query = path.partition("?")
        sent = {"host": "localhost", "content-type": "application/json", "authorization": f"Bearer {token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "method": method,
            "path": f"/api/v1{path}",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
            "server": ("localhost", 80),
        }
        super().__init__(application, scope)
        self._body = b"" if body is None else json.dumps(body, default=str).encode()
        self._unread = ""

    async def open(self) -> tuple[int, dict[str, str]]:
        """Status and headers."""
        await self.send_input({"type": "http.request", "body": self._body})
        start = await self.receive_output(PATIENCE_S)
        return start["status"], {name.decode().lower(): value.decode() for name, value in start["headers"]}

    async def event(self) -> tuple[str, str, Any] | None:
        """Name, id and data of the next event; the text of a comment comes as a name alone; None at the end."""
        while "\n\n" not in self._unread:
            message = await self.receive_output(PATIENCE_S)
            self._unread += message.get("body", b"").decode()
            if not message.get("more_body"):
                break
        block, _, self._unread = self._unread.partition("\n\n")
        if not block:
            return None
        if block.startswith(":"):
            return block, "", None
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        assert list(fields) == ["event", "id", "data"]
        return fields["event"], fields["id"], json.loads(fields["data"])

    async def rest(self) -> list[tuple[str, str, Any]]:
        events = [event async for event in _until_none(self.event)]
        await self.wait(PATIENCE_S)
        return events

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of an answer that is no stream."""
        status, _ = await self.open()
        body = (await self.receive_output(PATIENCE_S))["body"]
        await self.wait(PATIENCE_S)
        return status, body

    async def leave(self) -> None:
        await self.send_input({"type": "http.disconnect"})
        await self.wait(PATIENCE_S)


async def _until_none(take: Callable[[], Awaitable[Any]]) -> AsyncIterator[Any]:
    while (taken := await take()) is not None:
        yield taken


def as_frames(events: list[tuple[str, str, Any]]) -> list[Frame]:
    """Server-sent events in the shape of the socket's frames."""
    return [{"event": name, **data} for name, _, data in events if data is not None]


def usage(**changes: int) -> dict[str, int]:
    return {"input_tokens": 0, "output_tokens": 0, "cache_write_tokens": 0, "cache_read_tokens": 0} | changes
