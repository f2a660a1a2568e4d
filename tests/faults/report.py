"""The table at the end of a run: one row for each fault."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from tests.faults.judge import Verdict

# Judges a round: fails the test with everything that differs, and adds the verdict to the fault's row of the table.
Judged = Callable[..., None]
COLUMNS = "fault|rounds|ack|lost|doubled|stuck|chars|text s|requests/try|500s|took s|note"


@dataclass
class Fault:
    """What the rounds of one fault came to. The worst of all rounds where it is not a sum."""

    name: str
    seed: int
    rounds_wanted: int
    rounds: int = 0
    round: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    characters_lost: int = 0
    seconds_lost: float = 0
    requests: int = 0
    tries: int = 0
    server_errors: int = 0
    note: str = ""
    began_at: float = field(default_factory=time.monotonic)
    took_s: float = 0

    def chances(self) -> Iterator[Random]:
        """One source of chance for each round. ROUND=n repeats that round alone."""
        only = os.environ.get("FAULT_ROUND")
        for number in [int(only)] if only else range(1, self.rounds_wanted + 1):
            self.round = number
            self.rounds += 1
            yield Random(f"{self.seed} {self.name} {number}")

    def add(self, verdict: Verdict, acknowledged: int) -> None:
        self.acknowledged += acknowledged
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.stuck += verdict.stuck
        self.characters_lost = max(self.characters_lost, verdict.characters_lost)
        self.seconds_lost = max(self.seconds_lost, verdict.seconds_lost)
        self.requests += verdict.requests
        self.tries += verdict.tries
        self.server_errors += verdict.server_errors

    def said_of(self, verdict: Verdict) -> str:
        shown = verdict.wrongs[:12] + [f"... and {len(verdict.wrongs) - 12} more"] * (len(verdict.wrongs) > 12)
        return "\n".join([f"round {self.round} of {self.name!r}, SEED={self.seed}:", *shown])

    def end(self) -> None:
        self.took_s = time.monotonic() - self.began_at

    @property
    def requests_per_try(self) -> str:
        return f"{self.requests / self.tries:.2f}" if self.tries else "-"

    def cells(self) -> list[str]:
        counts = [self.rounds, self.acknowledged, self.lost, self.doubled, self.stuck, self.characters_lost]
        rest = [f"{self.seconds_lost:.2f}", self.requests_per_try, self.server_errors, f"{self.took_s:.1f}", self.note]
        return [self.name, *map(str, counts), *map(str, rest)]


def table(faults: list[Fault]) -> list[str]:
    """Its lines, columns aligned."""
    rows = [COLUMNS.split("|"), *(fault.cells() for fault in faults)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for name, *cells, note in rows:
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:-1], strict=True))
        lines.append(f"{name.ljust(widths[0])}  {numbers}  {note}".rstrip())
    return lines
