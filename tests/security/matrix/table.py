"""The table of expectations: what each person is answered, in a file for people."""

from pathlib import Path

from tests.security.matrix.runner import Outcome

FILE = Path(__file__).parent / "table.txt"
PEOPLE = ("nobody", "sam", "tara", "tess", "dan", "ada", "oona", "otto", "pia")
_HEAD = """\
# What each way into the site answers to whom. Made by `make matrix WRITE=1` and read by people before it is believed.
#
# One status for each row that an address can name, in this order:
#   Sam's (North) / Zoe's (North) / Oona's (South) / missing / malformed; without Zoe's where a row is nobody's own;
#   one status where nothing is named. A socket answers with its first event, or with the code it closes with.
# At North Sam studies, Tara assists in teaching, Tess teaches, Dan administers a department and Ada the university.
# Oona studies at South, Otto administers it, and Pia administers the platform.
#
"""


def read_table() -> dict[str, dict[str, str]]:
    """Cell by way and person."""
    lines = [line for line in FILE.read_text().splitlines() if line and not line.startswith("#")]
    rows = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    people = rows[0][1:]
    return {row[0]: dict(zip(people, row[1:], strict=True)) for row in rows[1:]}


def write_table(outcomes: dict[str, Outcome]) -> None:
    ways = list(next(iter(outcomes.values())).statuses)
    rows = [["way", *PEOPLE]]
    rows += [
        [way, *("/".join(outcomes[person].statuses[way]) for person in PEOPLE)] for way in sorted(ways, key=_order)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    FILE.write_text(_HEAD + "\n".join(lines) + "\n")


def _order(way: str) -> tuple[str, str]:
    method, _, route = way.partition(" ")
    return route, method
