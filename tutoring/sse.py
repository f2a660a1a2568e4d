"""A reply as server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator

import structlog
from django.http import StreamingHttpResponse

from tenants.standing import Standing
from tutoring.doorkeeper import ShownOut, doorkeeper
from tutoring.events import HEARTBEAT, Event, as_sse

log = structlog.get_logger(__name__)

# A reader who takes nothing for so long is gone, or as good as gone. What it misses stays in the row.
READ_WITHIN_S = 30
# Proxies close connections that say nothing; a comment line is no event.
HEARTBEAT_EVERY_S = 15


def event_stream(
    events: AsyncGenerator[Event, None], standing: Standing, *, after: int, first: Event | None = None
) -> StreamingHttpResponse:
    """`first` goes out before the reply's events; `after` is the position that the reader has.

    The stream ends early, without `done`, when `standing` does: who then comes again is refused.
    """
    lines = _lines_for(standing, events, after, first)
    response = StreamingHttpResponse(lines, content_type="text/event-stream; charset=utf-8")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _lines_for(
    standing: Standing, events: AsyncGenerator[Event, None], after: int, first: Event | None
) -> AsyncGenerator[str, None]:
    with contextlib.suppress(ShownOut), doorkeeper().door() as door:
        door.watch(standing)
        async with contextlib.aclosing(_lines(events, after, first)) as lines:
            async for line in lines:
                yield line


async def _lines(events: AsyncGenerator[Event, None], after: int, first: Event | None) -> AsyncGenerator[str, None]:
    position = after
    if first:
        with _hanging_up():
            yield as_sse(first, position)
    async with contextlib.aclosing(_with_pauses(events)) as stream:
        async for event in stream:
            if event and event["event"] == "delta":
                position = event["from"] + len(event["text"])
            with _hanging_up():
                yield as_sse(event, position) if event else HEARTBEAT


@contextlib.contextmanager
def _hanging_up() -> Iterator[None]:
    """Around the handing over of a piece: one that is not taken in time ends the request."""
    request = asyncio.current_task()
    assert request is not None  # noqa: S101 # for mypy: a stream is read by a task

    def hang_up() -> None:
        log.warning("tutor_reader_stuck")
        request.cancel()

    timer = asyncio.get_running_loop().call_later(READ_WITHIN_S, hang_up)
    try:
        yield
    finally:
        timer.cancel()


async def _with_pauses(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event | None, None]:
    """The same events, and None whenever nothing came for a while. Closing it closes `events`."""
    async with contextlib.aclosing(events):
        coming = asyncio.ensure_future(anext(events, None))
        try:
            while True:
                ready, _ = await asyncio.wait({coming}, timeout=HEARTBEAT_EVERY_S)
                if not ready:
                    yield None
                    continue
                event = coming.result()
                if event is None:
                    return
                yield event
                coming = asyncio.ensure_future(anext(events, None))
        finally:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await coming
