"""Carries the text of replies to readers in other processes, through the channel layer; only with Redis.

It may lose anything: a reader that misses something reads the row, where all of it is. So nothing here is waited for
longer than `PATIENCE_S`, and nothing that goes wrong here reaches a reply or a reader.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable
from typing import Any, TypeVar
from uuid import UUID

import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from tenants.keys import key_for
from tutoring.live import LiveReply

log = structlog.get_logger(__name__)

T = TypeVar("T")

PATIENCE_S = 1.0
# Deltas are joined for so long: a message through Redis costs several times what it costs to hand on a delta here.
JOIN_S = 0.1
# More than this waiting for a reader means that reading the row is quicker.
INBOX_SIZE = 64
DEAF_FOR_S = 5

News = dict[str, Any]


def is_on() -> bool:
    return bool(settings.REDIS_URL)


async def publish(generation_id: UUID, university_id: int, reply: LiveReply) -> None:
    """Send on what the reply becomes, until its end. Cancel it at will."""
    layer: Any = get_channel_layer()
    group = _group_of(generation_id, university_id)
    is_well = True
    async with contextlib.aclosing(reply.follow(0, pages=False)) as events:
        async for event in events:
            news = {"type": "news", "event": event["event"]}
            if event["event"] == "delta":
                news |= {"from": event["from"], "text": event["text"]}
            was_well, is_well = is_well, await _tried(layer.group_send(group, news))
            if was_well and not is_well:
                log.warning("tutor_relay_silent", group=group)
            await asyncio.sleep(JOIN_S)


@contextlib.asynccontextmanager
async def listening(generation_id: UUID, university_id: int) -> AsyncGenerator["asyncio.Queue[News]", None]:
    """A queue of what other processes say of the reply. It stays empty where the channel layer does not answer."""
    inbox: asyncio.Queue[News] = asyncio.Queue(INBOX_SIZE)
    listener = asyncio.create_task(_listen(_group_of(generation_id, university_id), inbox))
    try:
        yield inbox
    finally:
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener


class _Deafness:
    """After Redis has not answered a listener, nobody asks it for a while: who gives up leaves a channel behind."""

    until = 0.0

    @classmethod
    def has_come(cls) -> None:
        cls.until = time.monotonic() + DEAF_FOR_S

    @classmethod
    def lasts(cls) -> bool:
        return time.monotonic() < cls.until


async def _listen(group: str, inbox: "asyncio.Queue[News]") -> None:
    if _Deafness.lasts():
        return
    layer: Any = get_channel_layer()
    try:
        async with asyncio.timeout(PATIENCE_S):
            channel = await layer.new_channel()
            await layer.group_add(group, channel)
    except Exception as error:
        _Deafness.has_come()
        log.warning("tutor_relay_deaf", group=group, detail=repr(error)[:200])
        return
    try:
        while True:
            news = await layer.receive(channel)
            # What does not fit is left out: the gap sends the reader to the row.
            with contextlib.suppress(asyncio.QueueFull):
                inbox.put_nowait(news)
    except Exception as error:
        log.warning("tutor_relay_deaf", group=group, detail=repr(error)[:200])
    finally:
        await _tried(layer.group_discard(group, channel))


async def _tried(call: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await call
    except Exception:
        return False
    return True


def _group_of(generation_id: UUID, university_id: int) -> str:
    return key_for(university_id, "tutor", generation_id)
