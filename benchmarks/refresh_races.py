"""Four callers spend one refresh token at one moment, again and again: see benchmarks/README.md."""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

from benchmarks.lesson_page import _site

if TYPE_CHECKING:
    from tenants.models import User

CALLERS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=10_000, help="each with a sign-in of its own (default: 10,000)")
    races = parser.parse_args().races
    with _site():
        from tests.factories import make_university, make_user

        sam = make_user("sam@north.example", "Sam Sorensen", at=make_university("north", "North"))
        began = time.perf_counter()
        winners = _race(sam, races)
        took_s = time.perf_counter() - began
    for count, how_often in sorted(winners.items()):
        print(f"{how_often:>7} races of {CALLERS} callers had {count} {'winner' if count == 1 else 'winners'}")
    print(f"{races:>7} races in {took_s:.0f} s")
    sys.exit(set(winners) != {1})


def _race(person: "User", races: int) -> Counter[int]:
    """How many races had how many winners."""
    from tenants.tokens import start_family

    start = Barrier(CALLERS)
    winners: Counter[int] = Counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        for _ in range(races):
            token = start_family(person).refresh_token
            winners[sum(pool.map(_spends, [token] * CALLERS, [start] * CALLERS))] += 1
        list(pool.map(_leave, [start] * CALLERS))
    return winners


def _spends(token: str, start: Barrier) -> bool:
    """Whether this caller got a pair for the token."""
    from tenants.errors import BadToken
    from tenants.tokens import refresh

    start.wait()
    try:
        return bool(refresh(token))
    except BadToken:
        return False


def _leave(start: Barrier) -> None:
    from django.db import connections

    start.wait()
    connections.close_all()


if __name__ == "__main__":
    main()
