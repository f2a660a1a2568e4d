"""Saves the replies that a process makes: every half second, all of them in one statement."""

import asyncio
import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from django.db import DataError

from tutoring.actions.generations import Progress, save_progress
from tutoring.production import Production

log = structlog.get_logger(__name__)

# What a killed process loses of a reply at most, beside the time that one save takes.
SAVE_EVERY_S = 0.5
# A thread that nothing else uses: a crowd of new questions must not keep the words of others from being saved.
_SAVING = ThreadPoolExecutor(1, "tutor-saving")


class Keeper:
    """Belongs to one event loop. Its task lives while there is something to keep."""

    def __init__(self) -> None:
        self._kept: dict[UUID, Production] = {}
        self._much_has_come = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def keep(self, production: Production) -> None:
        self._kept[production.sent.generation] = production
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_on())

    def let_go(self, production: Production) -> None:
        self._kept.pop(production.sent.generation, None)

    def hurry(self) -> None:
        self._much_has_come.set()

    async def _keep_on(self) -> None:
        while self._kept:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._much_has_come.wait(), SAVE_EVERY_S)
            self._much_has_come.clear()
            await self._save([production for production in self._kept.values() if production.is_due])

    async def _save(self, due: list[Production]) -> None:
        if not due:
            return
        try:
            await self._save_together(due)
        except DataError:
            # Something of one of them fits in no column: the others are not to lose their leases over it.
            log.exception("tutor_replies_not_saved", replies=len(due))
            if len(due) > 1:
                for production in due:
                    await self._save([production])
        except Exception:
            # The texts are still here and the next round saves them; a lease outlives many rounds.
            log.exception("tutor_replies_not_saved", replies=len(due))

    async def _save_together(self, due: list[Production]) -> None:
        rows = [production.progress() for production in due]
        going_on = await _in_saving_thread(rows)
        for production, row in zip(due, rows, strict=True):
            production.was_saved(row, may_go_on=row.lease.generation in going_on)


async def _in_saving_thread(rows: Sequence[Progress]) -> set[UUID]:
    save = database_sync_to_async(save_progress, thread_sensitive=False, executor=_SAVING)
    going_on: set[UUID] = await save(rows)
    return going_on
