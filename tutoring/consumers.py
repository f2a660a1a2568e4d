"""The tutor's socket: frames in and out. A reply goes on without it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

import structlog
from asgiref.sync import ThreadSensitiveContext
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from tenants.auth import user_for_access_token
from tenants.errors import DATABASE_AWAY, BadToken, DatabaseAway, DomainError, NotSignedIn, NotVisible
from tenants.requests import client_address, is_signed_in_by
from tenants.standing import Standing, standing_by_session, standing_by_token
from tenants.visits import recognise
from tutoring import events, queries
from tutoring.access import access_generation, access_session
from tutoring.actions.generations import request_stop
from tutoring.actions.sending import Sent, regenerate, send_message
from tutoring.doorkeeper import ShownOut, doorkeeper
from tutoring.production import in_thread
from tutoring.runner import OWNER, runner
from tutoring.schemas import AttachFrame, Frame, RegenerateFrame, SendFrame, StopFrame, read_frame

log = structlog.get_logger(__name__)

PROTOCOL = "colloquy.v1"
BEARER_PREFIX = "bearer."
# Close codes of our own range, read by the page's script and by API clients.
CLOSE_NOT_SIGNED_IN, CLOSE_NOT_FOUND = 4401, 4404
# Not of our own: whoever wakes up, or has less to say, may open a socket again.
CLOSE_STUCK, CLOSE_TOO_LONG = 1008, 1009
# A reader who takes nothing for so long is gone, or as good as gone. What it misses stays in the row.
READ_WITHIN_S = 30


class NoSuchSocket(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Every other address: refused like a conversation that is not there, and without a line in the log."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(CLOSE_NOT_FOUND)


class TutorConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One conversation. Frames are handled one at a time, so each reply is followed in a task of its own."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Until the client leaves, is refused, or has no right to be here any more."""
        self.following: dict[UUID, asyncio.Task[None]] = {}
        code = None
        try:
            with doorkeeper().door() as self.door:
                await super().__call__(scope, receive, send)
        except ShownOut as out:
            code = CLOSE_NOT_SIGNED_IN if isinstance(out.refusal, NotSignedIn) else CLOSE_NOT_FOUND
        finally:
            for task in list(self.following.values()):
                task.cancel()
        if code:
            await self._hang_up(code)

    async def connect(self) -> None:
        self.user = self.scope["user"]
        offered = self.scope["subprotocols"]
        # Accepted before it is refused: a browser learns a close code only from an open socket.
        await self.accept(PROTOCOL if PROTOCOL in offered else None)
        # Rendered blocks are for pages; an API client gets the text alone.
        self.is_page = not any(p.startswith(BEARER_PREFIX) for p in offered)
        if not self.user.is_authenticated:
            await self._refuse(CLOSE_NOT_SIGNED_IN)
        recognise(self.user)
        self.session_id: UUID = self.scope["url_route"]["kwargs"]["session"]
        try:
            session = await in_thread(access_session)(self.user, self.session_id)
            self.door.watch(self._standing(session.university_id))
        except NotVisible:
            await self._refuse(CLOSE_NOT_FOUND)
        except BadToken:
            await self._refuse(CLOSE_NOT_SIGNED_IN)
        self.university_id = session.university_id

    def _standing(self, university_id: int) -> Standing:
        if self.is_page:
            return standing_by_session(self.user, university_id, self.scope["session"].session_key)
        return standing_by_token(self.user, university_id, self.scope["bearer"])

    async def _refuse(self, code: int) -> NoReturn:
        """Frames that are under way already are not read any more."""
        await self.close(code)
        raise StopConsumer

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        try:
            return await super().decode_json(text_data)
        except (ValueError, RecursionError):
            # Refused by `read_frame` like any other frame that is none.
            return None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        # The servers refuse it too; but what comes in pieces daphne weighs piece by piece.
        if len(bytes_data or (text_data or "").encode(errors="ignore")) > settings.MAX_FRAME_BYTES:
            await self._refuse(CLOSE_TOO_LONG)
        # A binary frame is refused like any other that is not a JSON object.
        await self.receive_json(await self.decode_json(text_data or ""))

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        try:
            if not await in_thread(self._is_still_signed_in)():
                await self._refuse(CLOSE_NOT_SIGNED_IN)
            await self._obey(read_frame(content))
        except DomainError as error:
            meter = {"meter": await in_thread(self._meter)()} if self.is_page and error.code == "budget" else {}
            await self.send_json({**_refusal(error, content), **meter})
        except DATABASE_AWAY:
            log.exception("database_away")
            await self.send_json(_refusal(DatabaseAway(), content))

    async def send_json(self, content: Any, close: bool = False) -> None:
        # A client that is gone misses nothing: it all stands in the rows.
        with contextlib.suppress(OSError):
            await super().send_json(content, close)

    async def _obey(self, frame: Frame) -> None:
        match frame:
            case SendFrame():
                await self._send(frame)
            case RegenerateFrame():
                await self._regenerate(frame)
            case AttachFrame():
                await self._attach(frame)
            case StopFrame():
                await self._stop(frame)

    def _is_still_signed_in(self) -> bool:
        """Read anew for each frame: signing out, a new password and an expired token end an open socket too."""
        if self.is_page:
            return is_signed_in_by(self.scope["session"].session_key, self.user)
        try:
            return bool(user_for_access_token(self.scope["bearer"]) == self.user)
        except DomainError:
            return False

    async def _send(self, frame: SendFrame) -> None:
        store = partial(send_message, text=frame.text, parent_id=frame.parent, edits_id=frame.edits)
        await self._ask(store, frame.key)

    async def _regenerate(self, frame: RegenerateFrame) -> None:
        await self._ask(partial(regenerate, reply_id=frame.reply), frame.key)

    async def _ask(self, store: Callable[..., Sent], key: str) -> None:
        address = client_address(self.scope)
        send = partial(store, by=self.user, session_id=self.session_id, key=key, owner=OWNER, address=address)
        # A thread of its own, as a request has: sockets would otherwise share one, and wait for each other's locks.
        async with ThreadSensitiveContext():
            sent = await runner.send(send)
        await self.send_json(events.started(sent, key))
        self._follow(sent.generation, after=0)

    async def _attach(self, frame: AttachFrame) -> None:
        await in_thread(access_generation)(self.user, frame.generation, self.session_id)
        if self.is_page:
            # The reply may have nothing new to tell for long, and its page says that it is still connecting.
            await self.send_json({"event": "attached", "generation": str(frame.generation)})
        self._follow(frame.generation, after=frame.after)

    async def _stop(self, frame: StopFrame) -> None:
        await in_thread(request_stop)(by=self.user, generation_id=frame.generation, session_id=self.session_id)
        runner.stop(frame.generation)

    def _follow(self, generation_id: UUID, *, after: int) -> None:
        """A second attach to the same reply replaces the first, so that no text comes twice."""
        if earlier := self.following.pop(generation_id, None):
            earlier.cancel()
        task = asyncio.create_task(self._deliver(generation_id, after))
        self.following[generation_id] = task

    async def _deliver(self, generation_id: UUID, after: int) -> None:
        try:
            async with contextlib.aclosing(self._reply(generation_id, after)) as stream:
                async for event in stream:
                    async with asyncio.timeout(READ_WITHIN_S):
                        await self.send_json({**await self._for_page(event), "generation": str(generation_id)})
        except TimeoutError:
            log.warning("tutor_reader_stuck", generation=str(generation_id))
            await self._hang_up(CLOSE_STUCK)
        except Exception:
            # Nobody awaits this task. The client is told to come back, and finds the text in the row.
            log.exception("tutor_delivery_broke", generation=str(generation_id))
            with contextlib.suppress(Exception):
                await self.send_json(events.restart(retry_ms=1000))
        finally:
            if self.following.get(generation_id) is asyncio.current_task():
                del self.following[generation_id]

    def _reply(self, generation_id: UUID, after: int) -> AsyncGenerator[events.Event, None]:
        return runner.follow(generation_id, after, university=self.university_id, pages=self.is_page)

    async def _for_page(self, event: events.Event) -> events.Event:
        """With how much of the allowance is used now, where a page is told the end."""
        if not (self.is_page and event["event"] == "done"):
            return event
        return {**event, "meter": await in_thread(self._meter)()}

    def _meter(self) -> dict[str, Any] | None:
        meter = queries.meter_of(self.user, self.session_id)
        return {**asdict(meter), "renews_at": meter.renews_at.isoformat()} if meter else None

    async def _hang_up(self, code: int) -> None:
        """Without waiting for one who does not read: closing would wait for them too."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1):
                await self.close(code)


def _refusal(error: DomainError, content: Any) -> events.Event:
    context = dict(error.context)
    if isinstance(content, dict) and isinstance(content.get("key"), str):
        context["key"] = content["key"]
    return events.error(error.code, error.detail, **context)
