"""Shows people out of their open sockets and event streams when their right to be there has ended.

One task of a process asks for all of them together, so a connection that waits costs no thread and no query of its own.
"""

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

import structlog
from channels.db import database_sync_to_async

from tenants.errors import DomainError
from tenants.standing import Standing, ended

log = structlog.get_logger(__name__)

# Nobody stays longer than this and the time of a few queries.
LOOK_EVERY_S = 2.0
# A thread that nothing else uses: whoever has to go does not stay for as long as a crowd is busy.
_LOOKING = ThreadPoolExecutor(1, "tutor-doorkeeper")


class ShownOut(Exception):
    """Out of a `Door` in place of what was under way there; `refusal` says why."""

    def __init__(self, refusal: DomainError) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class Door:
    """Around what a task does for somebody. From `watch` on it may end as `ShownOut`, in the way of a timeout."""

    def __init__(self, keeper: "Doorkeeper") -> None:
        self.standing: Standing | None = None
        self._keeper = keeper
        self._refusal: DomainError | None = None
        self._cancels = 0

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 # for mypy: a door is entered by a task
        self._task, self._cancelled_before = task, task.cancelling()
        return self

    def watch(self, standing: Standing) -> None:
        self.standing = standing
        self._keeper.add(self)

    def show_out(self, refusal: DomainError) -> None:
        """May be called again, for a task that has not gone."""
        self._refusal = self._refusal or refusal
        self._cancels += 1
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._keeper.forget(self)
        if self._refusal is None:
            return
        for _ in range(self._cancels):
            self._task.uncancel()
        # Whoever else wants the task to end is obeyed first.
        if kind is asyncio.CancelledError and self._task.cancelling() <= self._cancelled_before:
            raise ShownOut(self._refusal) from error


class Doorkeeper:
    """Belongs to one event loop. Its task lives while somebody is inside."""

    def __init__(self) -> None:
        self._doors: set[Door] = set()
        self._task: asyncio.Task[None] | None = None

    def door(self) -> Door:
        return Door(self)

    def add(self, door: Door) -> None:
        self._doors.add(door)
        if self._task is None or self._task.done():
            # Nothing of whoever happened to come first: neither their log's fields nor what they may see.
            self._task = asyncio.create_task(self._walk(), context=Context())

    def forget(self, door: Door) -> None:
        self._doors.discard(door)

    async def _walk(self) -> None:
        while self._doors:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self._look()
            except Exception:
                # A database that is away for a moment is no reason to send anybody away.
                log.exception("tutor_rights_not_read")

    async def _look(self) -> None:
        asked = {door.standing for door in self._doors if door.standing}
        refusals = await _in_looking_thread(asked)
        for door in list(self._doors):
            if door.standing in refusals:
                door.show_out(refusals[door.standing])


async def _in_looking_thread(standings: Collection[Standing]) -> dict[Standing, DomainError]:
    look = database_sync_to_async(ended, thread_sensitive=False, executor=_LOOKING)
    refusals: dict[Standing, DomainError] = await look(standings)
    return refusals


_keepers: WeakKeyDictionary[asyncio.AbstractEventLoop, Doorkeeper] = WeakKeyDictionary()


def doorkeeper() -> Doorkeeper:
    """The running loop's."""
    return _keepers.setdefault(asyncio.get_running_loop(), Doorkeeper())
