"""`manage.py tutor_usage`: what the tutor used, by university, course, day or model."""

import csv
import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandError

from tenants.commands import PlatformCommand
from tenants.models import University
from tutoring.queries.ledger import DIMENSIONS, usage_columns, usage_sums

Row = dict[str, Any]

# A spreadsheet takes what begins so for a formula.
_FORMULA = ("=", "+", "-", "@")
_DELETED = "(deleted)"


class Command(PlatformCommand):
    help = "Sums of what the tutor used. Days are those of each university's time zone; --since and --until count in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--university", metavar="SLUG", help="of this university alone")
        parser.add_argument(
            "--by",
            action="append",
            type=_dimensions,
            metavar="WHAT",
            help=f"one or more of {', '.join(DIMENSIONS)}, with commas or repeated; university unless given",
        )
        parser.add_argument("--since", type=_day, metavar="DATE", help="the first day, as 2026-11-30")
        parser.add_argument("--until", type=_day, metavar="DATE", help="the last day")
        parser.add_argument("--format", choices=["table", "csv", "json"], default="table")

    def handle(
        self,
        *args: Any,
        university: str | None,
        by: list[list[str]] | None,
        since: date | None,
        until: date | None,
        format: str,
        **options: Any,
    ) -> None:
        if since and until and until < since:
            raise CommandError(f"--until ({until}) must not be before --since ({since}).")
        wanted = list(dict.fromkeys(name for names in by or [["university"]] for name in names))
        place = _university(university) if university else None
        rows = usage_sums(wanted, university=place, since=since, until=until)
        columns = usage_columns(wanted)
        if format == "csv":
            self._write_csv(columns, rows)
        elif format == "json":
            self.stdout.write(json.dumps(rows, default=str, ensure_ascii=False, indent=2))
        else:
            self._write_table(columns, rows)

    def _write_csv(self, columns: list[str], rows: list[Row]) -> None:
        writer = csv.writer(self.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_harmless(row[column]) for column in columns] for row in rows)

    def _write_table(self, columns: list[str], rows: list[Row]) -> None:
        if not rows:
            self.stdout.write("Nothing was used.")
            return
        numbers = [isinstance(rows[0][column], int | Decimal) for column in columns]
        lines = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        for line in lines:
            cells = zip(line, widths, numbers, strict=True)
            aligned = [cell.rjust(width) if is_number else cell.ljust(width) for cell, width, is_number in cells]
            self.stdout.write("  ".join(aligned).rstrip())


def _dimensions(value: str) -> list[str]:
    names = [name.strip() for name in value.split(",")]
    for name in names:
        if name not in DIMENSIONS:
            raise ArgumentTypeError(f"{name!r} is none of {', '.join(DIMENSIONS)}.")
    return names


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ArgumentTypeError(f"{value!r} is no date. Write it as 2026-11-30.") from error


def _university(slug: str) -> University:
    found = University.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(University.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise CommandError(f"There is no university {slug!r}. There are: {known or 'none'}.")
    return found


def _harmless(value: Any) -> str:
    cell = "" if value is None else _one_line(value)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _cell(value: Any) -> str:
    return _DELETED if value is None else _one_line(value)


def _one_line(value: Any) -> str:
    return " ".join(str(value).split())
