"""What a server process does beside its requests: looks after replies whose process is gone, and leaves in order."""

import asyncio
import contextlib
from typing import Any

import structlog
from django.conf import settings
from django.core.checks import Tags, run_checks
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from tenants import readiness
from tutoring import tracing
from tutoring.actions.recovery import forget_what_is_old, recover_lapsed
from tutoring.production import in_thread
from tutoring.runner import runner

log = structlog.get_logger(__name__)

RECOVER_EVERY_S = 10


async def lifespan_application(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI lifespan protocol. A server without it serves all the same: lapsed replies end when somebody looks."""
    upkeep: asyncio.Task[None] | None = None
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            if reason := await in_thread(_why_not)():
                await send({"type": "lifespan.startup.failed", "message": reason})
                return
            upkeep = asyncio.create_task(_upkeep())
            await send({"type": "lifespan.startup.complete"})
        else:
            await _leave(upkeep)
            await send({"type": "lifespan.shutdown.complete"})
            return


def _why_not() -> str:
    """What keeps this process from serving; empty when nothing does. A database that is away may come back."""
    try:
        problems = run_checks(tags=[Tags.database], databases=[DEFAULT_DB_ALIAS])
    except DatabaseError:
        log.exception("database_away")
        return ""
    return "\n".join(str(problem) for problem in problems if problem.is_serious())


async def _upkeep() -> None:
    """One process at a time does the work, under a lock of the database; a round that fails is tried again."""
    while True:
        try:
            await in_thread(recover_lapsed)()
            await in_thread(forget_what_is_old)()
        except Exception:
            log.exception("tutor_upkeep_failed")
        await asyncio.sleep(RECOVER_EVERY_S)


async def _leave(upkeep: "asyncio.Task[None] | None") -> None:
    if upkeep:
        upkeep.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await upkeep
    # `manage.py serve` has waited for the replies before it came to this.
    if not readiness.is_going_away():
        await runner.drain(settings.TUTOR_DRAIN_S)
    await asyncio.to_thread(tracing.shut_down)
