"""Server-sent events: the reader that does not read. What they say is in test_event_streams.py."""

import asyncio
from unittest.mock import patch

import pytest

from tenants.standing import Standing
from tutoring.events import delta
from tutoring.sse import event_stream

# Nobody asks for it before the streams here have ended.
SOMEBODYS = Standing(person_id=1, university_id=1, basis="")


async def two_deltas():
    yield delta(0, "One ")
    yield delta(4, "two")


def test_a_reader_who_takes_nothing_is_hung_up_on_and_the_reply_let_go():
    left = []

    async def followed():
        try:
            async for event in two_deltas():
                yield event
        finally:
            left.append(True)

    async def request():
        async for _ in event_stream(followed(), SOMEBODYS, after=0):
            # As a server does that cannot get rid of what it has.
            await asyncio.Event().wait()

    async def scene():
        with patch("tutoring.sse.READ_WITHIN_S", 0.01):
            async with asyncio.timeout(20):
                await asyncio.create_task(request())

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(scene())
    assert left == [True]


def test_a_reader_who_takes_its_time_between_two_pieces_is_not():
    async def scene():
        with patch("tutoring.sse.READ_WITHIN_S", 0.02):
            return [line async for line in event_stream(two_deltas(), SOMEBODYS, after=0)]

    assert len(asyncio.run(scene())) == 2
