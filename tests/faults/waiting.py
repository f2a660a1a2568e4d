"""Waiting for something to become so, with an end."""

import asyncio
import time
from collections.abc import Callable

# Between two looks.
LOOK_S = 0.02


def wait_until(is_so: Callable[[], bool], timeout_s: float, what: str) -> None:
    until = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until, f"in {timeout_s:g} s there was no {what}"
        time.sleep(LOOK_S)


async def until(is_so: Callable[[], bool], timeout_s: float, what: str) -> None:
    """`is_so` is called in the loop: it looks at what is in memory and does not block."""
    end = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end, f"in {timeout_s:g} s there was no {what}"
        await asyncio.sleep(LOOK_S)


async def pause(seconds: float) -> None:
    """The moment at which a fault strikes, chosen by the round's own chance."""
    await asyncio.sleep(seconds)
