"""Many callers at the same instant."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")


def at_once(number: int, ask: Callable[[int], Result]) -> list[Result]:
    """What `ask(0)`, `ask(1)`… return, each from a thread and a connection of its own."""
    together = Barrier(number)

    def one(which: int) -> Result:
        together.wait(20)
        try:
            return ask(which)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(one, range(number)))
