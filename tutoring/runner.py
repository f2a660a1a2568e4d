"""The replies that this process makes and follows: one asyncio task for each, apart from any connection.

Leaving a page never stops a reply, since readers only follow a `LiveReply`; rows are saved every half second or 2 kB.
"""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Callable
from functools import partial
from uuid import UUID

import structlog
from channels.db import aclose_old_connections, database_sync_to_async

from tenants import readiness
from tenants.errors import DomainError
from tutoring import relay
from tutoring.actions.sending import Sent
from tutoring.aftermath import follow_up
from tutoring.errors import Draining
from tutoring.events import Event
from tutoring.keeper import Keeper
from tutoring.live import LiveReply
from tutoring.mirror import Mirror
from tutoring.production import Production
from tutoring.provider import open_provider
from tutoring.providers.protocol import Provider

log = structlog.get_logger(__name__)

# Names this process in `Generation.owner`; the random part tells two servers with one number on one host apart.
OWNER = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"

# Questions that are stored at one moment; more wait their turn. A crowd that all came at once would have the processor
# and the pool to itself for seconds, in which nothing of the replies under way is saved.
SENDS_AT_ONCE = 4
# When readers of a process that goes away come back.
RETRY_MS = 1000
# What the last writes may take after the time for draining is over.
LAST_WRITES_S = 10


class _Loop:
    """What belongs to one event loop: a server has one in all, tests have one for each test."""

    def __init__(self) -> None:
        self.keeper = Keeper()
        self.productions: dict[UUID, Production] = {}
        self.mirrors: dict[UUID, tuple[Mirror, asyncio.Task[None], set[object]]] = {}
        # Kept here because asyncio itself holds tasks by weak references only.
        self.tasks: set[asyncio.Task[object]] = set()
        self.making: set[asyncio.Task[object]] = set()
        self.sending = asyncio.Semaphore(SENDS_AT_ONCE)
        self._providers: dict[str, Provider] = {}

    def provider(self, name: str) -> Provider:
        if name not in self._providers:
            self._providers[name] = open_provider(name)
        return self._providers[name]

    async def aclose(self) -> None:
        """Hang up on the providers. A later reply opens them anew."""
        while self._providers:
            await self._providers.popitem()[1].aclose()


