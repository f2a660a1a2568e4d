"""Makes replies: one asyncio task for each, apart from any connection and holding none to the database.

Leaving a page never stops a reply, since readers only follow `LiveReply`; the rows are saved every second or 2 kB.
"""

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from django.conf import settings

from tutoring.actions.generations import Lease, Outcome, finish_generation, read_reply, save_progress
from tutoring.actions.sending import Sent
from tutoring.events import Ending, Event, delta, done
from tutoring.live import LiveReply
from tutoring.provider import open_provider
from tutoring.providers.costs import cost_usd
from tutoring.providers.protocol import Finished, Provider, ProviderError, TextDelta, TutorRequest, Usage

log = structlog.get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

SAVE_EVERY_S = 1.0
SAVE_EVERY_CHARACTERS = 2000
# Between the tries to write a reply's end; together shorter than its lease.
END_PAUSES_S = (0.2, 0.5, 1, 2, 4)
# How often a reader looks at the row of a reply that another process makes.
POLL_EVERY_S = 1.0

# Names this process in `Generation.owner`; the random part tells two servers with one number on one host apart.
OWNER = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"

_INTERRUPTED = Outcome(state="failed", code="interrupted")


class _Production:
    """One reply in the making."""

    def __init__(self, sent: Sent, request: TutorRequest) -> None:
        self.lease = Lease(generation=sent.generation, reply=sent.reply, owner=OWNER)
        self.request = request
        self.reply = LiveReply()
        self.started_at = time.monotonic()
        self.ttft_ms: int | None = None
        self.finished: Finished | None = None
        self.usage: Usage | None = None
        self.stopping = False
        self.reading: asyncio.Task[None] | None = None
        self._unsaved = asyncio.Event()
        self._saved_length = 0
        self._log = log.bind(generation=str(sent.generation), session=str(sent.session))

    def stop(self) -> None:
        self.stopping = True
        if self.reading:
            self.reading.cancel()

    async def run(self, provider: Provider) -> None:
        """Never raises: nobody awaits it, so every failure ends in the row, the log and the readers' `done`."""
        keeper = asyncio.create_task(self._keep())
        self.reading = asyncio.create_task(self._read(provider))
        if self.stopping:
            self.reading.cancel()
        outcome = await self._outcome()
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        await self._finish(outcome)

    async def _outcome(self) -> Outcome:
        assert self.reading is not None
        try:
            await self.reading
        except asyncio.CancelledError:
            if not self.stopping:
                return _INTERRUPTED
            return Outcome(state="stopped", stop_reason="stopped_by_student")
        except ProviderError as error:
            self._log.warning("tutor_reply_failed", code=error.code, detail=error.detail)
            return Outcome(state="failed", code=error.code)
        except Exception:
            self._log.exception("tutor_reply_broke")
            return _INTERRUPTED
        # Cut to its column: a provider's new word must not cost the reply its end.
        stop_reason = self.finished.stop_reason[:40] if self.finished else ""
        return Outcome(state="complete", stop_reason=stop_reason)

    async def _read(self, provider: Provider) -> None:
        async with contextlib.aclosing(provider.stream(self.request)) as stream:
            async for part in stream:
                if isinstance(part, TextDelta):
                    self._take(part.text)
                elif isinstance(part, Usage):
                    self.usage = part
                else:
                    self.finished, self.usage = part, part.usage

    def _take(self, text: str) -> None:
        if self.ttft_ms is None:
            self.ttft_ms = round((time.monotonic() - self.started_at) * 1000)
        # NUL is the one character that PostgreSQL's text cannot hold.
        self.reply.append(text.replace("\x00", ""))
        if self.reply.length - self._saved_length >= SAVE_EVERY_CHARACTERS:
            self._unsaved.set()

    async def _keep(self) -> None:
        """Save text and lease until cancelled; a stop asked for in another process is seen here."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._unsaved.wait(), SAVE_EVERY_S)
            self._unsaved.clear()
            body = self.reply.text_from(0)
            try:
                may_go_on = await _in_thread(save_progress)(self.lease, body)
            except Exception:
                # The text is still here and the next round saves it; the lease outlives several rounds.
                self._log.exception("tutor_reply_not_saved")
                continue
            self._saved_length = len(body)
            if not may_go_on:
                self.stop()
                return

    async def _finish(self, outcome: Outcome) -> None:
        usage = self.usage
        cost = cost_usd(usage, self.request.model, settings.TUTOR_PRICES) if usage else None
        outcome = replace(
            outcome,
            usage=usage,
            cost_usd=cost if settings.TUTOR_PROVIDER != "practice" else None,
            ttft_ms=self.ttft_ms,
        )
        ending = await self._write_end(outcome)
        self._log.info("tutor_reply_ended", state=ending.state, code=ending.code, length=self.reply.length)
        self.reply.end(ending)

    async def _write_end(self, outcome: Outcome) -> Ending:
        """What readers are told is what the rows say, or will say when the lease has run out.

        A database that is away for a moment costs no word: the end is tried again for as long as the lease lasts.
        """
        for pause_s in (*END_PAUSES_S, None):
            try:
                if await _in_thread(finish_generation)(self.lease, self.reply.text_from(0), outcome):
                    return _ending(outcome)
                self._log.warning("tutor_lease_lost")
                saved = await _in_thread(read_reply)(self.lease.generation)
                return saved.ending or _ending(_INTERRUPTED)
            except Exception:
                self._log.exception("tutor_reply_end_not_saved")
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        return _ending(_INTERRUPTED)


def _ending(outcome: Outcome) -> Ending:
    usage = outcome.usage or Usage()
    return Ending(
        state=outcome.state,
        code=outcome.code,
        stop_reason=outcome.stop_reason,
        usage={
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_write_tokens": usage.cache_creation_input_tokens,
            "cache_read_tokens": usage.cache_read_input_tokens,
        },
    )


class Runner:
    """The replies that this process makes now."""

    def __init__(self) -> None:
        self._productions: dict[UUID, _Production] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sends: set[asyncio.Task[Sent]] = set()
        self._provider: Provider | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, store: Callable[[], Sent]) -> Sent:
        """Run `store`, which sends a message, in a thread, and begin its reply.

        In a task of its own: a client who leaves meanwhile has the request cancelled, and must not leave behind a
        question that is stored and that nobody answers.
        """
        task = asyncio.create_task(self._store_and_start(store))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)
        # Looked at here too, for the case that nobody waits any more; refusals are for the sender alone.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _store_and_start(self, store: Callable[[], Sent]) -> Sent:
        sent: Sent = await database_sync_to_async(store)()
        self.start(sent)
        return sent

    def start(self, sent: Sent) -> None:
        """Begin the reply of a new send; does nothing for a send that was answered before. Needs a running loop."""
        if sent.request is None:
            return
        production = _Production(sent, sent.request)
        self._productions[sent.generation] = production
        task = asyncio.create_task(production.run(self._provider_of_loop()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._productions.pop(sent.generation, None))

    def stop(self, generation_id: UUID) -> None:
        """Stop at once what this process makes; another process sees the row's `stop_requested` within a second."""
        if production := self._productions.get(generation_id):
            production.stop()

    async def follow(self, generation_id: UUID, after: int, *, pages: bool) -> AsyncGenerator[Event, None]:
        """The reply's events from the position `after`: live where it is made here, else from its row."""
        production = self._productions.get(generation_id)
        if production:
            async with contextlib.aclosing(production.reply.follow(after, pages=pages)) as live:
                async for event in live:
                    yield event
            return
        while True:
            saved = await _in_thread(read_reply)(generation_id)
            after = min(after, len(saved.body))
            if text := saved.body[after:]:
                yield delta(after, text)
                after += len(text)
            if saved.ending:
                yield done(saved.ending, saved.body, pages=pages)
                return
            await asyncio.sleep(POLL_EVERY_S)

    async def wait_ended(self, generation_id: UUID) -> None:
        async with contextlib.aclosing(self.follow(generation_id, 0, pages=False)) as events:
            async for _ in events:
                pass

    def _provider_of_loop(self) -> Provider:
        # A vendor's client belongs to the loop that it first ran on: tests have one for each test, a server one in all.
        loop = asyncio.get_running_loop()
        if self._provider is None or self._loop is not loop:
            self._provider, self._loop = open_provider(), loop
        return self._provider


def _in_thread(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """In a thread of its own: many replies are saved at once, and none waits for another's."""
    in_thread: Callable[P, Awaitable[R]] = database_sync_to_async(function, thread_sensitive=False)
    return in_thread


runner = Runner()