class Runner:
    def __init__(self) -> None:
        self._state: _Loop | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def _here(self) -> _Loop:
        loop = asyncio.get_running_loop()
        if self._state is None or self._loop is not loop:
            self._state, self._loop = _Loop(), loop
        return self._state

    async def send(self, store: Callable[[], Sent]) -> Sent:
        """Run `store`, which sends a message, in a thread, and begin its reply. `Draining` while the process goes away.

        In a task of its own: a client who leaves meanwhile has the request cancelled, and must not leave behind a
        question that is stored and that nobody answers.
        """
        # Nobody waits for their turn with a connection in hand that those before them need. Whoever leaves while they
        # wait has sent nothing yet.
        await aclose_old_connections()
        async with self._here.sending:
            if readiness.is_going_away():
                raise Draining
            task = asyncio.create_task(self._store_and_start(store))
            self._remember(task, self._here.making)
            # Looked at here too, for the case that nobody waits any more; refusals are for the sender alone.
            task.add_done_callback(_log_what_nobody_expects)
            return await asyncio.shield(task)

    async def _store_and_start(self, store: Callable[[], Sent]) -> Sent:
        sent: Sent = await database_sync_to_async(store)()
        self.start(sent)
        return sent

    def start(self, sent: Sent) -> None:
        """Begin the reply of a new send; does nothing for a send that was answered before. Needs a running loop."""
        if sent.request is None:
            return
        here = self._here
        production = Production(sent, sent.request, OWNER, here.keeper.hurry)
        here.productions[sent.generation] = production
        here.keeper.keep(production)
        if readiness.is_going_away():
            production.reply.dismiss(RETRY_MS)
        self._remember(asyncio.create_task(self._make(production)), here.making)

    async def _make(self, production: Production) -> None:
        here, sent = self._here, production.sent
        if relay.is_on():
            publishing = relay.publish(sent.generation, sent.university, production.reply)
            self._remember(asyncio.create_task(publishing), here.tasks)
        open_provider = partial(here.provider, sent.provider)
        try:
            await production.run(open_provider)
        finally:
            here.keeper.let_go(production)
            here.productions.pop(sent.generation, None)
        self._remember(asyncio.create_task(follow_up(production, open_provider)), here.tasks)

    def stop(self, generation_id: UUID) -> None:
        """Stop at once what this process makes; another process sees the row's `stop_requested` within a second."""
        if production := self._here.productions.get(generation_id):
            production.stop()

    async def follow(
        self, generation_id: UUID, after: int, *, university: int, pages: bool
    ) -> AsyncGenerator[Event, None]:
        """The reply's events from the position `after`: live where it is made here, else as its row has it."""
        if production := self._here.productions.get(generation_id):
            async with contextlib.aclosing(production.reply.follow(after, pages=pages)) as events:
                async for event in events:
                    yield event
            return
        async with (
            self._mirrored(generation_id, university) as reply,
            contextlib.aclosing(reply.follow(after, pages=pages)) as events,
        ):
            async for event in events:
                yield event

    @contextlib.asynccontextmanager
    async def _mirrored(self, generation_id: UUID, university: int) -> AsyncGenerator[LiveReply, None]:
        """The mirror of a reply that is not made here, which lives as long as somebody reads it."""
        mirrors, reader = self._here.mirrors, object()
        if generation_id not in mirrors:
            mirror = Mirror(generation_id, university)
            mirrors[generation_id] = mirror, asyncio.create_task(mirror.run()), set()
        mirror, task, readers = mirrors[generation_id]
        readers.add(reader)
        if readiness.is_going_away():
            mirror.reply.dismiss(RETRY_MS)
        try:
            await mirror.has_looked.wait()
            yield mirror.reply
        finally:
            readers.discard(reader)
            if not readers:
                mirrors.pop(generation_id, None)
                task.cancel()

    async def wait_ended(self, generation_id: UUID, university: int) -> None:
        """Until the reply has ended, or this process goes away."""
        async with contextlib.aclosing(self.follow(generation_id, 0, university=university, pages=False)) as events:
            async for _ in events:
                pass

    async def drain(self, within_s: float) -> None:
        """Go away: no new sends, readers are sent to come back, replies may end within the time given.

        What has not ended by then ends as interrupted, with its text kept. May be called again.
        """
        readiness.go_away()
        here = self._here
        log.info("tutor_drain_began", replies=len(here.productions), within_s=within_s)
        for reply in [p.reply for p in here.productions.values()] + [m.reply for m, _, _ in here.mirrors.values()]:
            reply.dismiss(RETRY_MS)
        await _finished(here.making, within_s)
        left = list(here.productions.values())
        for production in left:
            production.interrupt()
        await _finished(here.making, LAST_WRITES_S)
        await _finished(here.tasks, 1)
        await here.aclose()
        log.info("tutor_drain_ended", interrupted=len(left))

    def _remember(self, task: "asyncio.Task[object]", among: "set[asyncio.Task[object]]") -> None:
        among.add(task)
        task.add_done_callback(among.discard)


def _log_what_nobody_expects(sending: "asyncio.Task[Sent]") -> None:
    error = None if sending.cancelled() else sending.exception()
    if error and not isinstance(error, DomainError):
        log.error("tutor_send_broke", exc_info=error)


async def _finished(tasks: "set[asyncio.Task[object]]", within_s: float) -> None:
    """Until those tasks, and those that they begin among them, are done or the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while tasks:
                await asyncio.wait(tasks)


runner = Runner()
